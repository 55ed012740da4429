//go:build !linux || (!amd64 && !arm64)

package udp

import (
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// batches move one datagram at a time where there is no recvmmsg(2).
type batches struct {
	conn *net.UDPConn
	data [MaxPacket]byte
	got  [1]Packet
	read atomic.Bool // got is for the next ReadBatch
}

func (b *batches) init(conn *net.UDPConn) error {
	b.conn = conn
	return nil
}

// Wait waits until ReadBatch has something to return: it reads it.
func (b *batches) Wait() error {
	n, addr, err := b.conn.ReadFromUDPAddrPort(b.data[:])
	if err != nil {
		return err
	}
	addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	b.got[0] = Packet{Data: b.data[:n], Addr: addr, Arrival: time.Now()}
	b.read.Store(true)
	return nil
}

// ReadBatch returns the datagram that Wait has read. It is valid until the next Wait.
func (b *batches) ReadBatch() ([]Packet, error) {
	if !b.read.Swap(false) {
		return nil, nil
	}
	return b.got[:], nil
}

// WriteBatch sends datagrams, in order. One that the kernel refuses is skipped.
func (b *batches) WriteBatch(packets []Packet) error {
	for _, p := range packets {
		_, _ = b.conn.WriteToUDPAddrPort(p.Data, p.Addr)
	}
	return nil
}
