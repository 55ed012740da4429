package engine

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"sectile/engine/h264"
	"sectile/engine/jitter"
	"sectile/engine/room"
)

// ErrTakenOver ends a publication whose stream somebody else began to publish.
var ErrTakenOver = errors.New("taken over by a new publisher")

// Publisher is the far side of a publication. Its methods must not block nor call the
// engine.
type Publisher interface {
	// RequestKeyframe asks the sender for an IDR of a layer (RTCP PLI). The engine spaces the
	// requests.
	RequestKeyframe(layer int)
	// Closed tells that the engine ended the publication. It is called at most once, and
	// not after Publication.Close.
	Closed(reason error)
}

// Publication is a stream being published.
type Publication struct {
	engine    *Engine
	stream    *stream
	publisher Publisher
	camera    *camera
	inputs    atomic.Pointer[[]*room.Input]
	clock     sourceClock // of the sound
}

// Publish starts publishing a stream, which must exist (ErrNotFound). A publication before
// it ends with ErrTakenOver, so that a participant can reconnect at once.
func (e *Engine) Publish(name string, publisher Publisher) (*Publication, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.streams[name]
	if s == nil {
		return nil, fmt.Errorf("stream %q: %w", name, room.ErrNotFound)
	}
	p := &Publication{engine: e, stream: s, publisher: publisher, clock: sourceClock{rate: audioClock}}
	p.camera = newCamera(e, name, publisher.RequestKeyframe, p.sound)
	p.inputs.Store(new([]*room.Input))
	if last := s.publication; last != nil {
		last.inputs.Store(new([]*room.Input))
		p.camera.inherit(last.camera)
		defer func() {
			last.camera.close()
			last.publisher.Closed(fmt.Errorf("stream %s: %w", name, ErrTakenOver))
		}()
	}
	s.publication = p
	for _, in := range s.inputs {
		if err := in.Connect(p.camera.newView()); err != nil {
			e.drop(s)
			return nil, err
		}
	}
	p.route(s.inputs)
	return p, nil
}

// PushAudio takes one RTP packet of Opus, which arrived at that time of the engine's clock.
// The payload is copied. One goroutine may push sound and another one pictures.
func (p *Publication) PushAudio(pkt jitter.Packet, arrival time.Duration) {
	for _, in := range *p.inputs.Load() {
		in.PushAudio(pkt, arrival)
	}
}

// PushVideo takes one RTP packet of H.264. The payload is copied. A publisher sends up to
// MaxLayers encodings of its picture, of which the engine takes the one that fits the size
// at which it is shown; one that sends only one sends layer 0. Each layer may be pushed by a
// goroutine of its own.
func (p *Publication) PushVideo(layer int, pkt h264.Packet) { p.camera.push(layer, pkt) }

// SetVideoRTT tells how long it takes from a request for a packet of a layer to the packet: how
// long lost ones are waited for depends on it. It is for who pushes the layer.
func (p *Publication) SetVideoRTT(layer int, rtt time.Duration) {
	p.camera.in.Lock()
	defer p.camera.in.Unlock()
	p.camera.layers.all[layer].rtt = rtt
}

// ReportAudio takes a sender report of the source that sends sound. With reports of both
// kinds, a picture is shown when the sound of the same moment is played; the jitter buffer
// delays only sound.
func (p *Publication) ReportAudio(r Report) { p.clock.report(r) }

// ReportVideo does the same for a layer of the picture.
func (p *Publication) ReportVideo(layer int, r Report) { p.camera.layers.all[layer].clock.report(r) }

// EndVideo tells that the publisher said of a source that it ended (RTCP BYE). Its picture is
// not shown any more, until a packet of the layer comes again.
func (p *Publication) EndVideo(layer int, ssrc uint32) { p.camera.end(layer, ssrc) }

// sound tells how long after a moment of the publisher's clock the sound of that moment is
// played, on the engine's clock. It is false while that is not known. A stream in several
// rooms has about the same delay in all, as the same packets make it.
func (p *Publication) sound() (offset time.Duration, known bool) {
	for _, in := range *p.inputs.Load() {
		if playout, ok := in.Playout(); ok {
			if captured, ok := p.clock.moment(playout.SSRC, playout.Timestamp); ok {
				return playout.At - captured, true
			}
		}
	}
	return 0, false
}

// Close ends the publication from the publisher's side.
func (p *Publication) Close() {
	p.engine.mu.Lock()
	defer p.engine.mu.Unlock()
	if p.stream.publication == p {
		p.engine.drop(p.stream)
	}
}

// route says which inputs get the packets, and whether anybody shows the picture. It
// needs the engine's lock.
func (p *Publication) route(inputs []*room.Input) {
	list := append([]*room.Input(nil), inputs...)
	p.inputs.Store(&list)
	shown := false
	for _, in := range list {
		shown = shown || in.ShowsVideo()
	}
	p.camera.show(shown)
}

// unpublish ends the publication of a stream, if any, and tells its publisher. It needs
// the engine's lock.
func (e *Engine) unpublish(s *stream, reason error) {
	if p := s.publication; p != nil {
		e.drop(s)
		p.publisher.Closed(reason)
	}
}

// drop takes the publication off the stream. It needs the engine's lock.
func (e *Engine) drop(s *stream) {
	p := s.publication
	s.publication = nil
	p.inputs.Store(new([]*room.Input))
	for _, in := range s.inputs {
		in.Disconnect()
	}
	p.camera.close()
}
