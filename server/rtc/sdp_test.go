package rtc

import (
	"fmt"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

func address(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

// videoOffer is an offer of one section of video with these payload types.
func videoOffer(direction string, formats ...string) string {
	var b strings.Builder
	b.WriteString("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=video 9 UDP/TLS/RTP/SAVPF")
	for i := range formats {
		fmt.Fprintf(&b, " %d", 96+i)
	}
	b.WriteString("\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=rtcp-mux\r\na=setup:actpass\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\na=fingerprint:sha-256 " +
		strings.TrimSuffix(strings.Repeat("AB:", 32), ":") + "\r\na=" + direction + "\r\n")
	for i, f := range formats {
		name, fmtp, _ := strings.Cut(f, " ")
		fmt.Fprintf(&b, "a=rtpmap:%d %s\r\n", 96+i, name)
		if fmtp != "" {
			fmt.Fprintf(&b, "a=fmtp:%d %s\r\n", 96+i, fmtp)
		}
	}
	b.WriteString("a=rtcp-fb:* nack\r\na=rtcp-fb:97 nack pli\r\na=rtcp-fb:97 goog-remb\r\n")
	return b.String()
}

func TestChooseH264(t *testing.T) {
	const (
		vp8  = "VP8/90000"
		base = "H264/90000 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f"
		cb   = "H264/90000 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
		cb0  = "H264/90000 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f"
		main = "h264/90000 profile-level-id=4d001f; packetization-mode=1"
		high = "H264/90000 packetization-mode=1;profile-level-id=640c1f"
		hi10 = "H264/90000 packetization-mode=1;profile-level-id=6e001f"
		ext  = "H264/90000 packetization-mode=1;profile-level-id=58001f"
		mode = "H264/90000 packetization-mode=2;profile-level-id=42e01f"
		bare = "H264/90000"
	)
	rtx := func(apt int) string { return fmt.Sprintf("rtx/90000 apt=%d", apt) }
	for _, c := range []struct {
		formats       []string
		publish, play int // chosen payload type; 0: refused
		rtx           int
	}{
		{[]string{vp8, rtx(96), cb, rtx(98)}, 98, 98, 99},
		{[]string{cb0, cb, rtx(97)}, 97, 97, 98},
		{[]string{base, cb}, 96, 96, 0},
		{[]string{main, cb}, 96, 96, 0},
		{[]string{high}, 96, 96, 0},
		{[]string{cb0}, 96, 0, 0},
		{[]string{bare}, 96, 0, 0},
		{[]string{hi10}, 0, 0, 0},
		{[]string{ext, mode}, 0, 0, 0},
		{[]string{vp8, rtx(96)}, 0, 0, 0},
	} {
		for _, play := range []bool{false, true} {
			o, err := parseOffer([]byte(videoOffer("sendrecv", c.formats...)), false)
			if err != nil {
				t.Fatal(err)
			}
			o.sections[0].use = true
			want := c.publish
			if play {
				want = c.play
			}
			switch err := o.check(play); {
			case want == 0 && err == nil:
				t.Errorf("%v, play %v: accepted", c.formats, play)
			case want == 0:
			case err != nil:
				t.Errorf("%v, play %v: %v", c.formats, play, err)
			default:
				got := o.sections[0].codec
				if int(got.params.PayloadType) != want || int(got.rtx) != c.rtx {
					t.Errorf("%v, play %v: %d with RTX %d", c.formats, play, got.params.PayloadType, got.rtx)
				}
			}
		}
	}
}

func TestFeedback(t *testing.T) {
	o, err := parseOffer([]byte(videoOffer("recvonly", "VP8/90000", "H264/90000 packetization-mode=1;profile-level-id=42e01f")), false)
	if err != nil {
		t.Fatal(err)
	}
	o.sections[0].use = true
	if err := o.check(true); err != nil {
		t.Fatal(err)
	}
	want := []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "goog-remb"}}
	if got := o.sections[0].codec.params.RTCPFeedback; !slices.Equal(got, want) {
		t.Errorf("feedback is %v", got)
	}
}

func TestCandidates(t *testing.T) {
	for value, want := range map[string][2]bool{ // usable: for others, for clients on this machine
		"1 1 udp 1 192.0.2.1 9 typ host":                                  {true, true},
		"1 1 UDP 1 2001:db8::1 9 typ srflx raddr :: rport 0":              {true, true},
		"1 1 udp 1 127.0.0.1 9 typ host":                                  {false, true},
		"1 1 udp 1 ::1 9 typ host":                                        {false, true},
		"1 1 udp 1 ::ffff:127.0.0.1 9 typ host":                           {false, true},
		"1 1 tcp 1 192.0.2.1 9 typ host tcptype active":                   {false, false},
		"1 1 tcp 1 192.0.2.1 9 typ host tcptype passive":                  {false, false},
		"1 1 udp 1 5f1c2b3a-0000-4000-8000-000000000000.local 9 typ host": {false, false},
		"1 1 udp 1 host.example 9 typ host":                               {false, false},
		"1 1 udp 1 0.0.0.0 9 typ host":                                    {false, false},
		"1 1 udp 1 224.0.0.1 9 typ host":                                  {false, false},
		"1 1 udp 1 192.0.2.1 0 typ host":                                  {false, false},
		"1 1 udp 1 192.0.2.1 99999 typ host":                              {false, false},
		"":                                                                {false, false},
	} {
		for i, loopback := range []bool{false, true} {
			if got := usable(value, loopback); got != want[i] {
				t.Errorf("usable(%q, %v) = %v", value, loopback, got)
			}
		}
	}
	var o offer
	for i := range 100 {
		o.candidate(fmt.Sprintf("1 1 udp 1 192.0.2.%d 9 typ host", i), false)
		o.candidate("1 1 udp 1 192.0.2.0 9 typ host", false) // repeated
	}
	if len(o.candidates) != maxCandidates || o.dropped != 100-maxCandidates {
		t.Errorf("%d candidates, %d dropped", len(o.candidates), o.dropped)
	}
}

// TestTCPCandidates: those that browsers have beside the ones of UDP are no reason to complain.
func TestTCPCandidates(t *testing.T) {
	o := &offer{}
	for _, value := range []string{
		"1 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active",
		"2 1 udp 2122260223 192.0.2.1 5000 typ host",
		"3 1 udp 2122260223 224.0.0.1 5000 typ host",
	} {
		o.candidate(value, false)
	}
	if len(o.candidates) != 1 || o.dropped != 1 {
		t.Errorf("%q are taken, %d refused", o.candidates, o.dropped)
	}
}

func noClock() time.Duration { return 0 }

// TestHosts: the addresses that are announced.
func TestHosts(t *testing.T) {
	loopback4, loopback6, public4, public6 := ip("127.0.0.1"), ip("::1"), ip("203.0.113.7"), ip("2001:db8::7")
	hosts := func(addr string, local bool, addresses ...netip.Addr) []netip.Addr {
		t.Helper()
		s, err := listen(addr, addresses, noClock, pionLog{newBench(t, Config{}).server.log}, func() {})
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		if s.local.Port() == 0 {
			t.Error("no port")
		}
		return s.hosts(local)
	}
	for _, c := range []struct {
		addr      string
		local     bool
		addresses []netip.Addr
		want      []netip.Addr
	}{
		{"127.0.0.1:0", false, nil, []netip.Addr{loopback4}},
		{"[::1]:0", false, nil, []netip.Addr{loopback6}},
		{":0", false, []netip.Addr{public4, public6}, []netip.Addr{public4, public6}},
		{"0.0.0.0:0", false, []netip.Addr{public4, public6}, []netip.Addr{public4}},
		{"127.0.0.1:0", false, []netip.Addr{public4}, []netip.Addr{public4}},
		{"127.0.0.1:0", true, []netip.Addr{public4}, []netip.Addr{public4, loopback4}},
		{"0.0.0.0:0", true, []netip.Addr{public4}, []netip.Addr{public4, loopback4}},
		{":0", false, []netip.Addr{loopback4}, []netip.Addr{loopback4}},
	} {
		if got := hosts(c.addr, c.local, c.addresses...); !slices.Equal(got, c.want) {
			t.Errorf("%s, client on loopback %v, addresses %v: %v, want %v", c.addr, c.local, c.addresses, got, c.want)
		}
	}
	own := interfaceAddresses()
	others := slices.ContainsFunc(own, func(a netip.Addr) bool { return !a.IsLoopback() && a.Is4() })
	if got := hosts("0.0.0.0:0", false); slices.Contains(got, loopback4) == others {
		t.Errorf("of the interfaces' %v are announced %v", own, got)
	}
	if got := hosts("0.0.0.0:0", true); !slices.Contains(got, loopback4) {
		t.Errorf("for a client on loopback are announced %v", got)
	}
	if _, err := listen(":0", []netip.Addr{{}}, noClock, pionLog{newBench(t, Config{}).server.log}, func() {}); err == nil {
		t.Error("an invalid address is accepted")
	}
}

// TestAnnouncedAddresses: what is announced is in the answer with the server's port, and
// connections work on all sockets.
func TestAnnouncedAddresses(t *testing.T) {
	for _, addr := range []string{":0", "0.0.0.0:0", "127.0.0.1:0"} {
		b := newBench(t, Config{Addr: addr, Addresses: []netip.Addr{ip("203.0.113.7")}})
		pc := newViewer(t, recvonly, audio)
		sound, _ := receive(pc)
		p := b.open(pc, "/talk/whep")
		if !strings.Contains(p.answer, fmt.Sprintf(" 203.0.113.7 %d typ host", b.server.socket.local.Port())) {
			t.Errorf("%s: not announced:\n%s", addr, p.answer)
		}
		p.connect()
		eventually(t, "sound", func() bool { return sound.count() > 0 })
	}
}

func FuzzParseOffer(f *testing.F) {
	f.Add(videoOffer("sendrecv", "H264/90000 packetization-mode=1;profile-level-id=42e01f", "rtx/90000 apt=96"))
	f.Add("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		o, err := parseOffer([]byte(text), true)
		if err != nil {
			return
		}
		for _, s := range o.sections {
			s.use = !s.rejected
		}
		if o.check(true) != nil {
			return
		}
		again, err := parseOffer([]byte(o.render(webrtc.RTPTransceiverDirectionRecvonly)), true)
		if err != nil {
			t.Fatalf("rendered offer: %v\n%s", err, o.render(webrtc.RTPTransceiverDirectionRecvonly))
		}
		if again.ice != o.ice || len(again.sections) != len(o.used()) {
			t.Fatalf("rendered offer differs:\n%s", o.render(webrtc.RTPTransceiverDirectionRecvonly))
		}
	})
}

func FuzzParseFragment(f *testing.F) {
	f.Add("a=ice-ufrag:abcd\r\na=ice-pwd:x\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		frag, err := parseFragment(text)
		if err != nil {
			return
		}
		for _, c := range frag.candidates {
			usable(c, true)
		}
	})
}

func TestIsFingerprint(t *testing.T) {
	bytes := strings.TrimSuffix(strings.Repeat("0a:", 32), ":")
	for text, want := range map[string]bool{
		"sha-256 " + bytes:                  true,
		"SHA-256 " + strings.ToUpper(bytes): true,
		"sha-1 " + bytes:                    false, // of another length
		"sha-256 00:11":                     false,
		"sha-9 zz":                          false,
		"sha-256 " + bytes[:93] + "zz":      false,
		"sha-256 " + bytes + ":00":          false,
		"sha-256":                           false,
		"":                                  false,
	} {
		if got := isFingerprint(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
