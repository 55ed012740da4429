//go:build !purego

package yuv

import (
	"encoding/binary"

	"sectile/asm/cpu"
	"sectile/asm/internal/race"
)

// wideTables are both axes of a plane in the form that the kernels of AVX-512 take. These
// make two output rows at once: all that the horizontal one reads of its tables serves both.
//
// A register holds the sums of 16 outputs, a doubleword each. VPERMW gathers a pair of
// samples for each of them from a window of 32 samples, which starts with the first one of
// the first output, or VPERMI2W from a window of 64; the next pairs are those 2 further on.
// Where the samples of 16 outputs are not that close together (from a ratio of 4 or so on),
// a register has 8 outputs and gathers four samples for each.
type wideTables struct {
	mode   wideMode
	steps  int      // pairs or quads of samples an output
	first  []int32  // of each register, where its window starts
	index  []uint16 // 32 a register: the samples that the first step gathers
	weight []int16  // 32 a register and step; zeros where an output has fewer than others

	rows   []byte  // what the vertical kernel takes: see stack
	row    []int32 // where those of each output row begin
	midLen int     // of an intermediate row
}

type wideMode uint8

const (
	pairs32 wideMode = iota
	pairs64
	quads64
)

// wideTaps is how many source rows an output has at most, for no call of the kernel to
// take long; an axis with more is left to other kernels.
const wideTaps = 32

// wideWidth is how many columns the vertical kernel has at least.
const wideWidth = 64

//go:noescape
func verticalAVX512(mid *int16, src *byte, stride int, weight *byte, count, n int)

//go:noescape
func pairs32AVX512(dst0, dst1 *byte, mid0, mid1 *int16, first *int32, index *uint16, weight *int16, steps, n int)

//go:noescape
func pairs64AVX512(dst0, dst1 *byte, mid0, mid1 *int16, first *int32, index *uint16, weight *int16, steps, n int)

//go:noescape
func quadsAVX512(dst0, dst1 *byte, mid0, mid1 *int16, first *int32, index *uint16, weight *int16, steps, n int)

// newWideTables returns nil if the CPU or the axes are not fit for wide kernels.
func newWideTables(srcW int, h, v *axis) *wideTables {
	if cpu.Current() < cpu.AVX512 || srcW < wideWidth || v.taps > wideTaps {
		return nil
	}
	t := &wideTables{midLen: (srcW+63)&^63 + 64}
	switch pairs, quads := (h.taps+1)/2, (h.taps+3)/4; {
	case h.spread(16)+2*pairs <= 32:
		t.mode, t.steps = pairs32, pairs
		t.gather(h, 16, 2)
	case h.spread(16)+2*pairs <= 64:
		t.mode, t.steps = pairs64, pairs
		t.gather(h, 16, 2)
	case h.spread(8)+4*quads <= 64:
		t.mode, t.steps = quads64, quads
		t.gather(h, 8, 4)
	default:
		return nil
	}
	t.stack(v)
	return t
}

// spread returns how far apart the first samples of n outputs are at most that begin at a
// multiple of n.
func (a *axis) spread(n int) int {
	s := int32(0)
	for o := 0; o < len(a.first); o += n {
		s = max(s, firstOf(a, o+n-1)-a.first[o])
	}
	return int(s)
}

// gather makes the tables of the horizontal kernels, with n outputs a register and taps
// samples a step.
func (t *wideTables) gather(a *axis, n, taps int) {
	outputs := (len(a.first) + 31) &^ 31
	for o := 0; o < outputs; o += n {
		base := firstOf(a, o)
		t.first = append(t.first, base)
		for i := range n {
			for k := range taps {
				t.index = append(t.index, uint16(firstOf(a, o+i)-base)+uint16(k))
			}
		}
		for s := range t.steps {
			for i := range n {
				for k := range taps {
					t.weight = append(t.weight, weightOf(a, o+i, taps*s+k))
				}
			}
		}
	}
}

// stack makes the table of the vertical kernel. A weight is 128·h + l with h from 0 to 127
// and l from -63 to 64, or to 127 where h is 127. So the sums of two h and of two l are up
// to 128 times 255, a signed word, and those of four l span less than 256 times that. A
// weight of 16384 is too much: it becomes two of the same row.
//
// The bias of four rows is a multiple of 128 that makes up for all l below zero. What it
// adds to B>>7 is taken from A, which begins with the 64 that the horizontal kernels want.
func (t *wideTables) stack(a *axis) {
	for o := range a.first {
		t.row = append(t.row, int32(len(t.rows)))
		var weights [wideTaps]int16
		copy(weights[:], a.weight[a.offset[o]:][:a.count[o]])
		if weights[0] == weightOne {
			weights[0], weights[1] = weightOne/2, weightOne/2
		}
		start := len(t.rows)
		t.rows = append(t.rows, 0, 0, 0, 0)
		base := 64
		for k := 0; k < int(a.count[o]); k += 4 {
			var h, l [4]int8
			below := 0
			for i := range 4 {
				w := int(weights[k+i])
				high := min((w+63)/128, 127)
				h[i], l[i] = int8(high), int8(w-128*high)
				below += max(0, -int(l[i]))
			}
			bias := (255*below + 127) / 128
			base -= bias
			low := bias * 128
			if k == 0 {
				low += 64 // what rounds the result
			}
			t.rows = appendTwice(t.rows, uint16(low))
			for i := 0; i < 4 && k+i < int(a.count[o]); i += 2 {
				t.rows = appendTwice(t.rows, uint16(byte(h[i]))|uint16(byte(h[i+1]))<<8)
				t.rows = appendTwice(t.rows, uint16(byte(l[i]))|uint16(byte(l[i+1]))<<8)
			}
		}
		copy(t.rows[start:], appendTwice(nil, uint16(base)))
	}
}

func appendTwice(b []byte, v uint16) []byte {
	return binary.LittleEndian.AppendUint32(b, uint32(v)|uint32(v)<<16)
}

// scale scales a plane with mid for two intermediate rows. An odd last row is made twice.
func (t *wideTables) scale(mid []int16, p *plane, dst []byte, dstStride int, src []byte, srcStride int) {
	mid0, mid1 := mid[:t.midLen], mid[t.midLen:2*t.midLen]
	for y := 0; y < p.dstH; y += 2 {
		dst0 := dst[y*dstStride:][:p.dstW]
		dst1, last := dst0, mid0
		t.vertical(mid0, p, y, src, srcStride)
		if y+1 < p.dstH {
			dst1, last = dst[(y+1)*dstStride:][:p.dstW], mid1
			t.vertical(mid1, p, y+1, src, srcStride)
		}
		if race.Enabled {
			race.Write(dst0)
			race.Write(dst1)
		}
		t.horizontal(&dst0[0], &dst1[0], &mid0[0], &last[0], p.dstW)
	}
}

func (t *wideTables) horizontal(dst0, dst1 *byte, mid0, mid1 *int16, n int) {
	first, index, weight := &t.first[0], &t.index[0], &t.weight[0]
	switch t.mode {
	case pairs32:
		pairs32AVX512(dst0, dst1, mid0, mid1, first, index, weight, t.steps, n)
	case pairs64:
		pairs64AVX512(dst0, dst1, mid0, mid1, first, index, weight, t.steps, n)
	case quads64:
		quadsAVX512(dst0, dst1, mid0, mid1, first, index, weight, t.steps, n)
	}
}

func (t *wideTables) vertical(mid []int16, p *plane, y int, src []byte, srcStride int) {
	count := int(p.v.count[y])
	src = src[int(p.v.first[y])*srcStride:]
	if race.Enabled {
		readRows(src, srcStride, p.srcW, count)
	}
	verticalAVX512(&mid[0], &src[0], srcStride, &t.rows[t.row[y]], count, p.srcW)
}
