package room

import (
	"sync/atomic"
	"time"

	"sectile/asm/yuv"
	"sectile/engine/codec"
	"sectile/engine/h264"
	"sectile/engine/metrics"
)

// size names a rendition of the mosaic.
type size uint8

const (
	full  size = iota
	half       // half as wide and high, for a third of the bitrate
	sizes      // their number
	none  = sizes
)

// stillAfter is when a picture that does not change any more is encoded once again: soon
// after the change, for the encoder to spend on it what moving pictures left no bits for;
// then just often enough for players not to miss anything. Those built on libwebrtc ask
// for a keyframe when there was no picture for 3 s.
var stillAfter = [...]time.Duration{
	200 * time.Millisecond, 300 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second,
}

const (
	// adaptShare is how much of the slowest player's estimate, in percent, the half picture
	// takes: the rest is for headers and what is sent again.
	adaptShare = 80
	// adaptMost is by how much its bitrate is divided at most, for the sake of the others.
	adaptMost = 4
)

// rendition encodes the mosaic in one size. Only the mosaic's tick uses it.
type rendition struct {
	mosaic     *mosaic
	size       size
	params     codec.VideoParams
	encoder    codec.VideoEncoder // nil while nobody needs it
	packetizer h264.Packetizer
	unit       AccessUnit
	gop        gop

	// canvas is what is encoded: the room's, or its half, which same goes with.
	canvas *yuv.Image
	same   []byte

	encoded time.Duration // deadline of the tick that encoded last
	stills  int           // encoded since the picture changed
	held    bool          // the encoder held the last picture back

	bitrate int // of the encoder now, bit/s

	// Of this tick: who plays it, who must be started, and the lowest estimate of them.
	players, waiting []*Subscription
	slowest          int
	reason           metrics.KeyframeReason

	rate rate
}

// rate measures bit/s over a second.
type rate struct {
	began time.Duration
	bits  int
	last  atomic.Int64
}

func (r *rate) add(bytes int, now time.Duration) {
	if now-r.began >= time.Second {
		r.last.Store(int64(r.bits) * int64(time.Second) / int64(now-r.began))
		r.began, r.bits = now, 0
	}
	r.bits += 8 * bytes
}

func newRendition(m *mosaic, s size) *rendition {
	r := &rendition{mosaic: m, size: s, params: m.room.opts.videoParams()}
	r.params.KeyframeFloor = keyframeFloor
	if s == half {
		r.params.Width, r.params.Height = r.params.Width/2&^1, r.params.Height/2&^1
		r.params.Bitrate /= 3
	}
	r.gop.cheap = r.params.Bitrate / 8 / 2 // as large as a keyframe may get
	return r
}

// step makes this tick's picture, if there is one to make, and starts those who wait.
func (r *rendition) step(changed bool, deadline time.Duration) error {
	if len(r.players)+len(r.waiting) == 0 {
		r.stop()
		return nil
	}
	if err := r.open(); err != nil {
		return err
	}
	if err := r.adapt(); err != nil {
		return err
	}
	if changed && r.size == half {
		r.mosaic.blocks.half(r.canvas, r.same, r.mosaic.picture.canvas.Image())
	}
	due := changed || r.held || !r.gop.any || deadline-r.encoded >= stillAfter[min(r.stills, len(stillAfter)-1)]
	key := false
	if len(r.waiting) > 0 {
		// Those for whom a replay is too much wait for the next keyframe elsewhere.
		if r.gop.answer(0, deadline) == encode {
			due, key = true, true
		} else {
			r.replay(due, deadline)
		}
	}
	if !due {
		r.rate.add(0, deadline)
		return nil
	}
	if err := r.encode(changed, key, deadline); err != nil {
		r.stop() // begin anew
		return err
	}
	return nil
}

func (r *rendition) open() error {
	if r.encoder != nil {
		return nil
	}
	encoder, err := r.mosaic.room.env.Codecs.NewVideoEncoder(r.params)
	if err != nil {
		return err
	}
	r.encoder, r.bitrate = encoder, r.params.Bitrate
	r.canvas, r.same = r.mosaic.picture.canvas.Image(), r.mosaic.blocks.same
	if r.size == half {
		w, h := r.params.Width, r.params.Height
		whole := r.canvas.Sub(0, 0, 2*w, 2*h)
		r.canvas, r.same = yuv.NewImage(w, h), make([]byte, yuv.Blocks(w)*yuv.Blocks(h))
		fill(r.same, 1)
		yuv.Halve(r.canvas, &whole)
	}
	return nil
}

// adapt keeps the half picture's bitrate to what the slowest of its players takes. The full
// one's never changes: who cannot take it is moved.
func (r *rendition) adapt() error {
	if r.size != half {
		return nil
	}
	target := r.params.Bitrate
	if r.slowest > 0 {
		target = min(max(r.slowest*adaptShare/100, target/adaptMost), target)
	}
	if off := target - r.bitrate; off == 0 || target != r.params.Bitrate && max(off, -off) < r.bitrate/10 {
		return nil
	}
	r.bitrate = target
	r.gop.cheap = target / 8 / 2
	return r.encoder.SetBitrate(target)
}

// stop frees what is not needed while nobody plays the rendition.
func (r *rendition) stop() {
	if r.encoder != nil {
		r.encoder.Close()
		r.encoder, r.canvas, r.same, r.held = nil, nil, nil, false
		r.gop.reset()
	}
}

// encode encodes the canvas and gives it to all who can decode it.
func (r *rendition) encode(changed, key bool, deadline time.Duration) error {
	pts, asked := r.mosaic.now, key
	au, key, err := r.encoder.Encode(r.canvas, pts, key, r.same)
	if err != nil {
		return err
	}
	counters := r.mosaic.room.env.Metrics
	if r.held = len(au) == 0; r.held {
		counters.FramesDropped.Add(1)
		r.rate.add(0, deadline)
		return nil
	}
	if changed && r.size == half {
		fill(r.same, 1) // those of the full size are the mosaic's
	}
	r.encoded = deadline
	r.stills++
	if changed {
		r.stills = 0
	}
	counters.FramesEncoded.Add(1)
	if key {
		reason := r.reason
		if !asked && r.gop.any {
			reason = metrics.KeyframeCut
		}
		counters.Keyframes[reason].Add(1)
	}
	r.gop.add(au, key, deadline)
	r.rate.add(len(au), deadline)
	r.unit = AccessUnit{
		Payloads:  r.packetizer.Packetize(r.unit.Payloads[:0], au, payloadSize),
		Timestamp: uint32(pts), Key: key,
	}
	r.give(r.players, deadline)
	r.give(r.waiting, deadline)
	return nil
}

// replay starts those who wait with all pictures since the last keyframe. They get
// timestamps between those of the tick before and of this one, or up to this one if it
// does not encode another picture: to the player they come from now, not late, and later
// than all that they were given before.
func (r *rendition) replay(due bool, deadline time.Duration) {
	n := len(r.gop.ends)
	now, most := uint32(r.mosaic.now), int64(videoClock/r.params.FPS)
	step := max(uint32(min(r.mosaic.now-r.mosaic.last, most)/int64(n+1)), 1)
	for i := range n {
		back := uint32(n-i) * step
		if !due {
			back -= step
		}
		r.unit = AccessUnit{
			Payloads:  r.packetizer.Packetize(r.unit.Payloads[:0], r.gop.unit(i), payloadSize),
			Timestamp: now - back, Key: i == 0,
		}
		r.give(r.waiting, deadline)
	}
	r.mosaic.room.env.Metrics.Replays.Add(uint64(len(r.waiting)))
}

func (r *rendition) give(to []*Subscription, now time.Duration) {
	for _, s := range to {
		s.give(&r.unit, r.size, now)
	}
}
