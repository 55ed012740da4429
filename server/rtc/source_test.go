package rtc

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"sectile/engine"
)

// newChangeable makes a client that can change the SSRCs of its sound and its picture.
func newChangeable(t *testing.T) (pc *webrtc.PeerConnection, tracks []*track) {
	t.Helper()
	pc = newClient(t)
	for _, kind := range []webrtc.RTPCodecType{audio, video} {
		track := newTrack(kind, "cam")
		if _, err := pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
			t.Fatal(err)
		}
		tracks = append(tracks, track)
	}
	return pc, tracks
}

// TestSourceReplaced: a client that goes on with another SSRC is heard and seen, whether
// it announced the first one or not, and each time that it does so.
func TestSourceReplaced(t *testing.T) {
	for name, hide := range map[string][]string{"announced": nil, "not announced": {"a=ssrc", "a=msid:"}} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Config{})
			pc, tracks := newChangeable(t)
			b.openAs(pc, "/cam1/whip", func(offer string) string { return dropLines(offer, hide...) }).connect()
			eventually(t, "published", func() bool { return b.engine.published("cam1") != nil })
			pub := b.engine.published("cam1")
			timestamp := uint32(0)
			// arrives sends until 20 packets of both came with these SSRCs.
			arrives := func(what string) {
				t.Helper()
				eventually(t, what, func() bool {
					timestamp += 960
					for _, track := range tracks {
						track.write([]byte{1, 2, 3}, timestamp, true)
					}
					pub.mu.Lock()
					defer pub.mu.Unlock()
					sound, picture := 0, 0
					for _, p := range pub.audio {
						if p.SSRC == tracks[0].header.SSRC {
							sound++
						}
					}
					for _, p := range pub.video {
						if p.SSRC == tracks[1].header.SSRC {
							picture++
						}
					}
					return sound > 20 && picture > 20
				})
			}
			arrives("the first sources")
			for i := range uint32(3) {
				tracks[0].header.SSRC, tracks[1].header.SSRC = 1000+i, 2000+i
				arrives(fmt.Sprintf("sources after change %d", i+1))
			}
		})
	}
}

// layered makes a client that sends layers of a picture, and sound.
func layered(t *testing.T, rids ...string) (pc *webrtc.PeerConnection, sound *webrtc.TrackLocalStaticRTP, layers []*webrtc.TrackLocalStaticRTP, sender *webrtc.RTPSender) {
	t.Helper()
	pc = newClient(t)
	sound, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "audio", "cam")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pc.AddTrack(sound); err != nil {
		t.Fatal(err)
	}
	for i, rid := range rids {
		layer, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264}, "video", "cam", webrtc.WithRTPStreamID(rid))
		if err != nil {
			t.Fatal(err)
		}
		layers = append(layers, layer)
		if i > 0 {
			err = sender.AddEncoding(layer)
		} else {
			sender, err = pc.AddTrack(layer)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return pc, sound, layers, sender
}

// sendLayers sends a packet of each layer, n of layer n+1 a round, with what pion's client
// does not add by itself: the extensions that name the layer.
func sendLayers(t *testing.T, sender *webrtc.RTPSender, layers []*webrtc.TrackLocalStaticRTP, n int) {
	t.Helper()
	ids := map[string]uint8{}
	for _, e := range sender.GetParameters().HeaderExtensions {
		ids[e.URI] = uint8(e.ID)
	}
	for i, layer := range layers {
		h := rtp.Header{Version: 2, SequenceNumber: uint16(n), Timestamp: uint32(n) * 3000, Marker: true}
		for uri, value := range map[string]string{sdp.SDESMidURI: "1", sdp.SDESRTPStreamIDURI: layer.RID()} {
			if err := h.SetExtension(ids[uri], []byte(value)); err != nil {
				t.Fatal(err)
			}
		}
		if err := layer.WriteRTP(&rtp.Packet{Header: h, Payload: []byte{byte(i), 1, 2, 3}}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLayers: up to three layers of simulcast are taken, each as a layer, and asked for
// keyframes by themselves.
func TestLayers(t *testing.T) {
	b := newBench(t, Config{})
	pc, _, layers, sender := layered(t, "f", "h", "q", "x")
	p := b.open(pc, "/cam1/whip").connect()
	if !strings.Contains(p.answer, "a=simulcast:recv f;h;q\r\n") || strings.Contains(p.answer, "a=rid:x") {
		t.Errorf("answer:\n%s", p.answer)
	}
	eventually(t, "published", func() bool { return b.engine.published("cam1") != nil })
	pub := b.engine.published("cam1")
	n := 0
	eventually(t, "packets of three layers", func() bool {
		sendLayers(t, sender, layers[:3], n)
		n++
		time.Sleep(5 * time.Millisecond)
		pub.mu.Lock()
		defer pub.mu.Unlock()
		return !slices.ContainsFunc(pub.layers[:], func(n int) bool { return n < 20 })
	})
	pub.mu.Lock()
	ssrcs := map[byte]uint32{}
	for _, packet := range pub.video {
		layer := packet.Payload[0]
		if before, ok := ssrcs[layer]; ok && before != packet.SSRC {
			t.Fatalf("layer %d comes of two sources", layer)
		}
		ssrcs[layer] = packet.SSRC
	}
	pub.mu.Unlock()

	asked := make(chan uint32, 64)
	for _, layer := range layers[:3] {
		go func() {
			for {
				packets, _, err := sender.ReadSimulcastRTCP(layer.RID())
				if err != nil {
					return
				}
				for _, packet := range packets {
					if pli, ok := packet.(*rtcp.PictureLossIndication); ok {
						asked <- pli.MediaSSRC
					}
				}
			}
		}()
	}
	for _, layer := range []int{2, 0, 1} {
		pub.publisher.RequestKeyframe(layer)
		select {
		case ssrc := <-asked:
			if ssrc != ssrcs[byte(layer)] {
				t.Errorf("layer %d is asked as %d, but sent as %d", layer, ssrc, ssrcs[byte(layer)])
			}
		case <-time.After(5 * time.Second):
			t.Errorf("no PLI for layer %d", layer)
		}
	}
}

func TestLayersInOffers(t *testing.T) {
	b := newBench(t, Config{})
	pc, _, _, _ := layered(t, "f", "h")
	offer := makeOffer(t, pc, nil)
	for name, c := range map[string]struct {
		change func(string) string
		status int
	}{
		"as it is":               {func(s string) string { return s }, 201},
		"no header extension":    {func(s string) string { return dropLines(s, "a=extmap") }, 422},
		"the same layer twice":   {func(s string) string { return strings.ReplaceAll(s, "send f;h", "send f;f") }, 400},
		"a name with a bracket":  {func(s string) string { return strings.ReplaceAll(s, "send f;h", "send f;<h>") }, 400},
		"paused and alternative": {func(s string) string { return strings.ReplaceAll(s, "send f;h", "send ~f,q;h") }, 201},
		"received only":          {func(s string) string { return strings.ReplaceAll(s, "simulcast:send", "simulcast:recv") }, 201},
	} {
		t.Run(name, func(t *testing.T) {
			changed := c.change(offer)
			if name != "as it is" && changed == offer {
				t.Fatal("the offer is not changed")
			}
			b.want(c.status, "POST", "/cam1/whip", "application/sdp", changed)
		})
	}
	if engine.MaxLayers != 3 {
		t.Error("TestLayers sends one layer more than are taken")
	}
}

// TestBitrateLimit: a publisher is told what its picture is worth, again and again, small
// changes excepted.
func TestBitrateLimit(t *testing.T) {
	b := newBench(t, Config{})
	cam := newCamera(t, audio, video)
	b.open(cam.PeerConnection, "/cam1/whip").connect()
	eventually(t, "published", func() bool { return b.engine.published("cam1") != nil })
	pub := b.engine.published("cam1")
	limits := make(chan float32, 64)
	go func() {
		for {
			packets, _, err := cam.videoSender.ReadRTCP()
			if err != nil {
				return
			}
			for _, packet := range packets {
				if limit, ok := packet.(*rtcp.ReceiverEstimatedMaximumBitrate); ok {
					limits <- limit.Bitrate
				}
			}
		}
	}()
	told := func(target int, want float32) {
		t.Helper()
		pub.mu.Lock()
		pub.target = target
		pub.mu.Unlock()
		for timeout := time.After(10 * time.Second); ; {
			cam.send(t, 1)
			select {
			case got := <-limits:
				if d := got/want - 1; d > -0.01 && d < 0.01 { // of 18 bits
					return
				}
			case <-timeout:
				t.Fatalf("not told %v for %d", want, target)
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	told(400_000, 500_000)
	told(440_000, 500_000) // near enough
	told(150_000, 250_000)
	most := float32(b.server.limits.Bitrate) * 7 / 8 // so that what comes with it is accepted, too
	told(0, most)
	told(150_000, 250_000)
	told(32_000_000, most)
}
