package room

import (
	"sectile/asm/yuv"
	"sectile/engine/compose"
)

// picture is what the mosaic shows: a canvas with a cell for every stream. Only the
// mosaic's tick uses it.
type picture struct {
	room    *Room
	canvas  *compose.Canvas
	seen    uint64 // the room's changes that shown reflects
	shown   []shownStream
	names   []string
	drawing drawing
}

// shownStream is what the picture knows of one stream.
type shownStream struct {
	name   string
	camera Camera // nil: the card
}

// drawing hands a picture from a camera to its cell without a closure a tick.
type drawing struct {
	cell     *compose.Cell
	sequence uint64
	drawn    bool
	draw     func(*yuv.Image)
}

func newPicture(r *Room) *picture {
	p := &picture{room: r, canvas: compose.NewCanvas(r.opts.Width, r.opts.Height)}
	p.drawing.draw = func(img *yuv.Image) {
		p.drawing.drawn = p.drawing.cell.DrawPicture(img, p.drawing.sequence)
	}
	return p
}

// update takes over from the room who is shown.
func (p *picture) update() {
	r := p.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.seen == r.changes {
		return
	}
	p.seen = r.changes
	p.shown, p.names = p.shown[:0], p.names[:0]
	for _, in := range r.inputs {
		s := shownStream{name: in.name}
		if !in.mutedVideo {
			s.camera = in.camera
		}
		p.shown = append(p.shown, s)
		p.names = append(p.names, in.name)
	}
	p.canvas.Layout(p.names)
	for i, r := range compose.Grid(len(p.names), r.opts.Width, r.opts.Height) {
		if camera := p.shown[i].camera; camera != nil {
			camera.Shown(r.W, r.H)
		}
	}
}

// draw brings every cell up to date; cells that show the right thing cost nothing.
func (p *picture) draw() {
	p.update()
	for i, cell := range p.canvas.Cells() {
		s := p.shown[i]
		var sequence uint64
		if s.camera != nil {
			sequence = s.camera.Sequence()
		}
		p.drawing.drawn = false
		if sequence > 0 {
			p.drawing.cell, p.drawing.sequence = cell, sequence
			s.camera.View(p.drawing.draw)
		} else {
			cell.DrawCard(s.name)
		}
	}
}
