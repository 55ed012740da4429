package mix

import (
	"time"

	"sectile/engine/codec"
)

// A listener's mix differs from that of everybody only while the listener adds to it.
// Whoever adds nothing hears bit for bit what everybody hears, and is served from one
// shared encoder. Opus predicts each frame from those before, so a decoder that is moved
// from one encoder to another hears a click, unless both encoders have lately encoded the
// same signal and so remember the same. Four frames bring the error below the codec's own
// noise; hence the two rules here: an encoder that takes over is first fed the recent
// past, and one that is left is kept in step until the pasts agree.

// warmFrames is how many frames make two encoders agree: four, and at least 40 ms.
func warmFrames(frame time.Duration) int {
	return max(4, int((40*time.Millisecond+frame-1)/frame))
}

// Route decides tick by tick whether a listener is served by an encoder of their own.
// The zero Route starts at the shared one.
type Route struct{ private int }

// Step takes whether the listener adds anything to this tick's mix, and returns whether
// this tick's packet comes from the private encoder.
func (r *Route) Step(adds bool, frame time.Duration) (private bool) {
	switch {
	case adds:
		r.private = warmFrames(frame)
	case r.private > 0:
		r.private--
	}
	return r.private > 0
}

// History keeps the last frames of the mix of everybody, as the past for encoders.
type History struct {
	frames [][]int16
	next   int
	filled int
}

// NewHistory keeps what a Voice of that frame size needs.
func NewHistory(samples int, frame time.Duration) *History {
	h := &History{frames: make([][]int16, warmFrames(frame))}
	for i := range h.frames {
		h.frames[i] = make([]int16, samples)
	}
	return h
}

// Push keeps one frame, forgetting the oldest.
func (h *History) Push(samples []int16) {
	copy(h.frames[h.next], samples)
	h.next = (h.next + 1) % len(h.frames)
	h.filled = min(h.filled+1, len(h.frames))
}

// Clear forgets all frames: after a pause they are no past of what comes next.
func (h *History) Clear() { h.filled = 0 }

// each calls f with the frames, the oldest first.
func (h *History) each(f func(samples []int16) error) error {
	for i := len(h.frames) - h.filled; i < len(h.frames); i++ {
		if err := f(h.frames[(h.next+i)%len(h.frames)]); err != nil {
			return err
		}
	}
	return nil
}

// Voice is an Opus encoder together with when it last ran.
type Voice struct {
	encoder codec.AudioEncoder
	last    uint64
	packet  []byte
}

// maxPacket bounds one packet: 60 ms hold up to three frames of 1275 bytes (RFC 6716, 3.2.1).
const maxPacket = 3*1275 + 8

// NewVoice wraps an encoder, which the voice then owns.
func NewVoice(encoder codec.AudioEncoder) *Voice {
	return &Voice{encoder: encoder, packet: make([]byte, maxPacket)}
}

// Encode encodes the frame of a tick. If the encoder did not run in the tick before, it
// is fed the history first. The packet is valid until the next call.
func (v *Voice) Encode(tick uint64, samples []int16, past *History) ([]byte, error) {
	if v.last+1 != tick {
		if err := v.encoder.Reset(); err != nil {
			return nil, err
		}
		err := past.each(func(frame []int16) error {
			_, err := v.encoder.Encode(frame, v.packet)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	v.last = tick
	n, err := v.encoder.Encode(samples, v.packet)
	return v.packet[:n], err
}

// Close closes the encoder.
func (v *Voice) Close() { v.encoder.Close() }
