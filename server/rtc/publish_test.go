package rtc

import (
	"bytes"
	"context"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"sectile/engine/h264"
)

// send sends n packets of each track, 5 ms apart, and returns when all were sent.
func (c *camera) send(t *testing.T, n int) {
	t.Helper()
	for range n {
		i := c.sent
		c.sent++
		for _, track := range []*webrtc.TrackLocalStaticRTP{c.audio, c.video} {
			if track == nil {
				continue
			}
			err := track.WriteRTP(&rtp.Packet{
				Header:  rtp.Header{Version: 2, SequenceNumber: uint16(i), Timestamp: uint32(i) * 960, Marker: i%3 == 2},
				Payload: []byte{byte(i), 1, 2, 3},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestPublish(t *testing.T) {
	b := newBench(t, Config{})
	cam := newCamera(t, audio, video)
	p := b.open(cam.PeerConnection, "/cam1/whip").connect()
	eventually(t, "published", func() bool { return b.engine.published("cam1") != nil })
	pub := b.engine.published("cam1")
	cam.send(t, 50)
	eventually(t, "50 packets of each kind", func() bool { a, v := pub.counts(); return a == 50 && v == 50 })
	pub.mu.Lock()
	for i := range 50 {
		if a := pub.audio[i]; int(a.Sequence) != i || a.Timestamp != uint32(i)*960 || !bytes.Equal(a.Payload, []byte{byte(i), 1, 2, 3}) || a.SSRC == 0 {
			t.Fatalf("audio packet %d is %+v", i, a)
		}
		if v := pub.video[i]; int(v.Sequence) != i || v.Marker != (i%3 == 2) || !bytes.Equal(v.Payload, []byte{byte(i), 1, 2, 3}) {
			t.Fatalf("video packet %d is %+v", i, v)
		}
	}
	pub.mu.Unlock()
	if s := b.server.Stats(); s.Publish != 1 || s.Play != 0 || s.Pending != 0 || s.PacketsIn != 100 || s.BytesIn < 100*16 {
		t.Errorf("stats are %+v", s)
	}

	pli := make(chan struct{}, 16)
	go func() {
		for {
			packets, _, err := cam.videoSender.ReadRTCP()
			if err != nil {
				return
			}
			for _, packet := range packets {
				if _, ok := packet.(*rtcp.PictureLossIndication); ok {
					pli <- struct{}{}
				}
			}
		}
	}()
	pub.publisher.RequestKeyframe(0)
	select {
	case <-pli:
	case <-time.After(5 * time.Second):
		t.Error("no PLI comes")
	}

	pub.mu.Lock()
	ssrc := pub.video[0].SSRC
	pub.mu.Unlock()
	if err := cam.PeerConnection.WriteRTCP([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: ssrc}, &rtcp.Goodbye{Sources: []uint32{ssrc}}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of the source", func() bool {
		pub.mu.Lock()
		defer pub.mu.Unlock()
		return slices.Equal(pub.ends, []int{0, int(ssrc)})
	})

	b.want(http.StatusOK, "DELETE", p.location, "", "")
	if b.engine.published("cam1") != nil || b.live() != 0 {
		t.Error("the session is not freed when DELETE returns")
	}
	b.want(http.StatusNotFound, "DELETE", p.location, "", "")
	p.waitFor(webrtc.PeerConnectionStateClosed)
}

// TestLostPacket: a lost packet is asked for again though no other packet comes, and passed on
// when it does.
func TestLostPacket(t *testing.T) {
	b := newBench(t, Config{})
	cam := newCamera(t, video)
	b.open(cam.PeerConnection, "/cam1/whip").connect()
	eventually(t, "published", func() bool { return b.engine.published("cam1") != nil })
	pub := b.engine.published("cam1")
	cam.send(t, 3)
	lost := cam.sent
	cam.sent++
	cam.send(t, 1)
	asked := make(chan struct{}, 16)
	go func() {
		for {
			packets, _, err := cam.videoSender.ReadRTCP()
			if err != nil {
				return
			}
			for _, packet := range packets {
				if n, ok := packet.(*rtcp.TransportLayerNack); ok && n.Nacks[0].PacketID == uint16(lost) {
					asked <- struct{}{}
				}
			}
		}
	}()
	for range 3 {
		<-asked
	}
	cam.sent = lost
	cam.send(t, 1)
	eventually(t, "the packet", func() bool {
		pub.mu.Lock()
		defer pub.mu.Unlock()
		return slices.ContainsFunc(pub.video, func(p h264.Packet) bool { return int(p.Sequence) == lost })
	})
}

func TestPublishAudioOnly(t *testing.T) {
	b := newBench(t, Config{})
	cam := newCamera(t, audio)
	b.open(cam.PeerConnection, "/cam1/whip").connect()
	eventually(t, "published", func() bool { return b.engine.published("cam1") != nil })
	cam.send(t, 10)
	eventually(t, "packets", func() bool { a, _ := b.engine.published("cam1").counts(); return a == 10 })
}

// TestTakeover: a new publisher ends the session before, but only once it is connected.
func TestTakeover(t *testing.T) {
	b := newBench(t, Config{})
	first := b.open(newCamera(t, audio).PeerConnection, "/cam1/whip").connect()
	eventually(t, "published", func() bool { return b.engine.published("cam1") != nil })
	old := b.engine.published("cam1")
	second := b.open(newCamera(t, audio).PeerConnection, "/cam1/whip")
	b.want(http.StatusNoContent, "GET", first.location, "", "")
	second.connect()
	first.waitFor(webrtc.PeerConnectionStateClosed)
	eventually(t, "the old session gone", func() bool { return b.do("GET", first.location, "", "").StatusCode == http.StatusNotFound })
	if now := b.engine.published("cam1"); now == nil || now == old {
		t.Error("the new publication is not in place")
	}
}

// TestUndeclaredSources: a client without a=ssrc lines is heard, too.
func TestUndeclaredSources(t *testing.T) {
	b := newBench(t, Config{})
	cam := newCamera(t, audio, video)
	states := make(chan webrtc.PeerConnectionState, 64)
	cam.OnConnectionStateChange(func(s webrtc.PeerConnectionState) { states <- s })
	offer := dropLines(makeOffer(t, cam.PeerConnection, nil), "a=ssrc", "a=msid:")
	r := b.want(http.StatusCreated, "POST", "/cam1/whip", "application/sdp", offer)
	p := &peer{PeerConnection: cam.PeerConnection, b: b, answer: r.body, states: states, location: r.Header.Get("Location")}
	p.connect()
	eventually(t, "published", func() bool { return b.engine.published("cam1") != nil })
	pub := b.engine.published("cam1")
	eventually(t, "packets of each kind", func() bool {
		cam.send(t, 1)
		a, v := pub.counts()
		return a > 10 && v > 10
	})
	p.restartICE("a=ssrc", "a=msid:")
	audio, video := pub.counts()
	eventually(t, "packets of each kind after an ICE restart", func() bool {
		cam.send(t, 1)
		a, v := pub.counts()
		return a > audio+10 && v > video+10
	})
}

// TestSourceFlood: a peer that sends ever new SSRCs is disconnected.
func TestSourceFlood(t *testing.T) {
	b := newBench(t, Config{})
	cam := newCamera(t, audio, video)
	p := b.open(cam.PeerConnection, "/cam1/whip").connect()
	eventually(t, "published", func() bool { return b.engine.published("cam1") != nil })
	// What the server does when its peer uses so many streams: they are counted where
	// they are made.
	session := b.session(p)
	for ssrc := range uint32(maxStreams + 1) {
		if err := cam.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{SenderSSRC: 1, MediaSSRC: 1000 + ssrc}}); err != nil {
			break
		}
	}
	eventually(t, "the session ended", session.ended)
	if session.reason != errFlood {
		t.Errorf("reason is %v", session.reason)
	}
}

func (b *bench) session(p *peer) *session {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	return b.server.bySID[p.sid]
}

func TestPublisherLimits(t *testing.T) {
	b := newBench(t, Config{Limits: Limits{AudioPackets: 50, VideoPackets: 100, Bitrate: 80_000}})
	s := &session{server: b.server, stop: make(chan struct{})}
	p := newPublisher(s)
	pub := &fakePublication{}
	p.publication = pub
	packet := func(n int) []byte {
		data, err := (&rtp.Packet{Header: rtp.Header{Version: 2}, Payload: make([]byte, n-12)}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	now := time.Second
	sound := inbound{publisher: p, packets: newBucket(50)}
	picture := inbound{publisher: p, video: true, packets: newBucket(100)}
	for range 60 {
		sound.packet(packet(20), false, now)
	}
	if a, _ := pub.counts(); a != 50 {
		t.Errorf("%d packets of sound pass, want 50", a)
	}
	for range 20 { // 10 kB a second, of which sound took 1
		picture.packet(packet(1000), false, now)
	}
	if _, v := pub.counts(); v != 9 {
		t.Errorf("%d packets of video pass, want 9", v)
	}
	now += 100 * time.Millisecond
	for range 10 {
		sound.packet(packet(20), false, now)
	}
	if a, _ := pub.counts(); a != 55 {
		t.Errorf("%d packets of sound pass after 100 ms, want 55", a)
	}
	rejected := b.server.Stats().Rejected
	if rejected["packet_rate"] != 15 || rejected["bitrate"] != 11 {
		t.Errorf("rejected are %v", rejected)
	}
}

func TestMalformedPackets(t *testing.T) {
	b := newBench(t, Config{})
	p := newPublisher(&session{server: b.server, stop: make(chan struct{})})
	pub := &fakePublication{}
	p.publication = pub
	in := inbound{publisher: p, video: true, packets: newBucket(100)}
	good, _ := (&rtp.Packet{Header: rtp.Header{Version: 2}, Payload: []byte{1, 2, 3}}).Marshal()
	padded := append([]byte{}, good...)
	padded[0] |= 0x20
	padded[len(padded)-1] = 1
	for _, data := range [][]byte{{}, {0x80}, good[:11], {0xbf, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}} {
		in.packet(data, false, time.Second)
	}
	for _, pad := range []byte{0, 4, 255} {
		bad := append([]byte{}, padded...)
		bad[len(bad)-1] = pad
		in.packet(bad, false, time.Second)
	}
	if _, v := pub.counts(); v != 0 {
		t.Errorf("%d malformed packets pass", v)
	}
	in.packet(padded, false, time.Second)
	if _, v := pub.counts(); v != 1 || len(pub.video[0].Payload) != 2 {
		t.Errorf("padding is not cut off: %v", pub.video)
	}
	if n := b.server.Stats().Rejected["malformed_packet"]; n != 7 {
		t.Errorf("%d packets are counted as malformed, want 7", n)
	}
}

func TestPacketAllocatesNothing(t *testing.T) {
	b := newBench(t, Config{Limits: Limits{AudioPackets: 1e9, Bitrate: 1e15}})
	p := newPublisher(&session{server: b.server, stop: make(chan struct{})})
	p.publication = discardPublication{}
	in := inbound{publisher: p, packets: newBucket(1e9)}
	h := rtp.Header{Version: 2, Extension: true, ExtensionProfile: 0xbede}
	if err := h.SetExtension(3, []byte{1, 2}); err != nil {
		t.Fatal(err)
	}
	data, err := (&rtp.Packet{Header: h, Payload: make([]byte, 100)}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Second
	if n := testing.AllocsPerRun(1000, func() { in.packet(data, false, now) }); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
}

// TestClientGone: a client that ends the DTLS association leaves nothing.
func TestClientGone(t *testing.T) {
	b := newBench(t, Config{})
	p := b.open(newCamera(t, audio).PeerConnection, "/cam1/whip").connect()
	eventually(t, "published", func() bool { return b.engine.published("cam1") != nil })
	p.GracefulClose()
	eventually(t, "the session gone", func() bool { return b.engine.published("cam1") == nil && b.live() == 0 })
}

// TestNeverConnected: a session that does not connect in time is freed, and did nothing.
func TestNeverConnected(t *testing.T) {
	b := newBench(t, Config{Limits: Limits{Connect: 100 * time.Millisecond}})
	p := b.open(newCamera(t, audio).PeerConnection, "/cam1/whip")
	v := b.open(newViewer(t, recvonly, audio, video), "/meeting/whep")
	eventually(t, "both freed", func() bool {
		return b.do("GET", p.location, "", "").StatusCode == http.StatusNotFound && b.do("GET", v.location, "", "").StatusCode == http.StatusNotFound
	})
	if len(b.engine.publications) != 0 || len(b.engine.subscriptions()) != 0 {
		t.Error("the engine was touched")
	}
	eventually(t, "no pending session", func() bool { return b.server.Stats().Pending == 0 })
	if n := b.server.Stats().Rejected["connect_timeout"]; n != 2 {
		t.Errorf("connect_timeout is %d", n)
	}
}

// TestSilentClient: a client that vanishes without a word is reaped.
func TestSilentClient(t *testing.T) {
	b := newBench(t, Config{Limits: Limits{Disconnected: 300 * time.Millisecond, Failed: 300 * time.Millisecond}})
	cut := newCuttable(t)
	b.open(cut.pc, "/cam1/whip").connect()
	eventually(t, "published", func() bool { return b.engine.published("cam1") != nil })
	cut.off.Store(true)
	eventually(t, "the session gone", func() bool { return b.engine.published("cam1") == nil && b.live() == 0 })
}

// TestLifeWithoutChecks: a client that is heard lives, even if all its checks get lost.
func TestLifeWithoutChecks(t *testing.T) {
	b := newBench(t, Config{Limits: Limits{Disconnected: 300 * time.Millisecond, Failed: 300 * time.Millisecond}})
	cut := newCuttable(t)
	b.open(cut.pc, "/cam1/whip").connect()
	eventually(t, "published", func() bool { return b.engine.published("cam1") != nil })
	cut.offICE.Store(true)
	p := b.engine.published("cam1")
	for n := range uint16(100) {
		if err := cut.sound.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: n, Timestamp: uint32(n) * 960}, Payload: []byte{0xf8, 1, 2}}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if sound, _ := p.counts(); b.live() != 1 || sound < 90 {
		t.Errorf("%d sessions live, %d packets of sound came", b.live(), sound)
	}
	eventually(t, "the session gone", func() bool { return b.live() == 0 })
}

// TestOrderOfPackets: what comes in order, at whichever of several addresses, is given in order.
func TestOrderOfPackets(t *testing.T) {
	var hosts []netip.Addr
	for i := range byte(4) {
		hosts = append(hosts, netip.AddrFrom4([4]byte{127, 0, 0, 1 + i}))
	}
	b := newBench(t, Config{Addr: "0.0.0.0:0", Addresses: hosts})
	c := newCamera(t, video)
	b.open(c.PeerConnection, "/cam1/whip").connect()
	eventually(t, "published", func() bool { return b.engine.published("cam1") != nil })
	p := b.engine.published("cam1")
	const packets = 3000
	for n := range uint16(packets) {
		if err := c.video.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: n, Timestamp: uint32(n)}, Payload: make([]byte, 1100)}); err != nil {
			t.Fatal(err)
		}
		if n%10 == 9 {
			time.Sleep(5 * time.Millisecond)
		}
	}
	eventually(t, "most of the packets", func() bool { _, n := p.counts(); return n > packets*9/10 })
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.video[1:] {
		if a, b := p.video[i].Sequence, p.video[i+1].Sequence; int16(b-a) < 0 {
			t.Fatalf("packet %d comes after %d", b, a)
		}
	}
}

func TestCloseWithSessions(t *testing.T) {
	b := newBench(t, Config{})
	p := b.open(newCamera(t, audio).PeerConnection, "/cam1/whip").connect()
	v := b.open(newViewer(t, recvonly, audio, video), "/meeting/whep").connect()
	b.open(newViewer(t, recvonly, audio), "/talk/whep") // pending
	eventually(t, "both live", func() bool { return b.live() == 2 })
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := b.server.Close(ctx); err != nil {
		t.Fatal(err)
	}
	p.waitFor(webrtc.PeerConnectionStateClosed)
	v.waitFor(webrtc.PeerConnectionStateClosed)
	b.want(http.StatusServiceUnavailable, "POST", "/cam1/whip", "application/sdp", "v=0")
}
