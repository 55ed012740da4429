package pcm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"sectile/asm/cpu"
	"sectile/asm/internal/kerneltest"
)

// Every length that takes another path through the loops and their tails.
const maxLen = 130

// signals are the contents that samples are tested with, apart from random ones.
var signals = []struct {
	name string
	at   func(i int) int16
}{
	{"zero", func(int) int16 { return 0 }},
	{"min", func(int) int16 { return math.MinInt16 }},
	{"max", func(int) int16 { return math.MaxInt16 }},
	{"alternating", func(i int) int16 { return int16(math.MinInt16 + i&1*math.MaxUint16) }},
	{"small", func(i int) int16 { return int16(i%5 - 2) }},
}

func fill(s []int16, at func(int) int16) {
	for i := range s {
		s[i] = at(i)
	}
}

func random(s []int16, r *rand.Rand) { fill(s, func(int) int16 { return int16(r.Uint32()) }) }

// eachSignal calls f with every signal and some random ones in s.
func eachSignal(s []int16, f func(name string)) {
	for _, sig := range signals {
		fill(s, sig.at)
		f(sig.name)
	}
	r := rand.New(rand.NewPCG(1, uint64(len(s))))
	for range 3 {
		random(s, r)
		f("random")
	}
}

// totalsOf derives totals of all magnitudes from samples: some small, some far outside of
// 16 bits, some at the ends of what Sum can make.
func totalsOf(total []int32, src []int16) {
	for i := range total {
		switch v := int32(src[i]); i % 4 {
		case 0:
			total[i] = v
		case 1:
			total[i] = 2 * v
		case 2:
			total[i] = v * MaxInputs
		case 3:
			total[i] = v + int32(i)
		}
	}
}

// places returns where a slice of n elements is put in an arena: against the guard page
// before it and behind it, and at other alignments a few elements from the latter.
func places[T any](a *kerneltest.Arena, n int) [][]T {
	ps := [][]T{kerneltest.Head[T](a, n)}
	for _, gap := range []int{0, 1, 3} {
		ps = append(ps, kerneltest.Tail[T](a, n+gap)[:n:n])
	}
	return ps
}

// canary fails the test if writing into an n element slice of a larger one touches the
// rest.
func canary[T comparable](t *testing.T, n int, mark T, write func(dst []T)) []T {
	t.Helper()
	const margin = 37
	buf := make([]T, n+2*margin)
	for i := range buf {
		buf[i] = mark
	}
	kerneltest.Dirty()
	write(buf[margin : margin+n : margin+n])
	for i, v := range buf {
		if (i < margin || i >= margin+n) && v != mark {
			t.Fatalf("n=%d: element %d outside was written", n, i-margin)
		}
	}
	return buf[margin : margin+n]
}

func TestSum(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(2, 3))
		for n := range maxLen + 1 {
			for _, inputs := range []int{0, 1, 2, 3, 4, 7} {
				srcs := make([][]int16, inputs)
				for k := range srcs {
					srcs[k] = make([]int16, n+k)[k:] // odd offsets
					if k%3 == 2 {
						fill(srcs[k], signals[(n+k)%len(signals)].at)
					} else {
						random(srcs[k], r)
					}
				}
				want := make([]int32, n)
				sumGeneric(want, srcs)
				got := canary(t, n, int32(-77), func(dst []int32) { Sum(dst, srcs) })
				if !slices.Equal(got, want) {
					t.Fatalf("n=%d inputs=%d: %v instead of %v", n, inputs, got, want)
				}
			}
		}
	})
}

// The sum of as many inputs as there may be is exact at both ends, and so is what is left
// for one of them or for somebody who is none.
func TestSumFullScale(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		for _, v := range []int16{math.MinInt16, math.MaxInt16} {
			const n = 83
			src := make([]int16, n)
			fill(src, func(int) int16 { return v })
			total, minus := make([]int32, n), make([]int32, n)
			Sum(total, slices.Repeat([][]int16{src}, MaxInputs))
			for i := range total {
				if total[i] != int32(v)*MaxInputs {
					t.Fatalf("total[%d] = %d", i, total[i])
				}
			}
			for _, own := range []int16{math.MinInt16, math.MaxInt16} {
				fill(src, func(int) int16 { return own })
				MixMinus(minus, total, src)
				for i := range minus {
					if minus[i] != int32(v)*MaxInputs-int32(own) {
						t.Fatalf("full scale less %d: dst[%d] = %d", own, i, minus[i])
					}
				}
			}
		}
	})
}

// More samples than one call of a kernel may add.
func TestSumChunks(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(4, 5))
		const n, distinct, inputs = 1000, 7, 3001
		few := make([][]int16, distinct)
		for k := range few {
			few[k] = make([]int16, n)
			random(few[k], r)
		}
		srcs := make([][]int16, inputs)
		for k := range srcs {
			srcs[k] = few[k%distinct]
		}
		got, want := make([]int32, n), make([]int32, n)
		Sum(got, srcs)
		sumGeneric(want, srcs)
		if !slices.Equal(got, want) {
			t.Fatal("differs from the reference")
		}
	})
}

func TestMixMinus(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		for n := range maxLen + 1 {
			src, own := make([]int16, n), make([]int16, n+1)[1:]
			total, want := make([]int32, n), make([]int32, n)
			random(own, rand.New(rand.NewPCG(6, uint64(n))))
			eachSignal(src, func(name string) {
				totalsOf(total, src)
				for _, own := range [][]int16{own, src} {
					mixMinusGeneric(want, total, own)
					got := canary(t, n, int32(-77), func(dst []int32) { MixMinus(dst, total, own) })
					if !slices.Equal(got, want) {
						t.Fatalf("n=%d %s: %v instead of %v", n, name, got, want)
					}
				}
				inPlace := slices.Clone(total)
				MixMinus(inPlace, inPlace, src)
				if !slices.Equal(inPlace, want) {
					t.Fatalf("n=%d %s, in place: %v instead of %v", n, name, inPlace, want)
				}
			})
		}
	})
}

// What MixMinus gives each input is the sum of the others, added up directly.
func TestMixMinusIsSumOfOthers(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(7, 8))
		const n = 97
		for inputs := 1; inputs <= 12; inputs++ {
			srcs := make([][]int16, inputs)
			for k := range srcs {
				srcs[k] = make([]int16, n)
				random(srcs[k], r)
			}
			total, got, want := make([]int32, n), make([]int32, n), make([]int32, n)
			Sum(total, srcs)
			for k := range srcs {
				Sum(want, slices.Concat(srcs[:k], srcs[k+1:]))
				MixMinus(got, total, srcs[k])
				if !slices.Equal(got, want) {
					t.Fatalf("input %d of %d: %v instead of %v", k, inputs, got, want)
				}
			}
		}
	})
}

func TestSaturate(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		for n := range maxLen + 1 {
			src, want, total := make([]int16, n), make([]int16, n), make([]int32, n)
			eachSignal(src, func(name string) {
				totalsOf(total, src)
				saturateGeneric(want, total)
				got := canary(t, n, int16(-77), func(dst []int16) { Saturate(dst, total) })
				if !slices.Equal(got, want) {
					t.Fatalf("n=%d %s: %v instead of %v", n, name, got, want)
				}
			})
		}
		edges := []int32{math.MinInt32, -32769, -32768, -32767, -1, 0, 1, 32766, 32767, 32768, math.MaxInt32}
		want := []int16{-32768, -32768, -32768, -32767, -1, 0, 1, 32766, 32767, 32767, 32767}
		total, dst := slices.Repeat(edges, 5), make([]int16, 5*len(edges))
		Saturate(dst, total)
		if !slices.Equal(dst, slices.Repeat(want, 5)) {
			t.Fatalf("%v gave %v", total, dst)
		}
	})
}

// ramps are gains that a Ramp begins and ends with.
var ramps = [][2]float32{{0, 1}, {1, 0}, {1, 1}, {0.3, 0.7}, {1, 1 - 1.0/(1<<24)}, {0, RampMax}, {RampMax, 1e-3}}

func TestRamp(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		for n := range maxLen + 1 {
			src, want, total := make([]int16, n), make([]int16, n), make([]int32, n)
			eachSignal(src, func(name string) {
				totalsOf(total, src)
				for _, r := range ramps {
					rampGeneric(want, total, r[0], (r[1]-r[0])/float32(max(1, n)))
					got := canary(t, n, int16(-77), func(dst []int16) { Ramp(dst, total, r[0], r[1]) })
					if !slices.Equal(got, want) {
						t.Fatalf("n=%d %s from %v to %v: %v instead of %v", n, name, r[0], r[1], got, want)
					}
				}
			})
		}
		edges := []int32{math.MinInt32, -32769, -32768, -3, 0, 3, 32767, 32768, math.MaxInt32}
		total, dst := slices.Repeat(edges, 5), make([]int16, 5*len(edges))
		for gain, want := range map[float32][]int16{
			0.5:     {-32768, -16384, -16384, -2, 0, 2, 16384, 16384, 32767}, // halves to even
			1:       {-32768, -32768, -32768, -3, 0, 3, 32767, 32767, 32767},
			RampMax: {-32768, -32768, -32768, -30, 0, 30, 32767, 32767, 32767},
		} {
			Ramp(dst, total, gain, gain)
			if !slices.Equal(dst, slices.Repeat(want, 5)) {
				t.Fatalf("%v × %v gave %v", total, gain, dst)
			}
		}
	})
}

// No sample under a ramp between two gains is outside of what the greater one gives: a
// limiter relies on that.
func TestRampStaysBetween(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(13, 14))
		const ceiling = 29204
		for range 2000 {
			n := 1 + r.IntN(200)
			peak := int32(ceiling + 1 + r.IntN(1<<(1+r.IntN(30))))
			total, dst := make([]int32, n), make([]int16, n)
			fill(dst, func(int) int16 { return int16(r.Uint32()) })
			for i := range total {
				total[i] = peak
				if dst[i] < 0 {
					total[i] = -peak
				}
			}
			need := ceiling / float32(peak)
			from, to := need, need*r.Float32()
			if r.IntN(2) == 0 {
				from, to = to, from
			}
			Ramp(dst, total, from, to)
			if p := Peak(dst); p > ceiling {
				t.Fatalf("%d samples of %d from %v to %v: peak %d", n, peak, from, to, p)
			}
		}
	})
}

func TestPeakTotal(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		for n := range maxLen + 1 {
			total := make([]int32, n+1)[1:]
			src := make([]int16, n)
			eachSignal(src, func(name string) {
				totalsOf(total, src)
				if got, want := PeakTotal(total), peakTotalGeneric(total); got != want {
					t.Fatalf("n=%d %s: %d instead of %d", n, name, got, want)
				}
			})
			clear(total)
			for _, v := range []int32{math.MinInt32, -3, 3, math.MaxInt32} {
				for i := range total {
					total[i] = v
					if got, want := PeakTotal(total), uint32(max(int64(v), -int64(v))); got != want {
						t.Fatalf("n=%d total[%d]=%d: %d", n, i, v, got)
					}
					total[i] = 0
				}
			}
		}
	})
}

var gains = []int32{0, 1, 41, GainUnity / 2, GainUnity - 1, GainUnity, GainUnity + 1, 3*GainUnity + 7, GainMax - 1, GainMax}

func TestGain(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		for n := range maxLen + 1 {
			src, want := make([]int16, n+1)[1:], make([]int16, n)
			eachSignal(src, func(name string) {
				for _, g := range gains {
					scaleGeneric(want, src, g)
					got := canary(t, n, int16(-77), func(dst []int16) { Gain(dst, src, g) })
					if !slices.Equal(got, want) {
						t.Fatalf("n=%d %s gain=%d: %v instead of %v", n, name, g, got, want)
					}
					inPlace := slices.Clone(src)
					Gain(inPlace, inPlace, g)
					if !slices.Equal(inPlace, want) {
						t.Fatalf("n=%d %s gain=%d, in place: %v instead of %v", n, name, g, inPlace, want)
					}
				}
			})
		}
	})
}

// Every sample against the documented formula in floating point, which is exact here.
func TestGainExhaustive(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		src, dst := make([]int16, 1<<16), make([]int16, 1<<16)
		fill(src, func(i int) int16 { return int16(i - 1<<15) })
		for _, g := range gains {
			Gain(dst, src, g)
			for i, v := range src {
				f := math.Floor(float64(v)*float64(g)/GainUnity + 0.5)
				if want := int16(min(max(f, -32768), 32767)); dst[i] != want {
					t.Fatalf("%d × %d/%d = %d instead of %d", v, g, GainUnity, dst[i], want)
				}
			}
			if g == GainUnity && !slices.Equal(dst, src) {
				t.Fatal("unity is not the identity")
			}
		}
	})
}

func TestPeakEnergy(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		for n := range maxLen + 1 {
			src := make([]int16, n+1)[1:]
			check := func(name string) {
				if got, want := Peak(src), peakGeneric(src); got != want {
					t.Fatalf("n=%d %s: peak %d instead of %d", n, name, got, want)
				}
				if got, want := Energy(src), energyGeneric(src); got != want {
					t.Fatalf("n=%d %s: energy %d instead of %d", n, name, got, want)
				}
			}
			eachSignal(src, check)
			// A single sample anywhere counts, and counts once.
			for _, v := range []int16{math.MinInt16, -3, 3, math.MaxInt16} {
				clear(src)
				for i := range src {
					src[i] = v
					check(fmt.Sprintf("src[%d]=%d", i, v))
					if Peak(src) != max(int(v), -int(v)) || Energy(src) != uint64(int(v)*int(v)) {
						t.Fatalf("n=%d src[%d]=%d: peak %d, energy %d", n, i, v, Peak(src), Energy(src))
					}
					src[i] = 0
				}
			}
		}
		long := make([]int16, 1<<20)
		fill(long, func(int) int16 { return math.MinInt16 })
		if got := Energy(long); got != 1<<50 {
			t.Fatalf("energy of 2^20 samples at full scale: %d", got)
		}
	})
}

// No kernel reads or writes outside of its slices: it would fault.
func TestGuardPages(t *testing.T) {
	const room = 4096
	a, b, c, d := kerneltest.NewArena(t, room), kerneltest.NewArena(t, room), kerneltest.NewArena(t, room), kerneltest.NewArena(t, room)
	kerneltest.Tiers(t, func(t *testing.T) {
		for n := range maxLen + 1 {
			for i, total := range places[int32](a, n) {
				src, minus := places[int16](b, n)[i], places[int32](d, n)[i]
				for _, dst := range places[int16](c, n) {
					Sum(total, [][]int16{src, dst})
					Sum(total, [][]int16{dst, src, dst})
					MixMinus(minus, total, src)
					PeakTotal(minus)
					Ramp(dst, minus, 1, 0.5)
					Saturate(dst, total)
					Gain(dst, src, GainMax)
					Peak(dst)
					Energy(dst)
				}
			}
		}
	})
}

func TestContract(t *testing.T) {
	s, total := make([]int16, 10), make([]int32, 10)
	for name, f := range map[string]func(){
		"Sum length":        func() { Sum(total, [][]int16{s, s[1:]}) },
		"Sum inputs":        func() { Sum(total, slices.Repeat([][]int16{s}, MaxInputs+1)) },
		"MixMinus dst":      func() { MixMinus(total[1:], make([]int32, 10), s) },
		"MixMinus own":      func() { MixMinus(total, total, s[1:]) },
		"MixMinus overlap":  func() { MixMinus(total[1:], total[:9], s[:9]) },
		"Ramp length":       func() { Ramp(s, total[1:], 1, 1) },
		"Ramp negative":     func() { Ramp(s, total, -1e-9, 1) },
		"Ramp over maximum": func() { Ramp(s, total, 1, RampMax+1) },
		"Ramp of no number": func() { Ramp(s, total, float32(math.NaN()), 1) },
		"Saturate":          func() { Saturate(s, total[1:]) },
		"Gain length":       func() { Gain(s, s[1:], 0) },
		"Gain overlap":      func() { Gain(s[:9], s[1:], 0) },
		"Gain negative":     func() { Gain(s, s, -1) },
		"Gain over maximum": func() { Gain(s, s, GainMax+1) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}

func TestAllocs(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		src, dst, total, minus := make([]int16, 960), make([]int16, 960), make([]int32, 960), make([]int32, 960)
		srcs := [][]int16{src, dst, src}
		if n := testing.AllocsPerRun(10, func() {
			Sum(total, srcs)
			MixMinus(minus, total, src)
			PeakTotal(minus)
			Ramp(dst, minus, 1, 0.5)
			Saturate(dst, total)
			Gain(dst, src, GainMax)
			Peak(src)
			Energy(src)
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

// FuzzKernels compares all kernels of all tiers with their references on samples made of
// data.
func FuzzKernels(f *testing.F) {
	f.Add([]byte{0, 0x80, 0xff, 0x7f}, uint16(0), uint8(0))
	f.Add(make([]byte, 200), uint16(GainMax), uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, gain uint16, inputs uint8) {
		n := len(data) / 2
		src := make([]int16, n)
		fill(src, func(i int) int16 { return int16(data[2*i]) | int16(data[2*i+1])<<8 })
		other := slices.Clone(src)
		slices.Reverse(other)
		srcs := slices.Repeat([][]int16{src, other}, 128)[:inputs]
		g := int32(gain) % (GainMax + 1)

		total, wantTotal, diff, minus := make([]int32, n), make([]int32, n), make([]int32, n), make([]int32, n)
		sumGeneric(wantTotal, srcs)
		dst, saturated, gained, ramped := make([]int16, n), make([]int16, n), make([]int16, n), make([]int16, n)
		mixMinusGeneric(minus, wantTotal, src)
		from := float32(g) / GainUnity
		rampGeneric(ramped, minus, from, (1-from)/float32(max(1, n)))
		saturateGeneric(saturated, wantTotal)
		scaleGeneric(gained, src, g)
		kerneltest.EachTier(func(tier cpu.Tier) {
			Sum(total, srcs)
			if !slices.Equal(total, wantTotal) {
				t.Errorf("%v: Sum: %v instead of %v", tier, total, wantTotal)
			}
			MixMinus(diff, total, src)
			if !slices.Equal(diff, minus) {
				t.Errorf("%v: MixMinus: %v instead of %v", tier, diff, minus)
			}
			if got, want := PeakTotal(minus), peakTotalGeneric(minus); got != want {
				t.Errorf("%v: PeakTotal: %d instead of %d", tier, got, want)
			}
			Ramp(dst, minus, from, 1)
			if !slices.Equal(dst, ramped) {
				t.Errorf("%v: Ramp from %v: %v instead of %v", tier, from, dst, ramped)
			}
			Saturate(dst, total)
			if !slices.Equal(dst, saturated) {
				t.Errorf("%v: Saturate: %v instead of %v", tier, dst, saturated)
			}
			Gain(dst, src, g)
			if !slices.Equal(dst, gained) {
				t.Errorf("%v: Gain %d: %v instead of %v", tier, g, dst, gained)
			}
			if got, want := Peak(src), peakGeneric(src); got != want {
				t.Errorf("%v: Peak: %d instead of %d", tier, got, want)
			}
			if got, want := Energy(src), energyGeneric(src); got != want {
				t.Errorf("%v: Energy: %d instead of %d", tier, got, want)
			}
		})
	})
}
