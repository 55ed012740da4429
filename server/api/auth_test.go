package api

import (
	"fmt"
	"net/http"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const list = `{"command": "list_room"}`

func TestLoopbackOnly(t *testing.T) {
	for remote, ok := range map[string]bool{
		"127.0.0.1:1": true, "127.9.9.9:1": true, "[::1]:1": true, "[::ffff:127.0.0.1]:1": true,
		"192.0.2.1:1": false, "[2001:db8::1]:1": false, "10.0.0.1:1": false, "[fe80::1%lo]:1": false,
		"[::ffff:192.0.2.1]:1": false, "0.0.0.0:1": false, "@": false, "": false, "127.0.0.1": false, "localhost:1": false,
	} {
		f := newFixture(t, "", "")
		r := newRequest(Path, list)
		r.RemoteAddr = remote
		status, answer, _ := f.do(r)
		if want := map[bool]int{true: 200, false: 403}[ok]; status != want {
			t.Errorf("%q: %d %s, want %d", remote, status, answer, want)
		}
		if !ok && (!reflect.DeepEqual(f.rejected, []string{"not_loopback"}) || !strings.Contains(answer, "--edit-auth")) {
			t.Errorf("%q: %s, rejected %v", remote, answer, f.rejected)
		}
	}
}

// TestForwarded: what a proxy on this machine sends for somebody else is not from this
// machine, and nobody becomes it by saying so. With credentials both are as before.
func TestForwarded(t *testing.T) {
	for _, remote := range []string{"127.0.0.1:1", "[::1]:1", "192.0.2.1:1"} {
		for _, name := range []string{"X-Forwarded-For", "Forwarded", "X-Real-IP"} {
			for _, value := range []string{"127.0.0.1", "192.0.2.7", "::1", "for=127.0.0.1", "", "garbage"} {
				for user, want := range map[string]int{"": 403, "admin": 200} {
					f := newFixture(t, user, user)
					r := newRequest(Path, list)
					r.RemoteAddr = remote
					r.Header.Set(name, value)
					r.SetBasicAuth(user, user)
					if status, answer, _ := f.do(r); status != want {
						t.Errorf("%s: %q from %s with user %q: %d %s, want %d", name, value, remote, user, status, answer, want)
					}
				}
			}
		}
	}
}

func TestCredentials(t *testing.T) {
	for _, test := range []struct {
		name   string
		edit   func(r *http.Request)
		status int
	}{
		{"right", func(r *http.Request) { r.SetBasicAuth("admin", "se:cret") }, 200},
		{"right, from elsewhere", func(r *http.Request) { r.SetBasicAuth("admin", "se:cret"); r.RemoteAddr = "192.0.2.1:1" }, 200},
		{"none", func(r *http.Request) {}, 401},
		{"pass", func(r *http.Request) { r.SetBasicAuth("admin", "secret") }, 401},
		{"user", func(r *http.Request) { r.SetBasicAuth("root", "se:cret") }, 401},
		{"prefix", func(r *http.Request) { r.SetBasicAuth("admin", "se:cre") }, 401},
		{"longer", func(r *http.Request) { r.SetBasicAuth("admin", "se:cret\x00") }, 401},
		{"empty", func(r *http.Request) { r.SetBasicAuth("", "") }, 401},
		{"swapped", func(r *http.Request) { r.SetBasicAuth("se:cret", "admin") }, 401},
		{"Bearer", func(r *http.Request) { r.Header.Set("Authorization", "Bearer admin:se:cret") }, 401},
		{"no base64", func(r *http.Request) { r.Header.Set("Authorization", "Basic admin:se:cret") }, 401},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, "admin", "se:cret")
			r := newRequest(Path, list)
			test.edit(r)
			status, answer, header := f.do(r)
			if status != test.status {
				t.Errorf("%d %s, want %d", status, answer, test.status)
			}
			if challenge := header.Get("WWW-Authenticate"); (challenge != "") != (status == 401) || status == 401 && !strings.HasPrefix(challenge, "Basic realm=") {
				t.Errorf("challenge %q with %d", challenge, status)
			}
			if status == 401 && !reflect.DeepEqual(f.rejected, []string{"auth"}) {
				t.Errorf("rejected %v", f.rejected)
			}
			if strings.Contains(f.log.String(), "cret") {
				t.Errorf("the log shows a secret: %s", &f.log)
			}
		})
	}
}

// TestAuthorizeFirst: nobody without credentials learns which rooms there are.
func TestAuthorizeFirst(t *testing.T) {
	f := newFixture(t, "admin", "secret")
	for _, r := range []*http.Request{newRequest(Path+"nowhere", list), newRequest(Path, "{"), newRequest(Path, strings.Repeat("x", maxBody+1))} {
		if status, answer, _ := f.do(r); status != http.StatusUnauthorized {
			t.Errorf("%d %s", status, answer)
		}
	}
}

func TestCredentialsNotNeeded(t *testing.T) {
	f := newFixture(t, "", "")
	r := newRequest(Path, list)
	r.SetBasicAuth("user", "pass") // as a documented curl line has them
	if status, answer, _ := f.do(r); status != 200 {
		t.Errorf("%d %s", status, answer)
	}
}

func TestOtherSites(t *testing.T) {
	for _, test := range []struct {
		host, origin, site string
		status             int // with credentials
		open               int // without
	}{
		{"example.org:8080", "", "", 200, 200}, // no browser
		{"localhost:8080", "", "same-origin", 200, 200},
		{"localhost:8080", "", "none", 200, 200},
		{"localhost:8080", "", "cross-site", 403, 403},
		{"localhost:8080", "", "same-site", 403, 403},
		{"localhost:8080", "http://localhost:8080", "same-origin", 200, 200},
		{"localhost:8080", "http://localhost:8080", "cross-site", 403, 403},
		{"localhost:8080", "http://localhost:8081", "", 403, 403},
		{"localhost:8080", "http://localhost", "", 403, 403},
		{"localhost:8080", "https://localhost:8080", "", 200, 200},
		{"localhost:8080", "null", "", 403, 403},
		{"localhost:8080", "", "SAME-SITE", 200, 200}, // no browser says so
		{"localhost:8080", "https://evil.example", "", 403, 403},
		{"localhost:8080", "https://evil.example/localhost:8080", "", 403, 403},
		{"localhost:8080", "https://localhost:8080@evil.example", "", 403, 403},
		{"localhost:8080", "://", "", 403, 403},
		{"Localhost:8080", "http://LOCALHOST:8080", "", 200, 200},
		{"room.localhost", "http://room.localhost", "", 200, 200},
		{"127.0.0.1:80", "http://127.0.0.1:80", "", 200, 200},
		{"[::1]:80", "http://[::1]:80", "", 200, 200},
		// A foreign name that was made to point to this machine.
		{"evil.example:8080", "http://evil.example:8080", "same-origin", 200, 403},
		{"localhost.evil.example", "http://localhost.evil.example", "", 200, 403},
		{"notlocalhost", "http://notlocalhost", "", 200, 403},
	} {
		for user, want := range map[string]int{"admin": test.status, "": test.open} {
			f := newFixture(t, user, user)
			r := newRequest(Path, list)
			r.Host = test.host
			r.SetBasicAuth(user, user)
			if test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
			if test.site != "" {
				r.Header.Set("Sec-Fetch-Site", test.site)
			}
			status, answer, _ := f.do(r)
			if status != want {
				t.Errorf("%+v with user %q: %d %s, want %d", test, user, status, answer, want)
			}
			if status == 403 && !reflect.DeepEqual(f.rejected, []string{"cross_site"}) {
				t.Errorf("%+v: rejected %v", test, f.rejected)
			}
		}
	}
	f := newFixture(t, "", "")
	r := newRequest(Path, list)
	r.Host = "localhost"
	r.Header["Origin"] = []string{"http://localhost", "http://evil.example"}
	if status, answer, _ := f.do(r); status != 403 {
		t.Errorf("two origins: %d %s", status, answer)
	}
}

// try sends one request with credentials from addr.
func (f *fixture) try(addr, user, pass string) (status int, header http.Header) {
	f.t.Helper()
	r := newRequest(Path, list)
	r.RemoteAddr = addr
	if user != "" {
		r.SetBasicAuth(user, pass)
	}
	status, _, header = f.do(r)
	return status, header
}

func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, "admin", "secret")
		const addr = "192.0.2.1:1"
		want := func(status int, addr, pass string) http.Header {
			t.Helper()
			got, header := f.try(addr, "admin", pass)
			if got != status {
				t.Errorf("%s with %q: %d, want %d", addr, pass, got, status)
			}
			return header
		}
		for range 30 { // asking what is needed is no failure
			if status, _ := f.try(addr, "", ""); status != 401 {
				t.Fatalf("%d, want 401", status)
			}
		}
		for range maxFailures {
			want(200, addr, "secret") // takes nothing back
			want(401, addr, "wrong")
			time.Sleep(2 * time.Second)
		}
		// 20 s after the first failure all ten are counted, for 40 s more.
		for range 100 {
			if got := want(429, addr, "wrong").Get("Retry-After"); got != "40" {
				t.Fatalf("Retry-After: %q, want 40", got)
			}
		}
		want(429, "192.0.2.1:2", "secret") // another port, the right password: too late
		want(200, "192.0.2.2:1", "secret") // another address
		if f.rejected[len(f.rejected)-1] != "auth_rate" {
			t.Errorf("rejected %v", f.rejected[len(f.rejected)-1])
		}
		time.Sleep(40*time.Second - time.Nanosecond)
		if got := want(429, addr, "wrong").Get("Retry-After"); got != "1" {
			t.Errorf("Retry-After: %q, want 1", got)
		}
		time.Sleep(time.Nanosecond)
		want(401, addr, "wrong") // the first failure is a minute old and makes room for one
		want(429, addr, "wrong")
		time.Sleep(time.Minute)
		want(200, addr, "secret")
	})
}

func TestThrottleIPv6(t *testing.T) {
	f := newFixture(t, "admin", "secret")
	for i := range maxFailures {
		if status, _ := f.try(fmt.Sprintf("[2001:db8:0:1::%x]:1", i), "admin", "wrong"); status != 401 {
			t.Fatalf("%d, want 401", status)
		}
	}
	for addr, want := range map[string]int{"[2001:db8:0:1:ffff::]:1": 429, "[2001:db8:0:2::1]:1": 200, "[::ffff:192.0.2.1]:1": 200} {
		if status, _ := f.try(addr, "admin", "secret"); status != want {
			t.Errorf("%s: %d, want %d", addr, status, want)
		}
	}
}

// TestThrottleAtOnce: guesses at the same time are no more than one after another.
func TestThrottleAtOnce(t *testing.T) {
	var throttle throttle
	var mu sync.Mutex
	var wg sync.WaitGroup
	guesses, now := 0, time.Now()
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if throttle.check(netip.MustParseAddr("192.0.2.1"), true, now) == 0 {
					mu.Lock()
					guesses++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if guesses != maxFailures {
		t.Errorf("%d guesses, want %d", guesses, maxFailures)
	}
}

// TestThrottleBounded: many addresses take bounded memory, and old ones go first.
func TestThrottleBounded(t *testing.T) {
	var throttle throttle
	now := time.Now()
	addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range maxTracked / 2 {
		throttle.check(addr(i), true, now)
	}
	now = now.Add(window)
	for range maxFailures {
		throttle.check(addr(1<<20), true, now)
	}
	for i := range maxTracked {
		throttle.check(addr(maxTracked+i), true, now)
		if n := len(throttle.byAddr); n > maxTracked {
			t.Fatalf("%d addresses", n)
		}
		if i == maxTracked/2 && throttle.check(addr(1<<20), false, now) == 0 {
			t.Fatal("a recent address went before the old ones")
		}
	}
	if len(throttle.byAddr) != maxTracked {
		t.Errorf("%d addresses, want %d", len(throttle.byAddr), maxTracked)
	}
}
