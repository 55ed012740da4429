package engine

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sectile/engine/h264"
	"sectile/engine/room"
)

// simulcaster publishes a picture in layers, layer n of the luma value 50(n+1), and sends
// a keyframe only at first and when it is asked for one.
type simulcaster struct {
	talker

	mu     sync.Mutex
	sizes  [][2]int
	asked  []request
	off    [MaxLayers]bool
	wanted [MaxLayers]bool // a keyframe
	deaf   bool            // answers no request
	start  time.Time
}

type request struct {
	layer int
	at    time.Duration
}

func (s *simulcaster) RequestKeyframe(layer int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, request{layer, time.Since(s.start)})
	s.wanted[layer] = !s.deaf
}

func (s *simulcaster) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *simulcaster) requests() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// simulcast publishes until the test ends; change, if any, may spoil a layer's access
// unit, of a number that counts up, by returning other payloads.
func simulcast(t *testing.T, e *Engine, stream string, sizes [][2]int, change func(layer, n int, payloads [][]byte) [][]byte) *simulcaster {
	t.Helper()
	s := &simulcaster{sizes: slices.Clone(sizes), start: time.Now()}
	p, err := e.Publish(stream, s)
	if err != nil {
		t.Fatal(err)
	}
	s.Publication = p
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(40 * time.Millisecond)
		defer ticker.Stop()
		var sequences [MaxLayers]uint16
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-ticker.C:
			}
			for i := range sizes {
				s.mu.Lock()
				size, off, key := s.sizes[i], s.off[i], n == 0 || s.wanted[i]
				s.wanted[i] = s.wanted[i] && off
				s.mu.Unlock()
				if off {
					continue
				}
				payloads := fakeAU(size[0], size[1], byte(50*(i+1)), key)
				if change != nil {
					payloads = change(i, n, payloads)
				}
				for k, payload := range payloads {
					if payload != nil { // else it is lost
						p.PushVideo(i, h264.Packet{SSRC: uint32(100 + i), Sequence: sequences[i],
							Timestamp: uint32(n) * 3600, Marker: k == len(payloads)-1, Payload: payload})
					}
					sequences[i]++
				}
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-done
	})
	return s
}

var threeLayers = [][2]int{{320, 180}, {640, 360}, {1280, 720}}

// TestLayerThatFits: the layer follows the size at which the picture is shown, without a
// picture missing at the change.
func TestLayerThatFits(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		addVideoRoom(t, e, "r", 1280, 720)
		addStream(t, e, "r", "s0")
		s := simulcast(t, e, "s0", threeLayers, nil)
		sink := watch(t, e, "r", 1)
		want := func(what string, value byte) {
			t.Helper()
			time.Sleep(5 * time.Second)
			c := s.camera
			c.in.Lock()
			taken := c.layers.taken
			c.in.Unlock()
			if byte(50*(taken+1)) != value {
				t.Errorf("%s: layer %d is taken", what, taken)
			}
		}
		want("alone", 150)
		if v := sink.newest(); v != 150 {
			t.Errorf("alone: luma is %d", v)
		}
		for i := 1; i < 4; i++ {
			addStream(t, e, "r", fmt.Sprintf("s%d", i))
		}
		want("one of four", 100)
		for i := 4; i < 16; i++ {
			addStream(t, e, "r", fmt.Sprintf("s%d", i))
		}
		want("one of sixteen", 50)
		for i := 1; i < 16; i++ {
			if _, err := e.RemoveStream("r", fmt.Sprintf("s%d", i)); err != nil {
				t.Fatal(err)
			}
		}
		want("alone again", 150)

		look := func(what string, value byte, set func(*room.Look)) {
			t.Helper()
			if _, err := e.SetLook("r", func(l *room.Look) error { set(l); return nil }); err != nil {
				t.Fatal(err)
			}
			want(what, value)
		}
		look("in a narrow cell", 50, func(l *room.Look) {
			l.Layout, l.Cells = "custom", []room.LookCell{{Width: 0.25, Height: 1}}
		})
		look("cropped to a narrow cell", 150, func(l *room.Look) { l.Fit = "crop" })

		s.set(func() { s.off[2] = true })
		want("the largest is not sent any more", 100)
		s.set(func() { s.off[2], s.off[1], s.off[0] = false, true, true })
		want("only the largest is sent", 150)

		if n := len(s.requests()); n > 16 {
			t.Errorf("%d keyframes asked for", n)
		}
		m := e.Metrics()
		if decoded := m.FramesDecoded.Load(); decoded > 41*25 {
			t.Errorf("%d pictures decoded in 40 s at 25 a second", decoded)
		}
	})
}

// TestLayerSwitchShowsNoGap: while another layer's keyframe is waited for, the layer before
// goes on.
func TestLayerSwitchShowsNoGap(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		addVideoRoom(t, e, "r", 1280, 720)
		addStream(t, e, "r", "s0")
		s := simulcast(t, e, "s0", threeLayers, nil)
		watch(t, e, "r", 1)
		time.Sleep(5 * time.Second)
		s.set(func() { s.off[2] = true })
		time.Sleep(5 * time.Second)
		s.set(func() { s.off[2], s.deaf = false, true })
		m := e.Metrics()
		before := m.FramesDecoded.Load()
		time.Sleep(8 * time.Second)
		if n := m.FramesDecoded.Load() - before; n < 198 {
			t.Errorf("%d pictures decoded in 8 s while a keyframe is waited for", n)
		}
		var waits []time.Duration
		requests := s.requests()
		for i, r := range requests {
			if i > 0 && r.layer == 2 && requests[i-1].layer == 2 {
				waits = append(waits, (r.at - requests[i-1].at).Round(100*time.Millisecond))
			}
		}
		const tenth = 100 * time.Millisecond
		if want := []time.Duration{3 * tenth, 3 * tenth, 6 * tenth, 12 * tenth, 24 * tenth}; !slices.Equal(waits, want) {
			t.Errorf("the keyframe is asked for after %v, want %v", waits, want)
		}
	})
}

// TestOnlyWatchedIsDecoded: without a viewer nothing is decoded, and the first one sees a
// picture at once: of what was kept, or of the keyframe that is asked for.
func TestOnlyWatchedIsDecoded(t *testing.T) {
	for name, c := range map[string]struct {
		alone time.Duration // without a viewer
		deaf  bool          // for that time
		most  int           // keyframes asked for in it
		asks  int           // for the viewer
	}{"soon": {3 * time.Second, false, 0, 0}, "late": {30 * time.Second, false, 10, 0}, "unanswered": {30 * time.Second, true, 12, 1}} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, e *Engine) {
				addVideoRoom(t, e, "r", 640, 360)
				addStream(t, e, "r", "s")
				s := simulcast(t, e, "s", [][2]int{{640, 360}}, nil)
				s.set(func() { s.deaf = c.deaf })
				time.Sleep(c.alone)
				m := e.Metrics()
				asked := len(s.requests())
				if n := m.FramesDecoded.Load(); n != 0 || asked > c.most {
					t.Errorf("%d pictures decoded, %d keyframes asked for without a viewer", n, asked)
				}
				s.set(func() { s.deaf = false })
				sink := watch(t, e, "r", 1)
				time.Sleep(200 * time.Millisecond)
				if v := sink.newest(); v != 50 || len(s.requests())-asked != c.asks {
					t.Errorf("after 200 ms luma is %d, keyframes were asked for: %v", v, s.requests()[asked:])
				}
				if err := e.RemoveRoom("r"); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// TestLeftAlone: a camera whose last viewer left is not decoded for long.
func TestLeftAlone(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		addVideoRoom(t, e, "r", 640, 360)
		addStream(t, e, "r", "s")
		simulcast(t, e, "s", [][2]int{{640, 360}}, nil)
		for range 3 {
			sink := &eye{}
			sub, err := e.Subscribe("r", videoTracks, sink)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			if v := sink.newest(); v != 50 {
				t.Errorf("luma is %d", v)
			}
			sub.Close()
			time.Sleep(cameraIdle + 500*time.Millisecond)
			before := e.Metrics().FramesDecoded.Load()
			time.Sleep(10 * time.Second)
			if n := e.Metrics().FramesDecoded.Load() - before; n != 0 {
				t.Errorf("%d pictures decoded without a viewer", n)
			}
		}
	})
}

// TestGapFreezes: after a loss, the last good picture stays until the next keyframe, which
// is asked for with back-off.
func TestGapFreezes(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		addVideoRoom(t, e, "r", 640, 360)
		addStream(t, e, "r", "s")
		sink := watch(t, e, "r", 1)
		bad := func(n int) bool { return n >= 100 && n < 200 }
		s := simulcast(t, e, "s", [][2]int{{640, 360}}, func(_, n int, payloads [][]byte) [][]byte {
			last := len(payloads) - 1
			if n == 100 {
				payloads[last] = nil // lost
			} else if bad(n) {
				payloads[last] = append(slices.Clone(payloads[last][:1]), 250) // what must not be seen
			}
			return payloads
		})
		s.set(func() { s.deaf = true })
		time.Sleep(5 * time.Second)
		before := len(s.requests())
		if v := sink.newest(); v != 50 {
			t.Errorf("luma is %d during the gap, want that of the picture before", v)
		}
		time.Sleep(5 * time.Second)
		if n := len(s.requests()); n-before > 3 || n < 2 {
			t.Errorf("%d keyframes asked for in 5 s, %d before", n-before, before)
		}
		s.set(func() { s.deaf = false })
		time.Sleep(5 * time.Second)
		if v := sink.newest(); v != 50 {
			t.Errorf("luma is %d after the gap", v)
		}
		sink.mu.Lock()
		defer sink.mu.Unlock()
		for _, seen := range sink.seen {
			if seen.value == 250 {
				t.Fatal("a picture after a gap is seen")
			}
		}
	})
}

// TestLateRetransmission: while a packet is missing a keyframe is asked for, and whichever
// comes first ends the freeze; nothing that was held up is dropped.
func TestLateRetransmission(t *testing.T) {
	const rate, hole = 25, 50
	for _, test := range []struct {
		name     string
		rtt      time.Duration
		resent   int             // after how many pictures; 0: never
		answered int             // the same, of the keyframe
		frozen   int             // pictures
		asked    []time.Duration // on a picture
	}{
		{"resent soon", 0, 4, 0, 4, nil},
		{"resent late", 0, 20, 0, 20, []time.Duration{200 * time.Millisecond, 520 * time.Millisecond}},
		{"keyframe", 0, 0, 7, 7, []time.Duration{200 * time.Millisecond}},
		{"long way", 120 * time.Millisecond, 0, 14, 14, []time.Duration{440 * time.Millisecond}},
	} {
		t.Run(test.name, func(t *testing.T) {
			run(t, func(t *testing.T, e *Engine) {
				var asked []time.Duration
				var lost time.Time
				c := newCamera(e, "s", func(int) {
					if !lost.IsZero() {
						asked = append(asked, time.Since(lost).Round(40*time.Millisecond))
					}
				}, func() (time.Duration, bool) { return 0, false })
				defer c.close()
				c.show(true)
				v := c.newView()
				v.Sequence()
				c.layers.all[0].rtt = test.rtt
				sequence, frozen, longest, newest := uint16(0), 0, 0, uint64(0)
				var missing h264.Packet
				for n := range 2 * hole {
					payloads := fakeAU(640, 360, byte(n), n == 0 || test.answered > 0 && n == hole+test.answered)
					for i, payload := range payloads {
						pkt := h264.Packet{SSRC: 1, Sequence: sequence, Timestamp: uint32(n) * 3600, Marker: i == len(payloads)-1, Payload: payload}
						sequence++
						if n == hole {
							missing, lost = pkt, time.Now().Add(40*time.Millisecond) // when it is noticed
							continue
						}
						c.push(0, pkt)
					}
					if test.resent > 0 && n == hole+test.resent {
						c.push(0, missing)
					}
					v.Sequence()
					synctest.Wait() // for the pool
					shown := v.Sequence()
					if frozen++; shown != newest {
						newest, frozen = shown, 0
					}
					longest = max(longest, frozen)
					time.Sleep(time.Second / rate)
				}
				if longest != test.frozen {
					t.Errorf("frozen for %d pictures, want %d", longest, test.frozen)
				}
				if !slices.Equal(asked, test.asked) {
					t.Errorf("keyframes are asked for after %v, want %v", asked, test.asked)
				}
				if m := e.Metrics(); test.resent > 0 && m.FramesDecoded.Load() != 2*hole {
					t.Errorf("%d pictures of %d decoded, %d dropped", m.FramesDecoded.Load(), 2*hole, m.FramesDropped.Load())
				}
			})
		})
	}
}

// TestDeadWhileWaiting: a publisher that falls silent after a loss is dead after the usual
// time, whatever is waited for.
func TestDeadWhileWaiting(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		c := newCamera(e, "s", func(int) {}, func() (time.Duration, bool) { return 0, false })
		defer c.close()
		c.show(true)
		v := c.newView()
		v.Sequence()
		sequence := uint16(0)
		for n := range 4 {
			for _, payload := range fakeAU(640, 360, byte(n), n == 0) {
				if n != 2 {
					c.push(0, h264.Packet{SSRC: 1, Sequence: sequence, Timestamp: uint32(n) * 3600, Marker: payload[0]&31 < 6, Payload: payload})
				}
				sequence++
			}
			v.Sequence()
		}
		if time.Sleep(cameraStale); v.Sequence() == 0 {
			t.Error("dead too early")
		}
		if time.Sleep(time.Millisecond); v.Sequence() != 0 {
			t.Error("not dead")
		}
	})
}

// TestSizeChanges: a stream that changes its size all the time makes few decoders.
func TestSizeChanges(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		addVideoRoom(t, e, "r", 640, 360)
		addStream(t, e, "r", "s")
		sink := watch(t, e, "r", 1)
		codecs := e.codecs.(*fakeCodecs)
		simulcast(t, e, "s", [][2]int{{640, 360}}, func(_, n int, _ [][]byte) [][]byte {
			size := threeLayers[n%2]
			return fakeAU(size[0], size[1], 50, true)
		})
		time.Sleep(20 * time.Second)
		codecs.mu.Lock()
		defer codecs.mu.Unlock()
		if n := codecs.videoDecoders; n < 10 || n > 1+resizes+10 {
			t.Errorf("%d decoders made in 20 s", n)
		}
		if v := sink.newest(); v != 50 {
			t.Errorf("luma is %d", v)
		}
	})
}

// TestFewSizeChanges: a stream that changes its size now and then is shown at once.
func TestFewSizeChanges(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		addVideoRoom(t, e, "r", 640, 360)
		addStream(t, e, "r", "s")
		watch(t, e, "r", 1)
		s := simulcast(t, e, "s", threeLayers[:1], nil)
		time.Sleep(time.Second)
		asked := len(s.requests())
		for _, gap := range []time.Duration{200, 600, 5000, 200, 200} {
			s.set(func() {
				s.sizes[0] = threeLayers[1+slices.Index(threeLayers, s.sizes[0])%2]
				s.wanted[0] = true
			})
			before := e.Metrics().FramesDecoded.Load()
			time.Sleep(gap * time.Millisecond)
			if n, want := e.Metrics().FramesDecoded.Load()-before, uint64(gap/40)-2; n < want {
				t.Errorf("%d pictures decoded in %d ms after a change, want %d", n, gap, want)
			}
		}
		if n := len(s.requests()) - asked; n != 0 {
			t.Errorf("%d keyframes asked for", n)
		}
	})
}

// TestLayerDies: when the layer that is shown ends, another one is shown as soon as that is
// noticed, however short ago the layer was taken.
func TestLayerDies(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		addVideoRoom(t, e, "r", 1280, 720)
		addStream(t, e, "r", "s")
		s := simulcast(t, e, "s", threeLayers, nil)
		sink := watch(t, e, "r", 1)
		shown := func(value byte) {
			t.Helper()
			for begin := time.Now(); sink.newest() != value; time.Sleep(10 * time.Millisecond) {
				if time.Since(begin) > 10*time.Second {
					t.Fatalf("luma is %d, want %d", sink.newest(), value)
				}
			}
		}
		s.set(func() { s.off[2] = true })
		time.Sleep(5 * time.Second)
		s.set(func() { s.off[2] = false })
		shown(150)
		s.set(func() { s.off[2] = true })
		sink.forget()
		time.Sleep(layerTimeout + chooseEvery + 100*time.Millisecond)
		if v := sink.newest(); v != 100 {
			t.Errorf("luma is %d %v after the layer's end", v, layerTimeout+chooseEvery)
		}
	})
}

// TestTarget: what is asked of a publisher follows the size of the cell.
func TestTarget(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		addVideoRoom(t, e, "r", 1280, 720)
		addStream(t, e, "r", "s0")
		s := simulcast(t, e, "s0", [][2]int{{640, 360}}, nil)
		if got := s.VideoTarget(); got != minTarget {
			t.Errorf("without a viewer: %d", got)
		}
		watch(t, e, "r", 1)
		last := 0
		for i, n := range []int{16, 9, 4, 1} {
			for len(e.streams) > n {
				if _, err := e.RemoveStream("r", fmt.Sprintf("s%d", len(e.streams)-1)); err != nil {
					t.Fatal(err)
				}
			}
			for len(e.streams) < n {
				addStream(t, e, "r", fmt.Sprintf("s%d", len(e.streams)))
			}
			time.Sleep(time.Second)
			got := s.VideoTarget()
			if got < minTarget || got < last*3/2 && i > 0 || got > 4_000_000 {
				t.Errorf("one of %d: %d, one of more: %d", n, got, last)
			}
			last = got
		}
		if _, err := e.SetMuted("r", "s0", 1, true); err != nil {
			t.Fatal(err)
		}
		if got := s.VideoTarget(); got != minTarget {
			t.Errorf("muted: %d", got)
		}
	})
}

// TestTargetOfShape: what is asked of a publisher is for the size at which the whole picture
// would be shown, also where that is another one than the cell's.
func TestTargetOfShape(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		addVideoRoom(t, e, "r", 1280, 720)
		addStream(t, e, "r", "s")
		s := simulcast(t, e, "s", [][2]int{{320, 180}}, nil)
		watch(t, e, "r", 1)
		for _, tt := range []struct {
			cell      room.LookCell
			letterbox [2]int
			crop      [2]int
		}{
			{room.LookCell{Width: 1, Height: 1}, [2]int{1280, 720}, [2]int{1280, 720}},
			{room.LookCell{Width: 0.5, Height: 1}, [2]int{640, 360}, [2]int{1280, 720}},
			{room.LookCell{Width: 1, Height: 0.5}, [2]int{640, 360}, [2]int{1280, 720}},
		} {
			for fit, size := range map[string][2]int{"letterbox": tt.letterbox, "crop": tt.crop} {
				if _, err := e.SetLook("r", func(l *room.Look) error {
					l.Layout, l.Cells, l.Fit = "custom", []room.LookCell{tt.cell}, fit
					return nil
				}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				if got, want := s.VideoTarget(), size[0]*size[1]*targetRate*targetPerMill/1000; got != want {
					t.Errorf("%s in %+v: %d, want %d", fit, tt.cell, got, want)
				}
			}
		}
	})
}

// TestPushAllocatesNothing: neither a packet of the layer that is taken, nor one of another.
func TestPushAllocatesNothing(t *testing.T) {
	e := New(Config{Codecs: &fakeCodecs{}})
	defer e.Close()
	c := newCamera(e, "s", func(int) {}, func() (time.Duration, bool) { return 0, false })
	defer c.close()
	c.show(true)
	c.newView().Sequence()
	for range cap(e.decodes) { // so that nothing is decoded, which is not what is measured
		e.decodes <- struct{}{}
		defer func() { <-e.decodes }()
	}
	var sequences [2]uint16
	n := uint32(0)
	payloads := fakeAU(640, 360, 1, true)
	push := func(layer int) {
		n++
		for i, payload := range payloads {
			c.push(layer, h264.Packet{SSRC: uint32(layer), Sequence: sequences[layer], Timestamp: n * 3000, Marker: i == len(payloads)-1, Payload: payload})
			sequences[layer]++
		}
	}
	for layer := range 2 {
		for range 4 * maxUnits {
			push(layer)
		}
		if n := testing.AllocsPerRun(1000, func() { push(layer) }); n != 0 {
			t.Errorf("layer %d: %v allocations for a picture", layer, n)
		}
	}
}
