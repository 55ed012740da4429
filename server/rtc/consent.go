package rtc

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pion/ice/v4"
)

// consent thins out what goes between two ICE agents that found each other. From then on
// they only ask each other whether they still are there (RFC 7675), and with many sessions
// those packets cost as much as much of the sound.
type consent struct {
	port     *port
	interval time.Duration // of our checks of one address; pion makes one every two seconds

	mu      sync.Mutex
	settled bool // there is an interval
	since   time.Duration
	checked map[netip.AddrPort]checks // by address; few
}

// checks are those of one address: when the first and the newest went out.
type checks struct{ first, last time.Duration }

// newAddress is for how long all checks of an address go out: the client may be about to go
// over to it, for which both sides must have checked it.
const newAddress = 5 * time.Second

// settle says that the agents have agreed on a pair of addresses, or will have by then.
func (c *consent) settle(at time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settled, c.since = true, at
}

// between tells whether the agents have agreed and do not search.
func (c *consent) between(now time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.settled && now >= c.since
}

// early tells whether a check of an address would be too early, or else counts it.
func (c *consent) early(addr netip.AddrPort, now time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	before, ok := c.checked[addr]
	switch {
	case !ok:
		if c.checked == nil || len(c.checked) == maxPeerAddresses {
			c.checked = map[netip.AddrPort]checks{}
		}
		before.first = now
	case now-before.first >= newAddress && now-before.last < c.interval-c.interval/16: // its timers are not exact
		return true
	}
	before.last = now
	c.checked[addr] = before
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
	ice.AddrPortReaderWriter // pion's mux
	addresses                *addresses
	consent                  *consent

	mu  sync.Mutex
	met []netip.AddrPort // to which something was sent through the mux
}

// ReadFromAddrPort implements ice.AddrPortReaderWriter.
func (c *checkedConn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, addr, err := c.AddrPortReaderWriter.ReadFromAddrPort(b)
	if from := unmapped(addr); err == nil && n > 0 && !isSTUN(b[:n]) && c.addresses.has(from) {
		c.addresses.heard(from)
	}
	return n, addr, err
}

// unmapped is an address as port has it.
func unmapped(addr netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(addr.Addr().Unmap().WithZone(""), addr.Port())
}

// isSTUN tells ICE's packets from all else on the port (RFC 7983).
func isSTUN(b []byte) bool { return len(b) >= stunHeader && b[0] <= 3 }

// WriteToAddrPort implements ice.AddrPortReaderWriter.
func (c *checkedConn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	addr := unmapped(to)
	ofICE := isSTUN(b)
	switch {
	case !ofICE:
		c.addresses.sent(addr)
	case string(b[:2]) == bindingSuccess:
		// The agent answers a check with success only if the check's integrity holds (RFC
		// 8445, 7.3), so the address is the peer's.
		c.addresses.learn(addr)
	}
	if !c.meet(addr) && (ofICE && c.thinned(b, addr) || !ofICE && c.gathered(b, addr)) {
		return len(b), nil
	}
	return c.AddrPortReaderWriter.WriteToAddrPort(b, to)
}

// meet tells whether nothing was sent yet to an address. Then it must go through the mux,
// which from then on knows whose packets those from there are.
func (c *checkedConn) meet(addr netip.AddrPort) (first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Contains(c.met, addr) {
		return false
	}
	if len(c.met) == maxPeerAddresses {
		c.met = slices.Delete(c.met, 0, 1)
	}
	c.met = append(c.met, addr)
	return true
}

// gathered has a report wait for others that are about to be made.
func (c *checkedConn) gathered(b []byte, addr netip.AddrPort) bool {
	return isReport(b) && c.consent.port.gather(b, addr)
}

// thinned deals with what the agents say between times: it leaves out checks that come too
// early, and has the others leave with the sound.
func (c *checkedConn) thinned(b []byte, addr netip.AddrPort) bool {
	if !c.addresses.has(addr) {
		return false
	}
	port := c.consent.port
	now := port.clock()
	if !c.consent.between(now) {
		return false
	}
	if string(b[:2]) == bindingRequest && c.consent.early(addr, now) {
		return true
	}
	if !port.ticking() {
		return false
	}
	port.queue(b, addr)
	return true
}
