package pcm

import "unsafe"

// checkOverlap panics if dst and src, of equal length, share memory but do not start at
// the same sample: kernels read ahead of what they write.
func checkOverlap(dst, src []int16) {
	if len(dst) == 0 || &dst[0] == &src[0] {
		return
	}
	d, s, n := uintptr(unsafe.Pointer(&dst[0])), uintptr(unsafe.Pointer(&src[0])), uintptr(2*len(dst))
	if d < s+n && s < d+n {
		panic("pcm: source and destination overlap")
	}
}
