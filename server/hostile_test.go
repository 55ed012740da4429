package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"

	"sectile/bench/client"
	"sectile/server/config"
)

// TestHostilePublisher: whatever one publisher sends, the others are heard and seen.
func TestHostilePublisher(t *testing.T) {
	ts := start(t, config.Config{})
	ts.addRoom("r", map[string]any{"disable_video": false, "width": 320, "height": 180})
	for _, name := range []string{"good", "bad"} {
		ts.addStream("r", name)
	}
	ts.publish("good", client.Media{Tone: tones[1], Level: -20, Width: 320, Height: 180, Colour: colours[0]})
	viewer := ts.play("r", "")
	bad, err := ts.link().PublishRaw(timeout(t), "bad")
	if err != nil {
		t.Fatal(err)
	}
	fine := func(when string) {
		t.Helper()
		eventually(t, 10*time.Second, func() string {
			img, _, _ := viewer.Seen()
			if problem := shows(img, 320, 180, []*client.Colour{&colours[0], nil}); problem != "" {
				return when + ": " + problem
			}
			return prefix(when, hears(viewer, []bool{false, true}))
		})
	}
	fine("before")

	sps := []byte{0x67, 0x42, 0xe0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff} // endless Exp-Golomb
	idr := append([]byte{0x65}, bytes.Repeat([]byte{0xa5}, 300)...)
	video := [][]byte{
		{}, {0}, {0x00, 0x00, 0x01}, sps, {0x67}, {0x68}, idr, {0x1f}, {0x61, 0xff},
		{24}, {24, 0xff, 0xff, 0x65}, {24, 0, 0, 0, 0}, append([]byte{24, 0, 12}, sps...), // STAP-A whose sizes lie
		{28}, {28, 0x05}, {28, 0x45}, {28, 0x85, 1, 2, 3}, {28, 0xc5, 1, 2, 3}, // FU-A without a start, without an end, with both
		{25, 0, 0}, {26, 0, 0}, {27, 0, 0}, {29, 0x85, 0, 0}, {31}, // modes that nobody agreed on
	}
	audio := [][]byte{
		{}, {0xff}, {3}, {31<<3 | 3, 0}, {31<<3 | 3, 0xff, 0xff}, {31<<3 | 2, 255, 255, 1}, bytes.Repeat([]byte{0xff}, 1400),
		append([]byte{31 << 3}, bytes.Repeat([]byte{0x5a}, 200)...), // the right shape, random content
		append([]byte{1 << 3}, bytes.Repeat([]byte{0x01}, 50)...),
	}
	rng := rand.New(rand.NewPCG(3, 3))
	for i := range 3000 {
		header := rtp.Header{Version: 2, SequenceNumber: uint16(i), Timestamp: uint32(i) * 960, Marker: i%3 == 0}
		switch i % 500 {
		case 300:
			header.Timestamp = rng.Uint32() // jumps
		case 400:
			header.SequenceNumber = uint16(rng.Uint32())
		}
		random := make([]byte, rng.IntN(1100))
		for j := range random {
			random[j] = byte(rng.Uint32())
		}
		v, a := video[i%len(video)], audio[i%len(audio)]
		if i%4 == 0 {
			v, a = random, random
		}
		if err := bad.SendVideo(rtp.Packet{Header: header, Payload: v}); err != nil {
			t.Fatal(err)
		}
		if err := bad.SendAudio(rtp.Packet{Header: header, Payload: a}); err != nil {
			t.Fatal(err)
		}
		if i%10 == 0 {
			time.Sleep(10 * time.Millisecond)
		}
	}
	fine("after garbage")
	if err := bad.Vanish(); err != nil {
		t.Error(err)
	}
	// A new publisher takes over at once what the vanished one left.
	ts.publish("bad", client.Media{Tone: tones[2], Level: -20, Width: 320, Height: 180, Colour: colours[1]})
	eventually(t, 10*time.Second, func() string {
		img, _, _ := viewer.Seen()
		if problem := shows(img, 320, 180, []*client.Colour{&colours[0], &colours[1]}); problem != "" {
			return problem
		}
		return hears(viewer, []bool{false, true, true})
	})
}

// TestHostileRequests: no request ends the process, and each is answered with a refusal.
func TestHostileRequests(t *testing.T) {
	ts := start(t, config.Config{})
	ts.must("", "add_room", "r")
	ts.addStream("r", "s")
	api := "/flussonic/api/dynamic_mosaic/"
	for _, c := range []struct {
		method, path, contentType, body string
		want                            int
	}{
		{"POST", api, "", "", 400},
		{"POST", api, "", "{", 400},
		{"POST", api, "", `{"command": "add_room", "args": [{}]}`, 400},
		{"POST", api, "", `{"command": "format_disk", "args": []}`, 400},
		{"POST", api, "", strings.Repeat("[", 60000), 400},
		{"POST", api, "", strings.Repeat(" ", 70000), 413},
		{"POST", api, "", `{"command": "add_room", "args": ["../../etc/passwd"]}`, 400},
		{"POST", api, "", `{"command": "add_room", "args": ["x", "1e9"]}`, 400},
		{"POST", api + "nowhere", "", `{"command": "stat", "args": []}`, 404},
		{"GET", api, "", "", 405},
		{"POST", "/s/whip", "application/sdp", "", 400},
		{"POST", "/s/whip", "application/sdp", "v=0", 400},
		{"POST", "/s/whip", "application/sdp", strings.Repeat("a=x\r\n", 10000), 413},
		{"POST", "/s/whip", "text/plain", "v=0", 415},
		{"POST", "/nobody/whip", "application/sdp", "v=0\r\n", 404},
		{"POST", "/nowhere/whep", "application/sdp", "v=0\r\n", 404},
		{"PATCH", "/s/whip/nothing", "application/trickle-ice-sdpfrag", "a=x", 404},
		{"DELETE", "/r/whep/nothing", "", "", 404},
		{"PUT", "/r/sessions/nothing/request_tracks", "application/json", `{"tracks":["a1"]}`, 404},
		{"GET", "/nowhere/media_info.json", "", "", 404},
		{"GET", "/%2e%2e/%2e%2e/etc/passwd", "", "", 404},
	} {
		req, err := http.NewRequest(c.method, ts.base+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", c.contentType)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatalf("%s %s: %v", c.method, c.path, err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%s %s %.40q: status %d, want %d", c.method, c.path, c.body, resp.StatusCode, c.want)
		}
	}
	if count := ts.must("r", "stat")["count"]; count != 2.0 {
		t.Errorf("count is %v afterwards", count)
	}
}

// TestSessionsLeaveNothing: after many sessions have come and gone, no goroutine is left.
func TestSessionsLeaveNothing(t *testing.T) {
	ts := start(t, config.Config{})
	ts.addRoom("r", map[string]any{"disable_video": false, "width": 320, "height": 180})
	round := func() {
		ts.addStream("r", "s")
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		pub, err := ts.link().Publish(ctx, "s", client.Media{Tone: 523, Width: 64, Height: 64})
		if err != nil {
			t.Fatal(err)
		}
		player, err := ts.link().Play(ctx, "r", "v1a1")
		if err != nil {
			t.Fatal(err)
		}
		ts.must("r", "remove_stream", "s") // ends one session from the server's side
		if err := player.Close(); err != nil {
			t.Fatal(err)
		}
		pub.Close() // an error: the server has forgotten it
	}
	round()
	settle := func(limit int) (n int) {
		eventually(t, 10*time.Second, func() string {
			http.DefaultClient.CloseIdleConnections()
			if n = runtime.NumGoroutine(); n > limit {
				return fmt.Sprintf("%d goroutines, want at most %d", n, limit)
			}
			return ""
		})
		return n
	}
	time.Sleep(time.Second)
	before := settle(1 << 20)
	for range 20 {
		round()
	}
	settle(before)
}

// TestIPv6: HTTP and media over IPv6 alone.
func TestIPv6(t *testing.T) {
	ts := start(t, config.Config{HTTP: "[::1]:0", RTC: "[::1]:0"})
	ts.must("", "add_room", "r")
	ts.addStream("r", "s")
	ts.publish("s", client.Media{Tone: 523, Level: -20})
	p := ts.play("r", "")
	eventually(t, 10*time.Second, func() string { return hears(p, []bool{false, true}) })
	if strings.Contains(p.Answer, "127.0.0.1") {
		t.Error("an IPv4 candidate is announced")
	}
}
