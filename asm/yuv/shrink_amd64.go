//go:build !purego

package yuv

import (
	"sectile/asm/cpu"
	"sectile/asm/internal/race"
)

// The kernels for exact factors make whole planes: a call for each row would cost a third
// of the time of a small one.

//go:noescape
func halfAVX2(dst, src *byte, dstStride, srcStride, n, rows int)

//go:noescape
func halfAVX512(dst, src *byte, dstStride, srcStride, n, rows int)

//go:noescape
func thirdAVX2(dst, src *byte, dstStride, srcStride, n, rows int)

//go:noescape
func thirdAVX512(dst, src *byte, dstStride, srcStride, n, rows int)

//go:noescape
func quarterAVX2(dst, src *byte, dstStride, srcStride, n, rows int)

//go:noescape
func quarterAVX512(dst, src *byte, dstStride, srcStride, n, rows int)

// shrinkWork is how many source samples one call of a kernel takes at most, about 20 µs
// where they come from memory: the runtime cannot preempt assembly.
const shrinkWork = 1 << 19

func halfPlane(dst []byte, dstStride int, src []byte, srcStride, w, h int) {
	tier := cpu.Current()
	if tier < cpu.AVX2 || w < minWidth {
		for y := range h {
			halfGeneric(dst[y*dstStride:][:w], src[2*y*srcStride:], srcStride)
		}
		return
	}
	if race.Enabled {
		readRows(src, srcStride, 2*w, 2*h)
		writeRows(dst, dstStride, w, h)
	}
	step := max(1, shrinkWork/(4*w))
	for y := 0; y < h; y += step {
		rows := min(step, h-y)
		if tier >= cpu.AVX512 && w >= wideWidth {
			halfAVX512(&dst[y*dstStride], &src[2*y*srcStride], dstStride, srcStride, w, rows)
		} else {
			halfAVX2(&dst[y*dstStride], &src[2*y*srcStride], dstStride, srcStride, w, rows)
		}
	}
}

func thirdPlane(dst []byte, dstStride int, src []byte, srcStride, w, h int) {
	tier := cpu.Current()
	if tier < cpu.AVX2 || w < minWidth {
		for y := range h {
			thirdGeneric(dst[y*dstStride:][:w], src[3*y*srcStride:], srcStride)
		}
		return
	}
	if race.Enabled {
		readRows(src, srcStride, 3*w, 3*h)
		writeRows(dst, dstStride, w, h)
	}
	step := max(1, shrinkWork/(9*w))
	for y := 0; y < h; y += step {
		rows := min(step, h-y)
		if tier >= cpu.AVX512 && w >= wideWidth {
			thirdAVX512(&dst[y*dstStride], &src[3*y*srcStride], dstStride, srcStride, w, rows)
		} else {
			thirdAVX2(&dst[y*dstStride], &src[3*y*srcStride], dstStride, srcStride, w, rows)
		}
	}
}

func quarterPlane(dst []byte, dstStride int, src []byte, srcStride, w, h int) {
	tier := cpu.Current()
	if tier < cpu.AVX2 || w < minWidth {
		for y := range h {
			quarterGeneric(dst[y*dstStride:][:w], src[4*y*srcStride:], srcStride)
		}
		return
	}
	if race.Enabled {
		readRows(src, srcStride, 4*w, 4*h)
		writeRows(dst, dstStride, w, h)
	}
	step := max(1, shrinkWork/(16*w))
	for y := 0; y < h; y += step {
		rows := min(step, h-y)
		if tier >= cpu.AVX512 && w >= wideWidth {
			quarterAVX512(&dst[y*dstStride], &src[4*y*srcStride], dstStride, srcStride, w, rows)
		} else {
			quarterAVX2(&dst[y*dstStride], &src[4*y*srcStride], dstStride, srcStride, w, rows)
		}
	}
}

// writeRows tells the race detector of a write of n samples in each of count rows.
func writeRows(dst []byte, stride, n, count int) {
	for y := range count {
		race.Write(dst[y*stride:][:n])
	}
}
