//go:build !purego

package yuv

import (
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

	rows   []byte  // 8 bytes a pair of source rows: high bytes of their weights twice, low bytes twice
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
	if cpu.Current() < cpu.AVX512 || v.taps > wideTaps {
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

// stack makes the table of the vertical kernel. A weight is 64 times the high byte and once
// the low one; one of 16384, which has no other beside it, is 64·255 + 64.
func (t *wideTables) stack(a *axis) {
	split := func(w int16) (h, l byte) {
		high := min(w>>6, 255)
		return byte(high), byte(w - high<<6)
	}
	for o := range a.first {
		t.row = append(t.row, int32(len(t.rows)))
		for k := 0; k < int(a.count[o]); k += 2 {
			h0, l0 := split(weightOf(a, o, k))
			h1, l1 := split(weightOf(a, o, k+1))
			t.rows = append(t.rows, h0, h1, h0, h1, l0, l1, l0, l1)
		}
	}
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
		switch t.mode {
		case pairs32:
			pairs32AVX512(&dst0[0], &dst1[0], &mid0[0], &last[0], &t.first[0], &t.index[0], &t.weight[0], t.steps, p.dstW)
		case pairs64:
			pairs64AVX512(&dst0[0], &dst1[0], &mid0[0], &last[0], &t.first[0], &t.index[0], &t.weight[0], t.steps, p.dstW)
		case quads64:
			quadsAVX512(&dst0[0], &dst1[0], &mid0[0], &last[0], &t.first[0], &t.index[0], &t.weight[0], t.steps, p.dstW)
		}
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
