//go:build !purego

package yuv

import (
	"sectile/asm/cpu"
	"sectile/asm/internal/race"
)

// tables is an axis in the form that the horizontal kernels take: outputs in groups of 16,
// the last filled up with zero weights.
//
// The kernel for pairs loads 8 samples from the first one of 4 outputs, shuffles a pair of
// samples to each of them, and does so again 2 samples on until all weights are used. It
// can where 4 neighbours start close together: wherever the axis grows, shrinks by less
// than about 5/3, or exactly by 2. Everything else goes to the kernel for dot products,
// which takes 8 samples and weights of one output at a time.
type tables struct {
	first  []int32 // pairs: 4 a group, the start of each 4 outputs; dot products: 16, of each output
	mask   []byte  // pairs: 64 a group, what TBL takes
	weight []int16 // zeros where an output has fewer than others
	steps  int     // pairs of samples an output, or blocks of 8
	pairs  bool
}

func newTables(a *axis) tables {
	outputs := (len(a.first) + 15) &^ 15
	t := tables{pairs: true}
	for o := 0; o < outputs; o += 4 {
		if firstOf(a, o+3)-firstOf(a, o) > 6 {
			t.pairs = false
		}
	}
	if t.pairs {
		t.steps = (a.taps + 1) / 2
		for group := 0; group < outputs; group += 16 {
			t.addPairs(a, group)
		}
	} else {
		t.steps = (a.taps + 7) / 8
		for four := 0; four < outputs; four += 4 {
			t.addDots(a, four)
		}
	}
	return t
}

func (t *tables) addPairs(a *axis, group int) {
	for four := group; four < group+16; four += 4 {
		base := firstOf(a, four)
		t.first = append(t.first, base)
		for o := four; o < four+4; o++ {
			at := byte(2 * (firstOf(a, o) - base))
			t.mask = append(t.mask, at, at+1, at+2, at+3)
		}
	}
	for p := range t.steps {
		for o := group; o < group+16; o++ {
			t.weight = append(t.weight, weightOf(a, o, 2*p), weightOf(a, o, 2*p+1))
		}
	}
}

func (t *tables) addDots(a *axis, four int) {
	for o := four; o < four+4; o++ {
		t.first = append(t.first, firstOf(a, o))
	}
	for b := range t.steps {
		for o := four; o < four+4; o++ {
			for k := 8 * b; k < 8*b+8; k++ {
				t.weight = append(t.weight, weightOf(a, o, k))
			}
		}
	}
}

// All kernels but the horizontal ones need n ≥ minWidth; narrower rows are not worth a
// kernel.
const minWidth = 32

//go:noescape
func verticalNEON(mid *int16, src *byte, stride int, weight *int16, count, n int)

//go:noescape
func pairsNEON(dst *byte, mid *int16, first *int32, mask *byte, weight *int16, steps, groups int)

//go:noescape
func dotsNEON(dst *byte, mid *int16, first *int32, weight *int16, steps, groups int)

//go:noescape
func halfNEON(dst, src *byte, stride, n int)

//go:noescape
func quarterNEON(dst, src *byte, stride, n int)

// verticalWork is how many source samples one call of the kernel adds at most, some 30 µs:
// the runtime cannot preempt assembly. Of the largest count it leaves two blocks.
const verticalWork = 2 * minWidth * maxSize

func vertical(mid []int16, src []byte, stride int, weight []int16, count int) {
	n := len(mid)
	if cpu.Current() < cpu.NEON || n < minWidth {
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
		verticalNEON(&mid[at], &src[at], stride, &weight[0], count, min(step, n-at))
	}
}

func horizontal(dst []byte, mid []int16, a *axis, t *tables, rest []byte) {
	if cpu.Current() < cpu.NEON {
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
		pairsNEON(dst, &mid[0], &t.first[4*group], &t.mask[64*group], &t.weight[32*t.steps*group], t.steps, n)
	} else {
		dotsNEON(dst, &mid[0], &t.first[16*group], &t.weight[128*t.steps*group], t.steps, n)
	}
}

func half(dst, src []byte, stride int) {
	if cpu.Current() < cpu.NEON || len(dst) < minWidth {
		halfGeneric(dst, src, stride)
		return
	}
	if race.Enabled {
		readRows(src, stride, 2*len(dst), 2)
		race.Write(dst)
	}
	halfNEON(&dst[0], &src[0], stride, len(dst))
}

func quarter(dst, src []byte, stride int) {
	if cpu.Current() < cpu.NEON || len(dst) < minWidth {
		quarterGeneric(dst, src, stride)
		return
	}
	if race.Enabled {
		readRows(src, stride, 4*len(dst), 4)
		race.Write(dst)
	}
	quarterNEON(&dst[0], &src[0], stride, len(dst))
}

// readRows tells the race detector of a read of n samples in each of count rows.
func readRows(src []byte, stride, n, count int) {
	for y := range count {
		race.Read(src[y*stride:][:n])
	}
}
