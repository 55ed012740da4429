package pcm

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"sectile/asm/internal/kerneltest"
)

// bench runs f with frames of 10 and 20 ms at 48 kHz; it moves bytes per sample.
func bench(b *testing.B, bytes int, f func(dst, src []int16, total []int32)) {
	kerneltest.Bench(b, func(b *testing.B) {
		for _, n := range []int{480, 960} {
			b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
				dst, src, total := make([]int16, n), make([]int16, n), make([]int32, n)
				random(src, rand.New(rand.NewPCG(1, 2)))
				totalsOf(total, src)
				b.SetBytes(int64(bytes * n))
				for b.Loop() {
					f(dst, src, total)
				}
			})
		}
	})
}

func BenchmarkSum(b *testing.B) {
	kerneltest.Bench(b, func(b *testing.B) {
		for _, inputs := range []int{3, 100} {
			const n = 960
			b.Run(fmt.Sprintf("inputs=%d/n=%d", inputs, n), func(b *testing.B) {
				srcs, total := make([][]int16, inputs), make([]int32, n)
				for k := range srcs {
					srcs[k] = make([]int16, n)
				}
				b.SetBytes(int64(2 * n * inputs))
				for b.Loop() {
					Sum(total, srcs)
				}
			})
		}
	})
}

func BenchmarkMixMinus(b *testing.B) {
	mix := make([]int32, 960)
	bench(b, 10, func(_, src []int16, total []int32) { MixMinus(mix[:len(total)], total, src) })
}

func BenchmarkSaturate(b *testing.B) {
	bench(b, 6, func(dst, _ []int16, total []int32) { Saturate(dst, total) })
}

func BenchmarkPeakTotal(b *testing.B) {
	bench(b, 4, func(_, _ []int16, total []int32) { PeakTotal(total) })
}

func BenchmarkRamp(b *testing.B) {
	bench(b, 6, func(dst, _ []int16, total []int32) { Ramp(dst, total, 0.5, 1) })
}

func BenchmarkGain(b *testing.B) {
	bench(b, 4, func(dst, src []int16, _ []int32) { Gain(dst, src, GainUnity/2) })
}

func BenchmarkPeak(b *testing.B) {
	bench(b, 2, func(_, src []int16, _ []int32) { Peak(src) })
}

func BenchmarkEnergy(b *testing.B) {
	bench(b, 2, func(_, src []int16, _ []int32) { Energy(src) })
}
