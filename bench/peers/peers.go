//go:build peers

package peers

/*
// ISO C keeps gcc from fusing floating-point operations.
#cgo CFLAGS: -O3 -march=native -std=c11
#cgo LDFLAGS: -lyuv
#include "loops.h"
#include <stdlib.h>
*/
import "C"

import (
	"fmt"
	"unsafe"

	"sectile/asm/yuv"
)

// filter is how libyuv scales.
type filter int

const (
	bilinear filter = 2 // kFilterBilinear
	box      filter = 3 // kFilterBox; bilinear where a side shrinks to half or less little
)

// alloc returns n elements of zeroed C memory from a 64-byte boundary on. It is not freed:
// the process is a benchmark.
func alloc[T any](n int) []T {
	var e T
	size := (uintptr(n)*unsafe.Sizeof(e) + 63) &^ 63
	p := unsafe.Pointer(C.aligned_alloc(64, C.size_t(size)))
	if p == nil {
		panic(fmt.Sprintf("peers: no memory for %d bytes", size))
	}
	s := unsafe.Slice((*T)(p), n)
	clear(s)
	return s
}

// inputs are samples of several participants as the engine has them: the Go allocator puts
// frames of 960 samples 2048 bytes apart.
type inputs struct {
	samples  []byte
	slices   [][]int16
	pointers []*C.int16_t
}

const inputStride = 2048

func newInputs(k, n int) *inputs {
	in := &inputs{samples: alloc[byte](k * inputStride), pointers: alloc[*C.int16_t](k)}
	for i := range k {
		p := unsafe.Pointer(&in.samples[i*inputStride])
		in.slices = append(in.slices, unsafe.Slice((*int16)(p), n))
		in.pointers[i] = (*C.int16_t)(p)
	}
	return in
}

func (in *inputs) sum(total []int32, reps int) {
	C.loop_sum(i32(total), &in.pointers[0], C.int(len(in.slices)), C.int(len(total)), C.long(reps))
}

func (in *inputs) read(bytes, reps int) {
	C.loop_read((*C.uint8_t)(&in.samples[0]), inputStride, C.int(len(in.slices)), C.long(bytes), C.long(reps))
}

// readImage reads the three planes of a picture, which newImage made.
func readImage(m *yuv.Image, reps int) {
	C.loop_read((*C.uint8_t)(&m.Y[0]), 0, 1, C.long(len(m.Y)+len(m.U)+len(m.V)), C.long(reps))
}

func i16(s []int16) *C.int16_t { return (*C.int16_t)(&s[0]) }
func i32(s []int32) *C.int32_t { return (*C.int32_t)(&s[0]) }

func mixMinus(dst, total []int32, own []int16, reps int) {
	C.loop_mix_minus(i32(dst), i32(total), i16(own), C.int(len(dst)), C.long(reps))
}

func peakTotal(total []int32, reps int) uint32 {
	return uint32(C.loop_peak_total(i32(total), C.int(len(total)), C.long(reps)))
}

func ramp(dst []int16, total []int32, from, to float32, reps int) {
	step := (to - from) / float32(len(dst))
	C.loop_ramp(i16(dst), i32(total), C.float(from), C.float(step), C.int(len(dst)), C.long(reps))
}

func saturate(dst []int16, total []int32, reps int) {
	C.loop_saturate(i16(dst), i32(total), C.int(len(dst)), C.long(reps))
}

func gain(dst, src []int16, g int32, reps int) {
	C.loop_gain(i16(dst), i16(src), C.int32_t(g), C.int(len(dst)), C.long(reps))
}

func peak(src []int16, reps int) int {
	return int(C.loop_peak(i16(src), C.int(len(src)), C.long(reps)))
}

func energy(src []int16, reps int) uint64 {
	return uint64(C.loop_energy(i16(src), C.int(len(src)), C.long(reps)))
}

func blend(dst, alpha []byte, colour byte, reps int) {
	C.loop_blend((*C.uint8_t)(&dst[0]), (*C.uint8_t)(&alpha[0]), C.uint8_t(colour), C.int(len(dst)), C.long(reps))
}

// newImage is yuv.NewImage in C memory.
func newImage(w, h int) *yuv.Image {
	m := yuv.NewImage(w, h)
	y, c := len(m.Y), len(m.U)
	buf := alloc[byte](y + 2*c)
	m.Y, m.U, m.V = buf[:y:y], buf[y:y+c:y+c], buf[y+c:]
	return m
}

func picture(m *yuv.Image) C.struct_picture {
	return C.struct_picture{
		y: (*C.uint8_t)(&m.Y[0]), u: (*C.uint8_t)(&m.U[0]), v: (*C.uint8_t)(&m.V[0]),
		y_stride: C.int(m.YStride), c_stride: C.int(m.CStride), width: C.int(m.Width), height: C.int(m.Height),
	}
}

func scale(dst, src *yuv.Image, f filter, reps int) {
	if C.yuv_scale(picture(dst), picture(src), C.int(f), C.long(reps)) != 0 {
		panic("peers: I420Scale failed")
	}
}

func copyImage(dst, src *yuv.Image, reps int) {
	if C.yuv_copy(picture(dst), picture(src), C.long(reps)) != 0 {
		panic("peers: I420Copy failed")
	}
}
