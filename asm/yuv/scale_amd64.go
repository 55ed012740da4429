//go:build !purego

package yuv

import (
	"sectile/asm/cpu"
	"sectile/asm/internal/race"
)

// tables is an axis in the form that the horizontal kernels take: outputs in groups of 16
// (the last filled up with zero weights), each group's in the order in which the kernel
// makes them.
//
// A kernel works on the two lanes of a register at once. For the bytes to come out in
// order, outputs 0-3 and 8-11 of a group share the lanes of one, 4-7 and 12-15 those of
// another.
//
// The kernel for pairs loads 8 samples from the first one of 4 outputs, shuffles a pair of
// samples to each of them, and does so again 2 samples on until all weights are used. It
// can where 4 neighbours start close together: wherever the axis grows, shrinks by less
// than about 5/3, or exactly by 2. Everything else goes to the kernel for dot products,
// which takes 8 samples and weights of one output at a time.
type tables struct {
	first  []int32 // pairs: 4 a group, the start of each lane; dot products: 16, of each output
	mask   []byte  // pairs: 64 a group, what VPSHUFB takes
	weight []int16 // zeros where an output has fewer than others
	steps  int     // pairs of samples an output, or blocks of 8
	pairs  bool
}

// midLen returns how long the intermediate rows must be; 0 if there are none. Kernels read
// whole vectors of them, from the first sample of an output or a pair of samples on.
func midLen(p *plane) int {
	if p.h == nil {
		return 0
	}
	if p.wide != nil {
		return 2 * p.wide.midLen
	}
	return p.srcW + p.h.taps + 8
}

// general scales a plane: row by row, or two rows at once where there are kernels for that.
func (s *Scaler) general(p *plane, dst []byte, dstStride int, src []byte, srcStride int) {
	if p.wide != nil && cpu.Current() >= cpu.AVX512 {
		p.wide.scale(s.mid, p, dst, dstStride, src, srcStride)
		return
	}
	for y := range p.dstH {
		weights := p.v.weight[p.v.offset[y]:]
		vertical(s.mid[:p.srcW], src[int(p.v.first[y])*srcStride:], srcStride, weights, int(p.v.count[y]))
		horizontal(dst[y*dstStride:][:p.dstW], s.mid, p.h, &p.tables, s.rest)
	}
}

// lanes holds the first output of each lane, and dots all outputs, in the order of kernels.
var (
	lanes = [4]int{0, 8, 4, 12}
	dots  = [16]int{0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15}
)

func newTables(a *axis) tables {
	groups := (len(a.first) + 15) / 16
	t := tables{pairs: true}
	for o := 0; o < len(a.first); o += 4 {
		if a.first[min(o+3, len(a.first)-1)]-a.first[o] > 6 {
			t.pairs = false
		}
	}
	if t.pairs {
		t.steps = (a.taps + 1) / 2
		for g := range groups {
			t.addPairs(a, 16*g)
		}
	} else {
		t.steps = (a.taps + 7) / 8
		for g := range groups {
			t.addDots(a, 16*g)
		}
	}
	return t
}

func (t *tables) addPairs(a *axis, group int) {
	for _, lane := range lanes {
		base := firstOf(a, group+lane)
		t.first = append(t.first, base)
		for o := group + lane; o < group+lane+4; o++ {
			at := byte(2 * (firstOf(a, o) - base))
			t.mask = append(t.mask, at, at+1, at+2, at+3)
		}
	}
	for p := range t.steps {
		for _, lane := range lanes {
			for o := group + lane; o < group+lane+4; o++ {
				t.weight = append(t.weight, weightOf(a, o, 2*p), weightOf(a, o, 2*p+1))
			}
		}
	}
}

func (t *tables) addDots(a *axis, group int) {
	for _, o := range dots {
		t.first = append(t.first, firstOf(a, group+o))
	}
	for _, half := range [][]int{dots[:8], dots[8:]} {
		for b := range t.steps {
			for _, o := range half {
				for k := range 8 {
					t.weight = append(t.weight, weightOf(a, group+o, 8*b+k))
				}
			}
		}
	}
}

// All kernels but the horizontal ones need n ≥ minWidth; narrower rows are not worth a
// kernel.
const minWidth = 32

//go:noescape
func verticalAVX2(mid *int16, src *byte, stride int, weight *int16, count, n int)

//go:noescape
func pairsAVX2(dst *byte, mid *int16, first *int32, mask *byte, weight *int16, steps, groups int)

//go:noescape
func dotsAVX2(dst *byte, mid *int16, first *int32, weight *int16, steps, groups int)

// verticalWork is how many source samples one call of the kernel adds at most, about
// 10 µs: the runtime cannot preempt assembly. Of the largest count it leaves two blocks.
const verticalWork = 2 * minWidth * maxSize

func vertical(mid []int16, src []byte, stride int, weight []int16, count int) {
	n := len(mid)
	if cpu.Current() < cpu.AVX2 || n < minWidth {
		verticalGeneric(mid, src, stride, weight, count)
		return
	}
	if race.Enabled {
		readRows(src, stride, n, count)
		race.Write(mid)
	}
	step := verticalWork / count
	for x := 0; x < n; x += step {
		// The last part may be short: it starts early enough then, and does some
		// samples again.
		at := min(x, n-minWidth)
		verticalAVX2(&mid[at], &src[at], stride, &weight[0], count, min(step, n-at))
	}
}

func horizontal(dst []byte, mid []int16, a *axis, t *tables, rest []byte) {
	if cpu.Current() < cpu.AVX2 {
		horizontalGeneric(dst, mid, a)
		return
	}
	if race.Enabled {
		race.Read(mid)
		race.Write(dst)
	}
	whole := len(dst) / 16
	if whole > 0 {
		t.run(&dst[0], mid, 0, whole)
	}
	if n := len(dst) % 16; n > 0 {
		t.run(&rest[0], mid, whole, 1)
		copy(dst[16*whole:], rest[:n])
	}
}

// run makes 16 samples of each of n groups.
func (t *tables) run(dst *byte, mid []int16, group, n int) {
	if t.pairs {
		pairsAVX2(dst, &mid[0], &t.first[4*group], &t.mask[64*group], &t.weight[32*t.steps*group], t.steps, n)
	} else {
		dotsAVX2(dst, &mid[0], &t.first[16*group], &t.weight[128*t.steps*group], t.steps, n)
	}
}

// readRows tells the race detector of a read of n samples in each of count rows.
func readRows(src []byte, stride, n, count int) {
	for y := range count {
		race.Read(src[y*stride:][:n])
	}
}
