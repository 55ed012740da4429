package yuv

import (
	"bytes"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"testing"

	"sectile/asm/cpu"
	"sectile/asm/internal/kerneltest"
)

// Every sample under every opacity of every colour, in rows of all lengths.
func TestBlendExhaustive(t *testing.T) {
	colours := 256
	if testing.Short() {
		colours = 5
	}
	kerneltest.Tiers(t, func(t *testing.T) {
		var dst, alpha [256]byte
		for c := range colours {
			colour := c * 255 / (colours - 1)
			for a := range 256 {
				for d := range 256 {
					dst[d], alpha[d] = byte(d), byte(a)
				}
				n := 256 - (a+c)%67 // the rest is another row
				blend(dst[:n], alpha[:n], byte(colour))
				blend(dst[n:], alpha[n:], byte(colour))
				for d, got := range dst {
					if want := (2*(d*(255-a)+colour*a) + 255) / 510; int(got) != want {
						t.Fatalf("%d under %d of %d: %d instead of %d", d, a, colour, got, want)
					}
				}
			}
		}
	})
}

func TestBlendRows(t *testing.T) {
	a, b := kerneltest.NewArena(t, 4096), kerneltest.NewArena(t, 4096)
	kerneltest.Tiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for n := range 601 {
			for gap := range 3 {
				dst := kerneltest.Tail[byte](a, n+gap)
				alpha := kerneltest.Tail[byte](b, n)
				for i := range dst {
					dst[i] = byte(r.Uint32())
				}
				for i := range alpha {
					alpha[i] = byte(r.Uint32())
				}
				want := slices.Clone(dst)
				blendGeneric(want[:n], alpha, 201)
				kerneltest.Dirty()
				blend(dst[:n], alpha, 201)
				if !bytes.Equal(dst, want) {
					t.Fatalf("n=%d: %v instead of %v", n, dst, want)
				}
			}
			blend(kerneltest.Head[byte](a, n), kerneltest.Head[byte](b, n), 1)
		}
	})
}

func TestBlend(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		for _, s := range [][2]int{{1, 1}, {2, 1}, {5, 3}, {64, 18}, {77, 21}} {
			w, h := s[0], s[1]
			stride := w + 3
			mask := make([]byte, stride*h)
			for y := range h {
				for x := range w {
					mask[y*stride+x] = byte(255 * (x / 2 & 1)) // pairs of columns, so that chroma is 0 or 255, too
				}
			}
			label := NewAlpha(mask, stride, w, h)
			got := into(t, w, h, func(dst *Image) {
				Fill(dst, 10, 20, 30)
				Blend(dst, label, 210, 220, 230)
			})
			planes(got, func(name string, p []byte, stride, w, h int) {
				before := map[string]byte{"Y": 10, "U": 20, "V": 30}[name]
				for y := range h {
					for x, v := range p[y*stride:][:w] {
						set := x&1 != 0
						if name == "Y" {
							set = x/2&1 != 0
						}
						want := before
						if set {
							want += 200
						}
						if v != want {
							t.Fatalf("%v: %s(%d,%d) = %d instead of %d", s, name, x, y, v, want)
						}
					}
				}
			})
		}
	})
}

// Chroma takes the mean of the samples that there are.
func TestAlphaChroma(t *testing.T) {
	a := NewAlpha([]byte{
		0, 100, 40,
		200, 101, 60,
		8, 10, 255,
	}, 3, 3, 3)
	if want := []byte{100, 50, 9, 255}; !bytes.Equal(a.c, want) {
		t.Errorf("%v instead of %v", a.c, want)
	}
}

func TestBlendContract(t *testing.T) {
	mustPanic(t, "short mask", func() { NewAlpha(make([]byte, 11), 4, 4, 3) })
	mustPanic(t, "stride below the width", func() { NewAlpha(make([]byte, 12), 3, 4, 3) })
	mustPanic(t, "empty", func() { NewAlpha(nil, 0, 0, 0) })
	a := NewAlpha(make([]byte, 12), 4, 4, 3)
	mustPanic(t, "another size", func() { Blend(NewImage(4, 4), a, 0, 0, 0) })
}

// The bits of a result, so that no change to the formula goes unseen, on whatever tier.
func TestBlendGolden(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		const w, h = 101, 35
		m := NewImage(w, h)
		mask := make([]byte, w*h)
		planes(m, func(_ string, p []byte, stride, w, h int) {
			for y := range h {
				for x := range w {
					p[y*stride+x] = byte(x*x + 7*x*y + 3*y*y)
				}
			}
		})
		for i := range mask {
			mask[i] = byte(i * i)
		}
		Blend(m, NewAlpha(mask, w, w, h), 200, 30, 111)
		if got, want := crc32.ChecksumIEEE(samples(m)), uint32(0x9c2a669d); got != want {
			t.Errorf("checksum %#08x instead of %#08x", got, want)
		}
	})
}

// FuzzBlend compares the kernels of all tiers with the reference, at any length.
func FuzzBlend(f *testing.F) {
	f.Add([]byte{0, 255, 1, 254, 128, 127}, byte(255))
	f.Add(make([]byte, 200), byte(1))
	f.Fuzz(func(t *testing.T, data []byte, colour byte) {
		n := len(data) / 2
		before, alpha := data[:n], data[n:2*n]
		want := slices.Clone(before)
		blendGeneric(want, alpha, colour)
		kerneltest.EachTier(func(tier cpu.Tier) {
			got := slices.Clone(before)
			blend(got, alpha, colour)
			if !bytes.Equal(got, want) {
				t.Errorf("%v: %v instead of %v", tier, got, want)
			}
		})
	})
}

func BenchmarkBlend(b *testing.B) {
	kerneltest.Bench(b, func(b *testing.B) {
		b.Run("size=320x40", func(b *testing.B) {
			const w, h = 320, 40
			m := NewImage(w, h)
			randomise(m, 1)
			label := NewAlpha(m.Y, m.YStride, w, h)
			b.SetBytes(w * h * 3 / 2)
			for b.Loop() {
				Blend(m, label, 235, 128, 128)
			}
		})
	})
}
