package compose

import (
	"image"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"

	"sectile/asm/yuv"
)

// A label is a strip at the lower left of a picture or card with the participant's name
// and, if they are muted, a crossed microphone. It is drawn once and blended again over
// each new picture.
type label struct {
	*labelMasks           // nil: none
	on          yuv.Image // where it goes
}

// labelMasks are the shapes of one label: the strip and what stands on it.
type labelMasks struct {
	w, h        int
	strip, text *yuv.Alpha
}

// labelKey is what a label looks like.
type labelKey struct {
	name  string
	muted bool
	size  int // pixels an em
	limit int // of the width
}

const (
	stripOpacity = 0xa0 // white text stays readable on a white picture: 6:1
	minLabelW    = 80   // the smallest picture with a label
	minLabelH    = 60
)

// labels are those drawn before. They survive one change of the layout, in which most
// participants stay as they are.
type labels struct{ now, before map[labelKey]*labelMasks }

// age forgets the labels that were not used since it was called last.
func (l *labels) age() { l.now, l.before = map[labelKey]*labelMasks{}, l.now }

// labelOf returns the label for a key, nil if nothing stands on it.
func (c *Canvas) labelOf(key labelKey) *labelMasks {
	masks, ok := c.labels.now[key]
	if ok {
		return masks
	}
	if masks, ok = c.labels.before[key]; !ok {
		masks = drawLabel(c.faceOf(key.size), key)
	}
	if len(c.labels.now) > 4*len(c.cells)+16 { // pictures change their size all the time
		c.labels.age()
	}
	c.labels.now[key] = masks
	return masks
}

// setLabel prepares the label of a picture or card in r, whose name may be "".
func (c *Cell) setLabel(name string, r Rect) {
	c.label = label{}
	if r.W < minLabelW || r.H < minLabelH || name == "" && !c.marks.muted {
		return
	}
	size := min(max(r.H/20, 12), 40)
	margin := size / 2 &^ 1
	masks := c.canvas.labelOf(labelKey{name, c.marks.muted, size, r.W - 2*margin})
	if masks != nil {
		c.label = label{masks, c.surface.Sub(r.X+margin, r.Y+r.H-margin-masks.h, masks.w, masks.h)}
	}
}

// drawLabel draws a label: the microphone, then the name.
func drawLabel(face font.Face, key labelKey) *labelMasks {
	metrics := face.Metrics()
	height := ((metrics.Ascent + metrics.Descent).Ceil() + key.size/3 + 1) &^ 1
	pad := key.size / 2
	x := pad
	if key.muted {
		x += key.size
		if key.name != "" {
			x += pad / 2
		}
	}
	name := shorten(face, key.name, fixed.I(key.limit-x-pad))
	width := (x + font.MeasureString(face, name).Ceil() + pad + 1) &^ 1
	if name == "" && !key.muted || width > key.limit {
		return nil
	}
	text := image.NewAlpha(image.Rect(0, 0, width, height))
	if key.muted {
		drawMutedMicrophone(text, pad, (height-key.size)/2, key.size)
	}
	// Capitals, not the line, stand in the middle.
	d := font.Drawer{Dst: text, Src: image.Opaque, Face: face, Dot: fixed.Point26_6{
		X: fixed.I(x), Y: fixed.I((fixed.I(height)/2 + metrics.CapHeight/2).Round()),
	}}
	d.DrawString(name)

	o := newOutline(width, height)
	o.roundedRect(point(0, 0), 64*width, 64*height, 64*height/4)
	strip := o.mask()
	for i, a := range strip.Pix {
		strip.Pix[i] = uint8(int(a) * stripOpacity / 255)
	}
	return &labelMasks{
		w: width, h: height,
		strip: yuv.NewAlpha(strip.Pix, strip.Stride, width, height),
		text:  yuv.NewAlpha(text.Pix, text.Stride, width, height),
	}
}

// black is the strip under the text of labels.
var black = colour{16, 128, 128}

// talkColour is the border of who talks: bright on dark pictures and on light ones.
var talkColour = rgb(0x2ee6c5)

// drawMarks draws the label, if there is one, and the border of who talks upon what is in r.
func (c *Cell) drawMarks(r Rect) {
	if c.label.labelMasks != nil {
		yuv.Blend(&c.label.on, c.label.strip, black.y, black.u, black.v)
		yuv.Blend(&c.label.on, c.label.text, white.y, white.u, white.v)
	}
	side := min(r.W, r.H)
	if !c.marks.talking || side < 16 {
		return
	}
	b := 2
	if side >= 160 {
		b = 4
	}
	c.fill(Rect{r.X, r.Y, r.W, b}, talkColour)
	c.fill(Rect{r.X, r.Y + r.H - b, r.W, b}, talkColour)
	c.fill(Rect{r.X, r.Y + b, b, r.H - 2*b}, talkColour)
	c.fill(Rect{r.X + r.W - b, r.Y + b, b, r.H - 2*b}, talkColour)
}
