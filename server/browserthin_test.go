package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"testing"
	"time"

	"sectile/bench/client"
	"sectile/server/config"
)

// relayed is a way to the server by a relay, for HTTP and media: a proxy that names the relay
// in place of the server's port in answers, and leaves the candidates out of offers, so that
// the server knows no other way back.
func (ts *testServer) relayed() (base string, relay *client.Relay) {
	ts.t.Helper()
	var port string
	target, err := url.Parse(ts.base)
	if err != nil {
		ts.t.Fatal(err)
	}
	candidates := regexp.MustCompile(`(?m)^a=candidate:.*\n`)
	change := func(h http.Header, length *int64, body *io.ReadCloser, f func([]byte) []byte) error {
		all, err := io.ReadAll(*body)
		if err != nil {
			return err
		}
		all = f(all)
		*length, *body = int64(len(all)), io.NopCloser(bytes.NewReader(all))
		h.Set("Content-Length", strconv.Itoa(len(all)))
		return nil
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			if r.In.Method == http.MethodPost {
				_ = change(r.Out.Header, &r.Out.ContentLength, &r.Out.Body, func(offer []byte) []byte {
					return candidates.ReplaceAll(offer, nil)
				})
			}
		},
		ModifyResponse: func(r *http.Response) error {
			if r.StatusCode != http.StatusCreated {
				return nil
			}
			return change(r.Header, &r.ContentLength, &r.Body, func(answer []byte) []byte {
				return bytes.ReplaceAll(answer, []byte(" 127.0.0.1 "+port+" "), fmt.Appendf(nil, " 127.0.0.1 %d ", relay.Addr().Port()))
			})
		},
	}
	rtc := ts.srv.rtc.Addr().String()
	if relay, err = client.NewRelay(netip.MustParseAddrPort(rtc)); err != nil {
		ts.t.Fatal(err)
	}
	port = strconv.Itoa(int(netip.MustParseAddrPort(rtc).Port()))
	web := httptest.NewServer(proxy)
	ts.t.Cleanup(func() {
		web.Close()
		relay.Close()
	})
	return web.URL, relay
}

// playJS plays a room and notes the longest time without a new picture.
const playJS = `(async () => {
	const pc = window.pc = new RTCPeerConnection();
	const video = window.video = document.createElement('video');
	video.muted = true; video.autoplay = true;
	document.body.append(video);
	video.srcObject = new MediaStream();
	pc.ontrack = e => video.srcObject.addTrack(e.track);
	window.longest = 0;
	let last = 0;
	const shown = now => {
		if (last) window.longest = Math.max(window.longest, now - last);
		last = now;
		video.requestVideoFrameCallback(shown);
	};
	video.requestVideoFrameCallback(shown);
	pc.addTransceiver('video', {direction: 'recvonly'});
	pc.addTransceiver('audio', {direction: 'recvonly'});
	await pc.setLocalDescription();
	const r = await fetch('/r/whep', {method: 'POST', headers: {'Content-Type': 'application/sdp'}, body: pc.localDescription.sdp});
	if (!r.ok) return r.status + ': ' + await r.text();
	await pc.setRemoteDescription({type: 'answer', sdp: await r.text()});
	return '';
})()`

// playedJS tells what was played so far, and begins anew to look for the longest freeze.
const playedJS = `(async () => {
	const out = {width: video.videoWidth, frames: 0, sound: 0, lost: 0, longest: window.longest};
	window.longest = 0;
	for (const s of (await window.pc.getStats()).values()) {
		if (s.type !== 'inbound-rtp') continue;
		if (s.kind === 'video') out.frames = s.framesDecoded;
		if (s.kind === 'audio') { out.sound = s.packetsReceived; out.lost = s.packetsLost; }
	}
	return out;
})()`

type browserPlayed struct {
	Width   int     `json:"width"`
	Frames  float64 `json:"frames"`
	Sound   float64 `json:"sound"`
	Lost    float64 `json:"lost"`
	Longest float64 `json:"longest"` // ms
}

// TestThinLinkOfChromium: a browser behind a link that becomes thin is given the half
// picture, and the full one again when the link is wide again.
func TestThinLinkOfChromium(t *testing.T) {
	ts := start(t, config.Config{})
	const width, height, fps = 640, 360, 25
	ts.addRoom("r", map[string]any{"disable_video": false, "width": width, "height": height, "fps": fps, "video_bitrate": 1500})
	ts.addStream("r", "s")
	ts.publish("s", client.Media{Tone: tones[0], Level: -20, Width: width, Height: height, Colour: colours[0], Moving: fps, Bitrate: 3_000_000})
	base, relay := ts.relayed()
	limit := func(kbps int) {
		relay.Impair(client.Impairment{}, client.Impairment{Rate: 1000 * kbps})
	}
	limit(2000)
	page := tab(t, browser(t), base+"/healthz")
	if refused := evaluate[string](t, page, playJS); refused != "" {
		t.Fatal(refused)
	}
	shows := func(want int, most time.Duration) {
		t.Helper()
		got, begin, frozen := browserPlayed{}, time.Now(), 0.0
		for ; got.Width != want; time.Sleep(100 * time.Millisecond) {
			if time.Since(begin) > most {
				ts.failed("%+v, want a width of %d", got, want)
				return
			}
			got = evaluate[browserPlayed](t, page, playedJS)
			frozen = max(frozen, got.Longest)
		}
		t.Logf("a width of %d after %v, frozen for %.0f ms", want, time.Since(begin), frozen)
	}
	check := func() {
		t.Helper()
		before := evaluate[browserPlayed](t, page, playedJS)
		time.Sleep(2 * time.Second)
		after := evaluate[browserPlayed](t, page, playedJS)
		t.Logf("%v pictures and %v packets of sound, %v lost, frozen for %.0f ms", after.Frames-before.Frames, after.Sound-before.Sound, after.Lost-before.Lost, after.Longest)
		if after.Width != before.Width || after.Frames-before.Frames < 6 || after.Sound-before.Sound < 90 || after.Longest > 1000 {
			ts.failed("%+v and then %+v", before, after)
		}
	}
	shows(width, 10*time.Second)
	time.Sleep(2 * time.Second)
	check()
	limit(600)
	shows(width/2, 5*time.Second)
	time.Sleep(time.Second)
	check()
	limit(2000)
	shows(width, 15*time.Second)
	check()
}
