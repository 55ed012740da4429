package engine

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"sectile/asm/yuv"
	"sectile/engine/h264"
	"sectile/engine/jitter"
	"sectile/engine/room"
)

// slides publishes pictures one by one, and sound and reports meanwhile if they are on.
type slides struct {
	talker
	sound, reports bool
	answers        bool // requests for keyframes, with luma 50
	n              int  // steps of 20 ms
	sequence       uint16
	asked          atomic.Int32
}

func (s *slides) RequestKeyframe(int) { s.asked.Add(1) }

func present(t *testing.T, e *Engine, stream string) *slides {
	t.Helper()
	s := &slides{}
	p, err := e.Publish(stream, s)
	if err != nil {
		t.Fatal(err)
	}
	s.Publication = p
	return s
}

// stage makes a room with one stream, that somebody publishes, and a viewer.
func stage(t *testing.T, e *Engine) (*eye, *slides) {
	t.Helper()
	addVideoRoom(t, e, "r", 640, 360)
	addStream(t, e, "r", "s")
	return watch(t, e, "r", 1), present(t, e, "s")
}

// show sends a picture, or only takes note of it if it is lost.
func (s *slides) show(value byte, key, lost bool) {
	payloads := fakeAU(640, 360, value, key)
	for i, payload := range payloads {
		if !lost {
			s.PushVideo(0, h264.Packet{SSRC: 2, Sequence: s.sequence, Timestamp: uint32(s.n) * 1800,
				Marker: i == len(payloads)-1, Payload: payload})
		}
		s.sequence++
	}
}

// wait lets time pass, in which nothing but sound, reports and answers are sent.
func (s *slides) wait(d time.Duration) {
	for end := s.n + int(d/(20*time.Millisecond)); s.n < end; s.n++ {
		if s.sound {
			s.PushAudio(jitter.Packet{SSRC: 1, Sequence: uint16(s.n), Timestamp: uint32(s.n) * 960, Payload: packet(1000)}, s.engine.Now())
		}
		if s.reports && s.n%50 == 0 {
			s.ReportVideo(0, Report{SSRC: 2, NTP: uint64(s.n) << 32 / 50, RTP: uint32(s.n) * 1800})
		}
		if s.asked.Swap(0) > 0 && s.answers {
			s.show(50, true, false)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// only fails if anything but the values was seen since the last call.
func (e *eye) only(t *testing.T, what string, values ...byte) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, seen := range e.seen {
		if !slices.Contains(values, seen.value) {
			t.Errorf("%s: luma is %d, want %v", what, seen.value, values)
			break
		}
	}
	e.seen = e.seen[:0]
}

// shows fails unless a value was seen last.
func (e *eye) shows(t *testing.T, what string, value byte) {
	t.Helper()
	if v := e.newest(); v != value {
		t.Errorf("%s: luma is %d, want %d", what, v, value)
	}
}

// card fails unless what was seen last is no picture of those values; it returns the card's.
func (e *eye) card(t *testing.T, what string, pictures ...byte) byte {
	t.Helper()
	v := e.newest()
	if v == 0 || slices.Contains(pictures, v) {
		t.Fatalf("%s: luma is %d, want a card", what, v)
	}
	return v
}

func (e *eye) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen = e.seen[:0]
}

// TestSeldomChangingPicture: a picture that does not change stays while its publisher answers
// requests for keyframes.
func TestSeldomChangingPicture(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		sink, p := stage(t, e)
		p.answers = true
		p.show(50, true, false)
		p.wait(200 * time.Millisecond)
		sink.forget()
		for range 4 {
			p.wait(3 * time.Second)
			p.show(50, false, false)
		}
		sink.only(t, "a picture every 3 s", 50)
		p.wait(30 * time.Second)
		sink.only(t, "none in 30 s", 50)
	})
}

// TestCameraOff: of a publisher whose camera is off everything may come but new packets of
// pictures: sound, reports on either source, and packets that try out the bandwidth. The
// picture becomes a card after 2 s, and does not come back before there is another one.
func TestCameraOff(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		sink, p := stage(t, e)
		p.sound, p.reports = true, true
		off := func(d time.Duration, last uint16) {
			for range d / (100 * time.Millisecond) {
				padding := h264.Packet{SSRC: 2, Sequence: p.sequence, Timestamp: uint32(p.n) * 1800}
				again := h264.Packet{SSRC: 2, Sequence: last, Timestamp: uint32(p.n) * 1800, Marker: true, Payload: []byte{0x41, 50}}
				p.sequence++
				p.PushVideo(0, padding)
				p.PushVideo(0, again)
				p.wait(100 * time.Millisecond)
			}
		}
		for round := range 3 {
			p.show(50, round == 0, false)
			last := p.sequence - 1
			p.wait(100 * time.Millisecond)
			sink.forget()
			off(1800*time.Millisecond, last)
			sink.only(t, "1.9 s after the last picture", 50)
			off(200*time.Millisecond, last)
			card := sink.card(t, "2.1 s after the last picture", 50)
			sink.forget()
			off(5*time.Second, last)
			sink.only(t, "camera off", card)
			p.show(60, false, true)
			p.show(60, false, false) // cannot be shown, for one is missing
			p.wait(time.Second)
			sink.only(t, "camera on, without a keyframe", card)
			p.show(60, true, false)
			p.wait(100 * time.Millisecond)
			sink.shows(t, "camera on", 60)
		}
	})
}

// TestEndOfSource: a picture whose source is said to end becomes a card at once, unless
// another layer goes on or another source has taken its place.
func TestEndOfSource(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		sink, p := stage(t, e)
		p.sound, p.reports = true, true
		p.show(50, true, false)
		p.wait(time.Second)
		sink.forget()
		p.EndVideo(0, 1)
		p.wait(200 * time.Millisecond)
		sink.only(t, "the end of another source", 50)
		p.EndVideo(0, 2)
		p.wait(100 * time.Millisecond)
		card := sink.card(t, "after the end", 50)
		sink.forget()
		p.wait(time.Second)
		p.asked.Store(0)
		p.show(60, false, true)
		p.show(60, false, false)
		time.Sleep(time.Second)
		p.show(60, false, false)
		if p.asked.Load() == 0 {
			t.Error("after the end no keyframe is asked for")
		}
		p.wait(100 * time.Millisecond)
		sink.only(t, "after the end", card)
		p.show(60, true, false)
		p.wait(100 * time.Millisecond)
		sink.shows(t, "after a keyframe", 60)

		layered := simulcast(t, e, "s", [][2]int{{320, 180}, {640, 360}}, nil)
		time.Sleep(3 * time.Second)
		sink.shows(t, "two layers", 100)
		layered.set(func() { layered.off[1] = true })
		sink.forget()
		layered.EndVideo(1, 101)
		time.Sleep(time.Second)
		sink.only(t, "the end of one layer", 100, 50)
		layered.set(func() { layered.off[0] = true })
		layered.EndVideo(0, 100)
		time.Sleep(100 * time.Millisecond)
		sink.shows(t, "the end of both layers", card)
	})
}

// TestDeadPublisher: the picture of one of whom nothing comes any more stays for 2 s; then
// it is a card, and a picture again when they go on.
func TestDeadPublisher(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		sink, p := stage(t, e)
		p.sound, p.reports = true, true
		for n := range 50 {
			p.show(50, n == 0, false)
			p.wait(40 * time.Millisecond)
		}
		sink.forget()
		p.sound, p.reports = false, false
		p.wait(1900 * time.Millisecond)
		sink.only(t, "1.9 s after the end", 50)
		p.wait(200 * time.Millisecond)
		sink.card(t, "2.1 s after the end", 50)
		p.show(60, false, false)
		p.wait(100 * time.Millisecond)
		sink.shows(t, "going on", 60)
	})
}

// TestDamageThatStays: the last good picture stays for a while after a loss, and not for
// longer.
func TestDamageThatStays(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		sink, p := stage(t, e)
		p.sound = true
		p.show(50, true, false)
		p.wait(time.Second)
		stream := func(d time.Duration) {
			for range d / (40 * time.Millisecond) {
				p.show(250, false, false)
				p.wait(40 * time.Millisecond)
			}
		}
		sink.forget()
		p.show(250, false, true)
		stream(2 * time.Second)
		sink.only(t, "2 s after a loss", 50)
		stream(1400 * time.Millisecond) // which includes how long the packet is waited for
		sink.card(t, "3.4 s after a loss", 50, 250)
		p.show(60, true, false)
		p.wait(100 * time.Millisecond)
		sink.shows(t, "after a keyframe", 60)
		sink.forget()
		p.show(250, false, true) // again, for which the time counts anew
		stream(2 * time.Second)
		sink.only(t, "2 s after another loss", 60)
	})
}

// TestOutdatedPicture: what was shown before a time in which nobody looked is not shown
// after it, if there was a newer one.
func TestOutdatedPicture(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		sink, p := stage(t, e)
		p.sound = true
		p.show(50, true, false)
		p.wait(time.Second)
		sink.shows(t, "at first", 50)
		mute := func(muted bool) {
			t.Helper()
			if _, err := e.SetMuted("r", "s", room.Video, muted); err != nil {
				t.Fatal(err)
			}
		}
		mute(true)
		p.show(60, false, false)
		p.wait(500 * time.Millisecond)
		card := sink.newest()
		mute(false)
		sink.forget()
		p.wait(time.Second)
		sink.only(t, "unmuted", card)
		p.show(70, true, false)
		p.wait(100 * time.Millisecond)
		sink.shows(t, "after a keyframe", 70)
		mute(true)
		p.wait(500 * time.Millisecond)
		mute(false)
		p.wait(500 * time.Millisecond)
		sink.shows(t, "nothing new while it was muted", 70)

		sink.sub.Close()
		for range 100 {
			p.show(80, false, false)
			p.wait(100 * time.Millisecond)
		}
		sink = watch(t, e, "r", 1)
		p.wait(time.Second)
		sink.only(t, "after ten seconds without a viewer", card)
	})
}

// TestTakeover: who publishes a stream anew shows the picture of before until there is
// another one, for two seconds at most.
func TestTakeover(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		sink, first := stage(t, e)
		first.show(50, true, false)
		first.wait(time.Second)
		sink.forget()
		second := present(t, e, "s")
		second.wait(time.Second)
		second.show(60, true, false)
		second.wait(time.Second)
		sink.only(t, "taken over", 50, 60)
		second.camera.picture.Lock()
		if second.camera.before.image != nil {
			t.Error("the picture of before is kept")
		}
		second.camera.picture.Unlock()
		third := present(t, e, "s")
		third.wait(time.Second)
		fourth := present(t, e, "s") // the picture of the second one does not live longer by that
		fourth.wait(900 * time.Millisecond)
		sink.only(t, "taken over twice", 60)
		fourth.wait(200 * time.Millisecond)
		sink.card(t, "2.1 s after the takeover", 60)
	})
}

// TestTakeoverKeepsColours: the picture that is taken over has the colours that it had.
func TestTakeoverKeepsColours(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		_, first := stage(t, e)
		first.show(50, true, false)
		first.wait(time.Second)
		const colours = yuv.FullRange | yuv.BT709
		first.camera.picture.Lock()
		first.camera.pictures.shown.image.Colours = colours
		first.camera.picture.Unlock()
		second := present(t, e, "s")
		second.camera.picture.Lock()
		defer second.camera.picture.Unlock()
		if before := second.camera.before.image; before == nil || before.Colours != colours {
			t.Errorf("the picture is lost, or its colours are: %v", before != nil)
		}
	})
}

// TestFirstViewer: who is the first to watch after a long time sees cameras at once, for
// which those are asked for a keyframe every few seconds; if no room shows them, they are not.
func TestFirstViewer(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		addVideoRoom(t, e, "r", 640, 360)
		addStream(t, e, "r", "s")
		s := simulcast(t, e, "s", [][2]int{{640, 360}}, nil)
		for round := range 3 {
			before := len(s.requests())
			time.Sleep(30 * time.Second)
			if n := len(s.requests()) - before; n < 8 || n > 11 {
				t.Errorf("round %d: %d keyframes asked for in 30 s without a viewer", round, n)
			}
			asked := len(s.requests())
			sink := watch(t, e, "r", 1)
			time.Sleep(50 * time.Millisecond) // the tick that looks and the one that shows
			sink.forget()
			time.Sleep(time.Second + time.Duration(round)*300*time.Millisecond)
			sink.only(t, "the first viewer", 50)
			if n := len(s.requests()) - asked; n > 0 {
				t.Errorf("round %d: the first viewer needs %d keyframes", round, n)
			}
			sink.sub.Close()
		}
		if _, err := e.SetMuted("r", "s", room.Video, true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		before := len(s.requests())
		time.Sleep(30 * time.Second)
		if n := len(s.requests()) - before; n > 0 {
			t.Errorf("%d keyframes of a muted camera asked for", n)
		}
	})
}
