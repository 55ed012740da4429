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

// Conn is a UDP socket. Beside the batches, all methods of net.UDPConn may be used.
type Conn struct {
	*net.UDPConn
	batches
}

// New takes over a socket.
func New(conn *net.UDPConn) (*Conn, error) {
	c := &Conn{UDPConn: conn}
	if err := c.init(conn); err != nil {
		return nil, err
	}
	return c, nil
}
