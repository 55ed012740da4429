//go:build !linux || (!amd64 && !arm64)

package udp

import (
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// Conn is a UDP socket that moves one datagram at a time where there is no recvmmsg(2). One
// goroutine waits and reads at a time; any may write.
type Conn struct {
	conn *net.UDPConn
	data [MaxPacket]byte
	got  [1]Packet
	read atomic.Bool // got is for the next ReadBatch
}

// Listen opens a socket as net.ListenPacket does. buffer is asked of the kernel for
// either direction; it grants what it allows.
func Listen(network, address string, buffer int) (*Conn, error) {
	packets, err := net.ListenPacket(network, address)
	if err != nil {
		return nil, err
	}
	conn := packets.(*net.UDPConn)
	// Best effort: small buffers lose packets only under load.
	_ = conn.SetReadBuffer(buffer)
	_ = conn.SetWriteBuffer(buffer)
	return &Conn{conn: conn}, nil
}

// LocalAddr is the address that the socket is bound to.
func (c *Conn) LocalAddr() net.Addr { return c.conn.LocalAddr() }

// Close closes the socket and ends Wait.
func (c *Conn) Close() error { return c.conn.Close() }

// Wait waits until ReadBatch has something to return, or for a second.
func (c *Conn) Wait() error {
	if err := c.conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	n, addr, err := c.conn.ReadFromUDPAddrPort(c.data[:])
	if e, ok := err.(net.Error); ok && e.Timeout() {
		return nil
	}
	if err != nil {
		return err
	}
	addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	c.got[0] = Packet{Data: c.data[:n], Addr: addr, Arrival: time.Now()}
	c.read.Store(true)
	return nil
}

// ReadBatch returns the datagram that Wait has read. It is valid until the next Wait.
func (c *Conn) ReadBatch() ([]Packet, error) {
	if !c.read.Swap(false) {
		return nil, nil
	}
	return c.got[:], nil
}

// WriteBatch sends datagrams, in order. One that the kernel refuses is skipped.
func (c *Conn) WriteBatch(packets []Packet) error {
	for _, p := range packets {
		_, _ = c.conn.WriteToUDPAddrPort(p.Data, p.Addr)
	}
	return nil
}

// WriteToAddrPort sends one datagram, as WriteBatch does.
func (c *Conn) WriteToAddrPort(data []byte, addr netip.AddrPort) (int, error) {
	one := [1]Packet{{Data: data, Addr: addr}}
	if err := c.WriteBatch(one[:]); err != nil {
		return 0, err
	}
	return len(data), nil
}
