package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sectile/server/proxy"
)

// authorize tells whether a request may give commands.
func (h *Handler) authorize(w http.ResponseWriter, r *http.Request) error {
	// The body is JSON whatever its Content-Type, so that any page could post a form here
	// with the credentials that the browser remembers.
	if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
		return refuse(http.StatusForbidden, "cross_site", "requests of other sites are refused")
	}
	if origin := r.Header.Values("Origin"); len(origin) > 0 && !h.ownOrigin(origin, r.Host) {
		return refuse(http.StatusForbidden, "cross_site", "requests of the origin %.80q are refused", origin[0])
	}
	addr := remote(r)
	if h.open {
		if !addr.IsLoopback() || proxy.Forwarded(r) { // by a proxy here for somebody elsewhere
			return refuse(http.StatusForbidden, "not_loopback", "without credentials (--edit-auth USER:PASS) the control API answers localhost only")
		}
		return nil
	}
	user, pass, given := r.BasicAuth()
	ok := given && h.known(user, pass)
	// A request without credentials is no guess: some clients always ask first, and send
	// them when they are told to.
	if wait := h.failures.check(addr, given && !ok, time.Now()); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		return refuse(http.StatusTooManyRequests, "auth_rate", "too many wrong credentials from this address")
	}
	if !ok {
		w.Header().Set("WWW-Authenticate", `Basic realm="sectile", charset="UTF-8"`)
		if given {
			h.log.Warn("control: wrong credentials", "remote", r.RemoteAddr)
		}
		return refuse(http.StatusUnauthorized, "auth", "the credentials are missing or wrong")
	}
	return nil
}

// known takes the same time whatever user and pass are; hashes make their lengths equal.
func (h *Handler) known(user, pass string) bool {
	u, p := sha256.Sum256([]byte(user)), sha256.Sum256([]byte(pass))
	return subtle.ConstantTimeCompare(u[:], h.user[:])&subtle.ConstantTimeCompare(p[:], h.pass[:]) == 1
}

// ownOrigin tells whether a page of this server sent the request. Without credentials the
// host must be one that no foreign DNS can point to this machine (DNS rebinding): an
// address or localhost.
func (h *Handler) ownOrigin(origins []string, host string) bool {
	u, err := url.Parse(origins[0])
	if len(origins) != 1 || err != nil || u.Host == "" || !strings.EqualFold(u.Host, host) {
		return false
	}
	if !h.open {
		return true
	}
	name := strings.ToLower(u.Hostname())
	return net.ParseIP(name) != nil || name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// remote is the address of the client; the zero Addr, which is no loopback, when it has none.
func remote(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap().WithZone("")
}
