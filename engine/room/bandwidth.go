package room

import "time"

const (
	// moveDownAfter is how long a player's estimate must lie below what is sent. If it lies
	// far below they are moved at once: there a queue is full soon, and with it the sound
	// is late.
	moveDownAfter = time.Second
	// moveUpAfter is how long it must promise enough for the full picture.
	moveUpAfter = time.Second
	// A player who is given the half picture gets no estimate far above it: estimators trust
	// no more than 1.5 times what they saw arrive. Where they probe, more is tried out
	// firstProbe after the move, or later and later if the full picture soon failed again
	// and again. Elsewhere the full picture itself is tried after a while without trouble.
	firstProbe          = 2 * time.Second
	firstTry, lastTry   = 10 * time.Second, 160 * time.Second
	failsSoon           = 10 * time.Second
	enoughNum, enoughOf = 9, 8 // for a picture, times its bitrate
)

// selector chooses the rendition for one player.
type selector struct {
	bandwidth Bandwidth
	half      bool
	holds     bool // since when the estimate asks for the other rendition, if it does
	since     time.Duration
	moved     time.Duration
	patient   time.Duration // how long to stay with the half picture
}

// size is the rendition chosen.
func (s *selector) size() size {
	if s.half {
		return half
	}
	return full
}

// step takes a new estimate. sent is what the player's rendition took lately in bit/s, and
// need what the full picture may take.
func (s *selector) step(b Bandwidth, sent, need int, now time.Duration) {
	s.bandwidth = b
	if b.Rate <= 0 {
		s.half, s.holds = false, false
		return
	}
	var wait time.Duration
	var other bool
	switch {
	case !s.half:
		// An estimate below the bitrate means nothing while less than that is sent.
		other, wait = b.Rate < sent, moveDownAfter
		if b.Rate < sent*3/4 {
			wait = 0
		}
	case b.Rate >= need*enoughNum/enoughOf:
		other, wait = true, moveUpAfter
	case !b.Probed:
		other, wait = b.Rate >= sent*enoughNum/enoughOf, max(s.patient, firstTry)
	}
	if !other {
		s.holds = false
		return
	}
	if !s.holds {
		s.holds, s.since = true, now
	}
	if now-s.since < wait {
		return
	}
	if !s.half {
		s.lose(now)
	}
	s.half, s.holds, s.moved = !s.half, false, now
}

// lose decides how long the half picture is to be kept.
func (s *selector) lose(now time.Duration) {
	first := firstTry
	if s.bandwidth.Probed {
		first = firstProbe
	}
	if s.moved > 0 && now-s.moved < failsSoon {
		s.patient = min(2*max(s.patient, first), lastTry)
	} else {
		s.patient = first
	}
}

// wanted is the rate to try out.
func (s *selector) wanted(need int, now time.Duration) int {
	if !s.half || !s.bandwidth.Probed || now-s.moved < s.patient {
		return 0
	}
	return need * enoughNum / enoughOf
}
