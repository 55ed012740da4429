package yuv

import (
	"bytes"
	"testing"

	"sectile/asm/cpu"
	"sectile/asm/internal/kerneltest"
)

// framed returns a picture of w×h whose rows begin offset bytes behind an allocation and
// follow each other with pad bytes between them, all of it mark, and a function that says
// whether only samples of the picture were written since.
func framed(w, h, pad, offset int) (m *Image, unframed func() bool) {
	cw, ch := (w+1)/2, (h+1)/2
	mk := func(w, h int) []byte { return bytes.Repeat([]byte{mark}, offset+(w+pad)*h+offset) }
	bufs := [3][]byte{mk(w, h), mk(cw, ch), mk(cw, ch)}
	m = &Image{Y: bufs[0][offset:], U: bufs[1][offset:], V: bufs[2][offset:],
		YStride: w + pad, CStride: cw + pad, Width: w, Height: h}
	return m, func() bool {
		for i, w := range []int{w, cw, cw} {
			for at, v := range bufs[i] {
				row, x := (at-offset)/(w+pad), (at-offset)%(w+pad)
				inside := at >= offset && row < []int{h, ch, ch}[i] && x < w
				if !inside && v != mark {
					return false
				}
			}
		}
		return true
	}
}

// Every alignment of source and destination, with rows that touch each other and rows that
// do not.
func TestStrides(t *testing.T) {
	type result struct {
		kernel string
		w, h   int
	}
	references := map[result][]byte{}
	offsets, pads := 33, []int{0, 1, 7, 32}
	if testing.Short() {
		offsets, pads = 3, []int{0, 7}
	}
	kerneltest.Tiers(t, func(t *testing.T) {
		for _, s := range [][4]int{{83, 7, 83, 7}, {158, 6, 79, 3}, {237, 9, 79, 3}, {316, 12, 79, 3}, {107, 9, 79, 5}, {310, 9, 79, 2}, {55, 4, 79, 6}} {
			scaler := NewScaler(s[0], s[1], s[2], s[3])
			label := NewAlpha(bytes.Repeat([]byte{0, 255, 1, 254, 128, 3, 77}, s[2]*s[3]), s[2], s[2], s[3])
			original := NewImage(s[0], s[1])
			randomise(original, 21)
			for _, pad := range pads {
				for offset := range offsets {
					src, _ := framed(s[0], s[1], offset%9, 32-offset%32)
					Copy(src, original)
					for name, draw := range map[string]func(*Image){
						"Scale": func(dst *Image) { scaler.Scale(dst, src) },
						"Fill":  func(dst *Image) { Fill(dst, 10, 200, 30) },
						"Blend": func(dst *Image) { Fill(dst, 10, 200, 30); Blend(dst, label, 235, 16, 129) },
					} {
						dst, unframed := framed(s[2], s[3], pad, offset)
						draw(dst)
						if !unframed() {
							t.Fatalf("%s of %v, %d bytes between rows, offset %d: writes between rows", name, s, pad, offset)
						}
						key, got := result{name, s[0], s[1]}, samples(dst)
						if cpu.Current() == cpu.Generic && references[key] == nil {
							references[key] = got
						}
						if !bytes.Equal(got, references[key]) {
							t.Fatalf("%s of %v, %d bytes between rows, offset %d: differs", name, s, pad, offset)
						}
					}
				}
			}
		}
	})
}

// No function leaves a picture that lies between pages which fault.
func TestGuardPages(t *testing.T) {
	const room = 150 * 8
	srcArenas, dstArenas := newArenas(t, room), newArenas(t, room)
	kerneltest.Tiers(t, func(t *testing.T) {
		for w := 1; w <= 150; w++ {
			for _, h := range []int{1, 2, 3, 8} {
				label := NewAlpha(bytes.Repeat([]byte{0, 255, 100}, w*h), w, w, h)
				for _, end := range []bool{false, true} {
					src, dst := guarded(srcArenas, w, h, end), guarded(dstArenas, w, h, end)
					Fill(src, 1, 2, 3)
					Copy(dst, src)
					Blend(dst, label, 4, 5, 6)
				}
			}
		}
	})
}

// What is copied into a picture and cut out of it again is what it was.
func TestCopyCrop(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		canvas := NewImage(200, 100)
		for w := 1; w <= 99; w++ {
			h := w%7 + 1
			src, back := NewImage(w, h), NewImage(w, h)
			randomise(src, uint64(w))
			randomise(canvas, 1)
			// Odd sizes only fit the odd edge of a picture, which the canvas gets there.
			x, y := 2*(w%50), 2*(w%40)
			m := *canvas
			m.Width, m.Height = x+w, y+h
			cell := m.Sub(x, y, w, h)
			Copy(&cell, src)
			Copy(back, &cell)
			if !bytes.Equal(samples(back), samples(src)) {
				t.Fatalf("%d×%d at (%d,%d) changed", w, h, x, y)
			}
			NewScaler(w, h, w, h).Scale(back, &cell)
			if !bytes.Equal(samples(back), samples(src)) {
				t.Fatalf("%d×%d at (%d,%d) scaled 1:1 changed", w, h, x, y)
			}
		}
	})
}
