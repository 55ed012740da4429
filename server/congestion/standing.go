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
)

// standing looks for a queue that stands, in the time that packets take by both clocks.
type standing struct {
	base, next time.Duration // the shortest of this time and of the next
	since      time.Duration // begin of the next
	known      bool

	packets  int // of this feedback, and those before it that had too few
	shortest time.Duration
	feed     int // feedbacks in a row
}

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
	return s.stands()
}

// stands tells whether a queue stood at the last feedback.
func (s *standing) stands() bool { return s.feed >= standingFeedbacks }
