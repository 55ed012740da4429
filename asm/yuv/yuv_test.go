package yuv

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"sectile/asm/internal/kerneltest"
)

// randomise fills all planes, margins of the strides included.
func randomise(m *Image, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	for _, p := range [][]byte{m.Y, m.U, m.V} {
		for i := range p {
			p[i] = byte(r.Uint32())
		}
	}
}

// planes calls f for the three planes of m.
func planes(m *Image, f func(name string, p []byte, stride, w, h int)) {
	cw, ch := (m.Width+1)/2, (m.Height+1)/2
	f("Y", m.Y, m.YStride, m.Width, m.Height)
	f("U", m.U, m.CStride, cw, ch)
	f("V", m.V, m.CStride, cw, ch)
}

// samples returns the samples of m without any margin.
func samples(m *Image) []byte {
	var s []byte
	planes(m, func(_ string, p []byte, stride, w, h int) {
		for y := range h {
			s = append(s, p[y*stride:][:w]...)
		}
	})
	return s
}

const margin, mark = 34, 0xA5

// into lets draw draw on a picture of w×h that is a view into a larger one, and fails the
// test if anything around it is written.
func into(t *testing.T, w, h int, draw func(*Image)) *Image {
	t.Helper()
	const frame = margin / 2
	tight := func(w, h int) *Image {
		cw, ch := (w+1)/2, (h+1)/2
		mk := func(w, h int) []byte { return bytes.Repeat([]byte{mark}, (w+2*frame)*(h+2*frame)) }
		return &Image{Y: mk(w, h), U: mk(cw, ch), V: mk(cw, ch),
			YStride: w + 2*frame, CStride: cw + 2*frame, Width: w, Height: h}
	}
	whole := tight(w, h)
	view := *whole
	view.Y = whole.Y[frame*whole.YStride+frame:]
	view.U = whole.U[frame*whole.CStride+frame:]
	view.V = whole.V[frame*whole.CStride+frame:]
	kerneltest.Dirty()
	draw(&view)
	planes(whole, func(name string, p []byte, stride, w, h int) {
		for i, v := range p {
			x, y := i%stride-frame, i/stride-frame
			if (x < 0 || x >= w || y < 0 || y >= h) && v != mark {
				t.Fatalf("plane %s of %d×%d: sample (%d,%d) outside was written", name, w, h, x, y)
			}
		}
	})
	return &view
}

// guarded returns a picture of w×h whose planes begin or end at pages that fault.
func guarded(arenas [3]*kerneltest.Arena, w, h int, end bool) *Image {
	cw, ch := (w+1)/2, (h+1)/2
	at := kerneltest.Head[byte]
	if end {
		at = kerneltest.Tail[byte]
	}
	return &Image{Y: at(arenas[0], w*h), U: at(arenas[1], cw*ch), V: at(arenas[2], cw*ch),
		YStride: w, CStride: cw, Width: w, Height: h}
}

func newArenas(t *testing.T, size int) (a [3]*kerneltest.Arena) {
	for i := range a {
		a[i] = kerneltest.NewArena(t, size)
	}
	return a
}

func mustPanic(t *testing.T, name string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: no panic", name)
		}
	}()
	f()
}

func TestCopyFill(t *testing.T) {
	for w := 1; w <= 70; w++ {
		for _, h := range []int{1, 2, 5} {
			src := NewImage(w, h)
			randomise(src, uint64(w))
			got := into(t, w, h, func(dst *Image) { Copy(dst, src) })
			if !bytes.Equal(samples(got), samples(src)) {
				t.Fatalf("copy of %d×%d differs", w, h)
			}
			got = into(t, w, h, func(dst *Image) { Fill(dst, 1, 2, 3) })
			planes(got, func(name string, p []byte, stride, w, h int) {
				want := map[string]byte{"Y": 1, "U": 2, "V": 3}[name]
				for y := range h {
					for x, v := range p[y*stride:][:w] {
						if v != want {
							t.Fatalf("fill of %d×%d: %s(%d,%d) = %d", w, h, name, x, y, v)
						}
					}
				}
			})
		}
	}
}

func TestCopyFillContract(t *testing.T) {
	a, b := NewImage(8, 8), NewImage(8, 6)
	mustPanic(t, "sizes", func() { Copy(a, b) })
	short := *a
	short.U = short.U[:3*short.CStride+3]
	mustPanic(t, "copy from a short plane", func() { Copy(a, &short) })
	mustPanic(t, "copy into a short plane", func() { Copy(&short, a) })
	mustPanic(t, "fill of a short plane", func() { Fill(&short, 0, 0, 0) })
	narrow := *a
	narrow.YStride = 7
	mustPanic(t, "stride below the width", func() { Copy(a, &narrow) })
	mustPanic(t, "no picture", func() { Fill(&Image{}, 0, 0, 0) })
}

func TestSub(t *testing.T) {
	m := NewImage(31, 21)
	for _, r := range [][4]int{{0, 0, 31, 21}, {2, 4, 8, 6}, {30, 20, 1, 1}, {4, 2, 27, 4}} {
		sub := m.Sub(r[0], r[1], r[2], r[3])
		Fill(m, 0, 0, 0)
		Fill(&sub, 1, 1, 1)
		planes(m, func(name string, p []byte, stride, w, h int) {
			x0, y0, sw, sh := r[0], r[1], r[2], r[3]
			if name != "Y" {
				x0, y0, sw, sh = x0/2, y0/2, (sw+1)/2, (sh+1)/2
			}
			for y := range h {
				for x := range w {
					inside := x >= x0 && x < x0+sw && y >= y0 && y < y0+sh
					if (p[y*stride+x] == 1) != inside {
						t.Fatalf("%v: %s(%d,%d) = %d", r, name, x, y, p[y*stride+x])
					}
				}
			}
		})
	}
	for _, r := range [][4]int{{1, 0, 2, 2}, {0, 1, 2, 2}, {0, 0, 3, 2}, {0, 0, 2, 3}, {0, 0, 32, 2}, {-2, 0, 2, 2}, {0, 0, 0, 2}} {
		mustPanic(t, fmt.Sprint(r), func() { m.Sub(r[0], r[1], r[2], r[3]) })
	}
}
