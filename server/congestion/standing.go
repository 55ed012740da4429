package congestion

import "time"

const (
	// standingLimit is how much longer than the shortest every packet of a feedback has taken
	// where a queue stands: the trend of a delay is over so many pictures that a queue may be
	// full before it tells.
	standingLimit = 100 * time.Millisecond
	// standingFeedbacks is how many feedbacks in a row must say so, of standingPackets each
	// or several taken together.
	standingFeedbacks = 2
	standingPackets   = 3
	// baseTime is for how long the shortest time counts, at least: clocks drift and routes
	// change.
	baseTime = 10 * time.Second
	// A queue grows, or overflows, or drains once less is sent. What does none of that, to
	// within evenLimit from one evenTime to the next, evenTimes in a row, is no queue: it is the
	// way that has become longer.
	evenLimit = 15 * time.Millisecond
	evenTime  = 300 * time.Millisecond
	evenTimes = 3
)

// standing looks for a queue that stands, in the time that packets take by both clocks.
type standing struct {
	base, next time.Duration // the shortest of this time and of the next
	since      time.Duration // begin of the next
	known      bool

	packets  int // of this feedback, and those before it that had too few
	shortest time.Duration
	feed     int // feedbacks in a row

	// While a queue stands: the shortest time since looked and in the evenTime before.
	looked     time.Duration
	low, lower time.Duration
	looks      int  // how many there were
	even       int  // how many in a row had the same shortest time as the one before
	lost       bool // a packet was lost since looked

	missing, missed int // packets of this feedback, and of the one before that still are
}

// miss takes a packet that has not arrived.
func (s *standing) miss() { s.missing++ }

// find takes one that has, after all: it was overtaken.
func (s *standing) find() { s.missed-- }

// add takes a packet that arrived.
func (s *standing) add(left, arrival time.Duration) {
	took := arrival - left
	if s.packets == 0 || took < s.shortest {
		s.shortest = took
	}
	s.packets++
}

// step ends a feedback and tells whether a queue stands.
func (s *standing) step(now time.Duration) bool {
	s.lost = s.lost || s.missed > 0
	s.missed, s.missing = s.missing, 0
	if s.packets == 0 {
		return s.stands()
	}
	took := s.shortest
	switch {
	case !s.known:
		s.known, s.base, s.next, s.since = true, took, took, now
	case now-s.since >= baseTime:
		s.base, s.next, s.since = min(s.next, took), took, now
	}
	s.base, s.next = min(s.base, took), min(s.next, took)
	switch {
	case took-s.base <= standingLimit:
		s.feed, s.packets = 0, 0
	case s.packets >= standingPackets:
		s.feed, s.packets = s.feed+1, 0
	}
	if !s.stands() {
		s.looks, s.even = 0, 0
	}
	return s.stands()
}

// longer tells whether what was taken for a queue is a longer way, which from then on is the
// shortest. It is to be called after step.
func (s *standing) longer(now time.Duration) bool {
	switch {
	case !s.stands():
		return false
	case s.looks == 0:
		s.looked, s.low, s.lost, s.looks = now, s.shortest, false, 1
		return false
	}
	s.low = min(s.low, s.shortest)
	if now-s.looked < evenTime {
		return false
	}
	if off := s.low - s.lower; s.looks > 1 && !s.lost && max(off, -off) <= evenLimit {
		s.even++
	} else {
		s.even = 0
	}
	s.lower = s.low
	s.looked, s.low, s.lost, s.looks = now, s.shortest, false, s.looks+1
	if s.even < evenTimes {
		return false
	}
	*s = standing{known: true, base: s.lower, next: s.lower, since: now}
	return true
}

// stands tells whether a queue stood at the last feedback.
func (s *standing) stands() bool { return s.feed >= standingFeedbacks }
