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
			s.step(Bandwidth{Rate: estimate}, rate, fullRate, now)
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
		s.step(Bandwidth{Rate: 2_000_000}, halfRate, fullRate, time.Duration(n)*500*ms)
	}
	if s.half {
		t.Error("stays with the half picture with bandwidth for the full one")
	}
	s = selector{half: true}
	if s.step(Bandwidth{}, halfRate, fullRate, 0); s.half {
		t.Error("half without an estimate")
	}
}

// TestSelectorWithProbes: the full picture is not tried where the estimate says what would
// come of it, and probes wait after it failed.
func TestSelectorWithProbes(t *testing.T) {
	const need = 1_500_000
	var s selector
	now := time.Minute
	if s.step(Bandwidth{600_000, true}, need, need, now); !s.half {
		t.Fatal("far too thin, and not moved at once")
	}
	if got := s.wanted(need, now); got != 0 {
		t.Errorf("at once %d are wanted", got)
	}
	for range 600 {
		now += 100 * ms
		s.step(Bandwidth{700_000, true}, 500_000, need, now)
	}
	if got := s.wanted(need, now); !s.half || got < need*9/8 {
		t.Errorf("a minute later: half %v, %d are wanted", s.half, got)
	}
	// A full picture that fails after each probe is probed for less and less often.
	last := time.Duration(0)
	for range 6 {
		moved := now
		for s.half {
			now += 100 * ms
			rate := 700_000
			if s.wanted(need, now) > 0 {
				rate = need * 5 / 4
			}
			s.step(Bandwidth{rate, true}, 500_000, need, now)
		}
		wait := now - moved
		if wait < last {
			t.Errorf("tried again after %v, before that after %v", wait, last)
		}
		last = wait
		for !s.half {
			now += 100 * ms
			s.step(Bandwidth{700_000, true}, need, need, now)
		}
	}
	if last < 30*time.Second {
		t.Errorf("tried again after %v", last)
	}
}
