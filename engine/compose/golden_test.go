package compose

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"sectile/asm/cpu"
	"sectile/asm/yuv"
)

var update = flag.Bool("update", false, "write testdata/mosaics.txt anew")

// TestGoldenMosaics: the mosaic of each layout and number of participants, to the bit and
// on every CPU tier. A changed line means that viewers see something else: look at it, then
// write the file anew with -update.
func TestGoldenMosaics(t *testing.T) {
	const file = "testdata/mosaics.txt"
	sizes := [][2]int{{640, 360}, {320, 240}, {180, 320}, {160, 90}}
	var pictures []*yuv.Image
	for i, size := range sizes {
		pictures = append(pictures, pattern(size[0], size[1], i))
	}
	render := func() []byte {
		var text bytes.Buffer
		for _, l := range Layouts {
			for n := 1; n <= 49; n++ {
				hash, hidden := mosaic(l, n, pictures)
				fmt.Fprintf(&text, "%s %d %x\n", l, n, hash)
				if hidden > 0 { // with more it is the same
					break
				}
			}
		}
		return text.Bytes()
	}
	if *update {
		if err := os.WriteFile(file, render(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, tier := range cpu.Available() {
		t.Run(tier.String(), func(t *testing.T) {
			defer cpu.Set(cpu.Set(tier))
			got, want := strings.Split(string(render()), "\n"), strings.Split(string(want), "\n")
			if len(got) != len(want) {
				t.Fatalf("%d mosaics, want %d", len(got), len(want))
			}
			for i := range got {
				if got[i] != want[i] {
					t.Errorf("got %s, want %s", got[i], want[i])
				}
			}
		})
	}
}

// mosaic is a hash of the mosaic of n participants, and how many of them it hides. Every fifth has no picture, some talk,
// some are muted, and each second mosaic has gaps and cuts pictures.
func mosaic(l Layout, n int, pictures []*yuv.Image) (hash []byte, hidden int) {
	const width, height = 640, 360
	style, gap := DefaultStyle, 0
	if n%2 == 0 {
		style, gap = Style{Background: 0x203040, Crop: true, Names: true}, 4
	}
	c := NewCanvas(width, height)
	var places []Place
	for i, r := range l.Cells(n, width, height, gap) {
		places = append(places, Place{fmt.Sprintf("participant-%d", i), r})
	}
	c.Arrange(style, places)
	for i, cell := range c.Cells() {
		cell.Mark(i%7 == 1, i%4 == 2)
		if i%5 == 4 {
			cell.DrawCard()
		} else {
			cell.DrawPicture(pictures[i%len(pictures)], 1)
		}
	}
	h := sha256.New()
	for y := range height {
		h.Write(c.img.Y[y*c.img.YStride:][:width])
	}
	for _, plane := range [][]byte{c.img.U, c.img.V} {
		for y := range height / 2 {
			h.Write(plane[y*c.img.CStride:][:width/2])
		}
	}
	return h.Sum(nil)[:8], n - len(places)
}

// pattern is a picture of which every part looks different.
func pattern(w, h, k int) *yuv.Image {
	img := yuv.NewImage(w, h)
	for y := range h {
		for x := range w {
			img.Y[y*img.YStride+x] = byte(16 + (x*7+y*3+x*y/32+k*50)%220)
		}
	}
	for y := range (h + 1) / 2 {
		for x := range (w + 1) / 2 {
			img.U[y*img.CStride+x] = byte(16 + (x*5+k*30)%225)
			img.V[y*img.CStride+x] = byte(16 + (y*5+k*70)%225)
		}
	}
	return img
}
