package main

import (
	"fmt"
	"testing"
	"time"

	"sectile/engine/compose"
	"sectile/server/config"
)

// publishLayersJS publishes a red canvas of 1280×720 in three layers.
const publishLayersJS = `(async () => {
	const canvas = document.createElement('canvas');
	canvas.width = 1280; canvas.height = 720;
	const g = canvas.getContext('2d');
	let n = 0;
	setInterval(() => {
		g.fillStyle = 'rgb(255,0,0)'; g.fillRect(0, 0, 1280, 720);
		g.fillStyle = 'rgb(255,255,0)'; g.fillRect(n++ * 8 % 1280, 0, 40, 40);
	}, 66);
	const pc = window.pc = new RTCPeerConnection();
	const track = canvas.captureStream(15).getVideoTracks()[0];
	const t = pc.addTransceiver(track, {direction: 'sendonly', sendEncodings: [
		{rid: 'q', scaleResolutionDownBy: 4}, {rid: 'h', scaleResolutionDownBy: 2}, {rid: 'f'}]});
	t.setCodecPreferences(RTCRtpSender.getCapabilities('video').codecs.filter(c => /h264|rtx/i.test(c.mimeType)));
	await pc.setLocalDescription();
	if (pc.iceGatheringState !== 'complete') {
		await new Promise(done => pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && done());
	}
	const r = await fetch('/s0/whip', {method: 'POST', headers: {'Content-Type': 'application/sdp'}, body: pc.localDescription.sdp});
	if (!r.ok) return r.status + ': ' + await r.text();
	await pc.setRemoteDescription({type: 'answer', sdp: await r.text()});
	return '';
})()`

// layersJS tells how many keyframes each layer was asked for, and the bit rate that the
// browser lets itself send at.
const layersJS = `(async () => {
	const out = {asked: {}, sent: {}, available: 0};
	for (const s of (await window.pc.getStats()).values()) {
		if (s.type === 'outbound-rtp') {
			out.asked[s.rid] = s.pliCount ?? 0;
			out.sent[s.rid] = s.framesSent ?? 0;
		}
		if (s.type === 'candidate-pair' && s.nominated) out.available = s.availableOutgoingBitrate ?? 0;
	}
	return out;
})()`

type browserLayers struct {
	Asked     map[string]int `json:"asked"`
	Sent      map[string]int `json:"sent"`
	Available float64        `json:"available"`
}

// TestSimulcastFromChromium: a browser's layers are taken as those of other clients, and it
// keeps to the limit of its bit rate although it estimates its bandwidth by itself.
func TestSimulcastFromChromium(t *testing.T) {
	ts := start(t, config.Config{})
	ts.addRoom("r", map[string]any{"disable_video": false, "width": 1280, "height": 720, "fps": 15})
	ts.addStream("r", "s0")
	viewer := ts.play("r", "v1")
	page := tab(t, browser(t), ts.base+"/healthz")
	if problem := evaluate[string](t, page, publishLayersJS); problem != "" {
		t.Fatal(problem)
	}
	streams := 1
	sees := func(what string) {
		t.Helper()
		eventually(t, 30*time.Second, func() string {
			img, _, _ := viewer.Seen()
			if img == nil {
				return what + ": no picture"
			}
			// Red by whatever matrix and range the browser takes for a canvas.
			if got := middle(img, compose.Grid(streams, 1280, 720)[0]); got.V < 220 || got.U > 110 || got.Y > 100 {
				return fmt.Sprintf("%s: the cell is %v, want red", what, got)
			}
			return ""
		})
	}
	sees("alone")
	eventually(t, 30*time.Second, func() string {
		if now := evaluate[browserLayers](t, page, layersJS); now.Asked["f"] == 0 {
			return fmt.Sprintf("the largest layer is not asked for: %+v", now)
		}
		return ""
	})
	time.Sleep(2 * time.Second) // it is taken with the keyframe that comes then
	for ; streams < 16; streams++ {
		ts.addStream("r", fmt.Sprintf("s%d", streams))
	}
	eventually(t, 30*time.Second, func() string {
		now := evaluate[browserLayers](t, page, layersJS)
		switch {
		case now.Asked["q"] == 0:
			return fmt.Sprintf("the smallest layer is not asked for: %+v", now)
		case now.Available > 500_000:
			return fmt.Sprintf("the browser sends at up to %.0f bit/s", now.Available)
		}
		return ""
	})
	sees("one of sixteen")
}
