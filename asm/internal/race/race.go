//go:build race

// Package race tells the race detector what assembly reads and writes, for it sees only
// compiled Go.
package race

import (
	"runtime"
	"unsafe"
)

// Enabled says whether the program is built with -race.
const Enabled = true

// Read reports a read of all elements of s.
func Read[T any](s []T) {
	if len(s) > 0 {
		runtime.RaceReadRange(unsafe.Pointer(&s[0]), len(s)*int(unsafe.Sizeof(s[0])))
	}
}

// Write reports a write of all elements of s.
func Write[T any](s []T) {
	if len(s) > 0 {
		runtime.RaceWriteRange(unsafe.Pointer(&s[0]), len(s)*int(unsafe.Sizeof(s[0])))
	}
}
