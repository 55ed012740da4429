package pcm

import (
	"math"
	"slices"
	"testing"

	"sectile/asm/internal/kerneltest"
)

// block is a number of samples that takes a kernel through its loops and their tails.
const block = 147

// everySample calls f with all values that a sample can have, the last ones in a part of a
// block; lane by lane they come to another place in each call.
func everySample(f func(src []int16)) {
	src := make([]int16, block)
	for v := math.MinInt16; v <= math.MaxInt16; v += block {
		n := min(block, math.MaxInt16+1-v)
		for i := range n {
			src[i] = int16(v + i)
		}
		f(src[:n])
	}
}

// Every own sample less every total that brings the difference to an edge.
func TestMixMinusExhaustive(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		total, dst := make([]int32, block), make([]int32, block)
		everySample(func(own []int16) {
			for _, diff := range []int32{math.MinInt16 - 2, math.MinInt16 - 1, math.MinInt16, math.MinInt16 + 1,
				-1, 0, 1, math.MaxInt16 - 1, math.MaxInt16, math.MaxInt16 + 1, 2 * math.MaxInt16,
				math.MinInt16 * (MaxInputs - 1), math.MaxInt16 * (MaxInputs - 1)} {
				for i, v := range own {
					total[i] = int32(v) + diff
				}
				dst := dst[:len(own)]
				MixMinus(dst, total[:len(own)], own)
				for i, got := range dst {
					if got != diff {
						t.Fatalf("%d less %d: %d instead of %d", total[i], own[i], got, diff)
					}
				}
			}
		})
	})
}

// Every total of up to two and a half times the range of a sample.
func TestSaturateExhaustive(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		total, dst := make([]int32, block), make([]int16, block)
		for v := int32(-5 << 14); v < 5<<14; v += block {
			for i := range total {
				total[i] = v + int32(i)
			}
			Saturate(dst, total)
			for i, got := range dst {
				if want := min(max(total[i], math.MinInt16), math.MaxInt16); int32(got) != want {
					t.Fatalf("%d became %d", total[i], got)
				}
			}
		}
	})
}

// Every total of up to two and a half times the range of a sample against the formula in
// float64, where a product of two float32 is exact; under unity it is Saturate.
func TestRampExhaustive(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		total, dst := make([]int32, block), make([]int16, block)
		for v := int32(-5 << 14); v < 5<<14; v += block {
			for i := range total {
				total[i] = v + int32(i)
			}
			for _, gain := range []float32{0, 1e-3, 1.0 / 3, 0.5, 1 - 1.0/(1<<24), 1, 1.5, RampMax} {
				Ramp(dst, total, gain, gain)
				for i, got := range dst {
					product := float64(float32(float64(total[i]) * float64(gain)))
					want := int16(min(max(math.RoundToEven(product), math.MinInt16), math.MaxInt16))
					if got != want {
						t.Fatalf("%d × %v became %d instead of %d", total[i], gain, got, want)
					}
				}
			}
			Ramp(dst, total, 1, 1)
			for i, got := range dst {
				if want := min(max(total[i], math.MinInt16), math.MaxInt16); int32(got) != want {
					t.Fatalf("%d × 1 became %d", total[i], got)
				}
			}
		}
	})
}

// Every sample alone, among silence, and in company of its like.
func TestLevelsExhaustive(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		one, all := make([]int16, block), make([]int16, block)
		at := 0
		everySample(func(src []int16) {
			for _, v := range src {
				magnitude := max(int(v), -int(v))
				one[at] = v
				if p, e := Peak(one), Energy(one); p != magnitude || e != uint64(magnitude*magnitude) {
					t.Fatalf("%d at %d: peak %d, energy %d", v, at, p, e)
				}
				one[at] = 0
				at = (at + 1) % block
			}
			for _, v := range []int16{src[0], src[len(src)/2], src[len(src)-1]} {
				fill(all, func(int) int16 { return v })
				if p, e := Peak(all), Energy(all); p != max(int(v), -int(v)) || e != uint64(block*int(v)*int(v)) {
					t.Fatalf("%d everywhere: peak %d, energy %d", v, p, e)
				}
			}
		})
	})
}

// What is one input's alone stays what it was, at every sample value.
func TestIdentities(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		total, minus, dst := make([]int32, block), make([]int32, block), make([]int16, block)
		everySample(func(src []int16) {
			total, minus, dst := total[:len(src)], minus[:len(src)], dst[:len(src)]
			Sum(total, [][]int16{src})
			Saturate(dst, total)
			if !slices.Equal(dst, src) {
				t.Fatal("the sum of one input is not that input")
			}
			clear(dst)
			Gain(dst, src, GainUnity)
			if !slices.Equal(dst, src) {
				t.Fatal("unity gain is not a copy")
			}
			if int(PeakTotal(total)) != Peak(src) {
				t.Fatal("the sum of one input has another peak")
			}
			MixMinus(minus, total, src)
			if PeakTotal(minus) != 0 {
				t.Fatal("one input alone hears itself")
			}
			Gain(dst, src, 0)
			if Energy(dst) != 0 {
				t.Fatal("no gain leaves a signal")
			}
		})
	})
}
