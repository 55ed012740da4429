package client

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
)

// Arrivals are when packets of sound and the last packets of pictures arrived.
type Arrivals struct{ Sound, Pictures []time.Time }

// intake is a socket that counts RTP packets where they come in and keeps them and RTCP
// from the peer connection, which would spend far more on each, unless it is open; those of
// pictures it keeps always. What is counted is in the clear in SRTP (RFC 3711, 3.1).
type intake struct {
	packetConn
	open atomic.Bool

	mu        sync.Mutex
	counted   Flow
	sequence  uint16
	arrived   [256]time.Time // by sequence number
	recording bool
	arrivals  Arrivals
}

// packetConn is a UDP socket whose addresses need no allocation.
type packetConn interface {
	net.PacketConn
	ice.AddrPortReaderWriter
}

// udp is a socket of the system as a packetConn.
type udp struct{ *net.UDPConn }

func (c udp) ReadFromAddrPort(p []byte) (int, netip.AddrPort, error) { return c.ReadFromUDPAddrPort(p) }

func (c udp) WriteToAddrPort(p []byte, addr netip.AddrPort) (int, error) {
	return c.WriteToUDPAddrPort(p, addr)
}

// ReadFromAddrPort reads the next packet that is for the peer connection.
func (c *intake) ReadFromAddrPort(p []byte) (int, netip.AddrPort, error) {
	for {
		n, addr, err := c.packetConn.ReadFromAddrPort(p)
		if err != nil || !c.take(p[:n]) {
			return n, addr, err
		}
	}
}

// ReadFrom is the same.
func (c *intake) ReadFrom(p []byte) (int, net.Addr, error) {
	n, addr, err := c.ReadFromAddrPort(p)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(addr), nil
}

// take counts a packet and tells whether it goes no further.
func (c *intake) take(p []byte) bool {
	if len(p) < 12 || p[0]>>6 != 2 {
		return false // STUN or DTLS (RFC 7983)
	}
	if t := p[1]; t >= 192 && t <= 223 {
		return !c.open.Load() // RTCP (RFC 5761, 4)
	}
	now, sequence := time.Now(), binary.BigEndian.Uint16(p[2:])
	if p[1]&0x7f != opusPayload {
		if p[1]&0x80 != 0 { // the marker
			c.mu.Lock()
			if c.recording {
				c.arrivals.Pictures = append(c.arrivals.Pictures, now)
			}
			c.mu.Unlock()
		}
		return true
	}
	c.mu.Lock()
	if c.counted.Packets > 0 && sequence != c.sequence+1 {
		c.counted.Gaps++
	}
	c.counted.Packets++
	c.sequence = sequence
	c.arrived[sequence%uint16(len(c.arrived))] = now
	if c.recording {
		c.arrivals.Sound = append(c.arrivals.Sound, now)
	}
	c.mu.Unlock()
	return !c.open.Load()
}

func (c *intake) flow() Flow {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counted
}

func (c *intake) arrival(sequence uint16) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.arrived[sequence%uint16(len(c.arrived))]
}

func (c *intake) record(on bool) (arrivals Arrivals) {
	c.mu.Lock()
	defer c.mu.Unlock()
	arrivals, c.arrivals, c.recording = c.arrivals, Arrivals{}, on
	return arrivals
}
