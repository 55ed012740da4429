// Package compose draws the mosaic of a room: the pictures of its participants in the
// cells of a grid, and a card with the name of whoever shows none. There is one canvas a
// room, and it persists: a video tick draws only what changed since the one before, and
// an unchanged canvas needs no encoding.
//
//	changed := canvas.Layout(names)
//	for i, cell := range canvas.Cells() {
//		if pic, seq, ok := participants[i].camera(); ok {
//			changed = cell.DrawPicture(pic, seq) || changed
//		} else {
//			changed = cell.DrawCard(names[i]) || changed
//		}
//	}
//	if changed {
//		encode(canvas.Image())
//	}
//
// A tick that changes neither the layout nor the size of a picture does not allocate.
// Nothing here is safe for concurrent use: a canvas and its cells have one owner.
package compose

import (
	"fmt"
	"slices"

	"golang.org/x/image/font"

	"sectile/asm/yuv"
)

// The background, a dark neutral grey. It is what an empty canvas, the border of a
// picture of another shape than its cell and the margin of a card show.
const (
	BackgroundY = 24
	BackgroundU = 128
	BackgroundV = 128
)

// Canvas is the picture of one room and the cells on it.
type Canvas struct {
	img   *yuv.Image
	names []string // of the layout
	cells []*Cell

	changes []Rect // drawn since Settle

	// Cards of one layout all have the same size and so share one face.
	face     font.Face
	faceSize int // pixels an em; 0 without a face
}

// NewCanvas returns a canvas of w×h luma samples without cells, all background. It panics
// unless both are positive and even.
func NewCanvas(w, h int) *Canvas {
	if w <= 0 || h <= 0 || w&1 != 0 || h&1 != 0 {
		panic(fmt.Sprintf("compose: canvas of %d×%d", w, h))
	}
	c := &Canvas{img: yuv.NewImage(w, h)}
	c.Clear()
	return c
}

// Image returns the canvas's picture. It is always the same one, drawn over in place: for
// reading, between two ticks of its owner.
func (c *Canvas) Image() *yuv.Image { return c.img }

// Changes returns the rectangles that were drawn since Settle; they may overlap. Outside
// of them the canvas is as it was then. The slice is valid until the next drawing.
func (c *Canvas) Changes() []Rect { return c.changes }

// Settle forgets the changes: what the canvas shows now is encoded.
func (c *Canvas) Settle() { c.changes = c.changes[:0] }

// touch notes that r is drawn. Many notes without Settle become one, of everything, so
// that the list stays short.
func (c *Canvas) touch(r Rect) {
	if len(c.changes) >= 2*len(c.cells)+2 {
		c.changes = append(c.changes[:0], Rect{0, 0, c.img.Width, c.img.Height})
		return
	}
	c.changes = append(c.changes, r)
}

// Clear makes the whole canvas background. The cells stay, but show nothing any more, so
// the next DrawPicture or DrawCard of each draws it whole.
func (c *Canvas) Clear() {
	yuv.Fill(c.img, BackgroundY, BackgroundU, BackgroundV)
	c.changes = append(c.changes[:0], Rect{0, 0, c.img.Width, c.img.Height})
	for _, cell := range c.cells {
		cell.shows = nothing
	}
}

// Layout arranges one cell for each of names, in their order, as Grid does. If names are
// those of the call before, it does nothing and returns false. Otherwise the canvas is
// cleared, all cells are new and Layout returns true; the caller draws every cell before
// it encodes the canvas, so that no viewer sees an empty one. Layout keeps no reference
// to names.
func (c *Canvas) Layout(names []string) bool {
	if slices.Equal(c.names, names) {
		return false
	}
	c.names = slices.Clone(names)
	rects := Grid(len(names), c.img.Width, c.img.Height)
	c.cells = make([]*Cell, len(rects))
	for i, r := range rects {
		c.cells[i] = &Cell{canvas: c, rect: r}
	}
	c.Clear()
	return true
}

// Cells returns the cells of the layout, in the order of its names: cell i is that of
// name i. There are fewer of them than names only where Grid says so. They are valid
// until Layout returns true again; the slice is the canvas's, for reading.
func (c *Canvas) Cells() []*Cell { return c.cells }

// scaler returns a scaler between two sizes: that of another cell, if one has it, for
// cameras of a room mostly send the same size and the tables then stay in the cache.
func (c *Canvas) scaler(g geometry) *yuv.Scaler {
	for _, cell := range c.cells {
		if cell.scaler != nil && cell.geometry == g {
			return cell.scaler
		}
	}
	return yuv.NewScaler(g.srcW, g.srcH, g.dstW, g.dstH)
}
