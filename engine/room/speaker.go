package room

import (
	"slices"
	"time"
)

// speaker chooses who has the large cell of the mosaic. It follows who talks, but slowly:
// a cough or a "yes" changes nothing, and when all are silent everything stays as it is.
// Of those who talk at once it prefers who began last, so that a microphone that never
// falls silent does not keep the large cell.
type speaker struct {
	current *Input
	since   time.Duration // when current became the speaker
}

const (
	speakerAfter = time.Second     // of talking make a new speaker
	speakerStays = 2 * time.Second // at least
)

// step looks at who talks now, and returns whether the speaker changed. It needs the
// room's lock.
func (s *speaker) step(now time.Duration, inputs []*Input) (changed bool) {
	var next *Input
	for _, in := range inputs {
		switch {
		case !in.talking:
			in.talks = false
			continue
		case !in.talks:
			in.talks, in.talksSince = true, now
		}
		if in != s.current && now-in.talksSince < speakerAfter {
			continue
		}
		if next == nil || in.talksSince > next.talksSince {
			next = in
		}
	}
	gone := !slices.Contains(inputs, s.current)
	switch {
	case gone || !s.current.connected:
		// At once: an empty large cell helps nobody.
		if next == nil {
			next = firstConnected(inputs)
		}
		if next == nil && gone && len(inputs) > 0 {
			next = inputs[0]
		}
		if next == nil && !gone {
			next = s.current
		}
	case next == nil || now-s.since < speakerStays:
		next = s.current
	}
	if next == s.current {
		return false
	}
	s.current, s.since = next, now
	return true
}

// firstConnected prefers inputs with a camera.
func firstConnected(inputs []*Input) *Input {
	var first *Input
	for _, in := range inputs {
		if in.connected && in.camera != nil && !in.mutedVideo {
			return in
		}
		if in.connected && first == nil {
			first = in
		}
	}
	return first
}
