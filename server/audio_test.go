package main

import (
	"fmt"
	"math"
	"testing"
	"time"

	"sectile/bench/client"
	"sectile/server/config"
)

// tones are no harmonics of each other.
var tones = []float64{397, 523, 701, 907, 1117, 1361}

const (
	present = -30.0 // dBFS: a tone that is heard is louder
	absent  = -50.0 // and one that is not heard is quieter
)

// hears checks what is in a mix: want[i] tells whether tones[i] must be.
func hears(p *client.Player, want []bool) (problem string) {
	pcm := p.Heard(2 * time.Second)
	if len(pcm) < 2*client.Rate*9/10 {
		return fmt.Sprintf("heard %d samples only", len(pcm))
	}
	for i, wanted := range want {
		switch level := client.ToneLevel(pcm, tones[i]); {
		case wanted && level < present:
			return fmt.Sprintf("tone %v Hz is missing: %.1f dBFS", tones[i], level)
		case !wanted && level > absent:
			return fmt.Sprintf("tone %v Hz is heard: %.1f dBFS", tones[i], level)
		}
	}
	return ""
}

// TestMixesByTone: with real Opus and WebRTC, all hears every talker, and every talker
// everybody else but never themself, whatever they send.
func TestMixesByTone(t *testing.T) {
	formats := []client.Media{
		{Packet: 20 * time.Millisecond},
		{Packet: 10 * time.Millisecond, Channels: 2},
		{Packet: 40 * time.Millisecond},
		{Packet: 60 * time.Millisecond, Channels: 2},
		{Packet: 20 * time.Millisecond, Channels: 2},
	}
	for _, n := range []int{2, 5} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			ts := start(t, config.Config{})
			ts.must("", "add_room", "r")
			var own []*client.Player
			for i := range n {
				name := fmt.Sprintf("s%d", i)
				track := ts.addStream("r", name)
				m := formats[i]
				m.Tone, m.Level = tones[i], -20
				ts.publish(name, m)
				own = append(own, ts.play("r", track))
			}
			all := ts.play("r", "")
			want := make([]bool, n)
			for i := range want {
				want[i] = true
			}
			eventually(t, 10*time.Second, func() string { return prefix("all", hears(all, want)) })
			for i, p := range own {
				want[i] = false
				eventually(t, 10*time.Second, func() string { return prefix(fmt.Sprintf("s%d", i), hears(p, want)) })
				want[i] = true
			}
			for i, p := range own {
				ts.unbroken(fmt.Sprintf("s%d", i), p)
			}
		})
	}
}

// TestFiftyParticipants: everybody publishes and plays; three talk.
func TestFiftyParticipants(t *testing.T) {
	ts := start(t, config.Config{})
	ts.must("", "add_room", "r")
	var own []*client.Player
	for i := range 50 {
		name := fmt.Sprintf("s%d", i)
		track := ts.addStream("r", name)
		m := client.Media{Tone: 2000, Level: -20}
		if i < 3 {
			m.Tone = tones[i]
		}
		p := ts.publish(name, m)
		p.SetSilent(i >= 3)
		own = append(own, ts.play("r", track))
	}
	for i, p := range own {
		want := []bool{i != 0, i != 1, i != 2}
		eventually(t, 20*time.Second, func() string { return prefix(fmt.Sprintf("s%d", i), hears(p, want)) })
	}
}

// TestSampleRates: every rate and packet size of a room carries sound.
func TestSampleRates(t *testing.T) {
	ts := start(t, config.Config{})
	for i, o := range []map[string]any{
		{"samplerate": 8000, "samples": 480, "bitrate": 12},   // 60 ms
		{"samplerate": 12000, "samples": 480, "bitrate": 20},  // 40 ms
		{"samplerate": 16000, "samples": 320, "bitrate": 24},  // 20 ms
		{"samplerate": 24000, "samples": 240, "bitrate": 48},  // 10 ms
		{"samplerate": 48000, "samples": 240, "bitrate": 128}, // 5 ms
		{"samplerate": 48000, "samples": 120, "bitrate": 128}, // 2.5 ms
	} {
		room := fmt.Sprintf("r%d", i)
		ts.addRoom(room, o)
		ts.addStream(room, "s"+room)
		ts.publish("s"+room, client.Media{Tone: 523, Level: -20})
		p := ts.play(room, "a1")
		eventually(t, 10*time.Second, func() string { return prefix(fmt.Sprint(o), hears(p, []bool{false, true})) })
		ts.unbroken(fmt.Sprint(o), p)
	}
}

func TestMuteAndSwitchTracks(t *testing.T) {
	ts := start(t, config.Config{})
	ts.must("", "add_room", "r")
	tracks := []string{ts.addStream("r", "s0"), ts.addStream("r", "s1")}
	ts.publish("s0", client.Media{Tone: tones[0], Level: -20})
	ts.publish("s1", client.Media{Tone: tones[1], Level: -20})
	p := ts.play("r", "a1")
	check := func(what string, want ...bool) {
		t.Helper()
		eventually(t, 10*time.Second, func() string { return prefix(what, hears(p, want)) })
	}
	check("all", true, true)
	ts.must("r", "mute-audio", "s0")
	check("s0 muted", false, true)
	ts.must("r", "unmute_audio", "s0")
	check("s0 unmuted", true, true)
	for i, track := range tracks {
		if err := p.RequestTracks(timeout(t), track); err != nil {
			t.Fatal(err)
		}
		check("on "+track, i != 0, i != 1)
	}
	if err := p.RequestTracks(timeout(t), "a9"); err == nil {
		t.Error("an unknown track is accepted")
	}
	ts.unbroken("player", p)
}

// TestSetGain: a gain is heard by everybody else, in dB; another one puts in its place.
func TestSetGain(t *testing.T) {
	ts := start(t, config.Config{})
	ts.must("", "add_room", "r")
	track := ts.addStream("r", "s0")
	ts.addStream("r", "s1")
	ts.publish("s0", client.Media{Tone: tones[0], Level: -20})
	ts.publish("s1", client.Media{Tone: tones[1], Level: -20})
	all, own := ts.play("r", "a1"), ts.play("r", track)
	for _, dB := range []float64{0, -20, 6, 0} {
		ts.must("r", "set_gain", "s0", dB)
		eventually(t, 10*time.Second, func() string {
			pcm := all.Heard(2 * time.Second)
			gained, other := client.ToneLevel(pcm, tones[0]), client.ToneLevel(pcm, tones[1])
			if math.Abs(gained+20-dB) > 1.5 || math.Abs(other+20) > 1.5 {
				return fmt.Sprintf("%v dB: all hears tones of %.1f and %.1f dBFS", dB, gained, other)
			}
			return ""
		})
		eventually(t, 10*time.Second, func() string { return prefix("s0", hears(own, []bool{false, true})) })
	}
}

// TestGate: a steady noise is not heard behind a gate, and what is said over it is; without
// a gate it is. In the noise is a faint tone of 397 Hz; another one is what is said.
func TestGate(t *testing.T) {
	ts := start(t, config.Config{})
	ts.must("", "add_room", "gated")
	ts.addRoom("open", map[string]any{"gate": "off"})
	for _, room := range []string{"gated", "open"} {
		ts.addStream(room, "fan")
		ts.addStream(room, "talker")
	}
	ts.publish("fan", client.Media{Tone: tones[0], Level: -44, Noise: -38})
	talker := ts.publish("talker", client.Media{Tone: tones[1], Level: -20})
	level := func(p *client.Player, i int) float64 { return client.ToneLevel(p.Heard(2*time.Second), tones[i]) }
	gated, open := ts.play("gated", "a1"), ts.play("open", "a1")
	check := func(silent bool) {
		t.Helper()
		talker.SetSilent(silent)
		eventually(t, 15*time.Second, func() string {
			fan, fanOpen, talk, talkOpen := level(gated, 0), level(open, 0), level(gated, 1), level(open, 1)
			if fan > -70 || math.Abs(fanOpen+44) > 3 || (talk < present) != silent || (talkOpen < present) != silent {
				return fmt.Sprintf("silent %v: the fan is heard at %.1f dBFS, without a gate at %.1f, the talker at %.1f and %.1f", silent, fan, fanOpen, talk, talkOpen)
			}
			return ""
		})
	}
	check(false)
	check(true)
	check(false)
}

// unbroken checks the RTP stream of a player's sound: no sequence number is missing, and
// no timestamp but where the server, on a busy machine, skipped a tick and counted it.
func (ts *testServer) unbroken(what string, p *client.Player) {
	ts.t.Helper()
	audio, _ := p.Flows()
	skipped := ts.srv.engine.Metrics().TicksSkipped.Load()
	if audio.Gaps > 0 || uint64(audio.Jumps) > skipped {
		ts.t.Errorf("%s: %d gaps and %d jumps in %d packets, with %d ticks skipped", what, audio.Gaps, audio.Jumps, audio.Packets, skipped)
	}
}

func prefix(what, problem string) string {
	if problem == "" {
		return ""
	}
	return what + ": " + problem
}
