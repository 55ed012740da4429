// Package udp reads and writes many datagrams with one system call, on one socket that
// serves all peers. A server that mixes sends the packets of a whole room at the same
// moment, and at a high rate a system call and a wake-up a packet cost more than the
// packets.
package udp

import (
	"net"
	"net/netip"
	"time"
)

// MaxPacket bounds what is read; longer datagrams are cut.
const MaxPacket = 1600

// Batch is how many datagrams one system call moves at most.
const Batch = 64

// Packet is one datagram.
type Packet struct {
	Data    []byte
	Addr    netip.AddrPort // of the peer; an IPv4 address is never mapped to IPv6
	Arrival time.Time      // when the kernel received it, wall clock; unused for writing
}

// WriteTo implements net.PacketConn, for a *net.UDPAddr.
func (c *Conn) WriteTo(data []byte, addr net.Addr) (int, error) {
	to, ok := addr.(*net.UDPAddr)
	if !ok {
		return 0, &net.AddrError{Err: "not a UDP address", Addr: addr.String()}
	}
	return c.WriteToAddrPort(data, to.AddrPort())
}

// SetDeadline does nothing: nothing here waits for long. It is there for net.PacketConn,
// as are the next two.
func (c *Conn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (c *Conn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }
