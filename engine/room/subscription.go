package room

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Subscription is one player of a room.
type Subscription struct {
	room   *Room
	sink   Sink
	tracks Tracks  // under the room's lock
	ended  bool    // the same
	loss   float64 // of sound, as reported; the same
	done   chan struct{}

	watching atomic.Bool // plays v1
	anew     atomic.Bool // it began to, and what it was given before is nothing to go by

	// video guards the rest, and is held while the sink is given a picture, which may take
	// long: never wait for it under the room's lock, for which the room's sound waits.
	video    sync.Mutex
	playing  size          // what was given last; none before the first keyframe
	asks     bool          // for a keyframe
	started  time.Duration // when it was given a keyframe last
	selector selector
}

// Subscribe starts playing tracks of the room into sink. The error is ErrNotFound if the
// room has no such track.
func (r *Room) Subscribe(t Tracks, sink Sink) (*Subscription, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.check(t); err != nil {
		return nil, err
	}
	s := &Subscription{room: r, sink: sink, tracks: t, done: make(chan struct{})}
	r.subs = append(r.subs, s)
	r.list(s)
	r.startAudio()
	return s, nil
}

// Tracks returns what is being played.
func (s *Subscription) Tracks() Tracks {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	return s.tracks
}

// SetTracks plays other tracks from the next tick on. The error is ErrNotFound if the room
// has no such track, and then nothing changes.
func (s *Subscription) SetTracks(t Tracks) error {
	left, err := s.setTracks(t)
	if left {
		s.settle()
	}
	return err
}

// setTracks tells whether the player has left the mosaic.
func (s *Subscription) setTracks(t Tracks) (left bool, err error) {
	r := s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.ended {
		return false, fmt.Errorf("room %s: %w", r.name, ErrClosed)
	}
	if err := r.check(t); err != nil {
		return false, err
	}
	before := s.tracks
	s.tracks = t
	if before.Audio != t.Audio {
		r.unlistAudio(s, before.Audio)
		r.listAudio(s)
	}
	// A player who goes on watching needs no keyframe.
	switch {
	case t.Video && !before.Video:
		r.mosaic.list(s)
	case !t.Video && before.Video:
		r.mosaic.unlist(s)
		left = true
	}
	return left, nil
}

// RequestKeyframe asks for a keyframe of the mosaic. The player gets one with the next
// picture, but no more than two a second; others may not notice.
func (s *Subscription) RequestKeyframe() {
	s.video.Lock()
	defer s.video.Unlock()
	s.asks = true
}

// Bandwidth is what is known of the way to a player.
type Bandwidth struct {
	Rate   int  // bit/s of video that it takes, as estimated; 0: not known
	Probed bool // the estimate is tried out beyond what is sent, where that is wanted
}

// SetBandwidth tells how much video the player can take. It should be told again about once
// a second or more often, changed or not: a player who cannot take the mosaic gets one of
// half the width and height until they can, and of no more than they can take. It returns
// for which rate, in bit/s, the estimate should be tried out; 0: it is enough.
func (s *Subscription) SetBandwidth(b Bandwidth) (wanted int) {
	m := s.room.mosaic
	if m == nil {
		return 0
	}
	s.video.Lock()
	defer s.video.Unlock()
	sent := m.renditions[s.selector.size()].rate.last.Load()
	need, now := m.renditions[full].params.Bitrate, s.room.env.Now()
	s.selector.step(b, int(sent), need, now)
	return s.selector.wanted(need, now)
}

// Close ends the subscription. After it returns, the sink is not called any more.
func (s *Subscription) Close() {
	r := s.room
	r.mu.Lock()
	ended := s.ended
	if !ended {
		s.leave()
	}
	r.mu.Unlock()
	if ended {
		<-s.done
		return
	}
	s.settle()
	close(s.done)
}

// leave takes s off all lists. It needs the room's lock.
func (s *Subscription) leave() {
	r := s.room
	s.ended = true
	r.unlistAudio(s, s.tracks.Audio)
	if s.tracks.Video {
		r.mosaic.unlist(s)
	}
	r.subs = slices.DeleteFunc(r.subs, func(other *Subscription) bool { return other == s })
}

// settle waits for the picture that the sink may be given at the moment.
func (s *Subscription) settle() {
	s.video.Lock()
	defer s.video.Unlock()
}

// end tells those who had to leave why, once they get no more pictures. Nobody may hold the
// room's lock.
func end(subs []*Subscription, reason error) {
	for _, s := range subs {
		s.settle()
		s.sink.Closed(reason)
		close(s.done)
	}
}

func (r *Room) check(t Tracks) error {
	switch {
	case r.closed:
		return fmt.Errorf("room %s: %w", r.name, ErrClosed)
	case t == Tracks{}:
		return fmt.Errorf("room %s: no track: %w", r.name, ErrNotFound)
	case t.Video && r.mosaic == nil:
		return fmt.Errorf("room %s: track v1: %w", r.name, ErrNotFound)
	case t.Audio > allTrack && r.byTrack(t.Audio) == nil:
		return fmt.Errorf("room %s: track %s: %w", r.name, TrackID(t.Audio), ErrNotFound)
	}
	return nil
}

// list enters s where its tracks are handed out.
func (r *Room) list(s *Subscription) {
	if in := r.byTrack(s.tracks.Audio); in != nil && len(in.listeners) == 0 {
		in.newListeners = true
	}
	r.listAudio(s)
	if s.tracks.Video {
		r.mosaic.list(s)
	}
}

func (r *Room) listAudio(s *Subscription) {
	if list := r.audioListeners(s.tracks.Audio); list != nil {
		*list = append(*list, s)
		r.audio.lossChanged = true
	}
}

func (r *Room) unlistAudio(s *Subscription, track int) {
	if list := r.audioListeners(track); list != nil {
		*list = slices.DeleteFunc(*list, func(other *Subscription) bool { return other == s })
		r.audio.lossChanged = true
	}
}

// audioListeners is the list of those who play a track, nil if there is no such track.
func (r *Room) audioListeners(track int) *[]*Subscription {
	if track == allTrack {
		return &r.listeners
	}
	if in := r.byTrack(track); in != nil {
		return &in.listeners
	}
	return nil
}
