package compose

import (
	"hash/fnv"
	"image"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"

	"sectile/asm/yuv"
)

// colour is Y'CbCr of limited range (Y 16–235, Cb and Cr 16–240).
type colour struct{ y, u, v byte }

// rgb converts a 0xRRGGBB colour to Y'CbCr by ITU-R BT.601, limited range, in the usual
// 8-bit fixed-point form of its matrix.
func rgb(hex uint32) colour {
	r, g, b := int(hex>>16&0xff), int(hex>>8&0xff), int(hex&0xff)
	return colour{
		y: byte((66*r+129*g+25*b+128)>>8 + 16),
		u: byte((-38*r-74*g+112*b+128)>>8 + 128),
		v: byte((112*r-94*g-18*b+128)>>8 + 128),
	}
}

// palette holds the colours of cards, dark and muted enough for white text: the contrast
// is at least 4.5:1, level AA of WCAG 2.
var palette = [...]uint32{
	0x3b5b92, 0x2f6f73, 0x3f7048, 0x6b6a2e, 0x8a5a2b, 0x9a4b3c,
	0x94435f, 0x7a4a86, 0x5b5499, 0x4a5b6c, 0x2c6a8f, 0x6f5a4c,
}

// cardColour is the colour of a name: always the same, in every room and process.
func cardColour(name string) colour {
	h := fnv.New32a()
	h.Write([]byte(name))
	return rgb(palette[h.Sum32()%uint32(len(palette))])
}

// white is all text.
var white = colour{235, 128, 128}

// DrawCard shows a plain card in the colour of the cell's name with that name on it,
// shortened with an ellipsis if it is too long. The card has the canvas's shape, which is
// that of most cameras, and a margin of background, or fills the cell where pictures do. What is not in the font (it has Latin,
// Greek and Cyrillic) shows as an empty box. Nothing is drawn if the cell shows that card
// already. DrawCard reports whether it changed the canvas.
func (c *Cell) DrawCard() bool {
	if c.covered || c.shows == card && c.drawn == c.marks {
		return false
	}
	r := c.cardRect()
	c.canvas.paint(&c.surface, c.rect)
	c.fill(r, cardColour(c.name))
	c.drawTitle(r)
	c.setLabel("", r)
	c.drawMarks(r)
	c.shows, c.drawn = card, c.marks
	c.present(c.all())
	return true
}

// cardRect is the place of the cell's card.
func (c *Cell) cardRect() Rect {
	if c.canvas.style.Crop {
		return c.all()
	}
	r := fit(c.canvas.img.Width, c.canvas.img.Height, c.all())
	side := min(r.W, r.H)
	if side < 16 {
		return r // nothing to spare
	}
	m := max(side/60&^1, 2)
	return Rect{r.X + m, r.Y + m, r.W - 2*m, r.H - 2*m}
}

// drawTitle writes the name into the middle of r, which is always the same rectangle. A
// card too small for text stays blank.
func (c *Cell) drawTitle(r Rect) {
	if c.title.labelMasks == nil {
		c.title = c.newTitle(r)
	}
	if t := &c.title; t.text != nil {
		yuv.Blend(&t.on, t.text, white.y, white.u, white.v)
	}
}

func (c *Cell) newTitle(r Rect) label {
	// In a narrow card as in the largest one of the canvas's shape that is as wide.
	shape := fit(c.canvas.img.Width, c.canvas.img.Height, r)
	face := c.canvas.faceOf(min(max(shape.H/7, 12), 80))
	metrics := face.Metrics()
	name := shorten(face, c.name, fixed.I(r.W-r.W/8))
	height := (metrics.Ascent + metrics.Descent).Ceil()
	height += height & 1
	if name == "" || height > r.H {
		return label{labelMasks: &labelMasks{}}
	}
	advance := font.MeasureString(face, name)
	// Glyphs may reach beyond their advance: a few pixels more on both sides.
	width := min(advance.Ceil()+8, r.W)
	width -= width & 1

	// It is capitals, not the line, that should stand in the middle.
	baseline := fixed.I(r.H)/2 + metrics.CapHeight/2
	top := min(max((baseline-metrics.Ascent).Floor()&^1, 0), r.H-height)
	mask := image.NewAlpha(image.Rect(0, 0, width, height))
	text := font.Drawer{
		Dst: mask, Src: image.Opaque, Face: face,
		Dot: fixed.Point26_6{X: (fixed.I(width) - advance) / 2, Y: fixed.I((baseline - fixed.I(top)).Round())},
	}
	text.DrawString(name)
	return label{
		&labelMasks{text: yuv.NewAlpha(mask.Pix, mask.Stride, width, height)},
		c.surface.Sub(r.X+(r.W-width)/2&^1, r.Y+top, width, height),
	}
}

// shorten returns name if it is no wider than limit, else as much of it as fits with an
// ellipsis, or nothing if not even that does.
func shorten(face font.Face, name string, limit fixed.Int26_6) string {
	if font.MeasureString(face, name) <= limit {
		return name
	}
	const ellipsis = "…"
	limit -= font.MeasureString(face, ellipsis)
	if limit < 0 {
		return ""
	}
	var width fixed.Int26_6
	last := rune(-1)
	for i, r := range name {
		if last >= 0 {
			width += face.Kern(last, r)
		}
		advance, _ := face.GlyphAdvance(r)
		width += advance
		if width > limit {
			name = name[:i]
			break
		}
		last = r
	}
	return strings.TrimRight(name, " ") + ellipsis
}
