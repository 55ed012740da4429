package compose

import "sectile/asm/yuv"

// Cell is the place of one participant on a Canvas, whose Arrange makes it. It remembers
// what it shows, so that drawing the same again costs nothing.
type Cell struct {
	canvas *Canvas
	name   string
	rect   Rect

	// The cell draws on surface, in coordinates of its own: a view of the canvas, or a
	// picture apart if the cell lies on others, so that it need not be drawn again when they
	// are. above are the cells that lie on this one, the lowest first.
	surface yuv.Image
	apart   bool
	above   []*Cell
	covered bool // by them, completely

	marks marks // to be shown

	// What is shown.
	shows content
	drawn marks
	seq   uint64 // of the picture

	// Of the last picture. They outlive a card in between.
	geometry geometry
	source   Rect        // the part of the picture that is shown
	shape    Rect        // where it goes
	target   yuv.Image   // the same as a view of surface
	scaler   *yuv.Scaler // nil if it is copied

	label label // of the last picture or card
	title label // of the card: its name, made when first needed
}

// MaxSide is the largest width and height of a picture that can be shown.
const MaxSide = 4096

type content uint8

const (
	nothing content = iota
	picture
	card
)

// marks are what is drawn upon a picture or card.
type marks struct{ talking, muted bool }

// geometry is the size of a picture, that of the part shown, and the size at which it is.
type geometry struct{ w, h, srcW, srcH, dstW, dstH int }

// Rect returns the cell's place on the canvas. Drawing the cell changes nothing outside.
func (c *Cell) Rect() Rect { return c.rect }

// Covered tells whether other cells cover this one, so that it is never seen. Drawing it
// does nothing.
func (c *Cell) Covered() bool { return c.covered }

// Mark says whether the participant talks, which a border shows, and is muted, which a
// crossed microphone shows, from the next drawing on.
func (c *Cell) Mark(talking, muted bool) { c.marks = marks{talking, muted} }

// DrawPicture shows img as the canvas's style says. seq names the picture: it must differ
// from that of the picture that this cell showed before, unless it is the same one; then
// nothing is drawn. img is not kept. Sizes come from outside, so one that cannot be shown
// (no sample, or a side over MaxSide) is not a panic but a card. Whatever img's colours are,
// the canvas has BT.601 with limited range. DrawPicture reports whether it changed the canvas.
func (c *Cell) DrawPicture(img *yuv.Image, seq uint64) bool {
	if min(img.Width, img.Height) < 1 || max(img.Width, img.Height) > MaxSide {
		return c.DrawCard()
	}
	if c.covered || c.shows == picture && c.seq == seq && c.drawn == c.marks {
		return false
	}
	fresh := c.shows != picture
	if img.Width != c.geometry.w || img.Height != c.geometry.h {
		c.setGeometry(img.Width, img.Height)
		fresh = true
	}
	if fresh {
		c.canvas.paint(&c.surface, c.rect)
	}
	if fresh || c.drawn.muted != c.marks.muted {
		name := c.name
		if !c.canvas.style.Names {
			name = ""
		}
		c.setLabel(name, c.shape)
	}
	src := *img
	if c.source.W != img.Width || c.source.H != img.Height {
		src = img.Sub(c.source.X, c.source.Y, c.source.W, c.source.H)
	}
	if c.scaler == nil {
		yuv.Copy(&c.target, &src)
	} else {
		c.scaler.Scale(&c.target, &src)
	}
	yuv.Standardize(&c.target, img.Colours)
	c.drawMarks(c.shape)
	c.shows, c.seq, c.drawn = picture, seq, c.marks
	if fresh {
		c.present(c.all())
	} else {
		c.present(c.shape)
	}
	return true
}

// setGeometry prepares the cell for pictures of w×h.
func (c *Cell) setGeometry(w, h int) {
	c.source, c.shape = Rect{0, 0, w, h}, c.all()
	if c.canvas.style.Crop {
		c.source = crop(w, h, c.shape)
	} else {
		c.shape = fit(w, h, c.shape)
	}
	c.scaler = nil // before asking for another: canvas.scaler must not see a mixture
	c.geometry = geometry{w, h, c.source.W, c.source.H, c.shape.W, c.shape.H}
	c.target = c.surface.Sub(c.shape.X, c.shape.Y, c.shape.W, c.shape.H)
	if c.source.W != c.shape.W || c.source.H != c.shape.H {
		c.scaler = c.canvas.scaler(c.geometry)
	}
}

// among returns the cell of others that c need not replace, if there is one: it is the same
// participant's, in the same place, and neither it nor c touches other cells.
func (c *Cell) among(others []*Cell) *Cell {
	for _, o := range others {
		if o.name == c.name && o.rect == c.rect && !o.apart && !c.apart && len(o.above)+len(c.above) == 0 {
			return o
		}
	}
	return nil
}

// isCovered tells whether the cells above cover this one.
func (c *Cell) isCovered() bool {
	tops := make([]Rect, len(c.above))
	for i, top := range c.above {
		tops[i] = top.rect
	}
	return covered(c.rect, tops)
}

// all is the whole cell in its own coordinates.
func (c *Cell) all() Rect { return Rect{0, 0, c.rect.W, c.rect.H} }

// fill makes r one colour.
func (c *Cell) fill(r Rect, col colour) {
	sub := c.surface.Sub(r.X, r.Y, r.W, r.H)
	yuv.Fill(&sub, col.y, col.u, col.v)
}

// present brings what was drawn in r onto the canvas, under the cells above.
func (c *Cell) present(r Rect) {
	on := Rect{c.rect.X + r.X, c.rect.Y + r.Y, r.W, r.H}
	if c.apart {
		c.restore(on)
	}
	for _, top := range c.above {
		if r := on.intersect(top.rect); !r.empty() && top.shows != nothing {
			top.restore(r)
		}
	}
	c.canvas.touch(on)
}

// restore copies the part of a cell that draws apart which lies in r of the canvas.
func (c *Cell) restore(r Rect) {
	dst := c.canvas.img.Sub(r.X, r.Y, r.W, r.H)
	src := c.surface.Sub(r.X-c.rect.X, r.Y-c.rect.Y, r.W, r.H)
	yuv.Copy(&dst, &src)
}
