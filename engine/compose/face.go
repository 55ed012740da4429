package compose

import (
	"fmt"
	"image"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// goMedium is parsed once a process; unlike faces it may be used concurrently.
var goMedium = sync.OnceValue(func() *opentype.Font {
	f, err := opentype.Parse(gomedium.TTF)
	if err != nil {
		panic(fmt.Sprintf("compose: embedded font: %v", err))
	}
	return f
})

// face is the font at one size. Its glyphs are the same to the bit on every CPU, which
// those of opentype are not.
type face struct {
	font.Face // all but the glyphs
	size      int
	buf       sfnt.Buffer
}

// faceOf returns the face of size pixels an em, which is made once: there are few sizes.
func (c *Canvas) faceOf(size int) font.Face {
	f := c.faces[size]
	if f == nil {
		o, err := opentype.NewFace(goMedium(), &opentype.FaceOptions{Size: float64(size), DPI: 72})
		if err != nil {
			panic(fmt.Sprintf("compose: embedded font at %d pixels: %v", size, err))
		}
		f = &face{Face: o, size: size}
		c.faces[size] = f
	}
	return f
}

// Glyph implements font.Face.
func (f *face) Glyph(dot fixed.Point26_6, r rune) (dr image.Rectangle, mask image.Image, maskp image.Point, advance fixed.Int26_6, ok bool) {
	advance, known := f.GlyphAdvance(r)
	index, _ := goMedium().GlyphIndex(&f.buf, r) // 0, an empty box, for what is not in the font
	segments, err := goMedium().LoadGlyph(&f.buf, index, fixed.I(f.size), nil)
	if err != nil {
		return image.Rectangle{}, nil, image.Point{}, 0, false
	}
	bounds := segments.Bounds().Add(dot)
	dr = image.Rect(bounds.Min.X.Floor(), bounds.Min.Y.Floor(), bounds.Max.X.Ceil(), bounds.Max.Y.Ceil())
	offset := dot.Sub(fixed.P(dr.Min.X, dr.Min.Y))
	o := newOutline(dr.Dx(), dr.Dy())
	for _, s := range segments {
		a, b, c := s.Args[0].Add(offset), s.Args[1].Add(offset), s.Args[2].Add(offset)
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			o.moveTo(a)
		case sfnt.SegmentOpLineTo:
			o.lineTo(a)
		case sfnt.SegmentOpQuadTo:
			o.quadTo(a, b)
		case sfnt.SegmentOpCubeTo:
			o.cubeTo(a, b, c)
		}
	}
	return dr, o.mask(), image.Point{}, advance, known
}
