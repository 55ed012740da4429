package rtc

import (
	"sync"
	"time"
)

const (
	// burst is how many packets of a picture are sent at once: more than the usual picture
	// has, and less than what a home router has room for.
	burst = 8
	// paceStep is the time between two portions of a larger picture.
	paceStep = 5 * time.Millisecond
	// pacedShare is the share of the time between two pictures, in percent, over which one
	// is spread: what is sent again has room in the rest.
	pacedShare = 70
	// paceFactor is how many times the estimate of the player's bandwidth is sent at most
	// while packets wait, and queuedFactor while a queue stands on the way, which is to
	// drain.
	paceFactor, queuedFactor = 3, 0.8
	// mostLate is how long pictures wait at most, a keyframe apart: then none is sent until a
	// keyframe is there, for which the player asks when nothing waits any more. What cannot be
	// sent on a link would be later and later.
	mostLate = 1500 * time.Millisecond
	// Bounds of the time between two pictures.
	minInterval, maxInterval = 10 * time.Millisecond, 50 * time.Millisecond
)

// pacer spreads the packets of large pictures, which are keyframes mostly, over the time
// until the next picture: a burst of 50 packets overflows the queues of thin links. One
// goroutine serves all players, and only while packets wait.
type pacer struct {
	mu      sync.Mutex
	queues  []*pacedTrack // that have packets
	running bool
	start   func(func()) // starts the goroutine
	buffers sync.Pool    // of *[maxPayload]byte
}

// maxPayload is the longest payload that waits, and largePayload what those of a large
// picture have.
const maxPayload, largePayload = 1500, 1160

func newPacer(start func(func())) *pacer {
	return &pacer{start: start, buffers: sync.Pool{New: func() any { return new([maxPayload]byte) }}}
}

// pacedTrack sends pictures of one track.
type pacedTrack struct {
	pacer *pacer
	track *track
	out   *sender
	count func(packets, bytes int) // counts what was sent
	ask   func()                   // for a keyframe

	mu      sync.Mutex
	waiting []pacedPacket
	portion int     // sent in each step at most
	budget  float64 // bytes that may be sent by now
	before  uint32  // timestamp of the last picture
	keyed   uint32  // the same of the last keyframe
	listed  bool    // in the pacer's queues
	closed  bool
	stalled bool // nothing is sent before a keyframe
	asks    bool // for one, when the lock is free
}

type pacedPacket struct {
	buffer    *[maxPayload]byte
	size      int
	timestamp uint32
	marker    bool
	key       bool // a keyframe begins
}

// write sends a picture, of which it copies what must wait. With a keyframe all is dropped
// that waits and is not of a picture which is already on its way.
func (t *pacedTrack) write(payloads [][]byte, timestamp uint32, key bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	interval := time.Duration(timestamp-t.before) * time.Second / time.Duration(t.track.clock)
	t.before = timestamp
	switch {
	case key:
		t.drop()
		t.stalled, t.keyed = false, timestamp
	case t.stalled:
		return
	case t.late() > mostLate:
		t.stalled = true
		return
	}
	now := len(payloads)
	switch {
	case len(t.waiting) > 0:
		now = 0
	case len(payloads) > burst+burst/2: // not for the sake of a few
		now = burst
		fallthrough
	default:
		if _, all := t.out.pace(); all {
			now = 0
		}
	}
	sent := 0
	for i, payload := range payloads[:now] {
		sent += t.packet(payload, timestamp, i == len(payloads)-1, key && i == 0)
	}
	t.count(now, sent)
	if now == len(payloads) {
		return
	}
	for i, payload := range payloads[now:] {
		buffer := t.pacer.buffers.Get().(*[maxPayload]byte)
		t.waiting = append(t.waiting, pacedPacket{buffer, copy(buffer[:], payload), timestamp, now+i == len(payloads)-1, key && now+i == 0})
	}
	steps := int(min(max(interval, minInterval), maxInterval) * pacedShare / 100 / paceStep)
	t.portion = max(t.portion, (len(t.waiting)+steps-1)/max(steps, 1))
	t.list()
}

// list has the pacer send portions. It needs the lock.
func (t *pacedTrack) list() {
	if !t.listed {
		t.listed = true
		t.pacer.add(t)
	}
}

// wake has the pacer call step until nothing is left to do.
func (t *pacedTrack) wake() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.list()
	}
}

// packet sends one. It needs the lock.
func (t *pacedTrack) packet(payload []byte, timestamp uint32, marker, key bool) (size int) {
	if key {
		t.out.restart(t.track.header.SequenceNumber + 1)
	}
	return t.track.write(payload, timestamp, marker)
}

// late is how long what waits takes to be sent, but for the last keyframe, which must be, however
// long it takes. It needs the lock.
func (t *pacedTrack) late() time.Duration {
	bytes := 0
	for i := range t.waiting {
		if t.waiting[i].timestamp != t.keyed {
			bytes += t.waiting[i].size
		}
	}
	rate, _ := t.out.pace()
	return time.Duration(float64(bytes) / rate * float64(time.Second))
}

// drop drops what waits of pictures of which nothing was sent. It needs the lock.
func (t *pacedTrack) drop() {
	begun := 0
	for begun < len(t.waiting) && t.waiting[begun].timestamp+t.track.offset == t.track.header.Timestamp {
		begun++
	}
	for i := range t.waiting[begun:] {
		t.pacer.buffers.Put(t.waiting[begun+i].buffer)
	}
	t.waiting = t.waiting[:begun]
}

// send sends the packets that wait for longest. It needs the lock.
func (t *pacedTrack) send(n int) {
	sent := 0
	for i := range t.waiting[:n] {
		p := &t.waiting[i]
		sent += t.packet(p.buffer[:p.size], p.timestamp, p.marker, p.key)
		t.pacer.buffers.Put(p.buffer)
		p.buffer = nil
	}
	t.waiting = t.waiting[:copy(t.waiting, t.waiting[n:])]
	t.count(n, sent)
}

// step sends one portion, and tells whether there is more to do.
func (t *pacedTrack) step() (more bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	rate, _ := t.out.pace()
	t.budget = min(t.budget, 0) + rate*paceStep.Seconds()
	n := 0
	for n < min(t.portion, len(t.waiting)) && t.budget > 0 {
		t.budget -= float64(t.waiting[n].size)
		n++
	}
	t.send(n)
	probing := !t.closed && t.out.step()
	if len(t.waiting) == 0 {
		t.portion = 0
		t.asks = t.stalled
	}
	t.listed = len(t.waiting) > 0 || probing
	return t.listed
}

// asked asks for the keyframe that is needed, if one is: not under the lock, for the room may
// hold its own and wait for this one.
func (t *pacedTrack) asked() {
	t.mu.Lock()
	asks := t.asks && !t.closed
	t.asks = false
	t.mu.Unlock()
	if asks {
		t.ask()
	}
}

// close drops what waits.
func (t *pacedTrack) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, p := range t.waiting {
		t.pacer.buffers.Put(p.buffer)
	}
	t.waiting = nil
}

// add has a track's portions sent.
func (p *pacer) add(t *pacedTrack) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queues = append(p.queues, t)
	if !p.running {
		p.running = true
		p.start(p.run)
	}
}

// run sends portions until nothing waits.
func (p *pacer) run() {
	ticker := time.NewTicker(paceStep)
	defer ticker.Stop()
	var due []*pacedTrack
	for range ticker.C {
		p.mu.Lock()
		due, p.queues = p.queues, due[:0]
		p.mu.Unlock()
		for i, t := range due {
			due[i] = nil
			more := t.step()
			t.asked()
			if more {
				p.mu.Lock()
				p.queues = append(p.queues, t)
				p.mu.Unlock()
			}
		}
		p.mu.Lock()
		if len(p.queues) == 0 {
			p.running = false
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
	}
}
