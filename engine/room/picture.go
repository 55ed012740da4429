package room

import (
	"slices"

	"sectile/asm/yuv"
	"sectile/engine/compose"
)

// picture is what the mosaic shows: a canvas with a cell for every stream that the look
// has a place for. Only the mosaic's tick uses it.
type picture struct {
	room    *Room
	canvas  *compose.Canvas
	seen    uint64 // the room's changes that shown reflects
	shown   []shownStream
	places  []compose.Place
	told    []toldCamera
	drawing drawing

	backdrop backdrop
}

// shownStream is what the picture knows of one stream: that of the canvas's cell of the
// same index.
type shownStream struct {
	input          *Input
	camera         Camera // nil: the card
	talking, muted bool
}

// toldCamera is a camera with what it was told.
type toldCamera struct {
	camera        Camera
	width, height int
	crop          bool
}

// drawing hands a picture from a camera to its cell without a closure a tick.
type drawing struct {
	cell     *compose.Cell
	sequence uint64
	viewed   bool
	draw     func(*yuv.Image)
}

func newPicture(r *Room) *picture {
	p := &picture{room: r, canvas: compose.NewCanvas(r.opts.Width, r.opts.Height)}
	p.backdrop.room = r
	p.drawing.draw = func(img *yuv.Image) {
		p.drawing.viewed = true
		p.drawing.cell.DrawPicture(img, p.drawing.sequence)
	}
	return p
}

// update takes over from the room who is shown where, who talks and who is muted.
func (p *picture) update() {
	look, changed := p.look()
	if !changed {
		return
	}
	style := look.style()
	style.Backdrop = p.backdrop.of(look.BackgroundImage)
	p.canvas.Arrange(style, p.places)
	p.tell(style.Crop)
}

// look takes over from the room what update needs, and returns whether there is anything
// to arrange.
func (p *picture) look() (look Look, changed bool) {
	r := p.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.look.followsSpeaker() && r.speaker.step(r.env.Now(), r.inputs) {
		r.changes++
	}
	if p.seen != r.changes {
		p.seen, changed = r.changes, true
		p.shown, p.places = p.shown[:0], p.places[:0]
		for _, s := range r.arrange() {
			stream := shownStream{input: s.input}
			if !s.input.mutedVideo {
				stream.camera = s.input.camera
			}
			p.shown = append(p.shown, stream)
			p.places = append(p.places, compose.Place{Name: s.input.name, Rect: s.rect})
		}
	}
	for i := range p.shown {
		s := &p.shown[i]
		s.talking, s.muted = s.input.talking, s.input.mutedAudio.Load()
	}
	return r.look, changed
}

// tell tells every camera whose size on the canvas changed.
func (p *picture) tell(crop bool) {
	var now []toldCamera
	for i, cell := range p.canvas.Cells() {
		if camera := p.shown[i].camera; camera != nil && !cell.Covered() {
			r := cell.Rect()
			now = append(now, toldCamera{camera, r.W, r.H, crop})
		}
	}
	for _, before := range p.told {
		if !slices.ContainsFunc(now, func(t toldCamera) bool { return t.camera == before.camera }) {
			before.camera.Shown(0, 0, false)
		}
	}
	for _, t := range now {
		if !slices.Contains(p.told, t) {
			t.camera.Shown(t.width, t.height, t.crop)
		}
	}
	p.told = now
}

// draw brings every cell up to date; cells that show the right thing cost nothing.
func (p *picture) draw() {
	p.update()
	for i, cell := range p.canvas.Cells() {
		s := &p.shown[i]
		if cell.Covered() {
			continue
		}
		cell.Mark(s.talking, s.muted)
		p.drawing.viewed = false
		if s.camera != nil {
			if sequence := s.camera.Sequence(); sequence > 0 {
				p.drawing.cell, p.drawing.sequence = cell, sequence
				s.camera.View(p.drawing.draw)
			}
		}
		if !p.drawing.viewed { // there is no picture, or no longer
			cell.DrawCard()
		}
	}
}
