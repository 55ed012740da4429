package rtc

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a server with a fake engine, on loopback.
type bench struct {
	t      *testing.T
	engine *fakeEngine
	server *Server
	url    string
	client *http.Client
}

func newBench(t *testing.T, c Config) *bench {
	t.Helper()
	if c.Addr == "" {
		c.Addr = "127.0.0.1:0"
	}
	if os.Getenv("SECTILE_TEST_LOG") != "" {
		c.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	b := &bench{t: t, engine: newFakeEngine(), client: &http.Client{Transport: &http.Transport{}}}
	var err error
	if b.server, err = newServer(c, b.engine); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	b.server.Register(mux)
	web := httptest.NewServer(mux)
	b.url = web.URL
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := b.server.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		b.client.CloseIdleConnections()
		web.Close()
		if n := len(b.engine.subscriptions()); n != 0 {
			t.Errorf("%d subscriptions are left", n)
		}
		for _, name := range []string{"cam1", "cam2"} {
			if b.engine.published(name) != nil {
				t.Errorf("%s is still published", name)
			}
		}
	})
	return b
}

// reply is an HTTP answer with its body.
type reply struct {
	*http.Response
	body string
}

func (b *bench) do(method, path, contentType, body string, header ...string) reply {
	b.t.Helper()
	req, err := http.NewRequest(method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return reply{resp, string(text)}
}

// want does a request and fails unless it has the status.
func (b *bench) want(status int, method, path, contentType, body string, header ...string) reply {
	b.t.Helper()
	r := b.do(method, path, contentType, body, header...)
	if r.StatusCode != status {
		b.t.Fatalf("%s %s: status %d, want %d: %s", method, path, r.StatusCode, status, r.body)
	}
	return r
}

// newClient makes a client's peer connection that uses 127.0.0.1 only.
func newClient(t *testing.T) *webrtc.PeerConnection {
	t.Helper()
	m := &webrtc.MediaEngine{}
	if err := m.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	registry := &interceptor.Registry{}
	if err := webrtc.RegisterDefaultInterceptors(m, registry); err != nil {
		t.Fatal(err)
	}
	e := webrtc.SettingEngine{LoggerFactory: pionLog{slog.New(slog.DiscardHandler)}}
	e.SetIncludeLoopbackCandidate(true)
	e.SetIPFilter(func(ip net.IP) bool { return ip.Equal(net.IPv4(127, 0, 0, 1)) })
	e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(e)).
		NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.GracefulClose() })
	return pc
}

// makeOffer makes the offer of pc, with all candidates.
func makeOffer(t *testing.T, pc *webrtc.PeerConnection, o *webrtc.OfferOptions) string {
	t.Helper()
	offer, err := pc.CreateOffer(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	select {
	case <-webrtc.GatheringCompletePromise(pc):
	case <-time.After(5 * time.Second):
		t.Fatal("client does not gather")
	}
	return pc.LocalDescription().SDP
}

// peer is a client with a session.
type peer struct {
	*webrtc.PeerConnection
	b              *bench
	location, etag string
	sid            string
	answer         string
	states         chan webrtc.PeerConnectionState
}

// open posts the offer of pc.
func (b *bench) open(pc *webrtc.PeerConnection, path string) *peer {
	b.t.Helper()
	return b.openAs(pc, path, func(offer string) string { return offer })
}

// flussonic makes a player's offer sendrecv, as Flussonic's library does. (pion itself
// cannot: a sendrecv transceiver has a codec of its own to send.)
func flussonic(offer string) string { return strings.ReplaceAll(offer, "a=recvonly", "a=sendrecv") }

// openAs posts the offer of pc as change makes it.
func (b *bench) openAs(pc *webrtc.PeerConnection, path string, change func(string) string) *peer {
	b.t.Helper()
	p := &peer{PeerConnection: pc, b: b, states: make(chan webrtc.PeerConnectionState, 64)}
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) { p.states <- s })
	r := b.want(http.StatusCreated, "POST", path, "application/sdp", change(makeOffer(b.t, pc, nil)))
	p.location, p.etag, p.sid, p.answer = r.Header.Get("Location"), r.Header.Get("ETag"), r.Header.Get("X-Sid"), r.body
	return p
}

// connect applies the answer and waits for the connection.
func (p *peer) connect() *peer {
	p.b.t.Helper()
	if err := p.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: p.answer}); err != nil {
		p.b.t.Fatalf("answer: %v\n%s", err, p.answer)
	}
	p.waitFor(webrtc.PeerConnectionStateConnected)
	return p
}

func (p *peer) waitFor(want webrtc.PeerConnectionState) {
	p.b.t.Helper()
	for timeout := time.After(15 * time.Second); ; {
		select {
		case s := <-p.states:
			if s == want {
				return
			}
		case <-timeout:
			p.b.t.Fatalf("client is %s, not %s\n%s", p.ConnectionState(), want, p.answer)
		}
	}
}

// newViewer makes a client that receives these kinds.
func newViewer(t *testing.T, direction webrtc.RTPTransceiverDirection, kinds ...webrtc.RTPCodecType) *webrtc.PeerConnection {
	t.Helper()
	pc := newClient(t)
	for _, kind := range kinds {
		if _, err := pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: direction}); err != nil {
			t.Fatal(err)
		}
	}
	return pc
}

const (
	audio    = webrtc.RTPCodecTypeAudio
	video    = webrtc.RTPCodecTypeVideo
	recvonly = webrtc.RTPTransceiverDirectionRecvonly
	sendrecv = webrtc.RTPTransceiverDirectionSendrecv
)

// camera is a client that publishes, with the tracks that it sends.
type camera struct {
	*webrtc.PeerConnection
	audio, video *webrtc.TrackLocalStaticRTP
	videoSender  *webrtc.RTPSender
	sent         int // packets of each track
}

func newCamera(t *testing.T, kinds ...webrtc.RTPCodecType) *camera {
	t.Helper()
	c := &camera{PeerConnection: newClient(t)}
	for _, kind := range kinds {
		mime := webrtc.MimeTypeOpus
		if kind == video {
			mime = webrtc.MimeTypeH264
		}
		track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime}, kind.String(), "cam")
		if err != nil {
			t.Fatal(err)
		}
		transceiver, err := c.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		if err != nil {
			t.Fatal(err)
		}
		if kind == audio {
			c.audio = track
		} else {
			c.video, c.videoSender = track, transceiver.Sender()
		}
	}
	return c
}

// eventually waits until f holds.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

// live is the number of connected sessions.
func (b *bench) live() int {
	s := b.server.Stats()
	return s.Publish + s.Play
}

// cuttable is a client whose network can be cut, or only for ICE.
type cuttable struct {
	pc     *webrtc.PeerConnection
	sound  *webrtc.TrackLocalStaticRTP
	off    atomic.Bool
	offICE atomic.Bool
}

func newCuttable(t *testing.T) *cuttable {
	t.Helper()
	c := &cuttable{}
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: &cutConn{conn, c}, Logger: pionLog{slog.New(slog.DiscardHandler)}.NewLogger("")})
	t.Cleanup(func() { mux.Close() })
	m := &webrtc.MediaEngine{}
	if err := m.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	e := webrtc.SettingEngine{LoggerFactory: pionLog{slog.New(slog.DiscardHandler)}}
	e.SetIncludeLoopbackCandidate(true)
	e.SetICEUDPMux(mux)
	e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	c.pc, err = webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(e)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.pc.GracefulClose() })
	if c.sound, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "audio", "cam"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.pc.AddTransceiverFromTrack(c.sound, webrtc.RTPTransceiverInit{Direction: sendrecv}); err != nil {
		t.Fatal(err)
	}
	return c
}

// cutConn loses what is sent while the client's network is cut.
type cutConn struct {
	net.PacketConn
	of *cuttable
}

func (c *cutConn) WriteTo(p []byte, addr net.Addr) (int, error) {
	if c.of.off.Load() || c.of.offICE.Load() && isSTUN(p) {
		return len(p), nil
	}
	return c.PacketConn.WriteTo(p, addr)
}

// dropLines removes the lines that start with one of the prefixes.
func dropLines(sdp string, prefixes ...string) string {
	var b strings.Builder
	for line := range strings.Lines(sdp) {
		if !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(line, p) }) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// restartICE restarts ICE as a browser does: with a new offer of which only a fragment is
// sent. It returns when the client is connected again.
func (p *peer) restartICE(withoutLines ...string) reply {
	t := p.b.t
	t.Helper()
	offer := dropLines(makeOffer(t, p.PeerConnection, &webrtc.OfferOptions{ICERestart: true}), withoutLines...)
	r := p.b.want(200, "PATCH", p.location, typeFragment, fragmentOf(offer), "If-Match", "*")
	answer := p.answer
	for _, key := range []string{"a=ice-ufrag:", "a=ice-pwd:"} {
		answer = replaceLines(answer, key, lineOf(r.body, key))
	}
	answer = replaceLines(answer, "a=candidate:", lineOf(r.body, "a=candidate:"))
	if err := p.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatalf("answer: %v\n%s", err, answer)
	}
	p.waitFor(webrtc.PeerConnectionStateConnected)
	return r
}

// fragmentOf is the ICE part of a description.
func fragmentOf(sdp string) string {
	var b strings.Builder
	for line := range strings.Lines(sdp) {
		switch {
		case strings.HasPrefix(line, "m="), strings.HasPrefix(line, "a=mid:"), strings.HasPrefix(line, "a=ice-"), strings.HasPrefix(line, "a=candidate:"), strings.HasPrefix(line, "a=end-of"):
			b.WriteString(line)
		}
	}
	return b.String()
}

// lineOf is the first line with a prefix.
func lineOf(sdp, prefix string) string {
	for line := range strings.Lines(sdp) {
		if strings.HasPrefix(line, prefix) {
			return line
		}
	}
	return ""
}

func replaceLines(sdp, prefix, with string) string {
	var b strings.Builder
	for line := range strings.Lines(sdp) {
		if strings.HasPrefix(line, prefix) {
			line = with
		}
		b.WriteString(line)
	}
	return b.String()
}
