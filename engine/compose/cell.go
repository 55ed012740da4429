package compose

import "sectile/asm/yuv"

// Cell is the place of one participant on a Canvas, whose Layout makes it. It remembers
// what it shows, so that drawing the same again costs nothing.
type Cell struct {
	canvas *Canvas
	rect   Rect
	shows  content

	seq  uint64 // of the picture shown
	name string // of the card shown

	// Of the last picture. They outlive a card in between.
	geometry geometry
	shape    Rect        // where pictures of this geometry go
	target   yuv.Image   // the same as a view of the canvas
	scaler   *yuv.Scaler // nil if they are copied
}

// MaxSide is the largest width and height of a picture that can be shown.
const MaxSide = 4096

type content uint8

const (
	nothing content = iota
	picture
	card
)

// geometry is the size of a picture and the size at which it is shown.
type geometry struct{ srcW, srcH, dstW, dstH int }

// Rect returns the cell's place on the canvas. Drawing the cell changes nothing outside.
func (c *Cell) Rect() Rect { return c.rect }

// DrawPicture shows img, as large as it fits the cell in its own shape, centred, between
// borders of background. seq names the picture: it must differ from that of the picture
// that this cell showed before, unless it is the same one; then nothing is drawn. img is
// not kept. Sizes come from outside, so one that cannot be shown (no sample, or a side
// over MaxSide) is not a panic but a card without a name. DrawPicture reports whether it
// changed the canvas.
func (c *Cell) DrawPicture(img *yuv.Image, seq uint64) bool {
	if min(img.Width, img.Height) < 1 || max(img.Width, img.Height) > MaxSide {
		return c.DrawCard("")
	}
	if c.shows == picture && c.seq == seq {
		return false
	}
	resized := img.Width != c.geometry.srcW || img.Height != c.geometry.srcH
	if resized {
		c.setGeometry(img.Width, img.Height)
	}
	if resized || c.shows != picture {
		c.fill(c.rect, colour{BackgroundY, BackgroundU, BackgroundV})
		c.canvas.touch(c.rect)
	} else {
		c.canvas.touch(c.shape)
	}
	if c.scaler == nil {
		yuv.Copy(&c.target, img)
	} else {
		c.scaler.Scale(&c.target, img)
	}
	c.shows, c.seq = picture, seq
	return true
}

// setGeometry prepares the cell for pictures of w×h.
func (c *Cell) setGeometry(w, h int) {
	r := fit(w, h, c.rect)
	c.scaler = nil // before asking for another: canvas.scaler must not see a mixture
	c.geometry = geometry{w, h, r.W, r.H}
	c.shape = r
	c.target = c.canvas.img.Sub(r.X, r.Y, r.W, r.H)
	if w != r.W || h != r.H {
		c.scaler = c.canvas.scaler(c.geometry)
	}
}

// fill makes r, which lies inside the cell, one colour.
func (c *Cell) fill(r Rect, col colour) {
	sub := c.canvas.img.Sub(r.X, r.Y, r.W, r.H)
	yuv.Fill(&sub, col.y, col.u, col.v)
}
