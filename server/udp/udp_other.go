//go:build !linux || (!amd64 && !arm64)

package udp

import (
	"net"
	"net/netip"
	"time"
)

// batches move one datagram at a time where there is no recvmmsg(2).
type batches struct {
	conn *net.UDPConn
	data [MaxPacket]byte
	got  [1]Packet
}

func (b *batches) init(conn *net.UDPConn) error {
	b.conn = conn
	return nil
}

// ReadBatch waits for a datagram. It is valid until the next call. One goroutine reads at
// a time.
func (b *batches) ReadBatch() ([]Packet, error) {
	n, addr, err := b.conn.ReadFromUDPAddrPort(b.data[:])
	if err != nil {
		return nil, err
	}
	addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	b.got[0] = Packet{Data: b.data[:n], Addr: addr, Arrival: time.Now()}
	return b.got[:], nil
}

// WriteBatch sends datagrams, in order. One that the kernel refuses is skipped.
func (b *batches) WriteBatch(packets []Packet) error {
	for _, p := range packets {
		_, _ = b.conn.WriteToUDPAddrPort(p.Data, p.Addr)
	}
	return nil
}
