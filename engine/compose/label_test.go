package compose

import (
	"fmt"
	"image"
	"image/color"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"sectile/asm/yuv"
)

// labelled returns a canvas that shows one picture under name.
func labelled(w, h int, name string, img *yuv.Image, talking, muted bool) *Canvas {
	c := NewCanvas(w, h)
	c.Layout([]string{name})
	cell := c.Cells()[0]
	cell.Mark(talking, muted)
	cell.DrawPicture(img, 1)
	return c
}

// box is the smallest rectangle of the samples in within for which is holds.
func box(within image.Rectangle, is func(x, y int) bool) image.Rectangle {
	var r image.Rectangle
	for y := within.Min.Y; y < within.Max.Y; y++ {
		for x := within.Min.X; x < within.Max.X; x++ {
			if is(x, y) {
				r = r.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return r
}

// TestLabelText compares the label on a mosaic with the same text drawn by other means: the
// same pixels are bright.
func TestLabelText(t *testing.T) {
	f, err := opentype.Parse(gomedium.TTF)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range [][2]int{{1280, 720}, {640, 360}, {320, 180}, {182, 102}} {
		for _, name := range []string{"alice", "Bob_2.x-y", "Qgjpq"} {
			for _, luma := range []byte{16, 90, 235} {
				c := labelled(size[0], size[1], name, solid(size[0], size[1], colour{luma, 128, 128}), false, false)
				what := fmt.Sprintf("%q on %d in %d×%d", name, luma, size[0], size[1])

				// The strip is where the picture is not as it came; at its corners it is.
				all := image.Rect(0, 0, size[0], size[1])
				strip := box(all, func(x, y int) bool { return at(c.img, x, y).y != luma })
				corner := strip.Dy() / 4
				if luma == 16 { // black on black
					strip, corner = image.Rect(0, size[1]/2, size[0]/2, size[1]), 0
				} else if strip.Empty() || strip.Min.X > size[0]/20+6 || strip.Max.Y < size[1]*9/10 || strip.Max.X > size[0]*2/3 || strip.Min.Y < size[1]*3/4-2 {
					t.Fatalf("%s: the label is at %v", what, strip)
				}
				// The strip leaves 95/255 of the picture over black.
				under := 16 + (float64(luma)-16)*(255-stripOpacity)/255
				inner := image.Rect(strip.Min.X+corner, strip.Min.Y+1, strip.Max.X-corner, strip.Max.Y-1)
				got := box(inner, func(x, y int) bool { return float64(at(c.img, x, y).y) > (under+235)/2 })

				// Drawn again, as large as it was, grey on grey.
				px := min(max(size[1]/20, 12), 40)
				face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: float64(px), DPI: 72})
				if err != nil {
					t.Fatal(err)
				}
				dst := image.NewGray(image.Rect(0, 0, 400, 100))
				d := font.Drawer{Dst: dst, Src: image.NewUniform(color.Gray{255}), Face: face, Dot: fixed.P(20, 60)}
				d.DrawString(name)
				want := box(dst.Rect, func(x, y int) bool { return dst.GrayAt(x, y).Y > 127 })
				if got.Size() != want.Size() {
					t.Errorf("%s: text of %v, want the size of %v", what, got, want)
					continue
				}
				wrong := 0
				for y := range want.Dy() {
					for x := range want.Dx() {
						a := float64(dst.GrayAt(want.Min.X+x, want.Min.Y+y).Y) / 255
						expect := under + (235-under)*a
						if d := float64(at(c.img, got.Min.X+x, got.Min.Y+y).y) - expect; d < -3 || d > 3 {
							wrong++
						}
					}
				}
				if wrong > 0 {
					t.Errorf("%s: %d of %d samples are not those of the text", what, wrong, want.Dx()*want.Dy())
				}
				if contrast := contrastOnWhite(under); contrast < 4.5 {
					t.Errorf("%s: contrast of %.1f", what, contrast)
				}
			}
		}
	}
}

// contrastOnWhite is that of white text on grey of a luma sample (WCAG 2.2).
func contrastOnWhite(luma float64) float64 {
	return 1.05 / (linear((luma-16)/219) + 0.05)
}

// Labels are there for participants that have room for one, and only if names are wanted
// or somebody is muted.
func TestLabelWhen(t *testing.T) {
	img := solid(640, 360, colour{120, 100, 160})
	for _, tt := range []struct {
		w, h         int
		names, muted bool
		want         bool
	}{
		{640, 360, true, false, true}, {640, 360, false, false, false}, {640, 360, false, true, true},
		{128, 72, true, false, true}, {90, 50, true, true, false}, {64, 64, true, true, false},
	} {
		c := NewCanvas(tt.w, tt.h)
		c.Arrange(Style{Names: tt.names, Crop: true}, []Place{{"ann", Rect{0, 0, tt.w, tt.h}}})
		c.Cells()[0].Mark(false, tt.muted)
		c.Cells()[0].DrawPicture(img, 1)
		changed := !box(image.Rect(0, 0, tt.w, tt.h), func(x, y int) bool { return at(c.img, x, y).y != 120 }).Empty()
		if changed != tt.want {
			t.Errorf("%+v: a label is %v", tt, changed)
		}
	}
}

// TestMutedMark: the crossed microphone comes and goes, on pictures and cards, and nothing
// outside of the label changes with it.
func TestMutedMark(t *testing.T) {
	for _, draw := range []func(c *Cell) bool{
		func(c *Cell) bool { return c.DrawPicture(solid(640, 360, colour{60, 100, 160}), 1) },
		(*Cell).DrawCard,
	} {
		c, before := NewCanvas(640, 360), NewCanvas(640, 360)
		c.Layout([]string{"ann"})
		cell := c.Cells()[0]
		draw(cell)
		yuv.Copy(before.img, c.img)
		cell.Mark(false, true)
		if !draw(cell) || draw(cell) {
			t.Fatal("a mute must be a change once")
		}
		r := box(image.Rect(0, 0, 640, 360), func(x, y int) bool { return at(c.img, x, y) != at(before.img, x, y) })
		if r.Empty() || r.Max.X > 200 || r.Min.Y < 300 {
			t.Errorf("the mark changed %v", r)
		}
		white := 0
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				if at(c.img, x, y).y > 200 {
					white++
				}
			}
		}
		if white < 20 {
			t.Errorf("only %d bright samples in the mark", white)
		}
		cell.Mark(false, false)
		if !draw(cell) || !same(c, before) {
			t.Error("the mark left traces")
		}
	}
}

// TestTalkingBorder: it is at the edges of what is shown, and leaves no traces.
func TestTalkingBorder(t *testing.T) {
	c, before := NewCanvas(640, 360), NewCanvas(640, 360)
	c.Layout([]string{"ann"})
	cell, img := c.Cells()[0], solid(320, 240, colour{120, 100, 160})
	cell.DrawPicture(img, 1)
	yuv.Copy(before.img, c.img)
	cell.Mark(true, false)
	c.Settle()
	if !cell.DrawPicture(img, 1) || cell.DrawPicture(img, 1) {
		t.Fatal("talking must be a change once")
	}
	pic := Rect{80, 0, 480, 360}
	for _, r := range []Rect{{pic.X, 0, pic.W, 4}, {pic.X, 356, pic.W, 4}, {pic.X, 0, 4, 360}, {pic.X + pic.W - 4, 0, 4, 360}} {
		checkRect(t, "border", c.img, r, talkColour)
	}
	inside := box(image.Rect(84, 4, 556, 356), func(x, y int) bool { return at(c.img, x, y) != at(before.img, x, y) })
	if !inside.Empty() {
		t.Errorf("the border changed %v", inside)
	}
	checkRect(t, "beside", c.img, Rect{0, 0, 80, 360}, background)
	if changes := c.Changes(); len(changes) != 1 || changes[0] != pic {
		t.Errorf("changes %v, want %v", changes, pic)
	}
	cell.Mark(false, false)
	if !cell.DrawPicture(img, 1) || !same(c, before) {
		t.Error("the border left traces")
	}
	for _, side := range []int{2, 14, 16} { // must not panic
		c := labelled(64, side, "x", solid(64, side, white), true, true)
		if got := at(c.img, 0, 0) == talkColour; got != (side >= 16) {
			t.Errorf("a border on a picture of height %d: %v", side, got)
		}
	}
}

// A label that was drawn is not drawn again, even after a change of the layout.
func TestLabelsDrawnOnce(t *testing.T) {
	c := NewCanvas(1280, 720)
	img := solid(640, 360, white)
	var masks []*labelMasks
	for i := range 4 {
		places := []Place{{"ann", Rect{0, 0, 640, 360}}, {"bob", Rect{640, 0, 640, 360}}}
		if i%2 == 1 {
			places[0].Rect, places[1].Rect = places[1].Rect, places[0].Rect
		}
		c.Arrange(DefaultStyle, places)
		for _, cell := range c.Cells() {
			cell.DrawPicture(img, 1)
		}
		masks = append(masks, c.Cells()[0].label.labelMasks)
	}
	for i, m := range masks {
		if m == nil || m != masks[0] {
			t.Errorf("layout %d: another label", i)
		}
	}
	// A publisher who changes the size all the time does not fill the memory.
	for i := range 400 {
		c.Cells()[0].DrawPicture(solid(200+4*(i%100), 180+4*(i/100), white), uint64(i))
	}
	if n := len(c.labels.now) + len(c.labels.before); n > 100 {
		t.Errorf("%d labels are kept", n)
	}
}
