package pcm

import "unsafe"

// checkOverlap panics if dst and src, of equal length, share memory but do not start at
// the same sample: kernels read ahead of what they write.
func checkOverlap[T any](dst, src []T) {
	if len(dst) == 0 || &dst[0] == &src[0] {
		return
	}
	d, s := uintptr(unsafe.Pointer(&dst[0])), uintptr(unsafe.Pointer(&src[0]))
	n := uintptr(len(dst)) * unsafe.Sizeof(dst[0])
	if d < s+n && s < d+n {
		panic("pcm: source and destination overlap")
	}
}
