package engine

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sectile/engine/room"
)

// run runs f with an engine in a bubble of virtual time, closes the engine, and checks
// that no codec is left. The bubble checks that no goroutine is left.
func run(t *testing.T, f func(t *testing.T, e *Engine)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		codecs := &fakeCodecs{}
		e := New(Config{Codecs: codecs})
		defer func() {
			e.Close()
			if n := codecs.Open(); n != 0 {
				t.Errorf("%d codecs left open", n)
			}
		}()
		time.Sleep(5 * time.Millisecond) // whole ticks later is then between two of them
		f(t, e)
	})
}

// addRoom adds a room without a gate: it would take constants of small numbers for noise.
func addRoom(t *testing.T, e *Engine, name string) {
	t.Helper()
	o := room.DefaultOptions()
	o.Gate = room.GateOff
	if err := e.AddRoom(name, o); err != nil {
		t.Fatal(err)
	}
}

// settled is how long it takes until all is heard: jitter buffers are full by then.
const settled = 500 * time.Millisecond

func TestEverybodyHearsEverybodyElse(t *testing.T) {
	for _, n := range []int{1, 2, 5, 50} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			run(t, func(t *testing.T, e *Engine) {
				addRoom(t, e, "r")
				all, _ := hear(t, e, "r", 1)
				var ears []*ear
				total := 0
				for i := range n {
					name := fmt.Sprintf("s%d", i)
					if track := addStream(t, e, "r", name); track != i+2 {
						t.Fatalf("track %d, want %d", track, i+2)
					}
					sink, _ := hear(t, e, "r", i+2)
					ears = append(ears, sink)
					talk(t, e, name, int16(i+1))
					total += i + 1
				}
				time.Sleep(settled)
				if got := all.last(1); !slices.Equal(got, []int16{int16(total)}) {
					t.Errorf("all hears %v, want %d", got, total)
				}
				for i, sink := range ears {
					if got := sink.last(1); !slices.Equal(got, []int16{int16(total - i - 1)}) {
						t.Errorf("s%d hears %v, want %d", i, got, total-i-1)
					}
				}
			})
		})
	}
}

// TestLimitsOnce: the sum is never clipped before the subtraction, nor wraps; each mix is
// limited by itself.
func TestLimitsOnce(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		addRoom(t, e, "r")
		values := []int16{30000, 30000, -20000}
		want := []int16{10000, 10000, 29204} // 60000 is held at -1 dBFS
		var ears []*ear
		for i, v := range values {
			name := fmt.Sprintf("s%d", i)
			sink, _ := hear(t, e, "r", addStream(t, e, "r", name))
			ears = append(ears, sink)
			talk(t, e, name, v)
		}
		all, _ := hear(t, e, "r", 1)
		time.Sleep(settled)
		for i, sink := range ears {
			if got := sink.last(1); !slices.Equal(got, want[i:i+1]) {
				t.Errorf("s%d hears %v, want %d", i, got, want[i])
			}
		}
		if got := all.last(1); !slices.Equal(got, []int16{29204}) {
			t.Errorf("all hears %v, want 29204", got)
		}
		before := e.Metrics().Limited.Load()
		time.Sleep(time.Second)
		if d := time.Duration(e.Metrics().Limited.Load() - before); d != 2*time.Second {
			t.Errorf("%v counted in a second in which two mixes are limited", d)
		}
	})
}

// TestEncodesPerTick: whoever adds nothing shares the encode of all.
func TestEncodesPerTick(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		addRoom(t, e, "r")
		hear(t, e, "r", 1)
		for i := range 10 {
			name := fmt.Sprintf("s%d", i)
			hear(t, e, "r", addStream(t, e, "r", name))
			tk := talk(t, e, name, 1000)
			tk.setSilent(i >= 2)
		}
		time.Sleep(settled)
		m := e.Metrics()
		shared, private := m.EncodesShared.Load(), m.EncodesPrivate.Load()
		time.Sleep(time.Second)
		if n := m.EncodesShared.Load() - shared; n != 50 {
			t.Errorf("%d shared encodes in 50 ticks", n)
		}
		if n := m.EncodesPrivate.Load() - private; n != 100 {
			t.Errorf("%d private encodes for 2 talkers in 50 ticks", n)
		}
	})
}

// TestTimestampsGoOn: a track's timestamps advance by one frame a packet, also when its
// listener starts and stops talking and when the listener is moved to another track.
func TestTimestampsGoOn(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		addRoom(t, e, "r")
		other := addStream(t, e, "r", "other")
		talk(t, e, "other", 7)
		sink, sub := hear(t, e, "r", addStream(t, e, "r", "me"))
		me := talk(t, e, "me", 5)
		for _, step := range []func(){
			func() {}, func() { me.setSilent(true) }, func() { me.setSilent(false) },
			func() { must(t, sub.SetTracks(room.Tracks{Audio: 1})) },
			func() { must(t, sub.SetTracks(room.Tracks{Audio: other})) },
		} {
			step()
			time.Sleep(2 * time.Second)
		}
		if got := sink.last(1); !slices.Equal(got, []int16{5}) {
			t.Errorf("on the other's track: heard %v, want 5", got)
		}
		if len(sink.timestamps) < 490 {
			t.Errorf("%d packets in 10 s", len(sink.timestamps))
		}
		for i, ts := range sink.timestamps[1:] {
			if ts-sink.timestamps[i] != 960 {
				t.Fatalf("packet %d is %d after the one before", i+1, ts-sink.timestamps[i])
			}
		}
		if err := sub.SetTracks(room.Tracks{Audio: 99}); !errors.Is(err, room.ErrNotFound) {
			t.Errorf("unknown track: %v", err)
		}
	})
}

func TestMuteAudio(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		addRoom(t, e, "r")
		track := addStream(t, e, "r", "s")
		talk(t, e, "s", 9000)
		all, _ := hear(t, e, "r", 1)
		for _, step := range []struct {
			muted bool
			want  int16
		}{{false, 9000}, {true, 0}, {false, 9000}} {
			if got, err := e.SetMuted("r", "s", room.Audio, step.muted); err != nil || got != track {
				t.Fatalf("SetMuted = %d, %v", got, err)
			}
			time.Sleep(2 * time.Second)
			if got := all.last(1); !slices.Equal(got, []int16{step.want}) {
				t.Errorf("muted %v: heard %v, want %d", step.muted, got, step.want)
			}
			s, err := e.RoomStats("r")
			must(t, err)
			if talking := len(s.Talking) == 1; talking == step.muted {
				t.Errorf("muted %v: talking %v", step.muted, s.Talking)
			}
		}
	})
}

// TestIdleRoomsCostNothing: no publication or no player, no tick.
func TestIdleRoomsCostNothing(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		for i := range 1000 {
			addRoom(t, e, fmt.Sprintf("r%d", i))
		}
		addStream(t, e, "r0", "s")
		hear(t, e, "r0", 1)
		ticks := func() uint64 { n, _, _ := e.Metrics().TickDuration.Snapshot(); return n }
		time.Sleep(time.Second)
		if n := ticks(); n != 0 {
			t.Errorf("%d ticks without a publication", n)
		}
		addStream(t, e, "r1", "t")
		tk := talk(t, e, "t", 1000)
		time.Sleep(time.Second)
		if n := ticks(); n != 0 {
			t.Errorf("%d ticks without a player", n)
		}
		if n := e.Metrics().Jitter.Normal.Load(); n != 0 {
			t.Errorf("%d packets decoded without a player", n)
		}
		sink, sub := hear(t, e, "r1", 1)
		time.Sleep(time.Second)
		if n := ticks(); n != 50 {
			t.Errorf("%d ticks in a second of one room", n)
		}
		if got := sink.last(1); !slices.Equal(got, []int16{1000}) {
			t.Errorf("heard %v after the pause", got)
		}
		sub.Close()
		time.Sleep(time.Second)
		before := ticks()
		time.Sleep(time.Second)
		if n := ticks() - before; n != 0 {
			t.Errorf("%d ticks after the last player left", n)
		}
		if s, err := e.RoomStats("r1"); err != nil || len(s.Talking) != 0 {
			t.Errorf("%v talk in a room that is parked", s.Talking)
		}
		hear(t, e, "r1", 1)
		time.Sleep(time.Second)
		tk.Close()
		time.Sleep(time.Second)
		before = ticks()
		time.Sleep(time.Second)
		if n := ticks() - before; n != 0 {
			t.Errorf("%d ticks after the last publication ended", n)
		}
	})
}

func TestTakeOver(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		addRoom(t, e, "r")
		addStream(t, e, "r", "s")
		all, _ := hear(t, e, "r", 1)
		first := talk(t, e, "s", 100)
		time.Sleep(settled)
		talk(t, e, "s", 200)
		time.Sleep(settled)
		if !errors.Is(first.reason(), ErrTakenOver) {
			t.Errorf("first publisher: %v", first.reason())
		}
		if got := all.last(1); !slices.Equal(got, []int16{200}) {
			t.Errorf("heard %v, want the second publisher only", got)
		}
		first.Close() // late: must not end the second
		time.Sleep(settled)
		if got := all.last(1); !slices.Equal(got, []int16{200}) {
			t.Errorf("heard %v after the first closed", got)
		}
	})
}

func TestRemoveStream(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		addRoom(t, e, "r")
		a, b := addStream(t, e, "r", "a"), addStream(t, e, "r", "b")
		earA, _ := hear(t, e, "r", a)
		earB, subB := hear(t, e, "r", b)
		pubA, pubB := talk(t, e, "a", 100), talk(t, e, "b", 200)
		time.Sleep(settled)
		if track, err := e.RemoveStream("r", "a"); err != nil || track != a {
			t.Fatalf("RemoveStream = %d, %v", track, err)
		}
		if pubA.reason() == nil || earA.reason() == nil {
			t.Errorf("publisher: %v, player of its track: %v; want both ended", pubA.reason(), earA.reason())
		}
		if pubB.reason() != nil || earB.reason() != nil {
			t.Errorf("others ended: %v, %v", pubB.reason(), earB.reason())
		}
		if _, err := e.Publish("a", &talker{}); !errors.Is(err, room.ErrNotFound) {
			t.Errorf("publish a removed stream: %v", err)
		}
		if track := addStream(t, e, "r", "a"); track != b+1 {
			t.Errorf("added again on track %d, want a new one", track)
		}
		heard := len(earB.last(1 << 20))
		subB.Close()
		time.Sleep(settled)
		if n := len(earB.last(1 << 20)); n != heard {
			t.Errorf("%d packets after Close", n-heard)
		}
	})
}

func TestStreamInTwoRooms(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		addRoom(t, e, "r")
		o := room.DefaultOptions()
		o.SampleRate, o.Samples = 16000, 640
		must(t, e.AddRoom("slow", o))
		addStream(t, e, "r", "s")
		pub := talk(t, e, "s", 300)
		addStream(t, e, "slow", "s") // while it publishes
		inR, _ := hear(t, e, "r", 1)
		time.Sleep(settled)
		if _, err := e.RemoveStream("slow", "s"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(settled)
		if got := inR.last(1); !slices.Equal(got, []int16{300}) || pub.reason() != nil {
			t.Errorf("after leaving one room the other hears %v, publisher %v", got, pub.reason())
		}
		must(t, e.RemoveRoom("r"))
		if pub.reason() == nil || inR.reason() == nil {
			t.Error("removing the last room left its sessions")
		}
	})
}

func TestDeclaredStreamOutlivesRooms(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		must(t, e.Declare("cam"))
		talk(t, e, "cam", 1)
		addRoom(t, e, "r")
		addStream(t, e, "r", "cam")
		must(t, e.RemoveRoom("r"))
		if !e.HasStream("cam") {
			t.Error("a declared stream went with its room")
		}
		talk(t, e, "cam", 1)
	})
}

// TestGate: noise is left out of the mix, and whoever makes it shares the encode of all;
// talk goes in, and so does noise without a gate.
func TestGate(t *testing.T) {
	for _, gate := range []room.Gate{room.GateOn, room.GateOff} {
		run(t, func(t *testing.T, e *Engine) {
			o := room.DefaultOptions()
			o.Gate = gate
			must(t, e.AddRoom("r", o))
			all, _ := hear(t, e, "r", 1)
			for i, v := range []int16{5000, 30, 40} {
				name := fmt.Sprintf("s%d", i)
				hear(t, e, "r", addStream(t, e, "r", name))
				talk(t, e, name, v)
			}
			time.Sleep(settled)
			m := e.Metrics()
			shared, private := m.EncodesShared.Load(), m.EncodesPrivate.Load()
			time.Sleep(time.Second)
			heard, want := int16(5000), uint64(0) // the talker hears silence
			if gate == room.GateOff {
				heard, want = 5070, 150
			}
			if got := all.last(1); !slices.Equal(got, []int16{heard}) {
				t.Errorf("gate %v: all hears %v, want %d", gate, got, heard)
			}
			if n := m.EncodesPrivate.Load() - private; n != want {
				t.Errorf("gate %v: %d private encodes in 50 ticks, want %d", gate, n, want)
			}
			if n := m.EncodesShared.Load() - shared; n != 50 {
				t.Errorf("gate %v: %d shared encodes in 50 ticks", gate, n)
			}
			s, err := e.RoomStats("r")
			must(t, err)
			if !slices.Equal(s.Talking, []string{"s0"}) {
				t.Errorf("gate %v: %v talk", gate, s.Talking)
			}
		})
	}
}

// TestSilenceIsNotEncoded: neither where nobody adds anything nor for who talks alone.
func TestSilenceIsNotEncoded(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		addRoom(t, e, "r")
		all, _ := hear(t, e, "r", 1)
		own, _ := hear(t, e, "r", addStream(t, e, "r", "s"))
		tk := talk(t, e, "s", 1000)
		m := e.Metrics()
		for _, step := range []struct {
			silent                   bool
			shared, private, silence uint64
		}{{true, 0, 0, 50}, {false, 50, 0, 50}, {true, 0, 0, 50}} {
			tk.setSilent(step.silent)
			time.Sleep(2 * time.Second)
			shared, private, silence := m.EncodesShared.Load(), m.EncodesPrivate.Load(), m.SilencePackets.Load()
			packets := len(all.last(1<<20)) + len(own.last(1<<20))
			time.Sleep(time.Second)
			shared, private, silence = m.EncodesShared.Load()-shared, m.EncodesPrivate.Load()-private, m.SilencePackets.Load()-silence
			if shared != step.shared || private != step.private || silence != step.silence {
				t.Errorf("silent %v: %d shared and %d private encodes, %d packets of silence; want %d, %d, %d",
					step.silent, shared, private, silence, step.shared, step.private, step.silence)
			}
			if n := len(all.last(1<<20)) + len(own.last(1<<20)) - packets; n != 100 {
				t.Errorf("silent %v: %d packets in 50 ticks to two players", step.silent, n)
			}
			want := int16(1000)
			if step.silent {
				want = 0
			}
			if a, o := all.last(1), own.last(1); !slices.Equal(a, []int16{want}) || !slices.Equal(o, []int16{0}) {
				t.Errorf("silent %v: all hears %v, s %v", step.silent, a, o)
			}
		}
	})
}

// TestSetGain: a gain goes into all mixes but the stream's own, exactly; whether the stream
// talks does not depend on it, and it outlives a restart.
func TestSetGain(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		must(t, e.AddRoom("r", room.DefaultOptions())) // with a gate
		a, b := addStream(t, e, "r", "a"), addStream(t, e, "r", "b")
		all, _ := hear(t, e, "r", 1)
		earA, _ := hear(t, e, "r", a)
		earB, _ := hear(t, e, "r", b)
		talk(t, e, "a", 2000)
		talk(t, e, "b", 3000)
		for _, step := range []struct {
			dB   float64
			want int16
		}{{0, 2000}, {-6.0206, 1000}, {20, 20000}, {-60, 2}, {0, 2000}} {
			if track, err := e.SetGain("r", "a", step.dB); err != nil || track != a {
				t.Fatalf("SetGain = %d, %v", track, err)
			}
			time.Sleep(settled)
			if got := [][]int16{all.last(1), earA.last(1), earB.last(1)}; !slices.EqualFunc(got, []int16{3000 + step.want, 3000, step.want},
				func(g []int16, w int16) bool { return slices.Equal(g, []int16{w}) }) {
				t.Errorf("%v dB: all, a and b hear %v, want %d, 3000, %d", step.dB, got, 3000+step.want, step.want)
			}
			s, err := e.RoomStats("r")
			must(t, err)
			if len(s.Talking) != 2 || s.Gains["a"] != step.dB || (len(s.Gains) == 1) != (step.dB != 0) {
				t.Errorf("%v dB: talking %v, gains %v", step.dB, s.Talking, s.Gains)
			}
		}
		_, err := e.SetGain("r", "b", -12)
		must(t, err)
		saved := e.Save()
		must(t, e.RemoveRoom("r"))
		must(t, e.Restore(saved))
		s, err := e.RoomStats("r")
		must(t, err)
		if len(s.Gains) != 1 || s.Gains["b"] != -12 {
			t.Errorf("restored gains %v", s.Gains)
		}
		for _, dB := range []float64{-60.1, 20.1, math.NaN(), math.Inf(1)} {
			if _, err := e.SetGain("r", "b", dB); err == nil {
				t.Errorf("%v dB is accepted", dB)
			}
		}
		if _, err := e.SetGain("r", "nobody", 1); !errors.Is(err, room.ErrNotFound) {
			t.Errorf("gain of nobody: %v", err)
		}
	})
}

// TestReportLoss: an encoder expects the worst of who has it alone, and what more than a
// quarter of those lose who share it; it rises at once and falls slowly.
func TestReportLoss(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		codecs := e.codecs.(*fakeCodecs)
		addRoom(t, e, "r")
		addStream(t, e, "r", "other")
		talk(t, e, "other", 2000)
		_, own := hear(t, e, "r", addStream(t, e, "r", "me"))
		talk(t, e, "me", 1000)
		var all []*room.Subscription
		for range 7 {
			_, s := hear(t, e, "r", 1)
			all = append(all, s)
		}
		told := func(when string, want ...int) {
			t.Helper()
			time.Sleep(settled)
			codecs.mu.Lock()
			defer codecs.mu.Unlock()
			if !slices.Equal(codecs.losses, want) {
				t.Errorf("%s: encoders were told %v, want %v", when, codecs.losses, want)
			}
			codecs.losses = nil
		}
		told("no report")
		own.ReportLoss(0.3)
		told("who listens alone reports 30 %", 20)
		all[0].ReportLoss(0.12)
		told("two of eight report 12 % or more")
		all[1].ReportLoss(0.13)
		told("three of eight do", 10)
		all[1].Close()
		told("two of seven do")
		all[0].Close()
		told("one of six does", 0)
		for range 7 {
			own.ReportLoss(0)
		}
		told("seven reports of none", 10)
		for range 60 {
			own.ReportLoss(math.NaN())
		}
		told("many", 0)
	})
}

func TestRoomErrors(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		addRoom(t, e, "r")
		addRoom(t, e, "r") // equal settings
		o := room.DefaultOptions()
		o.Bitrate = 32
		for name, err := range map[string]error{
			"other settings": e.AddRoom("r", o),
		} {
			if !errors.Is(err, room.ErrConflict) {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, streamErr := e.RemoveStream("r", "nobody")
		_, muteErr := e.SetMuted("r", "nobody", room.Audio, true)
		_, roomErr := e.AddStream("nowhere", "s")
		_, playErr := e.Subscribe("nowhere", room.Tracks{Audio: 1}, &ear{})
		_, trackErr := e.Subscribe("r", room.Tracks{Audio: 2}, &ear{})
		_, videoErr := e.Subscribe("r", room.Tracks{Video: true}, &ear{})
		for i, err := range []error{e.RemoveRoom("nowhere"), streamErr, muteErr, roomErr, playErr, trackErr, videoErr} {
			if !errors.Is(err, room.ErrNotFound) {
				t.Errorf("error %d: %v", i, err)
			}
		}
		if err := e.AddRoom("../x", room.DefaultOptions()); err == nil {
			t.Error("a bad name is accepted")
		}
		if e.HasStream("s") {
			t.Error("a failed add_stream left a stream")
		}
	})
}

func TestSaveRestore(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		addRoom(t, e, "r")
		addStream(t, e, "r", "a")
		b := addStream(t, e, "r", "b")
		_, err := e.SetMuted("r", "b", room.Audio, true)
		must(t, err)
		c := addStream(t, e, "r", "c")
		_, err = e.RemoveStream("r", "c")
		must(t, err)
		saved := e.Save()
		must(t, e.RemoveRoom("r"))
		must(t, e.Restore(saved))
		if again := e.Save(); !slices.EqualFunc(again, saved, func(x, y room.Saved) bool { return fmt.Sprint(x) == fmt.Sprint(y) }) {
			t.Errorf("restored %v, want %v", again, saved)
		}
		if track := addStream(t, e, "r", "b"); track != b {
			t.Errorf("restored on track %d, was %d", track, b)
		}
		if track := addStream(t, e, "r", "d"); track != c+1 {
			t.Errorf("new stream on track %d, want %d: numbers are never used twice", track, c+1)
		}
		talk(t, e, "a", 1)
	})
}

// TestAgainstModel runs random commands against a naive model of rooms and streams.
func TestAgainstModel(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		type naive struct {
			next    int
			streams []string
			tracks  map[string]int
		}
		model := map[string]*naive{}
		rng := rand.New(rand.NewPCG(1, 2))
		for step := range 3000 {
			r, s := fmt.Sprintf("r%d", rng.IntN(4)), fmt.Sprintf("s%d", rng.IntN(6))
			m := model[r]
			track, want := 0, 0
			var err error
			switch op := rng.IntN(10); {
			case op < 2:
				err = e.AddRoom(r, room.DefaultOptions())
				if m == nil {
					model[r] = &naive{next: 2, tracks: map[string]int{}}
				}
				m = model[r]
			case op < 3:
				err = e.RemoveRoom(r)
				delete(model, r)
			case op < 6:
				track, err = e.AddStream(r, s)
				if m != nil {
					if m.tracks[s] == 0 {
						m.tracks[s] = m.next
						m.next++
						m.streams = append(m.streams, s)
					}
					want = m.tracks[s]
				}
			case op < 8:
				track, err = e.RemoveStream(r, s)
				if m != nil && m.tracks[s] == 0 {
					m = nil // an error is due
				} else if m != nil {
					want = m.tracks[s]
					delete(m.tracks, s)
					m.streams = slices.DeleteFunc(m.streams, func(x string) bool { return x == s })
				}
			case op < 9:
				exists := false
				for _, other := range model {
					exists = exists || other.tracks[s] != 0
				}
				var p *Publication
				p, err = e.Publish(s, &talker{})
				m = nil
				if exists {
					m = &naive{}
				}
				if p != nil && rng.IntN(2) == 0 {
					p.Close()
				}
			default:
				track, err = e.SetMuted(r, s, room.Kind(rng.IntN(2)), rng.IntN(2) == 0)
				if m != nil {
					if want = m.tracks[s]; want == 0 {
						m = nil
					}
				}
			}
			if (err == nil) != (m != nil) || err != nil && !errors.Is(err, room.ErrNotFound) || track != want {
				t.Fatalf("step %d on %s, %s: track %d, error %v; model: track %d, found %v", step, r, s, track, err, want, m != nil)
			}
			for name, m := range model {
				if got, err := e.Streams(name); err != nil || !slices.Equal(got, m.streams) {
					t.Fatalf("step %d: %s has %v, %v; model: %v", step, name, got, err, m.streams)
				}
			}
			if len(e.RoomNames()) != len(model) {
				t.Fatalf("step %d: rooms %v; model has %d", step, e.RoomNames(), len(model))
			}
			time.Sleep(time.Millisecond)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
