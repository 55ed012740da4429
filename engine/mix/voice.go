package mix

import (
	"slices"
	"time"

	"sectile/engine/codec"
)

// A listener's mix differs from that of everybody only while the listener adds to it, and
// a little longer, until its limiter is where that of everybody is. Whoever adds nothing
// hears bit for bit what everybody hears, and is served from one shared encoder. Opus
// predicts each frame from those before, so a decoder that is moved from one encoder to
// another hears a click, unless both encoders have lately encoded the same signal and so
// remember the same. Four frames bring the error below the codec's own noise; hence the
// two rules here: an encoder that takes over is first fed the recent past, and one that is
// left is kept in step until the pasts agree.
//
// Silence needs no encoder: after four frames of it an encoder says the same again and
// again, which is kept, and its state does not move.

// warmFrames is how many frames make two encoders agree: four, and at least 40 ms.
func warmFrames(frame time.Duration) int {
	return max(4, int((40*time.Millisecond+frame-1)/frame))
}

// Route decides tick by tick whether a listener is served by a voice of their own. The
// zero Route starts at the shared one.
type Route struct{ private int }

// Step takes whether the listener's mix differs from that of everybody in this tick, and
// returns whether this tick's packet comes from the private voice: it does in the last tick
// that differs, in which the listener's own sound fades out, and in all but one of as many
// as make two encoders agree after it.
func (r *Route) Step(differs bool, frame time.Duration) (private bool) {
	switch {
	case differs:
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

// last calls f with the last n frames at most, the oldest first.
func (h *History) last(n int, f func(samples []int16) error) error {
	for i := len(h.frames) - min(h.filled, n); i < len(h.frames); i++ {
		if err := f(h.frames[(h.next+i)%len(h.frames)]); err != nil {
			return err
		}
	}
	return nil
}

// Format is what the voices of a room have in common.
type Format struct {
	Samples    int           // of a frame
	Frame      time.Duration // its duration, a multiple of LookAhead
	NewEncoder func() (codec.AudioEncoder, error)

	tick      uint64 // the last in which a voice began
	made, fed int    // encoders in it, and frames of the past that they were fed

	silence []byte  // a packet of it; made when first needed
	zeros   []int16 // the frame that it was made of
}

// Voices that begin in one tick are bounded, for two hundred who all at once begin to
// applaud would make everybody's tick late. An encoder takes as long to make as ten frames
// to encode: whoever there is none left for goes without a packet, which their player
// conceals, and gets one in a later tick. Whoever there are fewer frames of the past left
// for hears a flaw in the noise.
const (
	maxMade = 8
	maxFed  = 32
)

// begin says that a voice begins in that tick.
func (f *Format) begin(tick uint64) {
	if f.tick != tick {
		f.tick, f.made, f.fed = tick, 0, 0
	}
}

// Fed is how many frames of the past encoders were fed in a tick, which is the last one:
// encodes that nobody hears.
func (f *Format) Fed(tick uint64) int {
	f.begin(tick)
	return f.fed
}

// maxPacket bounds one packet: 60 ms hold up to three frames of 1275 bytes (RFC 6716, 3.2.1).
const maxPacket = 3*1275 + 8

// silent returns a packet of silence, as an encoder makes it that has heard nothing else.
func (f *Format) silent() ([]byte, error) {
	if f.silence != nil {
		return f.silence, nil
	}
	encoder, err := f.NewEncoder()
	if err != nil {
		return nil, err
	}
	defer encoder.Close()
	zeros, packet, n := make([]int16, f.Samples), make([]byte, maxPacket), 0
	for range warmFrames(f.Frame) + 1 {
		if n, err = encoder.Encode(zeros, packet); err != nil {
			return nil, err
		}
	}
	f.zeros, f.silence = zeros, slices.Clone(packet[:n])
	return f.silence, nil
}

// Voice makes the packets of one mix: a limiter and an Opus encoder, which it owns.
type Voice struct {
	format  *Format
	limiter *Limiter
	encoder codec.AudioEncoder // made when first needed
	mixed   uint64             // tick in which Mix came last
	encoded uint64             // tick whose frame the encoder remembers as its last
	rested  uint64             // tick that took the encoder's place with silence last
	quiet   int                // frames of silence until now
	loss    expectation        // of those who listen
	expects expectation        // of the encoder in this tick
	past    expectation        // of the one that made its past
	told    int                // percent of loss that the encoder was told of
	packet  []byte
}

// NewVoice makes a voice.
func NewVoice(f *Format) *Voice {
	return &Voice{format: f, limiter: NewLimiter(f.Samples, f.Frame), packet: make([]byte, maxPacket)}
}

// Reset forgets the past: after a pause it is none of what comes next.
func (v *Voice) Reset() {
	v.limiter.Reset()
	v.quiet = 0
}

// Differs tells whether what the voice mixed in the tick before is another sound than
// that of all, though both had the same inputs: since one limiter has had more to do.
func (v *Voice) Differs(tick uint64, all *Voice) bool {
	return v.mixed+1 == tick && !v.limiter.Agrees(all.limiter)
}

// Silent tells whether the last mix was, to its last sample that the limiter holds back.
func (v *Voice) Silent() bool { return v.quiet > 0 }

// Follow readies the voice for a tick. If it did not mix in the tick before, its listeners
// heard all, and it goes on from there; so Follow comes before all mixes that tick. If they
// are new and heard nothing, it begins with silence: what all had held back is not theirs. If
// its mix does not differ from that of all, they will hear all again soon, and its encoder is
// brought into the same mode.
func (v *Voice) Follow(tick uint64, all *Voice, differs, fresh bool) {
	switch {
	case v.mixed+1 == tick:
	case fresh:
		v.Reset()
		v.rested = tick - 1
		v.past = v.loss
	default:
		v.limiter.Take(all.limiter)
		v.quiet = all.quiet
		v.past = all.loss
	}
	v.expects = v.loss
	if !differs {
		v.expects = all.loss
	}
}

// Expect tells which part of its packets gets lost on the way to those who listen, from 0 to
// 1. The encoder prepares for it where that is worth its price.
func (v *Voice) Expect(loss float64) {
	v.loss.update(loss)
	v.expects, v.past = v.loss, v.loss
}

// Mix makes the mix of a tick, of everybody on the bus but own, which was added so many
// times. It returns for how long the limiter was at work.
func (v *Voice) Mix(tick uint64, dst []int16, b *Bus, own []int16, times int) (limited time.Duration) {
	if times == 0 {
		b.All(v.limiter)
	} else {
		b.Without(v.limiter, own, times)
	}
	v.mixed = tick
	limited, silent := v.limiter.Limit(dst)
	v.quiet++
	if !silent {
		v.quiet = 0
	}
	return limited
}

// Encode turns what Mix made in that tick into a packet, which is valid until the next
// call; encoded is false for silence that took no encoder. If the encoder does not know
// the frame before, it is fed the past first. There is no packet if too many voices begin
// in the tick.
func (v *Voice) Encode(tick uint64, samples []int16, past *History) (packet []byte, encoded bool, err error) {
	warm := warmFrames(v.format.Frame)
	inStep := v.encoded+1 == tick && v.encoder != nil
	if v.quiet > warm {
		if inStep {
			v.encoded = tick // it would not move
		} else {
			v.rested = tick
		}
		packet, err = v.format.silent()
		return packet, false, err
	}
	if !inStep {
		v.format.begin(tick)
		if v.encoder == nil {
			if v.format.made >= maxMade {
				return nil, false, nil
			}
			v.format.made++
		}
		if err := v.warm(past, v.rested > 0 && v.rested+1 == tick); err != nil {
			return nil, false, err
		}
	}
	if err := v.tell(v.expects); err != nil {
		return nil, false, err
	}
	v.encoded = tick
	n, err := v.encoder.Encode(samples, v.packet)
	return v.packet[:n], true, err
}

// warm readies the encoder, which may be none yet, for what comes after silence or after
// the past of all.
func (v *Voice) warm(past *History, silence bool) (err error) {
	if v.encoder == nil {
		v.encoder, err = v.format.NewEncoder()
	} else {
		err = v.encoder.Reset()
	}
	if err != nil {
		return err
	}
	if err := v.tell(v.past); err != nil {
		return err
	}
	feed := func(frame []int16) error {
		v.format.fed++
		_, err := v.encoder.Encode(frame, v.packet)
		return err
	}
	left := maxFed - v.format.fed
	if !silence {
		return past.last(left, feed)
	}
	for range min(warmFrames(v.format.Frame), left) {
		if err := feed(v.format.zeros); err != nil {
			return err
		}
	}
	return nil
}

// tell tells the encoder what loss to expect, if it does not know.
func (v *Voice) tell(e expectation) error {
	percent := lossSteps[e].percent
	if percent == v.told {
		return nil
	}
	if err := v.encoder.SetPacketLoss(percent); err != nil {
		return err
	}
	v.told = percent
	return nil
}

// Close closes the encoder.
func (v *Voice) Close() {
	if v.encoder != nil {
		v.encoder.Close()
		v.encoder, v.told = nil, 0
	}
}
