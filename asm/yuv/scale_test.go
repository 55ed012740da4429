package yuv

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"testing"

	"sectile/asm/cpu"
	"sectile/asm/internal/kerneltest"
)

// sizes are what scalers are tested with: srcW, srcH, dstW, dstH.
var sizes = [][4]int{
	{1, 1, 1, 1}, {1, 1, 9, 7}, {9, 7, 1, 1}, {2, 2, 1, 1}, {3, 3, 2, 2}, {2, 3, 3, 2},
	// What rooms scale by: to thirds, halves and quarters of 720p.
	{640, 36, 426, 24}, {1280, 72, 426, 24}, {1920, 108, 426, 24}, {1280, 72, 640, 36},
	{1280, 72, 320, 18}, {1920, 108, 640, 36}, {640, 36, 1280, 72}, {320, 18, 426, 24},
	{360, 64, 134, 24}, {426, 24, 640, 36},
	// Exact factors, of luma, of chroma or of neither.
	{130, 20, 65, 10}, {132, 20, 66, 10}, {131, 21, 66, 11}, {260, 40, 65, 10}, {264, 24, 66, 6},
	{263, 23, 66, 6}, {256, 24, 64, 12}, {64, 12, 128, 3}, {99, 30, 33, 10},
	// One axis kept.
	{100, 30, 100, 17}, {100, 17, 100, 30}, {97, 20, 50, 20}, {50, 20, 97, 20},
	// Odd ones and primes.
	{67, 41, 61, 43}, {61, 43, 67, 41}, {101, 53, 17, 19}, {17, 19, 101, 53}, {255, 3, 254, 2},
	// The extremes.
	{4096, 2, 1, 3}, {1, 3, 4096, 2}, {2, 4096, 3, 1}, {3, 1, 2, 4096}, {4096, 3, 4095, 2},
	{4095, 2, 4096, 3}, {40, 4096, 40, 7}, {4096, 40, 7, 40}, {3001, 5, 7, 3}, {300, 2048, 299, 3},
	{4096, 5, 2048, 5}, {4096, 8, 1024, 2}, {74, 4096, 73, 1},
}

func name(s [4]int) string { return fmt.Sprintf("%dx%d-%dx%d", s[0], s[1], s[2], s[3]) }

// scaleWith scales with the kernels of a tier.
func scaleWith(tier cpu.Tier, dst, src *Image) {
	defer cpu.Set(cpu.Set(tier))
	NewScaler(src.Width, src.Height, dst.Width, dst.Height).Scale(dst, src)
}

// contents calls f with worst cases and random samples in m.
func contents(m *Image, f func(what string)) {
	Fill(m, 0, 0, 0)
	f("zero")
	Fill(m, 255, 255, 255)
	f("max")
	for i := range m.Y {
		m.Y[i] = byte(-(i & 1))
	}
	f("alternating")
	randomise(m, 9)
	f("random")
}

func TestScaleTiers(t *testing.T) {
	references := map[string][]byte{} // by size and content, of the generic tier, which comes first
	kerneltest.Tiers(t, func(t *testing.T) {
		for _, s := range sizes {
			src := NewImage(s[0], s[1])
			contents(src, func(what string) {
				got := samples(into(t, s[2], s[3], func(dst *Image) { scaleWith(cpu.Current(), dst, src) }))
				key := name(s) + " " + what
				if cpu.Current() == cpu.Generic {
					references[key] = got
				}
				if !bytes.Equal(got, references[key]) {
					t.Fatalf("%s: differs from the reference", key)
				}
			})
		}
	})
}

// All widths, so that rows end everywhere in the blocks of kernels, from odd addresses.
func TestScaleWidths(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		for w := 1; w <= 130; w++ {
			for _, srcW := range []int{w, 2 * w, 3 * w, 4 * w, w + 1, w + w/2, 3*w - 1, 9 * w, (w + 2) / 3} {
				for _, h := range [][2]int{{4, 1}, {4, 2}, {3, 1}, {8, 4}, {3, 4}} {
					src, want := NewImage(srcW, h[0]), NewImage(w, h[1])
					src.Y = src.Y[1:] // the stride leaves room but where it is the width
					if src.YStride == srcW {
						src = NewImage(srcW, h[0])
					}
					randomise(src, uint64(w))
					scaleWith(cpu.Generic, want, src)
					got := into(t, w, h[1], func(dst *Image) { scaleWith(cpu.Current(), dst, src) })
					if !bytes.Equal(samples(got), samples(want)) {
						t.Fatalf("%d×%d to %d×%d: differs from the reference", srcW, h[0], w, h[1])
					}
				}
			}
		}
	})
}

// No kernel reads or writes outside of its pictures and buffers: it would fault.
func TestScaleGuardPages(t *testing.T) {
	const room = 300 * 2048
	srcArenas, dstArenas, buffers := newArenas(t, room), newArenas(t, room), newArenas(t, room)
	kerneltest.Tiers(t, func(t *testing.T) {
		for _, s := range sizes {
			scaler := NewScaler(s[0], s[1], s[2], s[3])
			scaler.mid = kerneltest.Tail[int16](buffers[0], len(scaler.mid))
			scaler.rest = kerneltest.Tail[byte](buffers[1], len(scaler.rest))
			for _, end := range []bool{false, true} {
				src, dst := guarded(srcArenas, s[0], s[1], end), guarded(dstArenas, s[2], s[3], end)
				randomise(src, 5)
				scaler.Scale(dst, src)
			}
		}
	})
}

func TestScaleIdentity(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		for _, s := range [][2]int{{1, 1}, {37, 23}, {64, 36}, {4096, 1}} {
			src, dst := NewImage(s[0], s[1]), NewImage(s[0], s[1])
			randomise(src, 3)
			NewScaler(s[0], s[1], s[0], s[1]).Scale(dst, src)
			if !bytes.Equal(samples(dst), samples(src)) {
				t.Errorf("%d×%d: not a copy", s[0], s[1])
			}
		}
	})
}

// The bits of some results, so that no change to the formula or its weights goes unseen.
func TestScaleGolden(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		for _, c := range []struct {
			size [4]int
			want uint32
		}{
			{[4]int{160, 90, 107, 61}, 0xa0932f24}, {[4]int{160, 90, 80, 45}, 0x8e22166a}, {[4]int{160, 90, 40, 23}, 0xecc9c042},
			{[4]int{160, 90, 33, 19}, 0x51d47ce3}, {[4]int{107, 61, 160, 90}, 0x8fb36366},
		} {
			src, dst := NewImage(c.size[0], c.size[1]), NewImage(c.size[2], c.size[3])
			planes(src, func(_ string, p []byte, stride, w, h int) {
				for y := range h {
					for x := range w {
						p[y*stride+x] = byte(x*x + 7*x*y + 3*y*y)
					}
				}
			})
			scaleWith(cpu.Current(), dst, src)
			if got := crc32.ChecksumIEEE(samples(dst)); got != c.want {
				t.Errorf("%s: checksum %#08x instead of %#08x", name(c.size), got, c.want)
			}
		}
	})
}

// Where both axes are divided by 1, 2 or 4, the general formula gives the same.
func TestScaleExactFactors(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		for _, shrink := range []int{1, 2, 4} {
			const w, h = 83, 9
			src := make([]byte, shrink*w*shrink*h)
			r := rand.New(rand.NewPCG(6, uint64(shrink)))
			for i := range src {
				src[i] = byte(r.Uint32())
			}
			fast := newPlane(shrink*w, shrink*h, w, h)
			if fast.shrink != shrink {
				t.Fatalf("the plane is taken for one with factor %d", fast.shrink)
			}
			a := newAxis(shrink*w, w)
			general := plane{srcW: shrink * w, dstW: w, dstH: h, h: a, v: newAxis(shrink*h, h), tables: newTables(a)}
			general.wide = newWideTables(shrink*w, general.h, general.v)
			s := Scaler{mid: make([]int16, midLen(&general)), rest: make([]byte, 16)}
			got, want := make([]byte, w*h), make([]byte, w*h)
			s.plane(&fast, got, w, src, shrink*w)
			s.plane(&general, want, w, src, shrink*w)
			if !bytes.Equal(got, want) {
				t.Errorf("factor %d differs", shrink)
			}
		}
	})
}

func TestScaleConstant(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		for _, s := range sizes {
			src, dst, want := NewImage(s[0], s[1]), NewImage(s[2], s[3]), NewImage(s[2], s[3])
			scaler := NewScaler(s[0], s[1], s[2], s[3])
			for _, c := range [][3]byte{{0, 255, 1}, {255, 0, 254}, {16, 128, 235}} {
				Fill(src, c[0], c[1], c[2])
				Fill(want, c[0], c[1], c[2])
				scaler.Scale(dst, src)
				if !bytes.Equal(samples(dst), samples(want)) {
					t.Fatalf("%s: %v did not stay", name(s), c)
				}
			}
		}
	})
}

// weights is the textbook form of an axis: a row of source weights for each output.
func weights(src, dst int) [][]float64 {
	rows := make([][]float64, dst)
	ratio := float64(src) / float64(dst)
	for o := range rows {
		row := make([]float64, src)
		if dst < src {
			for i := range row {
				covered := min(float64(i+1), float64(o+1)*ratio) - max(float64(i), float64(o)*ratio)
				row[i] = max(covered, 0) / ratio
			}
		} else {
			at := min(max((float64(o)+0.5)*ratio-0.5, 0), float64(src-1))
			i := int(at)
			row[i] = 1 - (at - float64(i))
			if i+1 < src {
				row[i+1] = at - float64(i)
			}
		}
		rows[o] = row
	}
	return rows
}

// reference scales a plane in floating point.
func reference(src []byte, stride, srcW, srcH, dstW, dstH int) []float64 {
	mid := make([]float64, dstH*srcW)
	for o, row := range weights(srcH, dstH) {
		for y, w := range row {
			if w != 0 {
				for x := range srcW {
					mid[o*srcW+x] += w * float64(src[y*stride+x])
				}
			}
		}
	}
	out := make([]float64, dstH*dstW)
	for o, row := range weights(srcW, dstW) {
		for x, w := range row {
			if w != 0 {
				for y := range dstH {
					out[y*dstW+o] += w * mid[y*srcW+x]
				}
			}
		}
	}
	return out
}

// Every sample is what floating point gives, as near as the documented precision allows:
// weights to 1/16384, intermediate results to 1/128, rounding at the end.
func TestScaleReference(t *testing.T) {
	if testing.Short() {
		t.Skip("slow in an emulator, and the tiers are equal")
	}
	for _, s := range sizes {
		src, dst := NewImage(s[0], s[1]), NewImage(s[2], s[3])
		randomise(src, 11)
		scaler := NewScaler(s[0], s[1], s[2], s[3])
		scaler.Scale(dst, src)
		check := func(plane string, dst []byte, dstStride int, src []byte, srcStride, srcW, srcH, dstW, dstH int) {
			want := reference(src, srcStride, srcW, srcH, dstW, dstH)
			taps := float64(newAxis(srcW, dstW).taps + newAxis(srcH, dstH).taps)
			limit := 0.5 + 0.5/128 + taps/2*255/weightOne
			for y := range dstH {
				for x := range dstW {
					if got := dst[y*dstStride+x]; math.Abs(float64(got)-want[y*dstW+x]) > limit+1e-6 {
						t.Fatalf("%s: %s(%d,%d) = %d instead of %.3f ± %.3f", name(s), plane, x, y, got, want[y*dstW+x], limit)
					}
				}
			}
		}
		check("Y", dst.Y, dst.YStride, src.Y, src.YStride, s[0], s[1], s[2], s[3])
		check("U", dst.U, dst.CStride, src.U, src.CStride, (s[0]+1)/2, (s[1]+1)/2, (s[2]+1)/2, (s[3]+1)/2)
		check("V", dst.V, dst.CStride, src.V, src.CStride, (s[0]+1)/2, (s[1]+1)/2, (s[2]+1)/2, (s[3]+1)/2)
	}
}

// A smooth picture keeps the quality that 8 bits allow: rounding alone leaves 58.9 dB, and
// 58.4 dB of quarters, which halving makes.
func TestScalePSNR(t *testing.T) {
	if testing.Short() {
		t.Skip("slow in an emulator, and the tiers are equal")
	}
	for _, s := range [][4]int{{640, 360, 426, 240}, {1280, 720, 426, 240}, {1920, 1080, 426, 240},
		{1280, 720, 640, 360}, {1280, 720, 320, 180}, {426, 240, 640, 360}, {320, 180, 1280, 720}} {
		src, dst := NewImage(s[0], s[1]), NewImage(s[2], s[3])
		for y := range s[1] {
			for x := range s[0] {
				fx, fy := float64(x)/float64(s[0]), float64(y)/float64(s[1])
				src.Y[y*src.YStride+x] = byte(127.5 + 127*math.Sin(9*fx+2*fy)*math.Cos(7*fy*fx))
			}
		}
		NewScaler(s[0], s[1], s[2], s[3]).Scale(dst, src)
		want := reference(src.Y, src.YStride, s[0], s[1], s[2], s[3])
		sum := 0.0
		for y := range s[3] {
			for x := range s[2] {
				d := float64(dst.Y[y*dst.YStride+x]) - want[y*s[2]+x]
				sum += d * d
			}
		}
		if psnr := 10 * math.Log10(255*255/(sum/float64(len(want)))); psnr < 58.2 {
			t.Errorf("%s: PSNR %.1f dB", name(s), psnr)
		}
	}
}

// Shrinking loses detail but neither light nor colour.
func TestScaleMean(t *testing.T) {
	mean := func(p []byte, stride, w, h int) float64 {
		sum := 0
		for y := range h {
			for _, v := range p[y*stride:][:w] {
				sum += int(v)
			}
		}
		return float64(sum) / float64(w*h)
	}
	for _, s := range [][4]int{{640, 360, 426, 240}, {1920, 1080, 427, 241}, {1280, 720, 640, 360}, {997, 601, 101, 67}} {
		src, dst := NewImage(s[0], s[1]), NewImage(s[2], s[3])
		randomise(src, 13)
		NewScaler(s[0], s[1], s[2], s[3]).Scale(dst, src)
		want := map[string]float64{}
		planes(src, func(name string, p []byte, stride, w, h int) { want[name] = mean(p, stride, w, h) })
		planes(dst, func(plane string, p []byte, stride, w, h int) {
			// Rounding is off by up to a half either way; of n samples, by that much
			// less on average. Exact halves, which 2:1 has many of, go up: 1/8.
			limit := 0.02
			if s[0] == 2*s[2] {
				limit += 0.125
			}
			if got := mean(p, stride, w, h); math.Abs(got-want[plane]) > limit {
				t.Errorf("%s: mean of %s %.3f became %.3f", name(s), plane, want[plane], got)
			}
		})
	}
}

// Sums from the first weight of an output on are within half a unit of what they stand for.
func TestAxisRounding(t *testing.T) {
	for _, s := range [][2]int{{7, 1}, {7, 3}, {100, 33}, {640, 426}, {1280, 426}, {1000, 999}, {3, 7}, {33, 100}, {426, 640}} {
		a := newAxis(s[0], s[1])
		for o, row := range weights(s[0], s[1]) {
			got, want := 0, 0.0
			for k, w := range a.weight[a.offset[o]:][:a.count[o]] {
				got += int(w)
				want += row[int(a.first[o])+k] * weightOne
				if math.Abs(float64(got)-want) > 0.5+1e-6 {
					t.Fatalf("%v: sum of %d weights of output %d is %d instead of %.3f", s, k+1, o, got, want)
				}
			}
		}
	}
}

func TestAxis(t *testing.T) {
	some := []int{1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 33, 100, 426, 640, 1279, 1920, 4095, 4096}
	for _, src := range some {
		for _, dst := range some {
			a := newAxis(src, dst)
			for o := range dst {
				sum := 0
				for _, w := range a.weight[a.offset[o]:][:a.count[o]] {
					if w < 0 {
						t.Fatalf("%d to %d: output %d has weight %d", src, dst, o, w)
					}
					sum += int(w)
				}
				if sum != weightOne || a.count[o] < 1 || a.first[o] < 0 || int(a.first[o]+a.count[o]) > src ||
					a.offset[o]&1 != 0 || len(a.weight)&1 != 0 || int(a.count[o]) > a.taps {
					t.Fatalf("%d to %d: output %d is %d samples from %d, weights %d from %d",
						src, dst, o, a.count[o], a.first[o], sum, a.offset[o])
				}
			}
		}
	}
}

func TestScalerContract(t *testing.T) {
	mustPanic(t, "no size", func() { NewScaler(0, 1, 1, 1) })
	mustPanic(t, "too large", func() { NewScaler(1, 1, 1, maxSize+1) })
	s, a, b := NewScaler(8, 8, 6, 6), NewImage(8, 8), NewImage(6, 6)
	mustPanic(t, "another source", func() { s.Scale(b, b) })
	mustPanic(t, "another destination", func() { s.Scale(a, a) })
	short := *b
	short.V = short.V[:2*short.CStride]
	mustPanic(t, "a short plane", func() { s.Scale(&short, a) })
	shortSrc := *a
	shortSrc.Y = shortSrc.Y[:7*shortSrc.YStride+7]
	mustPanic(t, "a short source", func() { s.Scale(b, &shortSrc) })
}

func TestAllocs(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		for _, s := range [][4]int{{97, 41, 53, 27}, {97, 41, 13, 9}, {128, 32, 64, 16}, {256, 32, 64, 8}, {64, 16, 64, 16}} {
			src, dst := NewImage(s[0], s[1]), NewImage(s[2], s[3])
			scaler := NewScaler(s[0], s[1], s[2], s[3])
			if n := testing.AllocsPerRun(5, func() {
				scaler.Scale(dst, src)
				Fill(dst, 1, 2, 3)
				Copy(dst, dst)
			}); n != 0 {
				t.Errorf("%s: %v allocations", name(s), n)
			}
		}
	})
}

// FuzzScale compares the kernels of all tiers with the reference, at any size.
func FuzzScale(f *testing.F) {
	f.Add(uint16(64), uint16(36), uint16(42), uint16(24), uint64(1))
	f.Add(uint16(128), uint16(8), uint16(64), uint16(4), uint64(2))
	f.Add(uint16(200), uint16(4), uint16(50), uint16(1), uint64(3))
	f.Add(uint16(33), uint16(70), uint16(150), uint16(9), uint64(4))
	f.Fuzz(func(t *testing.T, srcW, srcH, dstW, dstH uint16, seed uint64) {
		s := [4]int{int(srcW)%700 + 1, int(srcH)%50 + 1, int(dstW)%700 + 1, int(dstH)%50 + 1}
		src, want := NewImage(s[0], s[1]), NewImage(s[2], s[3])
		randomise(src, seed)
		scaleWith(cpu.Generic, want, src)
		kerneltest.EachTier(func(tier cpu.Tier) {
			got := into(t, s[2], s[3], func(dst *Image) { scaleWith(tier, dst, src) })
			if !bytes.Equal(samples(got), samples(want)) {
				t.Errorf("%v, %s: differs from the reference", tier, name(s))
			}
		})
	})
}

// Halve is a Scaler of that ratio, whatever is around.
func TestHalve(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		for _, s := range [][2]int{{2, 2}, {16, 16}, {48, 8}, {222, 14}, {640, 16}} {
			src := NewImage(2*s[0], 2*s[1])
			randomise(src, 9)
			got := into(t, s[0], s[1], func(dst *Image) { Halve(dst, src) })
			want := NewImage(s[0], s[1])
			NewScaler(src.Width, src.Height, s[0], s[1]).Scale(want, src)
			if !bytes.Equal(samples(got), samples(want)) {
				t.Errorf("half of %d×%d differs from what a scaler makes", src.Width, src.Height)
			}
		}
	})
	mustPanic(t, "not half", func() { Halve(NewImage(8, 8), NewImage(16, 14)) })
	mustPanic(t, "odd", func() { Halve(NewImage(7, 8), NewImage(14, 16)) })
}
