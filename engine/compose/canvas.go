// Package compose draws the mosaic of a room: the pictures of its participants in the
// cells of a layout, with their names, and a card with the name of whoever shows none.
// There is one canvas a room, and it persists: a video tick draws only what changed since
// the one before, and an unchanged canvas needs no encoding.
//
//	changed := canvas.Layout(names)
//	for i, cell := range canvas.Cells() {
//		cell.Mark(participants[i].talks(), participants[i].muted())
//		if pic, seq, ok := participants[i].camera(); ok {
//			changed = cell.DrawPicture(pic, seq) || changed
//		} else {
//			changed = cell.DrawCard() || changed
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

// Style is how a canvas and its cells look.
type Style struct {
	// Background, 0xRRGGBB, is what an empty canvas shows, and the gaps, the border of a
	// picture of another shape than its cell and the margin of a card.
	Background uint32
	// Backdrop, if not nil, is shown instead of Background. It has the size of the canvas,
	// and must not change: another picture is another pointer.
	Backdrop *yuv.Image
	// Crop cuts a picture of another shape than its cell at two sides so that it fills the
	// cell. Otherwise all of it is shown, between borders.
	Crop bool
	// Names writes the name of each participant upon their picture.
	Names bool
}

// DefaultStyle is that of a new canvas: a dark neutral grey, all of each picture, names.
var DefaultStyle = Style{Background: 0x090909, Names: true}

// Place is where on a canvas a participant is shown.
type Place struct {
	Name string
	Rect Rect
}

// Canvas is the picture of one room and the cells on it.
type Canvas struct {
	img        *yuv.Image
	style      Style
	background colour // of style
	places     []Place
	gridded    bool // places are those of Layout
	cells      []*Cell

	changes []Rect // drawn since Settle

	faces  map[int]font.Face // by pixels an em
	labels labels
}

// NewCanvas returns a canvas of w×h luma samples without cells, all background. It panics
// unless both are positive and even.
func NewCanvas(w, h int) *Canvas {
	if w <= 0 || h <= 0 || w&1 != 0 || h&1 != 0 {
		panic(fmt.Sprintf("compose: canvas of %d×%d", w, h))
	}
	c := &Canvas{
		img: yuv.NewImage(w, h), style: DefaultStyle, background: rgb(DefaultStyle.Background),
		faces: map[int]font.Face{},
	}
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
	c.paint(c.img, Rect{0, 0, c.img.Width, c.img.Height})
	c.changes = append(c.changes[:0], Rect{0, 0, c.img.Width, c.img.Height})
	for _, cell := range c.cells {
		cell.shows = nothing
	}
}

// Layout arranges one cell for each of names, in their order, as Grid does, in the style
// that the canvas has. It returns what Arrange does.
func (c *Canvas) Layout(names []string) bool {
	if c.gridded && slices.EqualFunc(c.places, names, func(p Place, name string) bool { return p.Name == name }) {
		return false
	}
	rects := Grid(len(names), c.img.Width, c.img.Height)
	places := make([]Place, len(rects))
	for i, r := range rects {
		places[i] = Place{names[i], r}
	}
	changed := c.Arrange(c.style, places)
	c.gridded = len(places) == len(names) // else the places do not tell the names
	return changed
}

// Arrange makes one cell for each of places, in their order; a later one lies on those
// before it. If style and places are those of the call before, it does nothing and returns
// false. Otherwise it returns true, and the caller draws every cell before it encodes the
// canvas, so that no viewer sees an empty one. Cells that stay where they were, and do not
// touch others, go on showing what they show. It panics unless all rectangles lie inside
// the canvas and have even coordinates. Arrange keeps no reference to places.
func (c *Canvas) Arrange(style Style, places []Place) bool {
	if c.style == style && slices.Equal(c.places, places) {
		return false
	}
	before := c.cells
	if c.style != style {
		before = nil
	}
	c.gridded = false
	c.places = slices.Clone(places)
	c.cells = make([]*Cell, len(places))
	for i, p := range places {
		cell := &Cell{canvas: c, name: p.Name, rect: p.Rect}
		for _, below := range c.cells[:i] {
			if !below.rect.intersect(p.Rect).empty() {
				below.above = append(below.above, cell)
				cell.apart = true
			}
		}
		c.cells[i] = cell
	}
	for i, cell := range c.cells {
		if old := cell.among(before); old != nil {
			c.cells[i] = old
			continue
		}
		if cell.apart {
			cell.surface = *yuv.NewImage(cell.rect.W, cell.rect.H)
		} else {
			cell.surface = c.img.Sub(cell.rect.X, cell.rect.Y, cell.rect.W, cell.rect.H)
		}
		cell.covered = cell.isCovered()
	}
	c.labels.age()
	if c.style != style {
		c.style, c.background = style, rgb(style.Background)
		c.Clear()
		return true
	}
	for _, old := range before {
		if !slices.Contains(c.cells, old) {
			view := c.img.Sub(old.rect.X, old.rect.Y, old.rect.W, old.rect.H)
			c.paint(&view, old.rect)
			c.touch(old.rect)
		}
	}
	return true
}

// Cells returns the cells in the order of their places. They are valid until Arrange
// returns true again; the slice is the canvas's, for reading.
func (c *Canvas) Cells() []*Cell { return c.cells }

// scaler returns a scaler for a geometry: that of another cell, if one has it, for
// cameras of a room mostly send the same size and the tables then stay in the cache.
func (c *Canvas) scaler(g geometry) *yuv.Scaler {
	for _, cell := range c.cells {
		o := cell.geometry
		if cell.scaler != nil && o.srcW == g.srcW && o.srcH == g.srcH && o.dstW == g.dstW && o.dstH == g.dstH {
			return cell.scaler
		}
	}
	return yuv.NewScaler(g.srcW, g.srcH, g.dstW, g.dstH)
}
