package media

import (
	"context"
	"slices"
	"sync"
	"time"

	"sectile/bench/client"
)

// Source is one participant's microphone.
type Source struct {
	Voice *client.Voice // where it goes

	mu        sync.Mutex
	clip      Clip
	position  int // in the clip, of the next frame
	timestamp uint32
	silent    bool        // the last frame was not sent
	starts    []time.Time // when the clip began each time
}

// Play changes the clip, to be sent from a frame on.
func (s *Source) Play(c Clip, from int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clip, s.position, s.starts = c, from%len(c), nil
}

// Started are the moments when the clip began.
func (s *Source) Started() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.starts)
}

// step sends what is due in one 20 ms.
func (s *Source) step() {
	s.mu.Lock()
	packet, first := s.clip[s.position], s.position == 0
	s.position = (s.position + 1) % len(s.clip)
	s.timestamp += samples
	if first {
		s.starts = append(s.starts, time.Now())
	}
	marker := s.silent
	s.silent = packet == nil
	s.mu.Unlock()
	if packet != nil {
		// An error means that the connection is down; then there are no packets to it, which
		// the report shows.
		_ = s.Voice.Send(packet, s.timestamp, marker)
	}
}

// Pace sends all sources' frames at absolute times until ctx is done: one goroutine, every
// millisecond a twentieth of them. It returns by how much it was late.
func Pace(ctx context.Context, sources []*Source) (late []time.Duration) {
	const slots = 20
	start := time.Now()
	for tick := 0; ; tick++ {
		due := start.Add(time.Duration(tick) * time.Millisecond)
		if wait := time.Until(due); wait > 0 {
			select {
			case <-ctx.Done():
				return late
			case <-time.After(wait):
			}
		} else if ctx.Err() != nil {
			return late
		}
		late = append(late, time.Since(due))
		for i := tick % slots; i < len(sources); i += slots {
			sources[i].step()
		}
	}
}

// Quantile sorts values and returns the q-quantile, 0 if there are none.
func Quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(int(q*float64(len(values))), len(values)-1)]
}
