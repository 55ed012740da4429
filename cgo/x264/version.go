package x264

/*
#cgo pkg-config: x264
#include <stdint.h>
#include <x264.h>
*/
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/gen2brain/x264-go/x264c"
)

// layout is the X264_BUILD whose structs x264c mirrors by hand.
const layout = 164

// Version is the version of libx264 that the program was built for. The linker holds it
// to a library of the same X264_BUILD.
func Version() string { return C.X264_POINTVER }

// Check tells whether this libx264 can be used: its structs must be those that x264c
// mirrors, or every parameter would land in another field.
func Check() error { return check(x264c.Build, C.sizeof_x264_param_t, C.sizeof_x264_picture_t) }

func check(build int, param, picture uintptr) error {
	if build != layout {
		return fmt.Errorf("x264: built for libx264 with X264_BUILD %d, but only build %d is supported", build, layout)
	}
	if param != unsafe.Sizeof(x264c.Param{}) || picture != unsafe.Sizeof(x264c.Picture{}) {
		return fmt.Errorf("x264: libx264 %s has other structs than X264_BUILD %d should", Version(), layout)
	}
	return nil
}
