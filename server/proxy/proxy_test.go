package proxy

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

var trusted = []netip.Prefix{
	netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:1::/48"),
}

// pass returns the request that comes out of a Handler.
func pass(list []netip.Prefix, peer string, header http.Header) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.RemoteAddr = peer
	for name, values := range header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	Handler(list, http.HandlerFunc(func(_ http.ResponseWriter, passed *http.Request) { r = passed })).ServeHTTP(nil, r)
	return r
}

func TestClient(t *testing.T) {
	const local, elsewhere = "127.0.0.1:5", "192.0.2.9:5"
	for _, test := range []struct {
		peer string
		xff  []string
		want string
	}{
		// Nobody is believed but trusted peers.
		{elsewhere, []string{"192.0.2.1"}, elsewhere},
		{elsewhere, []string{"127.0.0.1"}, elsewhere},
		{"127.0.0.2:5", []string{"192.0.2.1"}, "127.0.0.2:5"},
		{"[::1]:5", []string{"192.0.2.1"}, "[::1]:5"},
		{"[2001:db8:2::1]:5", []string{"192.0.2.1"}, "[2001:db8:2::1]:5"},
		{"@", []string{"192.0.2.1"}, "@"},
		{"", []string{"192.0.2.1"}, ""},

		{local, nil, local},
		{local, []string{"192.0.2.1"}, "192.0.2.1:0"},
		{"10.9.9.9:5", []string{"192.0.2.1"}, "192.0.2.1:0"},
		{"[::ffff:10.9.9.9]:5", []string{"192.0.2.1"}, "192.0.2.1:0"},
		{"[2001:db8:1::7%eth0]:5", []string{"192.0.2.1"}, "192.0.2.1:0"},

		// Lists: what the client wrote itself stands first.
		{local, []string{"127.0.0.1, 192.0.2.1"}, "192.0.2.1:0"},
		{local, []string{"203.0.113.1,192.0.2.1"}, "192.0.2.1:0"},
		{local, []string{"203.0.113.1, 192.0.2.1, 10.0.0.1 ,\t127.0.0.1"}, "192.0.2.1:0"},
		{local, []string{"203.0.113.1, 192.0.2.1", "10.0.0.1"}, "192.0.2.1:0"},
		{local, []string{"127.0.0.1", "192.0.2.1"}, "192.0.2.1:0"},
		{local, []string{"10.0.0.7, 10.0.0.8"}, "10.0.0.7:0"}, // all trusted
		{local, []string{"127.0.0.1"}, "127.0.0.1:0"},         // a browser beside the proxy

		// IPv6, and with ports.
		{local, []string{"2001:DB8::1"}, "[2001:db8::1]:0"},
		{local, []string{"[2001:db8::1]"}, "[2001:db8::1]:0"},
		{local, []string{"[2001:db8::1]:4711"}, "[2001:db8::1]:0"},
		{local, []string{"192.0.2.1:4711"}, "192.0.2.1:0"},
		{local, []string{"::ffff:192.0.2.1"}, "192.0.2.1:0"},
		{local, []string{"192.0.2.1, ::ffff:10.0.0.1, [2001:db8:1::2]:80"}, "192.0.2.1:0"},
		{local, []string{"fe80::1%eth0"}, "[fe80::1]:0"},

		// Garbage is never an address, and of no account before one.
		{local, []string{""}, unknown},
		{local, []string{","}, unknown},
		{local, []string{"127.0.0.1,"}, unknown},
		{local, []string{"unknown"}, unknown},
		{local, []string{"localhost"}, unknown},
		{local, []string{"127.1"}, unknown},
		{local, []string{"0x7f000001"}, unknown},
		{local, []string{"[127.0.0.1]"}, unknown},
		{local, []string{"[::1"}, unknown},
		{local, []string{"\x00\xff"}, unknown},
		{local, []string{"127.0.0.1, garbage, 10.0.0.1"}, unknown},
		{local, []string{"garbage;,, 192.0.2.1"}, "192.0.2.1:0"},
		{local, []string{strings.Repeat(",", 1<<14) + "192.0.2.1"}, "192.0.2.1:0"},
		{local, []string{strings.Repeat("10.0.0.1,", 1<<11) + "10.0.0.1"}, "10.0.0.1:0"},
	} {
		header := http.Header{}
		if test.xff != nil {
			header["X-Forwarded-For"] = test.xff
		}
		r := pass(trusted, test.peer, header)
		if r.RemoteAddr != test.want {
			t.Errorf("%.80q from %s: %s, want %s", test.xff, test.peer, r.RemoteAddr, test.want)
		}
		if believed := test.want != test.peer; believed && Forwarded(r) || !believed && Forwarded(r) != (test.xff != nil) {
			t.Errorf("%.80q from %s: forwarded: %t", test.xff, test.peer, Forwarded(r))
		}
		if r := pass(nil, test.peer, header.Clone()); r.RemoteAddr != test.peer {
			t.Errorf("%.80q from %s: %s when nobody is trusted", test.xff, test.peer, r.RemoteAddr)
		}
	}
}

// TestForwarded: whatever says that a request was forwarded is seen, and believed only as
// X-Forwarded-For of a trusted proxy.
func TestForwarded(t *testing.T) {
	for _, name := range []string{"Forwarded", "X-Real-IP", "x-forwarded-for"} {
		if r := pass(nil, "127.0.0.1:5", http.Header{name: {""}}); !Forwarded(r) {
			t.Errorf("%s is not seen", name)
		}
	}
	if r := pass(trusted, "127.0.0.1:5", http.Header{"Forwarded": {"for=192.0.2.1"}, "X-Real-Ip": {"192.0.2.1"}}); !Forwarded(r) || r.RemoteAddr != "127.0.0.1:5" {
		t.Errorf("%s, forwarded %t: only X-Forwarded-For is read", r.RemoteAddr, Forwarded(r))
	}
	if r := pass(trusted, "127.0.0.1:5", http.Header{"Accept": {"for=192.0.2.1"}}); Forwarded(r) {
		t.Error("Accept is no such header")
	}
}
