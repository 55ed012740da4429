package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"sectile/engine/h264"
	"sectile/engine/jitter"
)

// flasher publishes sound and picture that change together, at every full second of its
// clock, which is an hour ahead of the engine's.
type flasher struct {
	talker
	jitter  func() time.Duration // of a packet of sound
	reports bool
	mute    bool
	skew    time.Duration // of the sound's reports
}

const (
	flashSoundTS   = 1<<32 - 48000 // wraps soon
	flashPictureTS = 77777
	dark, bright   = 40, 200
)

// flash publishes until stop is closed.
func (f *flasher) flash(t *testing.T, e *Engine, stream string, stop chan struct{}) {
	t.Helper()
	p, err := e.Publish(stream, f)
	if err != nil {
		t.Fatal(err)
	}
	f.Publication = p
	start := time.Now()
	lit := func(at time.Duration) bool { return at/time.Second%2 == 1 }
	ntp := func(at time.Duration) uint64 {
		at += time.Hour
		return uint64(at/time.Second)<<32 | uint64(at%time.Second)<<32/uint64(time.Second)
	}
	every := func(period time.Duration, step func(n int, at time.Duration)) {
		go func() {
			for n := 0; ; n++ {
				at := time.Duration(n) * period
				select {
				case <-stop:
					return
				case <-time.After(time.Until(start.Add(at))):
				}
				step(n, at)
			}
		}()
	}
	every(20*time.Millisecond, func(n int, at time.Duration) {
		value := int16(0)
		if lit(at) {
			value = 10000
		}
		if f.mute {
			return
		}
		pkt := jitter.Packet{SSRC: 1, Sequence: uint16(n), Timestamp: flashSoundTS + uint32(n)*960, Payload: packet(value)}
		time.AfterFunc(20*time.Millisecond+f.jitter(), func() { p.PushAudio(pkt, e.Now()) }) // the last sample is captured 20 ms after the first
	})
	sequence := uint16(65500)
	every(40*time.Millisecond, func(n int, at time.Duration) {
		value := byte(dark)
		if lit(at) {
			value = bright
		}
		payloads := fakeAU(640, 360, value, n%25 == 0)
		for i, payload := range payloads {
			p.PushVideo(0, h264.Packet{SSRC: 2, Sequence: sequence,
				Timestamp: flashPictureTS + uint32(n)*3600, Marker: i == len(payloads)-1, Payload: payload})
			sequence++
		}
	})
	if !f.reports {
		return
	}
	every(time.Second, func(n int, at time.Duration) {
		at += 7 * time.Millisecond // no packet's moment
		p.ReportAudio(Report{SSRC: 1, NTP: ntp(at + f.skew), RTP: flashSoundTS + uint32(at*48/time.Millisecond)})
		p.ReportVideo(0, Report{SSRC: 2, NTP: ntp(at), RTP: flashPictureTS + uint32(at*90/time.Millisecond)})
	})
}

// edges are the times at which a value rises after it was low for half a second: a packet
// that comes too late makes a hole in a flash.
func edges[T any](list []T, high func(T) bool, at func(T) time.Duration) (rises []time.Duration) {
	var last time.Duration // when it was high
	for _, v := range list {
		if !high(v) {
			continue
		}
		now := at(v)
		if now-last > time.Second/2 {
			rises = append(rises, now)
		}
		last = now
	}
	return rises
}

// edges are the times of the engine's clock at which sound and picture become bright.
func (e *eye) edges() (heard, seen []time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	times := make([]int, len(e.values))
	for i := range times {
		times[i] = i
	}
	heard = edges(times, func(i int) bool { return e.values[i] > 5000 },
		func(i int) time.Duration { return time.Duration(e.timestamps[i]) * time.Millisecond / 48 })
	seen = edges(e.seen, func(s sight) bool { return s.value > (dark+bright)/2 },
		func(s sight) time.Duration { return time.Duration(s.timestamp) * time.Millisecond / 90 })
	return heard, seen
}

// TestSoundAndPictureOfOnePublisher: what was captured together is played together.
func TestSoundAndPictureOfOnePublisher(t *testing.T) {
	for _, spread := range []time.Duration{0, 50 * time.Millisecond, 100 * time.Millisecond} {
		t.Run(fmt.Sprint(spread), func(t *testing.T) {
			run(t, func(t *testing.T, e *Engine) {
				addVideoRoom(t, e, "r", 640, 360)
				addStream(t, e, "r", "s")
				sink := watch(t, e, "r", 1)
				rng := rand.New(rand.NewPCG(1, 2))
				stop := make(chan struct{})
				f := &flasher{reports: true, jitter: func() time.Duration { return spread + time.Duration((rng.Float64()*2-1)*float64(spread)) }}
				f.flash(t, e, "s", stop)
				time.Sleep(31 * time.Second)
				close(stop)
				time.Sleep(time.Second)

				heardAt, seenAt := sink.edges()
				if len(heardAt) < 14 || len(seenAt) != len(heardAt) {
					t.Fatalf("%d flashes heard, %d seen", len(heardAt), len(seenAt))
				}
				// The jitter buffer needs a few packets to find its delay.
				for i := 2; i < len(heardAt); i++ {
					if d := seenAt[i] - heardAt[i]; d < -40*time.Millisecond || d > 40*time.Millisecond {
						t.Errorf("flash %d is seen %v after it is heard", i, d)
					}
				}
			})
		})
	}
}

// TestDelayWithSound: waiting for its sound makes a picture no more than a frame and a half
// late while that comes in good time, in the mean over the phases of camera and mosaic.
func TestDelayWithSound(t *testing.T) {
	const phases = 8
	for _, spread := range []time.Duration{0, 10 * time.Millisecond} {
		t.Run(fmt.Sprint(spread), func(t *testing.T) {
			var sum time.Duration
			for phase := range phases {
				run(t, func(t *testing.T, e *Engine) {
					addVideoRoom(t, e, "r", 640, 360)
					addStream(t, e, "r", "s")
					sink := watch(t, e, "r", 1)
					time.Sleep(time.Duration(phase) * 40 * time.Millisecond / phases)
					rng := rand.New(rand.NewPCG(1, 2))
					f := &flasher{reports: true, jitter: func() time.Duration { return time.Duration(rng.Float64() * float64(spread)) }}
					start, stop := e.Now(), make(chan struct{})
					f.flash(t, e, "s", stop)
					time.Sleep(14500 * time.Millisecond)
					close(stop)
					time.Sleep(time.Second)
					heard, seen := sink.edges()
					if len(seen) != 7 || len(heard) != len(seen) {
						t.Fatalf("%d flashes seen, %d heard", len(seen), len(heard))
					}
					last := len(seen) - 1
					if d := seen[last] - heard[last]; d < -40*time.Millisecond || d > 40*time.Millisecond {
						t.Errorf("phase %d: seen %v after it is heard", phase, d)
					}
					sum += seen[last] - start - time.Duration(2*last+1)*time.Second
				})
			}
			if mean := sum / phases; mean > 60*time.Millisecond {
				t.Errorf("seen after %v, want at most a frame and a half", mean)
			}
		})
	}
}

// TestPictureWithoutItsSound: where sound or reports are missing, or are wrong, nothing
// waits for them.
func TestPictureWithoutItsSound(t *testing.T) {
	for name, f := range map[string]*flasher{
		"no reports": {},
		"no sound":   {reports: true, mute: true},
		"bad clock":  {reports: true, skew: 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, e *Engine) {
				addVideoRoom(t, e, "r", 640, 360)
				addStream(t, e, "r", "s")
				sink := watch(t, e, "r", 1)
				f.jitter = func() time.Duration { return 30 * time.Millisecond }
				stop := make(chan struct{})
				start := e.Now()
				f.flash(t, e, "s", stop)
				time.Sleep(10 * time.Second)
				close(stop)
				time.Sleep(time.Second)
				_, seen := sink.edges()
				if len(seen) != 5 {
					t.Fatalf("%d flashes seen", len(seen))
				}
				for i, at := range seen {
					if d := at - start - time.Duration(2*i+1)*time.Second; d < 0 || d > 60*time.Millisecond {
						t.Errorf("flash %d is seen after %v, want at most a frame and a half", i, d)
					}
				}
			})
		})
	}
}

// TestPicturesWaiting: the queue is bounded, and shows and releases in order.
func TestPicturesWaiting(t *testing.T) {
	codecs := &fakeCodecs{}
	video, err := codecs.NewVideoDecoder()
	if err != nil {
		t.Fatal(err)
	}
	fake := video.(*fakeVideoDecoder)
	d := &decoder{VideoDecoder: video}
	var p pictures
	pushed := 0
	push := func(captured time.Duration) {
		pushed++
		for _, payload := range fakeAU(640, 360, byte(pushed), true) {
			fake.Decode(append([]byte{0, 0, 0, 1}, payload...))
		}
		p.push(frame{image: fake.Hold(), decoder: d, sequence: uint64(pushed), decoded: captured, timed: true, captured: captured})
	}
	check := func(what string, shown, waiting int) {
		t.Helper()
		if int(p.shown.sequence) != shown || p.n != waiting || len(fake.held) != waiting+min(shown, 1) {
			t.Errorf("%s: picture %d is shown, %d wait, %d are held; want %d, %d", what, p.shown.sequence, p.n, len(fake.held), shown, waiting)
		}
		if shown > 0 && p.shown.image.Y[0] != byte(shown) {
			t.Errorf("%s: the picture shown was released", what)
		}
	}
	const offset = 100 * time.Millisecond
	for i := range 3 {
		push(time.Duration(i) * 40 * time.Millisecond)
	}
	p.advance(74*time.Millisecond, offset, true)
	check("before the first is due", 0, 3)
	p.advance(75*time.Millisecond, offset, true)
	check("the first is due", 1, 2)
	p.advance(160*time.Millisecond, offset, true)
	check("all are due", 3, 0)
	for i := range maxWaiting + 2 {
		push(time.Second + time.Duration(i)*time.Millisecond)
	}
	check("more than fit", 5, maxWaiting)
	p.advance(time.Second, offset, false)
	check("the sound is not known", 3+maxWaiting+2, 0)
	push(2 * time.Second)
	push(2 * time.Second)
	p.advance(2*time.Second, time.Hour, true)
	check("the sound is absurdly late", 5+maxWaiting+2, 0)
	push(3 * time.Second)
	d.retire()
	if fake.closed {
		t.Error("a decoder is closed while its pictures are held")
	}
	p.clear()
	if len(fake.held) != 0 || !fake.closed || codecs.Open() != 0 {
		t.Errorf("%d pictures are held after clear; closed: %v", len(fake.held), fake.closed)
	}
}

func TestSourceClock(t *testing.T) {
	c := sourceClock{rate: audioClock}
	if _, ok := c.moment(1, 0); ok {
		t.Error("a moment before the first report")
	}
	c.report(Report{SSRC: 1, NTP: 100<<32 | 1<<31, RTP: 1<<32 - 480})
	for _, m := range []struct {
		ts   uint32
		want time.Duration
	}{{1<<32 - 480, 100500 * time.Millisecond}, {480, 100520 * time.Millisecond}, {1<<32 - 960, 100490 * time.Millisecond}} {
		if got, ok := c.moment(1, m.ts); !ok || got != m.want {
			t.Errorf("%d is at %v, %v; want %v", m.ts, got, ok, m.want)
		}
	}
	if _, ok := c.moment(2, 0); ok {
		t.Error("a moment of another source")
	}
}
