package rtc

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"sectile/engine/room"
)

// received is what a client gets of one track.
type received struct {
	mu      sync.Mutex
	packets []rtp.Packet
	reports []*rtcp.SenderReport
	cname   string
	track   *webrtc.TrackRemote
}

func (r *received) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.packets)
}

// receive collects what comes. Reading ends with the connection.
func receive(pc *webrtc.PeerConnection) (audio, video *received) {
	audio, video = &received{}, &received{}
	pc.OnTrack(func(t *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		r := audio
		if t.Kind() == webrtc.RTPCodecTypeVideo {
			r = video
		}
		r.mu.Lock()
		r.track = t
		r.mu.Unlock()
		go func() {
			for {
				packets, _, err := receiver.ReadRTCP()
				if err != nil {
					return
				}
				r.mu.Lock()
				for _, packet := range packets {
					switch packet := packet.(type) {
					case *rtcp.SenderReport:
						if packet.SSRC == uint32(t.SSRC()) {
							r.reports = append(r.reports, packet)
						}
					case *rtcp.SourceDescription:
						for _, c := range packet.Chunks {
							if c.Source == uint32(t.SSRC()) {
								r.cname = c.Items[0].Text
							}
						}
					}
				}
				r.mu.Unlock()
			}
		}()
		for {
			packet, _, err := t.ReadRTP()
			if err != nil {
				return
			}
			r.mu.Lock()
			r.packets = append(r.packets, *packet)
			r.mu.Unlock()
		}
	})
	return audio, video
}

func TestPlay(t *testing.T) {
	b := newBench(t, Config{})
	pc := newViewer(t, recvonly, video, audio)
	sound, picture := receive(pc)
	p := b.openAs(pc, "/meeting/whep", flussonic)
	if len(b.engine.subscriptions()) != 0 {
		t.Error("subscribed before the player is connected")
	}
	p.connect()
	eventually(t, "sound and pictures", func() bool { return sound.count() >= 100 && picture.count() >= 150 })
	if got := b.engine.subscriptions()[0].tracks; got != (room.Tracks{Video: true, Audio: 1}) {
		t.Errorf("plays %v", got)
	}
	sound.mu.Lock()
	for i, packet := range sound.packets[1:] {
		before := sound.packets[i]
		if packet.SequenceNumber != before.SequenceNumber+1 || packet.Timestamp != before.Timestamp+960 || packet.Marker {
			t.Fatalf("sound: %+v after %+v", packet.Header, before.Header)
		}
	}
	if !sound.packets[0].Marker {
		t.Error("the first packet of sound has no marker")
	}
	sound.mu.Unlock()
	picture.mu.Lock()
	for i, packet := range picture.packets[1:] {
		before := picture.packets[i]
		if packet.SequenceNumber != before.SequenceNumber+1 || packet.Marker != (packet.Payload[0] == 0x65) {
			t.Fatalf("picture: %+v after %+v", packet.Header, before.Header)
		}
		if step := packet.Timestamp - before.Timestamp; before.Marker && step != 3600 || !before.Marker && step != 0 {
			t.Fatalf("picture: timestamps %d apart after marker %v", step, before.Marker)
		}
	}
	picture.mu.Unlock()

	// Reports: both clocks, translated, agree with the wall clock at one moment.
	eventually(t, "two reports of each", func() bool {
		sound.mu.Lock()
		defer sound.mu.Unlock()
		picture.mu.Lock()
		defer picture.mu.Unlock()
		return len(sound.reports) >= 2 && len(picture.reports) >= 2
	})
	sound.mu.Lock()
	defer sound.mu.Unlock()
	picture.mu.Lock()
	defer picture.mu.Unlock()
	for i := range 2 {
		a, v := sound.reports[i], picture.reports[i]
		if a.NTPTime != v.NTPTime {
			t.Errorf("reports are of %x and %x", a.NTPTime, v.NTPTime)
		}
	}
	if a := sound.reports; a[1].PacketCount <= a[0].PacketCount || a[1].OctetCount != a[1].PacketCount*3 {
		t.Errorf("counts of reports are %+v, %+v", a[0], a[1])
	}
	seconds := func(list []*rtcp.SenderReport) float64 {
		return float64(list[1].NTPTime-list[0].NTPTime) / (1 << 32)
	}
	if clock := float64(sound.reports[1].RTPTime-sound.reports[0].RTPTime) / 48000; abs(clock-seconds(sound.reports)) > 1e-3 {
		t.Errorf("%f s of RTP in %f s of NTP", clock, seconds(sound.reports))
	}
	if sound.cname == "" || sound.cname != picture.cname || sound.track.StreamID() != picture.track.StreamID() || sound.cname != sound.track.StreamID() {
		t.Errorf("CNAMEs %q, %q; streams %q, %q", sound.cname, picture.cname, sound.track.StreamID(), picture.track.StreamID())
	}
	if s := b.server.Stats(); s.Play != 1 || s.PacketsOut < 250 || s.BytesOut < 50*1112 {
		t.Errorf("stats are %+v", s)
	}
}

func abs(x float64) float64 { return max(x, -x) }

func TestKeyframeRequests(t *testing.T) {
	b := newBench(t, Config{})
	pc := newViewer(t, recvonly, audio, video)
	_, picture := receive(pc)
	b.open(pc, "/meeting/whep").connect()
	eventually(t, "pictures", func() bool { return picture.count() > 0 })
	sub := b.engine.subscriptions()[0]
	keyframes := func() int {
		sub.mu.Lock()
		defer sub.mu.Unlock()
		return sub.keyframes
	}
	ssrc := uint32(picture.track.SSRC())
	for i, request := range []rtcp.Packet{
		&rtcp.PictureLossIndication{MediaSSRC: ssrc},
		&rtcp.FullIntraRequest{MediaSSRC: ssrc, FIR: []rtcp.FIREntry{{SSRC: ssrc, SequenceNumber: 1}}},
	} {
		if err := pc.WriteRTCP([]rtcp.Packet{request}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "request", func() bool { return keyframes() == i+1 })
	}
}

// TestLossReports: what a player reports of the sound's loss reaches the room, and what it
// reports of the picture's does not.
func TestLossReports(t *testing.T) {
	b := newBench(t, Config{})
	pc := newViewer(t, recvonly, audio, video)
	sound, picture := receive(pc)
	b.open(pc, "/meeting/whep").connect()
	eventually(t, "sound and pictures", func() bool { return sound.count() > 0 && picture.count() > 0 })
	sub := b.engine.subscriptions()[0]
	reported := func(want float64) func() bool {
		return func() bool {
			sub.mu.Lock()
			defer sub.mu.Unlock()
			return slices.Contains(sub.loss, want)
		}
	}
	report := func(track *webrtc.TrackRemote, lost uint8) {
		t.Helper()
		if err := pc.WriteRTCP([]rtcp.Packet{&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: uint32(track.SSRC()), FractionLost: lost}}}}); err != nil {
			t.Fatal(err)
		}
	}
	report(picture.track, 128)
	report(sound.track, 64)
	eventually(t, "report", reported(0.25))
	if reported(0.5)() {
		t.Error("the loss of the picture was taken for that of the sound")
	}
}

// TestRetransmission: what a player reports missing comes again, on the RTX stream.
func TestRetransmission(t *testing.T) {
	b := newBench(t, Config{})
	pc := newViewer(t, recvonly, video)
	_, picture := receive(pc)
	b.open(pc, "/meeting/whep").connect()
	eventually(t, "pictures", func() bool { return picture.count() > 10 })
	picture.mu.Lock()
	missing := picture.packets[5].SequenceNumber
	track := picture.track
	picture.mu.Unlock()
	if !track.HasRTX() {
		t.Fatal("no RTX was negotiated")
	}
	if err := pc.WriteRTCP([]rtcp.Packet{&rtcp.TransportLayerNack{MediaSSRC: uint32(track.SSRC()), Nacks: []rtcp.NackPair{{PacketID: missing}}}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the packet again", func() bool {
		picture.mu.Lock()
		defer picture.mu.Unlock()
		n := 0
		for _, packet := range picture.packets {
			if packet.SequenceNumber == missing {
				n++
			}
		}
		return n == 2
	})
}

func TestChooseTracks(t *testing.T) {
	b := newBench(t, Config{})
	for _, c := range []struct {
		path         string
		status       int
		audio, video string // directions in the answer
	}{
		{"/meeting/whep", 201, "sendonly", "sendonly"},
		{"/meeting/whep?filter.tracks=v1a3", 201, "sendonly", "sendonly"},
		{"/meeting/whep?start_track=a2", 201, "sendonly", "inactive"},
		{"/meeting/whep?start_track=auto", 201, "sendonly", "sendonly"},
		{"/meeting/whep?filter.tracks=v1", 201, "inactive", "sendonly"},
		{"/talk/whep", 201, "sendonly", "inactive"},
		{"/talk/whep?filter.tracks=a1", 201, "sendonly", "inactive"},
		{"/talk/whep?filter.tracks=v1a1", 404, "", ""},
		{"/meeting/whep?filter.tracks=a4", 404, "", ""},
		{"/meeting/whep?filter.tracks=x1", 400, "", ""},
		{"/meeting/whep?filter.tracks=a1a2", 400, "", ""},
		{"/nowhere/whep", 404, "", ""},
	} {
		pc := newViewer(t, recvonly, video, audio)
		r := b.want(c.status, "POST", c.path, typeSDP, flussonic(makeOffer(t, pc, nil)))
		if c.status != 201 {
			continue
		}
		if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: r.body}); err != nil {
			t.Errorf("%s: %v\n%s", c.path, err, r.body)
		}
		if got := directions(r.body); got["audio"] != c.audio || got["video"] != c.video {
			t.Errorf("%s: audio is %s, video is %s", c.path, got["audio"], got["video"])
		}
		if group := lineOf(r.body, "a=group:"); strings.TrimSpace(group) != "a=group:BUNDLE 0 1" {
			t.Errorf("%s: %s", c.path, group)
		}
		b.want(200, "DELETE", r.Header.Get("Location"), "", "")
	}
}

// directions are those of an answer's sections, by kind; "refused" for port 0.
func directions(sdp string) map[string]string {
	found := map[string]string{}
	kind := ""
	for line := range strings.Lines(sdp) {
		line = strings.TrimSpace(line)
		if m, ok := strings.CutPrefix(line, "m="); ok {
			words := strings.Fields(m)
			kind = words[0]
			if words[1] == "0" {
				found[kind] = "refused"
			}
		}
		switch a, _ := strings.CutPrefix(line, "a="); a {
		case "sendonly", "recvonly", "sendrecv", "inactive":
			found[kind] = a
		}
	}
	return found
}

// TestInactiveFirstSection: Flussonic's player offers video first also in a room without.
func TestInactiveFirstSection(t *testing.T) {
	b := newBench(t, Config{})
	pc := newViewer(t, recvonly, video, audio)
	sound, _ := receive(pc)
	b.openAs(pc, "/talk/whep", flussonic).connect()
	eventually(t, "sound", func() bool { return sound.count() > 5 })
}

func TestRequestTracks(t *testing.T) {
	var lines logBuffer
	b := newBench(t, Config{Log: slog.New(slog.NewTextHandler(&lines, nil))})
	both := b.open(newViewer(t, recvonly, audio, video), "/meeting/whep").connect()
	eventually(t, "subscribed", func() bool { return len(b.engine.subscriptions()) == 1 })
	sub := b.engine.subscriptions()[0]
	sound := b.open(newViewer(t, recvonly, audio), "/meeting/whep") // not connected
	for _, c := range []struct {
		p      *peer
		body   string
		status int
		now    string // in the answer
	}{
		{both, `{"tracks":["v1","a3"]}`, 200, `["v1","a3"]`},
		{both, `{"tracks":["v1a2"]}`, 200, `["v1","a2"]`},
		{both, `{"tracks":"a2"}`, 200, `["a2"]`},
		{both, `{"tracks":[]}`, 200, `["v1","a1"]`},
		{both, `{"tracks":["auto"]}`, 200, `["v1","a1"]`},
		{both, `{"tracks":["a9"]}`, 404, ""},
		{both, `{"tracks":["a2","a3"]}`, 400, ""},
		{both, `{"tracks":7}`, 400, ""},
		{both, `{}`, 400, ""},
		{both, `no`, 400, ""},
		{both, `{"tracks":["` + strings.Repeat("a", 70000) + `"]}`, 413, ""},
		{sound, `{"tracks":["v1","a3"]}`, 200, `["a3"]`},
		{sound, `{"tracks":["v1"]}`, 409, ""},
	} {
		r := b.want(c.status, "PUT", "/meeting/sessions/"+c.p.sid+"/request_tracks", "application/json", c.body)
		if c.now == "" {
			continue
		}
		var answer struct{ Tracks json.RawMessage }
		if err := json.Unmarshal([]byte(r.body), &answer); err != nil || string(answer.Tracks) != c.now {
			t.Errorf("%s: %s, want %s", c.body, r.body, c.now)
		}
	}
	b.want(200, "PUT", "/meeting/sessions/"+both.sid+"/request_tracks", "", `{"tracks":["v1","a3"]}`)
	sub.mu.Lock()
	if sub.tracks != (room.Tracks{Video: true, Audio: 3}) {
		t.Errorf("plays %v", sub.tracks)
	}
	sub.mu.Unlock()
	b.want(404, "PUT", "/meeting/sessions/"+both.location[len("/meeting/whep/"):]+"/request_tracks", "", `{"tracks":["a1"]}`)
	b.want(404, "PUT", "/talk/sessions/"+both.sid+"/request_tracks", "", `{"tracks":["a1"]}`)
	b.want(405, "POST", "/meeting/sessions/"+both.sid+"/request_tracks", "", "")

	b.want(204, "PUT", "/meeting/sessions/"+both.sid, "application/json", `{"bytes":1}`)
	b.want(413, "PUT", "/meeting/sessions/"+both.sid, "application/json", strings.Repeat("x", 70000))
	b.want(404, "PUT", "/meeting/sessions/nobody", "application/json", `{}`)

	sound.connect()
	eventually(t, "the other one subscribed to a3", func() bool {
		subs := b.engine.subscriptions()
		return len(subs) == 2 && subs[1].tracks == room.Tracks{Audio: 3}
	})
	for _, fields := range [][]string{
		{`msg="session opened"`, "play=meeting", "tracks=v1a1"}, {`msg="session opened"`, "tracks=a1"},
		{`msg="session plays"`, "play=meeting", "tracks=v1a2"}, {`msg="session plays"`, "tracks=a3"},
	} {
		if !lines.has(fields...) {
			t.Errorf("the log has no line with %q:\n%s", fields, &lines)
		}
	}
}

// logBuffer keeps the lines of a log.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String is all that was logged.
func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// has tells whether one line has all of fields.
func (b *logBuffer) has(fields ...string) bool {
	for line := range strings.Lines(b.String()) {
		line = strings.TrimSpace(line) + " "
		if !slices.ContainsFunc(fields, func(field string) bool { return !strings.Contains(line, field+" ") }) {
			return true
		}
	}
	return false
}

func TestMediaInfo(t *testing.T) {
	b := newBench(t, Config{})
	r := b.want(200, "GET", "/meeting/media_info.json", "", "")
	var info struct{ Tracks []map[string]any }
	if err := json.Unmarshal([]byte(r.body), &info); err != nil {
		t.Fatal(err)
	}
	if len(info.Tracks) != 4 || info.Tracks[0]["track_id"] != "v1" || info.Tracks[0]["width"] != 1280.0 || info.Tracks[3]["title"] != "cam2" {
		t.Errorf("info is %s", r.body)
	}
	b.want(404, "GET", "/nowhere/media_info.json", "", "")
	b.want(405, "PUT", "/meeting/media_info.json", "", "")
	if r := b.want(200, "OPTIONS", "/meeting/media_info.json", "", ""); r.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Error("no CORS")
	}
}

// TestRoomCloses: the engine ends its players under its lock.
func TestRoomCloses(t *testing.T) {
	b := newBench(t, Config{})
	p := b.open(newViewer(t, recvonly, audio, video), "/meeting/whep").connect()
	eventually(t, "subscribed", func() bool { return len(b.engine.subscriptions()) == 1 })
	b.engine.closeSubscriptions()
	p.waitFor(webrtc.PeerConnectionStateClosed)
	eventually(t, "the session gone", func() bool { return b.live() == 0 })
	b.want(404, "GET", p.location, "", "")
}

// TestRoomGoneBeforeConnected: a room that is removed between the answer and the
// connection ends the session.
func TestRoomGoneBeforeConnected(t *testing.T) {
	b := newBench(t, Config{})
	p := b.open(newViewer(t, recvonly, audio, video), "/meeting/whep")
	b.engine.mu.Lock()
	delete(b.engine.rooms, "meeting")
	b.engine.mu.Unlock()
	if err := p.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: p.answer}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the session gone", func() bool { return b.do("GET", p.location, "", "").StatusCode == http.StatusNotFound })
}

type discardWriter struct{}

func (discardWriter) WriteRTP(*rtp.Header, []byte) (int, error) { return 0, nil }
func (discardWriter) Write([]byte) (int, error)                 { return 0, nil }

func TestWriteAllocatesNothing(t *testing.T) {
	b := newBench(t, Config{})
	p := newPlayer(&session{server: b.server}, room.Tracks{Video: true, Audio: 1}, nil)
	p.audio, p.video = newTrack(audio, "s"), newTrack(video, "s")
	p.video.writer = discardWriter{}
	p.out = newSender(b.server.engine.Now, &b.server.pacer.buffers, &b.server.counters.resent, 0)
	p.pictures = &pacedTrack{pacer: b.server.pacer, track: p.video, out: p.out, count: p.count}
	p.sound = &soundOut{track: p.audio, socket: b.server.socket, sealer: testSealer(t)}
	to := netip.MustParseAddrPort("127.0.0.1:9")
	p.sound.to.Store(&to)
	p.sending.Store(true)
	packet := make([]byte, 160)
	au := &room.AccessUnit{Payloads: [][]byte{make([]byte, 1200), make([]byte, 1200), make([]byte, 300)}}
	if n := testing.AllocsPerRun(1000, func() {
		p.WriteAudio(packet, 960)
		b.server.socket.flush()
		p.WriteVideo(au)
	}); n != 0 {
		t.Errorf("%v allocations for four packets", n)
	}
}

func TestReportClock(t *testing.T) {
	epoch := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
	a, v := newTrack(audio, "s"), newTrack(video, "s")
	now := 90*time.Hour + 250*time.Millisecond
	ra, rv := a.report(now, epoch), v.report(now, epoch)
	samples, ticks := uint64(90*3600*48000+12000), uint64(90*3600*90000+22500)
	if got := ra.RTPTime - a.offset; got != uint32(samples) {
		t.Errorf("sound is at %d, want %d", got, uint32(samples))
	}
	if got := rv.RTPTime - v.offset; got != uint32(ticks) {
		t.Errorf("picture is at %d, want %d", got, uint32(ticks))
	}
	if want := uint64(epoch.Unix()+90*3600+2208988800)<<32 | 1<<30; ra.NTPTime != want || rv.NTPTime != want {
		t.Errorf("reports are of %x and %x, want %x", ra.NTPTime, rv.NTPTime, want)
	}
}
