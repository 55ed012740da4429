package room

import (
	"slices"
	"sync"
	"time"

	"sectile/engine/load"
	"sectile/engine/metrics"
)

const (
	videoClock = 90000 // RTP clock of H.264 (RFC 6184, 8.2.1)

	// payloadSize leaves room for RTP, SRTP, its header extensions, UDP and IPv6 in the
	// 1280 bytes that every IPv6 path carries (RFC 8200, 5).
	payloadSize = 1160

	// Who joins a mosaic whose pictures are further apart than slowPeriod gets the first one
	// by a tick of its own, within joinTime.
	slowPeriod, joinTime = 100 * time.Millisecond, 20 * time.Millisecond
)

// mosaic encodes the room's picture, once for all players of a rendition. A tick that
// changes nothing encodes nothing: players go on showing what they have.
type mosaic struct {
	room   *Room
	period time.Duration

	// work is held for a whole video tick, and guards what only ticks use.
	work       sync.Mutex
	closed     bool
	picture    *picture
	blocks     *blocks // made when first needed
	renditions [sizes]*rendition
	clock      frameClock
	deadline   time.Duration   // of the newest tick
	now, last  int64           // timestamps of this tick and of the one before
	all        []*Subscription // players of this tick
	shed       int             // pictures left to make, in parts of load.AllPictures

	mu      sync.Mutex
	running bool
	joining bool // a tick for those who join is due
	players []*Subscription
}

func newMosaic(r *Room) *mosaic {
	m := &mosaic{room: r, period: time.Second / time.Duration(r.opts.FPS), picture: newPicture(r)}
	m.clock = frameClock{period: m.period, fps: int64(r.opts.FPS)}
	for s := range sizes {
		m.renditions[s] = newRendition(m, s)
	}
	return m
}

// list adds a player, who is owed a keyframe. It starts the ticks when it is the first.
func (m *mosaic) list(s *Subscription) {
	s.anew.Store(true)
	s.watching.Store(true)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.players = append(m.players, s)
	if !m.running {
		m.running = true
		m.room.env.Video.Add(m.period, m.tick)
	}
	if m.period > slowPeriod && !m.joining {
		m.joining = true
		m.room.env.Video.Add(joinTime, m.join)
	}
}

// unlist removes a player, who is handed no picture any more, but for one that they may be
// given at the moment.
func (m *mosaic) unlist(s *Subscription) {
	m.mu.Lock()
	m.players = slices.DeleteFunc(m.players, func(other *Subscription) bool { return other == s })
	m.mu.Unlock()
	s.watching.Store(false)
}

// close frees the encoders once the tick that may be running is over.
func (m *mosaic) close() {
	m.work.Lock()
	defer m.work.Unlock()
	m.closed = true
	m.stop()
}

func (m *mosaic) stop() {
	for _, r := range m.renditions {
		r.stop()
	}
}

// tick makes one picture.
func (m *mosaic) tick(deadline time.Duration) (again bool) {
	m.work.Lock()
	defer m.work.Unlock()
	if !m.watched() || m.closed {
		m.stop()
		return false
	}
	if m.sheds() {
		m.room.env.Metrics.FramesDropped.Add(1)
		clear(m.all)
		return true
	}
	m.step(deadline)
	return true
}

// join makes a picture for those who join, between two others.
func (m *mosaic) join(deadline time.Duration) (again bool) {
	m.work.Lock()
	defer m.work.Unlock()
	m.mu.Lock()
	m.joining = false
	m.all = append(m.all[:0], m.players...)
	m.mu.Unlock()
	if len(m.all) > 0 && !m.closed {
		m.step(deadline)
	}
	return false
}

// step makes a picture for all.
func (m *mosaic) step(deadline time.Duration) {
	m.deadline = max(m.deadline, deadline) // of two workers, the later may come first
	deadline = m.deadline
	m.last = m.now
	m.now = max(m.clock.at(deadline), m.last+1)
	m.draw()
	m.assign(deadline)
	image := m.picture.canvas.Image()
	changed := m.blocks.compare(image, m.picture.canvas.Changes())
	for _, r := range m.renditions {
		if err := r.step(changed, deadline); err != nil {
			m.room.env.Metrics.FramesDropped.Add(1)
			m.room.env.Log.Error("mosaic encoder", "err", err)
		}
	}
	if changed {
		m.blocks.settle(image)
	}
	m.picture.canvas.Settle()
	clear(m.all)
}

// sheds tells whether this picture is left out, for the machine is short of time.
func (m *mosaic) sheds() bool {
	if m.shed += m.room.env.Pictures(); m.shed < load.AllPictures {
		return true
	}
	m.shed -= load.AllPictures
	return false
}

func (m *mosaic) draw() {
	if m.blocks == nil {
		m.blocks = newBlocks(m.room.opts.Width, m.room.opts.Height)
	}
	m.picture.draw()
	m.room.env.Metrics.FramesComposed.Add(1)
}

// watched tells whether anybody plays the mosaic. If not, the ticks stop here, and the
// next player starts them again. It takes down who plays this tick's picture, for not to
// hold the lock while they are given it: the room's lock waits for it, and with that its
// sound.
func (m *mosaic) watched() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all[:0], m.players...)
	m.running = len(m.players) > 0
	return m.running
}

// assign lists for each rendition who plays it and who must be started. Those who change
// to another one stay with what they have until it has a keyframe for them.
func (m *mosaic) assign(deadline time.Duration) {
	for _, r := range m.renditions {
		r.players, r.waiting = r.players[:0], r.waiting[:0]
		r.reason, r.slowest = metrics.KeyframeStart, 0
	}
	for _, s := range m.all {
		s.video.Lock()
		if s.anew.Swap(false) {
			s.playing, s.asks = none, false
		}
		target, playing, rate := s.selector.size(), s.playing, s.selector.bandwidth.Rate
		asks := s.asks && deadline-s.started >= askFloor
		s.video.Unlock()
		r := m.renditions[target]
		switch {
		case (target != playing || asks) && r.gop.answer(rate, deadline) != later:
			r.wait(s, playing)
		case playing != none:
			r = m.renditions[playing]
			r.players = append(r.players, s)
		}
		if rate > 0 && (r.slowest == 0 || rate < r.slowest) {
			r.slowest = rate
		}
	}
}

// wait lists a player who must be started, and the most telling of the reasons.
func (r *rendition) wait(s *Subscription, playing size) {
	r.waiting = append(r.waiting, s)
	switch {
	case playing == none:
		r.reason = metrics.KeyframeJoin
	case r.reason == metrics.KeyframeJoin:
	case playing != r.size:
		r.reason = metrics.KeyframeMove
	case r.reason == metrics.KeyframeStart:
		r.reason = metrics.KeyframeRequest
	}
}

// give hands a picture of a rendition to a player who watches and can decode it.
func (s *Subscription) give(au *AccessUnit, of size, now time.Duration) {
	s.video.Lock()
	defer s.video.Unlock()
	if !s.watching.Load() {
		return
	}
	if au.Key {
		s.playing, s.asks, s.started = of, false, now
	}
	if s.playing == of {
		s.sink.WriteVideo(au)
	}
}

// frameClock turns deadlines into RTP timestamps that are exactly a picture apart, or a
// multiple of that where ticks were skipped, although the period in nanoseconds is not
// exact. It follows the clock within half a millisecond.
type frameClock struct {
	period time.Duration
	fps    int64
	origin time.Duration
	base   int64
}

func (c *frameClock) at(deadline time.Duration) int64 {
	// Split, since nanoseconds × 90000 overflow after 28 hours.
	exact := int64(deadline/time.Second)*videoClock + int64(deadline%time.Second)*videoClock/int64(time.Second)
	n := int64((deadline - c.origin + c.period/2) / c.period)
	ts := c.base + n*videoClock/c.fps
	if off := ts - exact; off < -videoClock/2000 || off > videoClock/2000 {
		c.origin, c.base = deadline, exact
		return exact
	}
	return ts
}
