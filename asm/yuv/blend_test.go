package yuv

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"sectile/asm/internal/kerneltest"
)

// Every sample under every opacity, against the documented formula.
func TestBlendExhaustive(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		const n = 256 * 256
		dst, alpha := make([]byte, n), make([]byte, n)
		for colour := 0; colour < 256; colour += 5 {
			for i := range n {
				dst[i], alpha[i] = byte(i), byte(i>>8)
			}
			blend(dst, alpha, byte(colour))
			for i, got := range dst {
				d, a := i&255, i>>8
				if want := (2*(d*(255-a)+colour*a) + 255) / 510; int(got) != want {
					t.Fatalf("%d under %d of %d: %d instead of %d", d, a, colour, got, want)
				}
			}
		}
	})
}

func TestBlendRows(t *testing.T) {
	a, b := kerneltest.NewArena(t, 4096), kerneltest.NewArena(t, 4096)
	kerneltest.Tiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for n := range 131 {
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
