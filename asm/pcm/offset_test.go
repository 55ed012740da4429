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
					mixMinusGeneric(wantSum, total, src)
					MixMinus(sum, total, src)
					if !slices.Equal(sum, wantSum) {
						t.Fatalf("MixMinus of %d from %d and %d to %d differs", n, at%16, at, to%16)
					}
					rampGeneric(want, total, 1.5, -1.0/512)
					check("Ramp", func() { ramp(dst, total, 1.5, -1.0/512) })
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
				if Peak(src) != peakGeneric(src) || Energy(src) != energyGeneric(src) || PeakTotal(total) != peakTotalGeneric(total) {
					t.Fatalf("levels of %d from %d differ", n, at)
				}
			}
		}
	})
}

// Every length up to that of a frame, at pages that fault: some kernels take blocks of
// hundreds of samples.
func TestLengths(t *testing.T) {
	const most = 1000
	var arenas [5]*kerneltest.Arena
	for i := range arenas {
		arenas[i] = kerneltest.NewArena(t, 4*most)
	}
	kerneltest.Tiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(11, 12))
		want, wantTotal := make([]int16, most), make([]int32, most)
		for n := range most + 1 {
			src, src2 := kerneltest.Tail[int16](arenas[0], n), kerneltest.Tail[int16](arenas[1], n)
			dst, total := kerneltest.Tail[int16](arenas[2], n), kerneltest.Tail[int32](arenas[3], n)
			minus := kerneltest.Tail[int32](arenas[4], n)
			if n%2 != 0 {
				src, dst = kerneltest.Head[int16](arenas[0], n), kerneltest.Head[int16](arenas[2], n)
				total, minus = kerneltest.Head[int32](arenas[3], n), kerneltest.Head[int32](arenas[4], n)
			}
			random(src, r)
			random(src2, r)
			want, wantTotal := want[:n], wantTotal[:n]
			check := func(kernel string) {
				t.Helper()
				if !slices.Equal(dst, want) {
					t.Fatalf("%s of %d differs", kernel, n)
				}
			}

			srcs := [][]int16{src, src2, src2, src}[:1+n%4]
			sumGeneric(wantTotal, srcs)
			kerneltest.Dirty()
			Sum(total, srcs)
			if !slices.Equal(total, wantTotal) {
				t.Fatalf("Sum of %d of %d differs", len(srcs), n)
			}
			kerneltest.Dirty()
			if got, want := PeakTotal(total), peakTotalGeneric(total); got != want {
				t.Fatalf("PeakTotal of %d: %d instead of %d", n, got, want)
			}
			rampGeneric(want, total, 0.25, 1.0/1024)
			kerneltest.Dirty()
			ramp(dst, total, 0.25, 1.0/1024)
			check("Ramp")
			mixMinusGeneric(wantTotal, total, src2)
			kerneltest.Dirty()
			MixMinus(minus, total, src2)
			if !slices.Equal(minus, wantTotal) {
				t.Fatalf("MixMinus of %d differs", n)
			}
			saturateGeneric(want, total)
			kerneltest.Dirty()
			Saturate(dst, total)
			check("Saturate")
			scaleGeneric(want, src, GainUnity/3)
			kerneltest.Dirty()
			Gain(dst, src, GainUnity/3)
			check("Gain")
			kerneltest.Dirty()
			if got, want := Peak(src), peakGeneric(src); got != want {
				t.Fatalf("Peak of %d: %d instead of %d", n, got, want)
			}
			kerneltest.Dirty()
			if got, want := Energy(src), energyGeneric(src); got != want {
				t.Fatalf("Energy of %d: %d instead of %d", n, got, want)
			}
		}
	})
}
