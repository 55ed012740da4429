// Package proxy finds out who sent a request that came through reverse proxies.
package proxy

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

const forwardedFor = "X-Forwarded-For"

// headers are those in which proxies tell for whom they send a request.
var headers = []string{forwardedFor, "Forwarded", "X-Real-Ip"}

// unknown is the RemoteAddr of a client whose proxy sends no address. Nothing takes it for
// one, least of all for an address of this machine.
const unknown = "unknown"

// Forwarded tells whether a request says that it was sent for somebody else. Those of
// trusted proxies do not any more when they have passed Handler.
func Forwarded(r *http.Request) bool {
	return slices.ContainsFunc(headers, func(name string) bool { return len(r.Header[name]) > 0 })
}

// Handler hands requests on to next. The RemoteAddr of one whose peer is among trusted
// becomes the client's address, with port 0: the last one in X-Forwarded-For that is not
// itself among trusted, or the first one if all are. Other peers' headers are left alone;
// anybody can write them.
func Handler(trusted []netip.Prefix, next http.Handler) http.Handler {
	if len(trusted) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err == nil && contains(trusted, clean(peer.Addr())) && len(r.Header[forwardedFor]) > 0 {
			r.RemoteAddr = client(trusted, strings.Join(r.Header[forwardedFor], ","))
			for _, name := range headers {
				r.Header.Del(name)
			}
		}
		next.ServeHTTP(w, r)
	})
}

// client returns the client's ADDR:PORT of an X-Forwarded-For, to whose end each proxy has
// added its peer. What stands before an address that is not trusted is the client's own
// claim, so it is not even looked at.
func client(trusted []netip.Prefix, list string) string {
	for {
		last := list
		comma := strings.LastIndexByte(list, ',')
		if comma >= 0 {
			list, last = list[:comma], list[comma+1:]
		}
		addr, ok := parse(strings.Trim(last, " \t"))
		if !ok {
			return unknown
		}
		if comma < 0 || !contains(trusted, addr) {
			return net.JoinHostPort(addr.String(), "0")
		}
	}
}

// parse reads an address as proxies write them: some add the port, or brackets around IPv6.
func parse(text string) (addr netip.Addr, ok bool) {
	if at, err := netip.ParseAddrPort(text); err == nil {
		return clean(at.Addr()), true
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok && strings.Contains(inner, ":") {
			text = inner
		}
	}
	addr, err := netip.ParseAddr(text)
	return clean(addr), err == nil
}

// clean makes equal addresses equal values.
func clean(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

func contains(list []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(addr) })
}
