package pcm

import (
	"math/rand/v2"
	"slices"
	"testing"

	"sectile/asm/internal/kerneltest"
)

// Lengths at which the loops of kernels end, and the ones next to them.
var edges = []int{1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 96, 127, 128, 129, 200}

// Source and destination at every alignment to each other and to a cache line: 32 samples.
func TestOffsets(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(9, 10))
		const room, line = 200 + 64, 32
		from, from2 := make([]int16, room), make([]int16, room)
		random(from, r)
		random(from2, r)
		totals := make([]int32, room)
		for i := range totals {
			totals[i] = int32(from2[i]) * 2
		}
		into, sums := make([]int16, room), make([]int32, room)
		for _, n := range edges {
			want, wantSum := make([]int16, n), make([]int32, n)
			for at := range line {
				src, total := from[at:at+n], totals[at%16:at%16+n]
				for to := range line {
					dst, sum := into[to:to+n], sums[to%16:to%16+n]
					check := func(kernel string, run func()) {
						t.Helper()
						fill(into, func(int) int16 { return 77 })
						run()
						for i, v := range into {
							if i >= to && i < to+n && v != want[i-to] {
								t.Fatalf("%s of %d from %d to %d: [%d] = %d instead of %d", kernel, n, at, to, i-to, v, want[i-to])
							}
							if (i < to || i >= to+n) && v != 77 {
								t.Fatalf("%s of %d from %d to %d: [%d] was written", kernel, n, at, to, i-to)
							}
						}
					}
					mixMinusGeneric(want, total, src)
					check("MixMinus", func() { MixMinus(dst, total, src) })
					saturateGeneric(want, total)
					check("Saturate", func() { Saturate(dst, total) })
					scaleGeneric(want, src, 3*GainUnity/7)
					check("Gain", func() { Gain(dst, src, 3*GainUnity/7) })
					srcs := [][]int16{src, from2[to : to+n], src}
					sumGeneric(wantSum, srcs)
					Sum(sum, srcs)
					if !slices.Equal(sum, wantSum) {
						t.Fatalf("Sum of %d from %d and %d to %d differs", n, at, to, to%16)
					}
				}
				if Peak(src) != peakGeneric(src) || Energy(src) != energyGeneric(src) {
					t.Fatalf("levels of %d from %d differ", n, at)
				}
			}
		}
	})
}
