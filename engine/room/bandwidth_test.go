package room

import (
	"testing"
	"time"
)

// TestSelector plays a link and an estimator that trusts no more than 1.5 times what
// arrives to the selector, twice a second.
func TestSelector(t *testing.T) {
	const fullRate, halfRate = 1_500_000, 500_000
	play := func(s *selector, from time.Duration, seconds int, capacity, sent func(now time.Duration, half bool) int) (moves int, at time.Duration) {
		for n := range 2 * seconds {
			now := from + time.Duration(n)*500*ms
			rate := sent(now, s.half)
			arrived := min(rate, capacity(now, s.half))
			estimate := arrived * 3 / 2
			if arrived < rate {
				estimate = arrived * 85 / 100
			}
			before := s.half
			s.step(estimate, rate, fullRate, now)
			if s.half != before {
				moves++
				at = now - from
			}
		}
		return moves, at
	}
	link := func(rate int) func(time.Duration, bool) int {
		return func(time.Duration, bool) int { return rate }
	}
	moving := func(_ time.Duration, half bool) int {
		if half {
			return halfRate
		}
		return fullRate
	}
	still := func(time.Duration, bool) int { return 3000 }

	var s selector
	if moves, _ := play(&s, 0, 60, link(5_000_000), moving); moves != 0 {
		t.Errorf("%d moves on a wide link", moves)
	}
	if moves, _ := play(&s, time.Minute, 60, link(100_000), still); moves != 0 {
		t.Errorf("%d moves of a still picture", moves)
	}
	moves, at := play(&s, 2*time.Minute, 8, link(900_000), moving)
	if moves != 1 || !s.half || at > 3*time.Second {
		t.Errorf("thin link: %d moves, the last after %v, half %v", moves, at, s.half)
	}
	// Tries become rare: at 10, 20, 40, 80 and then every 160 seconds.
	moves, _ = play(&s, 2*time.Minute+8*time.Second, 600, link(900_000), moving)
	if moves < 8 || moves > 14 {
		t.Errorf("%d moves in ten minutes of a thin link", moves)
	}
	// Within the longest wait a link that became wide is noticed, and then it stays.
	moves, at = play(&s, 13*time.Minute, 400, link(5_000_000), moving)
	if s.half || moves > 2 || at > 170*time.Second {
		t.Errorf("wide again: %d moves, the last after %v, half %v", moves, at, s.half)
	}
	// An estimate that promises enough is believed at once.
	s = selector{half: true}
	for n := range 6 {
		s.step(2_000_000, halfRate, fullRate, time.Duration(n)*500*ms)
	}
	if s.half {
		t.Error("stays with the half picture with bandwidth for the full one")
	}
	s = selector{half: true}
	if s.step(0, halfRate, fullRate, 0); s.half {
		t.Error("half without an estimate")
	}
}
