package room

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"sectile/asm/yuv"
	"sectile/engine/metrics"
	"sectile/engine/sched"
)

// stuckSink is given a picture and keeps it until it is let go.
type stuckSink struct {
	given  chan struct{}
	let    chan struct{}
	closed chan error
}

func (s *stuckSink) WriteAudio([]byte, uint32) {}
func (s *stuckSink) Closed(err error)          { s.closed <- err }
func (s *stuckSink) WriteVideo(*AccessUnit) {
	select {
	case s.given <- struct{}{}:
		<-s.let
	default:
	}
}

// TestLeavingLeavesSound: whoever leaves the mosaic while they are given a picture waits for
// that, and the room, whose sound needs its lock, does not. In real time, for virtual time
// stands still while somebody waits for a lock.
func TestLeavingLeavesSound(t *testing.T) {
	begin := time.Now()
	now := func() time.Duration { return time.Since(begin) }
	m := metrics.New()
	env := Env{
		Codecs: &videoCodecs{}, Audio: sched.New(1, now, m), Video: sched.New(1, now, nil), Now: now,
		Pictures: func() int { return 4 }, Metrics: m, Log: slog.New(slog.DiscardHandler),
	}
	defer env.Audio.Close()
	defer env.Video.Close()
	opts := DefaultOptions()
	opts.DisableVideo, opts.Width, opts.Height = false, 128, 64
	leave := map[string]func(*Room, *Subscription) error{
		"SetTracks":    func(_ *Room, s *Subscription) error { return s.SetTracks(Tracks{Audio: 1}) },
		"Close":        func(_ *Room, s *Subscription) error { s.Close(); return nil },
		"RemoveStream": func(r *Room, _ *Subscription) error { _, err := r.RemoveStream("a"); return err },
		"Room.Close":   func(r *Room, _ *Subscription) error { r.Close(); return nil },
	}
	for name, leave := range leave {
		t.Run(name, func(t *testing.T) {
			r, err := New("r", opts, env)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			in, err := r.AddStream("a")
			if err != nil {
				t.Fatal(err)
			}
			if err := in.Connect(&canvasCamera{image: yuv.NewImage(64, 32)}); err != nil {
				t.Fatal(err)
			}
			sink := &stuckSink{given: make(chan struct{}), let: make(chan struct{}), closed: make(chan error, 1)}
			s, err := r.Subscribe(Tracks{Video: true, Audio: in.track}, sink)
			if err != nil {
				t.Fatal(err)
			}
			<-sink.given
			left, free := make(chan error, 1), make(chan struct{})
			go func() { left <- leave(r, s) }()
			go func() {
				for !t.Failed() { // until the player is off the lists
					r.mu.Lock()
					off := s.ended || !s.tracks.Video
					r.mu.Unlock()
					if off {
						break
					}
					time.Sleep(time.Millisecond)
				}
				close(free)
			}()
			select {
			case <-free:
			case <-time.After(10 * time.Second):
				t.Error("the room waits for the picture")
			}
			select {
			case <-left:
				t.Error("the player is gone, and is given a picture still")
			default:
			}
			close(sink.let)
			if err := <-left; err != nil {
				t.Error(err)
			}
			if name == "RemoveStream" || name == "Room.Close" {
				if err := <-sink.closed; !errors.Is(err, ErrClosed) {
					t.Errorf("ended by %v", err)
				}
			}
			s.Close()
		})
	}
}
