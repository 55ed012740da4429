package rtc

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// maxPeerAddresses is from how many addresses the packets of one peer are taken. A peer
// has few: those of its interfaces, and others when it moves to another network.
const maxPeerAddresses = 8

// addresses are those from which a peer may send media: where it proved, by an ICE check,
// that it knows the session's password. They need not be in the pair that ICE selected on
// this side: the controlling side may send through another valid one, and browsers do.
type addresses struct {
	port     *port
	interval time.Duration // in which pion's agent is told that a peer lives whose packets it does not get

	mu    sync.Mutex
	known []netip.AddrPort // the one heard from last is last
	from  netip.AddrPort   // where the newest packet came from that was not ICE's
	to    netip.AddrPort   // where the newest such packet of pion's went
	route route            // nil: not yet, or not any more
	fresh bool             // something came since lives said so
	told  time.Duration    // when it did
}

// has tells whether an address is known.
func (a *addresses) has(addr netip.AddrPort) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Contains(a.known, addr)
}

// heard takes where a packet came from that was not ICE's.
func (a *addresses) heard(from netip.AddrPort) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.from, a.fresh = from, true
	if i := slices.Index(a.known, from); i >= 0 {
		a.last(i)
	}
}

// last makes the ith known address the last one, which is forgotten last. It needs the lock.
func (a *addresses) last(i int) {
	if n := len(a.known) - 1; i < n {
		addr := a.known[i]
		copy(a.known[i:], a.known[i+1:])
		a.known[n] = addr
	}
}

// lives tells whether it is time to tell that the peer lives: something came of it lately.
func (a *addresses) lives(now time.Duration) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.fresh || now-a.told < a.interval {
		return false
	}
	a.fresh, a.told = false, now
	return true
}

// sent takes where such a packet went.
func (a *addresses) sent(to netip.AddrPort) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.to = to
}

// movedTo tells whether the peer has gone over to an address, and this side not yet.
func (a *addresses) movedTo(addr netip.AddrPort) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.from == addr && a.to != addr
}

// learn adds an address.
func (a *addresses) learn(addr netip.AddrPort) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := slices.Index(a.known, addr); i >= 0 {
		a.last(i)
		return
	}
	if len(a.known) == maxPeerAddresses {
		a.port.deleteRoute(a.known[0], a.route)
		a.known = slices.Delete(a.known, 0, 1)
	}
	a.known = append(a.known, addr)
	if a.route != nil {
		a.port.setRoute(addr, a.route, a)
	}
}

// take gives r the packets from all addresses, also from those that are learned later.
func (a *addresses) take(r route) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.route = r
	for _, addr := range a.known {
		a.port.setRoute(addr, r, a)
	}
}

// release undoes take.
func (a *addresses) release() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, addr := range a.known {
		a.port.deleteRoute(addr, a.route)
	}
	a.known, a.route = nil, nil
}
