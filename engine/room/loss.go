package room

import (
	"slices"
)

// lossFade is how much of a loss a report without any leaves: a link that has lost much
// will do so again.
const lossFade = 0.9

// ReportLoss tells which part of the packets of sound got lost on the way to the player
// since the report before, 0 to 1. Encoders expect what their listeners report: it rises at
// once and falls slowly.
func (s *Subscription) ReportLoss(fraction float64) {
	if !(fraction >= 0) { // nor NaN
		fraction = 0
	}
	fraction = min(fraction, 1)
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	before := s.loss
	s.loss = max(fraction, lossFade*s.loss+(1-lossFade)*fraction)
	if s.loss != before {
		s.room.audio.lossChanged = true
	}
}

// expectLoss tells all encoders what their listeners report, if that has changed. A voice
// of their own expects the worst of them: it is theirs alone, and for the most part one
// player's. Who shares an encoder pays for what others lose, so there more than a
// quarter of them must lose as much.
func (r *Room) expectLoss() {
	a := &r.audio
	if !a.lossChanged {
		return
	}
	a.lossChanged = false
	a.losses = a.losses[:0]
	for _, s := range r.subs {
		if s.tracks.Audio > 0 {
			a.losses = append(a.losses, s.loss)
		}
	}
	if n := len(a.losses); n > 0 {
		slices.Sort(a.losses)
		a.shared.Expect(a.losses[(3*n-1)/4])
	}
	for _, in := range r.inputs {
		if in.voice != nil {
			in.expectLoss()
		}
	}
}

// expectLoss needs the room's lock, and a voice.
func (in *Input) expectLoss() {
	worst := 0.0
	for _, s := range in.listeners {
		worst = max(worst, s.loss)
	}
	in.voice.Expect(worst)
}
