package main

import (
	"testing"
	"time"

	"sectile/bench/client"
	"sectile/server/config"
)

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
	window.leave = async () => (await fetch(r.headers.get('Location'), {method: 'DELETE'})).status;
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
	const width = movingWidth
	ts.movingRoom()
	base, relay := ts.relayed()
	limit := func(kbps int) {
		relay.Impair(client.Impairment{}, client.Impairment{Rate: 1000 * kbps})
	}
	limit(3000)
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
	limit(3000)
	shows(width, 15*time.Second)
	check()
	evaluate[int](t, page, "leave()")
}
