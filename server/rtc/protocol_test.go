package rtc

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// offers of a publisher and a player, for tests that need no connection.
func offers(t *testing.T) (publish, play string) {
	t.Helper()
	return makeOffer(t, newCamera(t, audio, video).PeerConnection, nil), makeOffer(t, newViewer(t, recvonly, audio, video), nil)
}

// TestPost covers rows of RFC 9725, 4.2 and 4.3.1: 201, the type, the answer's
// directions, Location, ETag.
func TestPost(t *testing.T) {
	b := newBench(t, Config{})
	publish, play := offers(t)
	seen := map[string]bool{}
	for _, c := range []struct{ path, offer, direction string }{
		{"/cam1/whip", publish, "recvonly"},
		{"/meeting/whep", play, "sendonly"},
		{"/meeting/whep", dropLines(play, "a=rtcp-rsize"), "sendonly"},
	} {
		for _, contentType := range []string{typeSDP, "application/sdp; charset=utf-8", "Application/SDP"} {
			r := b.want(201, "POST", c.path, contentType, c.offer)
			h := r.Header
			location, etag, sid := h.Get("Location"), h.Get("ETag"), h.Get("X-Sid")
			if h.Get("Content-Type") != typeSDP {
				t.Errorf("type is %q", h.Get("Content-Type"))
			}
			if ok, _ := regexp.MatchString(`^`+c.path+`/[A-Za-z0-9_-]{22}$`, location); !ok {
				t.Errorf("Location is %q", location)
			}
			if ok, _ := regexp.MatchString(`^"[A-Za-z0-9_-]{22}"$`, etag); !ok {
				t.Errorf("ETag is %q", etag)
			}
			if len(sid) < 16 || strings.Contains(location, sid) {
				t.Errorf("X-Sid is %q at %s", sid, location)
			}
			for _, s := range []string{location, etag, sid} {
				if seen[s] {
					t.Errorf("%s comes twice", s)
				}
				seen[s] = true
			}
			if expose := h.Get("Access-Control-Expose-Headers"); !strings.Contains(expose, "Location") || !strings.Contains(expose, "ETag") || !strings.Contains(expose, "X-Sid") || !strings.Contains(expose, "Link") {
				t.Errorf("exposed are %q", expose)
			}
			if d := directions(r.body); d["audio"] != c.direction || d["video"] != c.direction {
				t.Errorf("%s is answered %v", c.path, d)
			}
			if strings.Count(r.body, "\r\na=rtcp-mux\r\n") != 2 || strings.Count(r.body, "\r\na=rtcp-mux-only\r\n") != 2 {
				t.Errorf("rtcp-mux and rtcp-mux-only are not in each section:\n%s", r.body)
			}
			if strings.Count(r.body, "a=rtcp-rsize") != strings.Count(c.offer, "a=rtcp-rsize") {
				t.Errorf("rtcp-rsize is not answered as offered:\n%s", r.body)
			}
			if !strings.Contains(r.body, "\r\na=group:BUNDLE 0 1\r\n") {
				t.Errorf("no BUNDLE:\n%s", r.body)
			}
			if !strings.Contains(r.body, "\r\na=end-of-candidates\r\n") || !strings.Contains(r.body, fmt.Sprintf(" 127.0.0.1 %d typ host", b.server.socket.local.Port())) {
				t.Errorf("not all candidates:\n%s", r.body)
			}
			if strings.Count(r.body, "\r\na=setup:passive\r\n") != 2 {
				t.Errorf("role is not passive:\n%s", r.body)
			}
			b.want(200, "DELETE", location, "", "")
		}
	}
	if n := b.server.Stats().Pending; n != 0 {
		t.Errorf("%d sessions are pending", n)
	}
}

func TestPostRefusals(t *testing.T) {
	b := newBench(t, Config{})
	publish, play := offers(t)
	h264 := regexp.MustCompile(`(?m)^a=rtpmap:\d+ H264/90000\r\n`)
	opus := regexp.MustCompile(`(?m)^a=rtpmap:\d+ opus/48000/2\r\n`)
	second := publish[strings.Index(publish, "m=audio"):strings.Index(publish, "m=video")]
	second = strings.ReplaceAll(second, "a=mid:0", "a=mid:2")
	for _, c := range []struct {
		name, path, contentType, offer string
		status                         int
	}{
		{"type", "/cam1/whip", "application/json", publish, 415},
		{"no type", "/cam1/whip", "", publish, 415},
		{"unknown stream", "/nobody/whip", typeSDP, publish, 404},
		{"unknown room", "/nobody/whep", typeSDP, play, 404},
		{"empty", "/cam1/whip", typeSDP, "", 400},
		{"garbage", "/cam1/whip", typeSDP, "hello", 400},
		{"truncated", "/cam1/whip", typeSDP, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", 400},
		{"no mid", "/cam1/whip", typeSDP, dropLines(publish, "a=mid:"), 400},
		{"no credentials", "/cam1/whip", typeSDP, dropLines(publish, "a=ice-pwd"), 400},
		{"no fingerprint", "/cam1/whip", typeSDP, dropLines(publish, "a=fingerprint"), 400},
		{"too large", "/cam1/whip", typeSDP, publish + strings.Repeat("a=x\r\n", 8000), 413},
		{"too many lines", "/cam1/whip", typeSDP, publish + strings.Repeat("a=x\r\n", 600), 400},
		{"too many sections", "/cam1/whip", typeSDP, publish + sections(8), 400},
		{"too many payload types", "/cam1/whip", typeSDP, strings.Replace(publish, "SAVPF 111", "SAVPF 111"+strings.Repeat(" 100", 64), 1), 400},
		{"recvonly publisher", "/cam1/whip", typeSDP, play, 422},
		{"half recvonly publisher", "/cam1/whip", typeSDP, strings.Replace(publish, "a=sendonly", "a=recvonly", 1), 422},
		{"inactive publisher", "/cam1/whip", typeSDP, strings.ReplaceAll(publish, "a=sendonly", "a=inactive"), 422},
		{"sendonly player", "/meeting/whep", typeSDP, publish, 422},
		{"two tracks of a kind", "/cam1/whip", typeSDP, strings.Replace(publish+second, "BUNDLE 0 1", "BUNDLE 0 1 2", 1), 422},
		{"no H.264", "/cam1/whip", typeSDP, h264.ReplaceAllString(publish, ""), 422},
		{"no H.264 to play", "/meeting/whep", typeSDP, h264.ReplaceAllString(play, ""), 422},
		{"no Opus", "/cam1/whip", typeSDP, opus.ReplaceAllString(publish, ""), 422},
		{"not bundled", "/cam1/whip", typeSDP, dropLines(publish, "a=group"), 422},
		{"no rtcp-mux", "/cam1/whip", typeSDP, dropLines(publish, "a=rtcp-mux"), 422},
		{"plain RTP", "/cam1/whip", typeSDP, strings.ReplaceAll(publish, "UDP/TLS/RTP/SAVPF", "RTP/AVP"), 422},
		{"holdconn", "/cam1/whip", typeSDP, strings.ReplaceAll(publish, "setup:actpass", "setup:holdconn"), 422},
	} {
		r := b.do("POST", c.path, c.contentType, c.offer)
		if r.StatusCode != c.status || strings.TrimSpace(r.body) == "" {
			t.Errorf("%s: status %d, want %d: %s", c.name, r.StatusCode, c.status, r.body)
		}
		if r.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: the page may not read why", c.name)
		}
	}
	if s := b.server.Stats(); s.Pending != 0 || s.Rejected["unacceptable"] == 0 || s.Rejected["malformed"] == 0 || s.Rejected["content_type"] != 2 || s.Rejected["size"] != 1 || s.Rejected["not_found"] != 2 {
		t.Errorf("stats are %+v", s)
	}
}

func sections(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:x%d\r\na=rtcp-mux\r\na=inactive\r\n", i)
	}
	return b.String()
}

// TestUnwantedSections: no section is refused that need not be. A data channel is; VP8
// alone in a section that is not played is not.
func TestUnwantedSections(t *testing.T) {
	b := newBench(t, Config{})
	data := newViewer(t, recvonly, audio)
	if _, err := data.CreateDataChannel("x", nil); err != nil {
		t.Fatal(err)
	}
	sound, _ := receive(data)
	p := b.open(data, "/talk/whep")
	if d := directions(p.answer); d["application"] != "refused" || d["audio"] != "sendonly" || strings.Count(p.answer, "\r\nm=") != 2 {
		t.Errorf("a data channel is answered:\n%s", p.answer)
	}
	p.connect()
	eventually(t, "sound beside a refused data channel", func() bool { return sound.count() > 0 })

	_, play := offers(t)
	vp8 := regexp.MustCompile(`(?m)^a=rtpmap:\d+ H264/90000\r\n`).ReplaceAllString(play, "")
	r := b.want(201, "POST", "/talk/whep", typeSDP, vp8)
	if d := directions(r.body); d["video"] != "inactive" || d["audio"] != "sendonly" {
		t.Errorf("VP8 in a room without video is answered %v", d)
	}
}

// TestMethods covers RFC 9725, 4.1: GET and HEAD, OPTIONS, and what is not allowed.
func TestMethods(t *testing.T) {
	b := newBench(t, Config{})
	publish, play := offers(t)
	whip := b.want(201, "POST", "/cam1/whip", typeSDP, publish).Header.Get("Location")
	whep := b.want(201, "POST", "/meeting/whep", typeSDP, play).Header.Get("Location")
	for _, path := range []string{"/cam1/whip", "/meeting/whep", whip, whep} {
		for _, method := range []string{"GET", "HEAD"} {
			if r := b.do(method, path, "", ""); r.StatusCode != 204 || r.body != "" {
				t.Errorf("%s %s: status %d, %q", method, path, r.StatusCode, r.body)
			}
		}
		r := b.want(200, "OPTIONS", path, "", "", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type", "Origin", "https://elsewhere.example")
		h := r.Header
		if r.body != "" || h.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(strings.ToLower(h.Get("Access-Control-Allow-Headers")), "content-type") || h.Get("Link") != "" {
			t.Errorf("OPTIONS %s: %v", path, h)
		}
		session := path == whip || path == whep
		allowed, accept := "POST", "Accept-Post"
		if session {
			allowed, accept = "PATCH", "Accept-Patch"
		}
		if !strings.Contains(h.Get("Access-Control-Allow-Methods"), allowed) || h.Get(accept) == "" {
			t.Errorf("OPTIONS %s: %v", path, h)
		}
		r = b.want(405, "PUT", path, "", "")
		if allow := r.Header.Get("Allow"); !strings.Contains(allow, allowed) || !strings.Contains(allow, "OPTIONS") {
			t.Errorf("PUT %s: Allow is %q", path, allow)
		}
		if session {
			b.want(405, "POST", path, typeSDP, publish)
		} else {
			b.want(405, "DELETE", path, "", "")
		}
	}
	if h := b.want(200, "OPTIONS", "/cam1/whip", "", "").Header; h.Get("Accept-Post") != typeSDP {
		t.Errorf("Accept-Post is %q", h.Get("Accept-Post"))
	}
	// A session answers only below the name and kind that it is of.
	for _, path := range []string{"/cam2/whip/" + whip[len("/cam1/whip/"):], "/meeting/whep/" + whip[len("/cam1/whip/"):], "/cam1/whip/nobody"} {
		for _, method := range []string{"GET", "HEAD", "DELETE"} {
			b.want(404, method, path, "", "")
		}
		b.want(404, "PATCH", path, typeFragment, "a=x", "If-Match", "*")
	}
	b.want(404, "GET", "/cam1/other", "", "")
}

// TestPatch covers RFC 9725, 4.3: what is no trickle and no restart.
func TestPatch(t *testing.T) {
	b := newBench(t, Config{})
	publish, _ := offers(t)
	r := b.want(201, "POST", "/cam1/whip", typeSDP, publish)
	location, etag := r.Header.Get("Location"), r.Header.Get("ETag")
	ufrag, pwd := lineOf(publish, "a=ice-ufrag:"), lineOf(publish, "a=ice-pwd:")
	trickle := ufrag + pwd + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n"
	const newUfrag, newPwd = "a=ice-ufrag:abcdefgh\r\n", "a=ice-pwd:abcdefghijklmnopqrstuvwxyz\r\n"
	for _, c := range []struct {
		name, contentType, body, ifMatch string
		status                           int
	}{
		{"trickle", typeFragment, trickle, etag, 204},
		{"trickle with LF", typeFragment + ";charset=utf-8", strings.ReplaceAll(trickle, "\r", ""), etag, 204},
		{"any state", typeFragment, trickle, "*", 204},
		{"any state, quoted", typeFragment, trickle, `"*"`, 204},
		{"a list of states", typeFragment, trickle, `"x", ` + etag, 204},
		{"without credentials", typeFragment, "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=end-of-candidates\r\n", etag, 204},
		{"without password", typeFragment, ufrag + "a=end-of-candidates\r\n", etag, 204},
		{"mDNS", typeFragment, ufrag + pwd + "a=candidate:1 1 udp 1 6a1b.local 9 typ host\r\n", etag, 204},
		{"garbage candidate", typeFragment, ufrag + pwd + "a=candidate:hello\r\n", etag, 204},
		{"type", typeSDP, trickle, etag, 415},
		{"no type", "", trickle, etag, 415},
		{"no condition", typeFragment, trickle, "", 428},
		{"stale", typeFragment, trickle, `"x"`, 412},
		{"weak", typeFragment, trickle, "W/" + etag, 412},
		{"unquoted", typeFragment, trickle, strings.Trim(etag, `"`), 412},
		{"empty", typeFragment, "", etag, 400},
		{"garbage", typeFragment, "hello\r\n", etag, 400},
		{"broken m=", typeFragment, "m=audio\r\n", etag, 400},
		{"too large", typeFragment, strings.Repeat("a=x\r\n", 2000), etag, 413},
		{"restart with the old password", typeFragment, newUfrag + pwd, "*", 400},
		{"restart with the old name", typeFragment, ufrag + newPwd, "*", 400},
		{"restart without password", typeFragment, newUfrag, "*", 400},
		{"restart with a short password", typeFragment, newUfrag + "a=ice-pwd:abc\r\n", "*", 400},
		{"restart of another state", typeFragment, newUfrag + newPwd, `"x"`, 412},
	} {
		var header []string
		if c.ifMatch != "" {
			header = []string{"If-Match", c.ifMatch}
		}
		r := b.do("PATCH", location, c.contentType, c.body, header...)
		if r.StatusCode != c.status {
			t.Errorf("%s: status %d, want %d: %s", c.name, r.StatusCode, c.status, r.body)
		}
		if r.StatusCode == 204 && (r.body != "" || r.Header.Get("ETag") != "") {
			t.Errorf("%s: 204 with ETag %q and body %q", c.name, r.Header.Get("ETag"), r.body)
		}
		if etag := r.Header.Get("ETag"); etag != "" {
			t.Errorf("%s: new ETag", c.name)
		}
	}
	if n := b.server.Stats().Rejected["candidate"]; n != 2 {
		t.Errorf("%d candidates are counted as dropped, want 2", n)
	}
	b.want(204, "GET", location, "", "") // nothing of this ended it
	b.want(200, "DELETE", location, "", "", "If-Match", `"x"`)
	b.want(404, "PATCH", location, typeFragment, trickle, "If-Match", "*")
}

// TestTrickle connects a client whose offer has no candidates, and whom the server can
// only reach once they come.
func TestTrickle(t *testing.T) {
	b := newBench(t, Config{})
	pc := newViewer(t, recvonly, audio)
	states := make(chan webrtc.PeerConnectionState, 64)
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) { states <- s })
	offer := makeOffer(t, pc, nil)
	r := b.want(201, "POST", "/talk/whep", typeSDP, dropLines(offer, "a=candidate", "a=end-of"))
	p := &peer{PeerConnection: pc, b: b, answer: dropLines(r.body, "a=candidate"), states: states}
	if err := p.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: p.answer}); err != nil {
		t.Fatal(err)
	}
	b.want(204, "PATCH", r.Header.Get("Location"), typeFragment, fragmentOf(offer), "If-Match", r.Header.Get("ETag"))
	p.waitFor(webrtc.PeerConnectionStateConnected)
}

// TestICERestart restarts ICE of a session that plays, twice, and it goes on.
func TestICERestart(t *testing.T) {
	b := newBench(t, Config{})
	pc := newViewer(t, recvonly, audio, video)
	sound, picture := receive(pc)
	p := b.open(pc, "/meeting/whep").connect()
	eventually(t, "media", func() bool { return sound.count() > 0 && picture.count() > 0 })
	etag, answer := p.etag, p.answer
	for range 2 {
		r := p.restartICE()
		now := r.Header.Get("ETag")
		if now == etag || now == "" || r.Header.Get("Content-Type") != typeFragment {
			t.Errorf("ETag %s after %s, type %s", now, etag, r.Header.Get("Content-Type"))
		}
		for _, key := range []string{"a=ice-ufrag:", "a=ice-pwd:"} {
			if line := lineOf(r.body, key); line == "" || line == lineOf(answer, key) {
				t.Errorf("%s is not new:\n%s", key, r.body)
			}
		}
		if lineOf(r.body, "a=candidate:") == "" || strings.Contains(r.body, "a=rtpmap") {
			t.Errorf("fragment is\n%s", r.body)
		}
		b.want(412, "PATCH", p.location, typeFragment, "a=end-of-candidates\r\n", "If-Match", etag)
		b.want(204, "PATCH", p.location, typeFragment, "a=end-of-candidates\r\n", "If-Match", now)
		etag, answer = now, r.body
		before, pictures := sound.count(), picture.count()
		eventually(t, "media after the restart", func() bool { return sound.count() > before+10 && picture.count() > pictures+10 })
	}
	sound.mu.Lock()
	defer sound.mu.Unlock()
	for i, packet := range sound.packets[1:] {
		if packet.SSRC != sound.packets[i].SSRC {
			t.Fatal("another source after the restart")
		}
	}
	if b.live() != 1 || len(b.engine.subscriptions()) != 1 {
		t.Error("not the same session")
	}
}

// TestICERestartOfPublisher does the same for a session that publishes.
func TestICERestartOfPublisher(t *testing.T) {
	b := newBench(t, Config{})
	cam := newCamera(t, audio, video)
	p := b.open(cam.PeerConnection, "/cam1/whip").connect()
	eventually(t, "published", func() bool { return b.engine.published("cam1") != nil })
	pub := b.engine.published("cam1")
	cam.send(t, 5)
	p.restartICE()
	a, v := pub.counts()
	eventually(t, "packets after the restart", func() bool {
		cam.send(t, 1)
		audio, video := pub.counts()
		return audio > a+5 && video > v+5
	})
	if b.engine.published("cam1") != pub {
		t.Error("not the same publication")
	}
}

func TestDrain(t *testing.T) {
	b := newBench(t, Config{})
	publish, play := offers(t)
	location := b.want(201, "POST", "/cam1/whip", typeSDP, publish).Header.Get("Location")
	b.server.Drain()
	for path, offer := range map[string]string{"/cam1/whip": publish, "/meeting/whep": play} {
		if r := b.want(503, "POST", path, typeSDP, offer); r.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	b.want(204, "GET", location, "", "")
	b.want(200, "DELETE", location, "", "")
}

// TestOverload: new sessions are refused while the server is overloaded, those that are go
// on, and others come later.
func TestOverload(t *testing.T) {
	b := newBench(t, Config{})
	publish, play := offers(t)
	location := b.want(201, "POST", "/cam1/whip", typeSDP, publish).Header.Get("Location")
	b.server.SetOverloaded(true)
	for path, offer := range map[string]string{"/cam2/whip": publish, "/meeting/whep": play} {
		if r := b.want(503, "POST", path, typeSDP, offer); r.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	if n := b.server.Stats().Rejected["overload"]; n != 2 {
		t.Errorf("%d refusals counted, want 2", n)
	}
	b.want(204, "GET", location, "", "")
	b.server.SetOverloaded(false)
	b.want(201, "POST", "/cam2/whip", typeSDP, publish)
	b.want(200, "DELETE", location, "", "")
}

func TestPendingLimit(t *testing.T) {
	b := newBench(t, Config{Limits: Limits{Pending: 2}})
	publish, _ := offers(t)
	var location string
	for range 2 {
		location = b.want(201, "POST", "/cam1/whip", typeSDP, publish).Header.Get("Location")
	}
	if r := b.want(503, "POST", "/cam1/whip", typeSDP, publish); r.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	b.want(200, "DELETE", location, "", "")
	b.want(201, "POST", "/cam1/whip", typeSDP, publish)
}

// TestPostRate: a client that is not on this machine may open five sessions a second.
func TestPostRate(t *testing.T) {
	b := newBench(t, Config{})
	handler := b.server.Handler()
	post := func(from string) int {
		w := newRecorder()
		r, _ := http.NewRequestWithContext(context.Background(), "POST", "/cam1/whip", strings.NewReader("v=0"))
		r.RemoteAddr = from
		r.Header.Set("Content-Type", typeSDP)
		handler.ServeHTTP(w, r)
		if w.Code == 429 && w.Header().Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		return w.Code
	}
	for i := range 7 {
		want := 400
		if i >= 5 {
			want = 429
		}
		if got := post("192.0.2.1:1000"); got != want {
			t.Errorf("request %d: status %d, want %d", i, got, want)
		}
	}
	if got := post("192.0.2.2:1000"); got != 400 {
		t.Errorf("another address: status %d", got)
	}
	for range 20 {
		if got := post("127.0.0.1:1000"); got != 400 {
			t.Errorf("loopback: status %d", got)
		}
	}
}

func TestAddressLimiter(t *testing.T) {
	l := newAddressLimiter(1)
	now := time.Now()
	for i := range maxAddresses + 100 {
		l.allow(address(i), now)
	}
	if n := len(l.byKey); n != maxAddresses {
		t.Errorf("%d addresses are kept", n)
	}
	if !l.allow(address(maxAddresses+200), now.Add(2*time.Second)) || len(l.byKey) != 1 {
		t.Errorf("%d addresses are kept after all have their tokens back", len(l.byKey))
	}
	a, b := ip("2001:db8:1:2::1"), ip("2001:db8:1:2:ffff::2")
	if l.allow(a, now) == l.allow(b, now) {
		t.Error("two addresses of one /64 are counted apart")
	}
}
