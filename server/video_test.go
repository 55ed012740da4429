package main

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"sectile/asm/yuv"
	"sectile/bench/client"
	"sectile/engine/compose"
	"sectile/server/config"
)

// colours are far apart in luma or chroma.
var colours = []client.Colour{
	{Y: 81, U: 90, V: 240}, {Y: 145, U: 54, V: 34}, {Y: 41, U: 240, V: 110},
	{Y: 210, U: 16, V: 146}, {Y: 170, U: 166, V: 16}, {Y: 106, U: 202, V: 222},
}

// tolerance is how far the mean of a cell may be from what was sent, a channel.
const tolerance = 15

func near(a, b client.Colour) bool {
	d := func(x, y byte) int { return max(int(x)-int(y), int(y)-int(x)) }
	return d(a.Y, b.Y) <= tolerance && d(a.U, b.U) <= tolerance && d(a.V, b.V) <= tolerance
}

// middle is the mean colour of the middle quarter of a cell.
func middle(img *yuv.Image, r compose.Rect) client.Colour {
	return client.Mean(img, (r.X+r.W*3/8)&^1, (r.Y+r.H*3/8)&^1, r.W/4&^1, r.H/4&^1)
}

// shows checks the middle of every cell of a mosaic; nil is a cell that shows none of the
// colours, but a card.
func shows(img *yuv.Image, width, height int, want []*client.Colour) (problem string) {
	if img == nil {
		return "no picture"
	}
	if img.Width != width || img.Height != height {
		return fmt.Sprintf("picture of %d×%d, want %d×%d", img.Width, img.Height, width, height)
	}
	return showsIn(img, compose.Grid(len(want), width, height), want)
}

// showsIn is shows for any cells.
func showsIn(img *yuv.Image, cells []compose.Rect, want []*client.Colour) (problem string) {
	for i, r := range cells {
		got := middle(img, r)
		if want[i] != nil && !near(got, *want[i]) {
			return fmt.Sprintf("cell %d is %v, want %v", i, got, *want[i])
		}
		if want[i] == nil {
			for _, c := range colours {
				if near(got, c) {
					return fmt.Sprintf("cell %d is %v, want a card", i, got)
				}
			}
		}
	}
	return ""
}

func TestMosaicByColour(t *testing.T) {
	ts := start(t, config.Config{})
	const width, height = 640, 360
	ts.addRoom("r", map[string]any{"disable_video": false, "width": width, "height": height, "fps": 25, "video_bitrate": 1000})
	sizes := [][2]int{{640, 360}, {64, 64}, {320, 240}, {180, 320}, {1920, 1088}}
	var want []*client.Colour
	var pubs []*client.Publisher
	viewer := ts.play("r", "") // v1a1
	sees := func(what string) {
		t.Helper()
		eventually(t, 15*time.Second, func() string {
			img, _, _ := viewer.Seen()
			return prefix(what, shows(img, width, height, want))
		})
	}
	for i, size := range sizes {
		name := fmt.Sprintf("s%d", i)
		ts.addStream("r", name)
		pubs = append(pubs, ts.publish(name, client.Media{Tone: tones[i], Width: size[0], Height: size[1], Colour: colours[i]}))
		want = append(want, &colours[i])
		sees(fmt.Sprintf("%d cameras", i+1))
	}
	ts.addStream("r", "nobody")
	want = append(want, nil)
	sees("a stream without publication")

	ts.must("r", "mute_video", "s1")
	want[1] = nil
	sees("s1 muted")
	ts.must("r", "unmute_video", "s1")
	want[1] = &colours[1]
	sees("s1 unmuted")

	pubs[0].SetPicture(160, 120, colours[5]) // another size and colour in mid-stream
	want[0] = &colours[5]
	sees("s0 resized")

	ts.must("r", "remove_stream", "s2")
	want = append(want[:2], want[3:]...)
	sees("s2 removed")

	late := ts.play("r", "v1")
	eventually(t, 5*time.Second, func() string {
		img, _, _ := late.Seen()
		return prefix("late viewer", shows(img, width, height, want))
	})
	if audio, _ := late.Flows(); audio.Packets > 0 {
		t.Error("a player of v1 hears sound")
	}
	for _, p := range []*client.Player{viewer, late} {
		if _, video := p.Flows(); video.Gaps > 0 {
			t.Errorf("%d gaps in %d packets", video.Gaps, video.Packets)
		}
	}
}

// TestRenditionsByColour: every cell of the full and of the half picture shows its camera.
func TestRenditionsByColour(t *testing.T) {
	ts := start(t, config.Config{})
	const width, height = 640, 360
	ts.addRoom("r", map[string]any{"disable_video": false, "width": width, "height": height, "fps": 25, "video_bitrate": 1500})
	colours := colours[:4] // whose cells have the shape of their pictures
	var want []*client.Colour
	for i, c := range colours {
		name := fmt.Sprintf("s%d", i)
		ts.addStream("r", name)
		ts.publish(name, client.Media{Width: 320, Height: 180, Colour: c, Moving: 15, Bitrate: 1_000_000})
		want = append(want, &colours[i])
	}
	wide := ts.play("r", "v1")
	thin := ts.link()
	thin.Down.Rate = 700_000
	players := map[int]*client.Player{width: wide, width / 2: ts.playOver(thin, "r", "v1")}
	for w, p := range players {
		eventually(t, 15*time.Second, func() string {
			img, _, _ := p.Seen()
			return prefix(fmt.Sprint(w), shows(img, w, w*height/width, want))
		})
	}
	// In the half picture each goes on to move, and nothing is damaged.
	clocks := make([]map[int]bool, len(colours))
	for i := range clocks {
		clocks[i] = map[int]bool{}
	}
	var mu sync.Mutex
	var problem string
	players[width/2].Observe(client.Observer{Picture: func(_ uint32, img *yuv.Image) {
		mu.Lock()
		defer mu.Unlock()
		for i, r := range compose.Grid(len(colours), img.Width, img.Height) {
			seen := client.LookAt(img, r.X, r.Y, r.W, r.H)
			clocks[i][seen.Clock] = true
			if !near(seen.Colour, colours[i]) {
				problem = fmt.Sprintf("cell %d is %+v", i, seen)
			}
		}
	}})
	time.Sleep(4 * time.Second)
	mu.Lock()
	defer mu.Unlock()
	for i, c := range clocks {
		if len(c) < 10 {
			ts.failed("cell %d showed %d pictures in 4 s", i, len(c))
		}
	}
	if problem != "" {
		t.Error(problem)
	}
}

// TestSetLayout changes the layout while a player watches, who sees it.
func TestSetLayout(t *testing.T) {
	ts := start(t, config.Config{})
	const width, height = 640, 360
	ts.addRoom("r", map[string]any{"disable_video": false, "width": width, "height": height, "video_bitrate": 1000, "layout": "sidebar"})
	for i, tone := range []float64{0, 0, 523} { // s2 talks
		name := fmt.Sprintf("s%d", i)
		ts.addStream("r", name)
		ts.publish(name, client.Media{Tone: tone, Width: 320, Height: 180, Colour: colours[i]})
	}
	viewer := ts.play("r", "v1")
	sees := func(what string, cells []compose.Rect, who ...int) {
		t.Helper()
		var want []*client.Colour
		for _, i := range who {
			want = append(want, &colours[i])
		}
		eventually(t, 15*time.Second, func() string {
			img, _, _ := viewer.Seen()
			if img == nil || img.Width != width || img.Height != height {
				return what + ": no picture of the room's size"
			}
			return prefix(what, showsIn(img, cells, want))
		})
	}
	setLayout := func(layout, options string) {
		t.Helper()
		status, answer := ts.post("r", fmt.Appendf(nil, `{"command": "set_layout", "args": [%q], "options": {%s}}`, layout, options))
		if status != 200 || answer["layout"] != layout {
			t.Fatalf("set_layout %s: %d %v", layout, status, answer)
		}
	}
	sees("sidebar, s2 talks", compose.Sidebar.Cells(3, width, height, 0), 2, 0, 1)
	setLayout("speaker", "")
	sees("speaker", compose.Speaker.Cells(3, width, height, 0), 2, 0, 1)
	setLayout("pip", `"fit": "crop", "names": "off"`)
	sees("pip", compose.PiP.Cells(3, width, height, 0), 2, 0, 1)
	setLayout("grid", `"gap": 20, "background": "#ffffff"`)
	sees("grid", compose.Even.Cells(3, width, height, 20), 0, 1, 2)
	setLayout("custom", `"background": "#000000", "cells": [{"x": 0, "y": 0, "width": 0.5, "height": 0.5, "stream": "s1"}, {"x": 0.5, "y": 0.5, "width": 0.5, "height": 0.5}]`)
	sees("custom", []compose.Rect{{X: 0, Y: 0, W: 320, H: 180}, {X: 320, Y: 180, W: 320, H: 180}}, 1, 0)
	img, _, _ := viewer.Seen()
	if got := middle(img, compose.Rect{X: 320, Y: 0, W: 320, H: 180}); !near(got, client.Colour{Y: 16, U: 128, V: 128}) {
		t.Errorf("outside of the cells is %v, want black", got)
	}
	stats := ts.must("", "stats")["rooms"].([]any)[0].(map[string]any)
	if got := fmt.Sprint(stats["layout"], stats["not_shown"]); got != "custom[s2]" {
		t.Errorf("layout and not_shown are %s", got)
	}
	if _, video := viewer.Flows(); video.Gaps > 0 {
		t.Errorf("%d gaps in %d packets", video.Gaps, video.Packets)
	}
}

// TestKeyframesAreMerged: many viewers that join in one second cause few keyframes, and
// each sees the picture soon.
func TestKeyframesAreMerged(t *testing.T) {
	ts := start(t, config.Config{})
	ts.addRoom("r", map[string]any{"disable_video": false, "width": 320, "height": 180})
	ts.addStream("r", "s")
	ts.publish("s", client.Media{Width: 320, Height: 180, Colour: colours[0]})
	began := time.Now()
	var viewers []*client.Player
	for range 20 {
		viewers = append(viewers, ts.play("r", "v1"))
	}
	for i, viewer := range viewers {
		eventually(t, 10*time.Second, func() string {
			img, _, _ := viewer.Seen()
			return prefix(fmt.Sprintf("viewer %d", i), shows(img, 320, 180, []*client.Colour{&colours[0]}))
		})
	}
	keyframes := uint64(0)
	for i := range ts.srv.engine.Metrics().Keyframes {
		keyframes += ts.srv.engine.Metrics().Keyframes[i].Load()
	}
	switching := ts.play("r", "v1a1")
	eventually(t, 10*time.Second, func() string {
		img, _, _ := switching.Seen()
		return shows(img, 320, 180, []*client.Colour{&colours[0]})
	})
	time.Sleep(time.Second)
	_, _, before := switching.Seen()
	for _, track := range []string{"a2", "a1"} {
		if err := switching.RequestTracks(timeout(t), "v1", track); err != nil {
			t.Fatal(err)
		}
		time.Sleep(600 * time.Millisecond)
	}
	if _, _, after := switching.Seen(); after != before {
		t.Errorf("%d keyframes since another sound is played", after-before)
	}
	if limit := 2 + uint64(2*time.Since(began).Seconds()); keyframes > limit {
		t.Errorf("%d keyframes in %v for %d viewers, want at most %d", keyframes, time.Since(began), len(viewers), limit)
	}
}

// TestLossyLinks: with 5 % of the packets lost both ways, at the publisher and at the
// player, sound and picture are right, and what is lost of the picture is sent again.
func TestLossyLinks(t *testing.T) {
	ts := start(t, config.Config{})
	ts.addRoom("r", map[string]any{"disable_video": false, "width": 320, "height": 180})
	ts.addStream("r", "far")
	ts.addStream("r", "near")
	bad := ts.link()
	bad.Loss = 0.05
	ts.publishOver(bad, "far", client.Media{Tone: tones[0], Level: -20, Width: 320, Height: 180, Colour: colours[0]})
	near := ts.publish("near", client.Media{Tone: tones[1], Level: -20, Width: 320, Height: 180, Colour: colours[1]})
	players := []*client.Player{ts.play("r", ""), ts.playOver(bad, "r", "")}
	for i, p := range players {
		eventually(t, 20*time.Second, func() string {
			img, _, _ := p.Seen()
			if problem := shows(img, 320, 180, []*client.Colour{&colours[0], &colours[1]}); problem != "" {
				return prefix(fmt.Sprintf("player %d", i), problem)
			}
			return prefix(fmt.Sprintf("player %d", i), hears(p, []bool{true, true}))
		})
	}
	_, before, _ := players[1].Seen()
	_, clean, _ := players[0].Seen()
	for n := range 30 { // what does not change is not sent
		c := colours[1]
		c.Y += byte(20 * (n % 2))
		near.SetPicture(320, 180, c)
		time.Sleep(100 * time.Millisecond)
	}
	_, now, _ := players[1].Seen()
	_, all, _ := players[0].Seen()
	if all -= clean; all < 25 || now-before < all*8/10 {
		t.Errorf("the player behind loss saw %d pictures in 3 s, the other one %d", now-before, all)
	}
	if n := ts.srv.engine.Metrics().Jitter.Lost.Load(); n == 0 {
		t.Error("no lost packet counted")
	}
}

// TestSoundAndPictureShareAClock: the sender reports of both tracks place them on one
// timeline.
func TestSoundAndPictureShareAClock(t *testing.T) {
	ts := start(t, config.Config{})
	ts.addRoom("r", map[string]any{"disable_video": false, "width": 320, "height": 180})
	ts.addStream("r", "s")
	ts.publish("s", client.Media{Tone: 523, Width: 320, Height: 180, Colour: colours[0]})
	p := ts.play("r", "v1a1")
	// The time of RTP timestamp 0 by the newest report; both count from the same moment.
	eventually(t, 10*time.Second, func() string {
		audio, video := p.Flows()
		a, v := p.Reports(audio.SSRC), p.Reports(video.SSRC)
		if len(a) < 2 || len(v) < 2 {
			return fmt.Sprintf("%d reports of sound, %d of picture", len(a), len(v))
		}
		for _, r := range []struct {
			name  string
			clock float64
			rtp   uint32
			ntp   uint64
		}{
			{"sound", 48000, a[len(a)-1].RTPTime - a[0].RTPTime, a[len(a)-1].NTPTime - a[0].NTPTime},
			{"picture", 90000, v[len(v)-1].RTPTime - v[0].RTPTime, v[len(v)-1].NTPTime - v[0].NTPTime},
		} {
			wall, media := float64(r.ntp)/(1<<32), float64(r.rtp)/r.clock
			if d := wall - media; d > 0.01 || d < -0.01 {
				t.Fatalf("%s: %v s of media in %v s", r.name, media, wall)
			}
		}
		return ""
	})
}
