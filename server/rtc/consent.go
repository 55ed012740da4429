package rtc

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/ice/v4"
)

// consent thins out what goes between two ICE agents that found each other. From then on
// they only ask each other whether they still are there (RFC 7675), and with many sessions
// those packets cost as much as much of the sound.
type consent struct {
	port     *port
	interval time.Duration // of our checks; pion makes one every two seconds

	mu      sync.Mutex
	settled bool // there is an interval
	since   time.Duration
	asked   time.Duration // when the last check went out
}

// settle says that the agents have agreed on a pair of addresses, or will have by then.
func (c *consent) settle(at time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settled, c.since = true, at
}

// early tells whether a check would be too early, or else counts it.
func (c *consent) early(now time.Duration) bool {
	if now-c.asked < c.interval-c.interval/16 { // its timers are not exact
		return true
	}
	c.asked = now
	return false
}

const (
	// What a STUN message begins with (RFC 8489, 5 and 18.2).
	bindingRequest = "\x00\x01"
	bindingSuccess = "\x01\x01"
	stunHeader     = 20
)

// checkedConn is the socket as one session's ICE agent uses it, through which pion sends what
// is not ICE, too.
type checkedConn struct {
	net.PacketConn
	ice.AddrPortReaderWriter
	addresses *addresses
	consent   *consent
}

// WriteToAddrPort implements ice.AddrPortReaderWriter.
func (c checkedConn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	addr := netip.AddrPortFrom(to.Addr().Unmap().WithZone(""), to.Port())
	if len(b) < stunHeader || b[0] > 3 { // not STUN (RFC 7983)
		if isReport(b) && c.consent.port.gather(b, addr) {
			return len(b), nil
		}
		return c.AddrPortReaderWriter.WriteToAddrPort(b, to)
	}
	kind := string(b[:2])
	if kind == bindingSuccess {
		// The agent answers a check with success only if the check's integrity holds (RFC
		// 8445, 7.3), so the address is the peer's.
		c.addresses.learn(addr)
	}
	if c.thinned(kind, b, addr) {
		return len(b), nil
	}
	return c.AddrPortReaderWriter.WriteToAddrPort(b, to)
}

// thinned deals with what the agents say between times: it leaves out checks that come too
// early, and has the others leave with the sound.
func (c checkedConn) thinned(kind string, b []byte, addr netip.AddrPort) bool {
	if !c.addresses.has(addr) {
		return false
	}
	port := c.consent.port
	now := port.clock()
	c.consent.mu.Lock()
	between := c.consent.settled && now >= c.consent.since
	early := between && kind == bindingRequest && c.consent.early(now)
	c.consent.mu.Unlock()
	if early {
		return true
	}
	if !between || !port.ticking() {
		return false
	}
	port.queue(b, addr)
	return true
}
