package compose

import (
	"image"
	"image/color"
	"testing"
)

func TestBackdrop(t *testing.T) {
	// Green, with red edges of 40 that a canvas of 2:1 has no room for, above and below.
	img := image.NewNRGBA(image.Rect(10, 20, 330, 260))
	for y := range 240 {
		for x := range 320 {
			c := color.NRGBA{0, 255, 0, 255}
			if y < 40 || y >= 200 {
				c = color.NRGBA{255, 0, 0, 255}
			}
			img.SetNRGBA(10+x, 20+y, c)
		}
	}
	green := rgb(0x00ff00)
	for _, size := range [][2]int{{320, 160}, {640, 320}, {64, 32}, {100, 50}} {
		checkRect(t, "cropped", Backdrop(img, size[0], size[1]), Rect{0, 2, size[0], size[1] - 4}, green)
	}
	if got := at(Backdrop(img, 320, 240), 4, 4); got != rgb(0xff0000) {
		t.Errorf("not cropped: %v in the corner", got)
	}
	if got := at(Backdrop(image.NewNRGBA(image.Rect(0, 0, 3, 3)), 64, 64), 32, 32); got != rgb(0) {
		t.Errorf("transparent is %v", got)
	}
	Backdrop(image.NewGray(image.Rect(0, 0, 1, 1)), 2, 3840) // must not panic

	// It is what canvas, borders and margins show, also under cells that lie on others and
	// after one that went.
	style := Style{Backdrop: Backdrop(img, 320, 160)}
	c := NewCanvas(320, 160)
	c.Arrange(style, []Place{{"a", Rect{0, 0, 160, 80}}, {"b", Rect{100, 20, 200, 120}}, {"c", Rect{0, 100, 80, 40}}})
	cells := c.Cells()
	cells[0].DrawPicture(solid(64, 64, white), 1)
	cells[1].DrawPicture(solid(64, 64, white), 1)
	cells[2].DrawCard()
	for what, r := range map[string]Rect{
		"canvas": {160, 0, 160, 20}, "border": {0, 0, 40, 80}, "border of a cell on another": {100, 20, 40, 120}, "margin": {0, 100, 2, 40},
	} {
		checkRect(t, what, c.img, r, green)
	}
	c.Arrange(style, []Place{{"a", Rect{0, 0, 160, 80}}})
	c.Cells()[0].DrawPicture(solid(64, 64, white), 1)
	checkRect(t, "after a cell went", c.img, Rect{0, 80, 320, 80}, green)
	if c.Arrange(style, c.places) {
		t.Error("the same style and places are a change")
	}
}
