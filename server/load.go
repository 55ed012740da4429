package main

import (
	"context"
	"fmt"
	"time"

	"sectile/engine/load"
)

// admitEvery spaces the looks at the load.
const admitEvery = time.Second

// admit refuses new sessions while the load is too high, until ctx is done: those that are
// have their sound before others join.
func (s *server) admit(ctx context.Context, most float64) {
	if most == 0 {
		return
	}
	ticker := time.NewTicker(admitEvery)
	defer ticker.Stop()
	limit := load.Limit{Max: most}
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		now := s.load()
		over, changed := limit.Step(now)
		if !changed {
			continue
		}
		s.overloaded.Store(over)
		s.rtc.SetOverloaded(over)
		share := fmt.Sprintf("%.2f", now)
		if over {
			s.log.Warn("new sessions are refused: the machine is overloaded", "load", share, "max", most)
		} else {
			s.log.Info("new sessions are taken again", "load", share)
		}
	}
}
