package room

import "time"

const (
	// moveDownAfter is how long a player's estimate must lie below what is sent.
	moveDownAfter = time.Second
	// moveUpAfter is how long it must promise enough for the full picture.
	moveUpAfter = 2 * time.Second
	// A player who is given the half picture gets no estimate far above it: estimators trust
	// no more than 1.5 times what they saw arrive. So after a while without trouble the
	// full one is tried; each time that fails soon, the next try is put off twice as long.
	firstTry, lastTry = 10 * time.Second, 160 * time.Second
)

// selector chooses the rendition for one player.
type selector struct {
	half    bool
	holds   bool // since when the estimate asks for the other rendition, if it does
	since   time.Duration
	moved   time.Duration
	patient time.Duration // how long to stay with the half picture
}

// size is the rendition chosen.
func (s *selector) size() size {
	if s.half {
		return half
	}
	return full
}

// step takes a new estimate in bit/s, 0 if there is none. sent is what the player's
// rendition took lately, and need what the full picture may take.
func (s *selector) step(estimate, sent, need int, now time.Duration) {
	if estimate <= 0 {
		s.half, s.holds = false, false
		return
	}
	var wait time.Duration
	var other bool
	switch {
	case !s.half:
		// An estimate below the bitrate means nothing while less than that is sent.
		other, wait = estimate < sent, moveDownAfter
	case estimate >= need+need/8:
		other, wait = true, moveUpAfter
	default:
		other, wait = estimate >= sent+sent/8, max(s.patient, firstTry)
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
		if s.moved > 0 && now-s.moved < firstTry {
			s.patient = min(2*max(s.patient, firstTry), lastTry)
		} else {
			s.patient = firstTry
		}
	}
	s.half, s.holds, s.moved = !s.half, false, now
}
