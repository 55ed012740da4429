package rtc

import (
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/pion/ice/v4"
)

// maxPeerAddresses is from how many addresses the packets of one peer are taken. A peer
// has few: those of its interfaces, and others when it moves to another network.
const maxPeerAddresses = 8

// addresses are those from which a peer may send media: where it proved, by an ICE check,
// that it knows the session's password. They need not be in the pair that ICE selected on
// this side: the controlling side may send through another valid one, and browsers do.
type addresses struct {
	port *port

	mu    sync.Mutex
	known []netip.AddrPort // the newest last
	route route            // nil: not yet, or not any more
}

// learn adds an address.
func (a *addresses) learn(addr netip.AddrPort) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if slices.Contains(a.known, addr) {
		return
	}
	if len(a.known) == maxPeerAddresses {
		a.port.deleteRoute(a.known[0], a.route)
		a.known = slices.Delete(a.known, 0, 1)
	}
	a.known = append(a.known, addr)
	if a.route != nil {
		a.port.setRoute(addr, a.route)
	}
}

// take gives r the packets from all addresses, also from those that are learned later.
func (a *addresses) take(r route) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.route = r
	for _, addr := range a.known {
		a.port.setRoute(addr, r)
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

// checkedConn is the socket as one session's ICE agent uses it.
type checkedConn struct {
	net.PacketConn
	ice.AddrPortReaderWriter
	addresses *addresses
}

// WriteToAddrPort implements ice.AddrPortReaderWriter. The agent answers a check with
// success only if the check's integrity holds (RFC 8445, 7.3), so the address is the peer's.
func (c checkedConn) WriteToAddrPort(b []byte, addr netip.AddrPort) (int, error) {
	const bindingSuccess = "\x01\x01" // RFC 8489, 5 and 18.2
	if len(b) >= 20 && string(b[:2]) == bindingSuccess {
		c.addresses.learn(netip.AddrPortFrom(addr.Addr().Unmap().WithZone(""), addr.Port()))
	}
	return c.AddrPortReaderWriter.WriteToAddrPort(b, addr)
}
