package rtc

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"sectile/server/udp"
)

// moderation is how long the socket is left alone after several packets came at once.
// Under load that spares most wake-ups; the packets' times of arrival are the kernel's.
const moderation = 2 * time.Millisecond

// busy is how many packets at once make it worth while.
const busy = 4

// route takes the packets of one peer that need not go through pion. It returns whether
// the packet is dealt with; it may change the packet then.
type route interface {
	receive(packet []byte, arrival time.Duration) bool
}

// port is the UDP socket as pion's mux sees it: what routes take never comes out of it.
// One goroutine reads.
type port struct {
	*udp.Conn
	clock func() time.Duration // the engine's

	routesMu sync.RWMutex
	routes   map[netip.AddrPort]route

	// Of the reading goroutine.
	batch []udp.Packet
	came  int // packets of the last batch

	outMu sync.Mutex
	out   *outgoing
	spare []*outgoing
}

// outgoing are packets that wait for flush.
type outgoing struct {
	packets []udp.Packet
	data    []byte
}

// maxOutgoing bounds what waits: a tick of a large room is sent in parts.
const maxOutgoing = 256

func newPort(conn *udp.Conn, clock func() time.Duration) *port {
	return &port{Conn: conn, clock: clock, routes: map[netip.AddrPort]route{}, out: &outgoing{}}
}

// setRoute has r take the packets from addr.
func (p *port) setRoute(addr netip.AddrPort, r route) {
	p.routesMu.Lock()
	defer p.routesMu.Unlock()
	p.routes[addr] = r
}

// deleteRoute undoes setRoute, unless another route has taken the address over.
func (p *port) deleteRoute(addr netip.AddrPort, r route) {
	p.routesMu.Lock()
	defer p.routesMu.Unlock()
	if p.routes[addr] == r {
		delete(p.routes, addr)
	}
}

// ReadFromAddrPort implements ice.AddrPortReaderWriter.
func (p *port) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		for len(p.batch) > 0 {
			packet := &p.batch[0]
			p.batch = p.batch[1:]
			if !p.take(packet) {
				return copy(b, packet.Data), packet.Addr, nil
			}
		}
		if p.came >= busy {
			time.Sleep(moderation)
		}
		batch, err := p.ReadBatch()
		if err != nil {
			return 0, netip.AddrPort{}, err
		}
		p.batch, p.came = batch, len(batch)
	}
}

// take offers a packet to the route of its sender.
func (p *port) take(packet *udp.Packet) bool {
	p.routesMu.RLock()
	r := p.routes[packet.Addr]
	p.routesMu.RUnlock()
	if r == nil {
		return false
	}
	// The wall clock may have been stepped since the packet came.
	waited := min(max(time.Since(packet.Arrival), 0), 100*time.Millisecond)
	return r.receive(packet.Data, p.clock()-waited)
}

// ReadFrom implements net.PacketConn.
func (p *port) ReadFrom(b []byte) (int, net.Addr, error) {
	n, addr, err := p.ReadFromAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(addr), nil
}

// WriteToAddrPort implements ice.AddrPortReaderWriter.
func (p *port) WriteToAddrPort(b []byte, addr netip.AddrPort) (int, error) {
	return p.WriteToUDPAddrPort(b, addr)
}

// queue copies a packet to those that flush sends.
func (p *port) queue(data []byte, to netip.AddrPort) {
	p.outMu.Lock()
	o := p.out
	at := len(o.data)
	o.data = append(o.data, data...)
	o.packets = append(o.packets, udp.Packet{Data: o.data[at:len(o.data):len(o.data)], Addr: to})
	full := len(o.packets) >= maxOutgoing
	p.outMu.Unlock()
	if full {
		p.flush()
	}
}

// flush sends what is queued. While one goroutine sends, others go on queueing.
func (p *port) flush() {
	p.outMu.Lock()
	o := p.out
	if len(o.packets) == 0 {
		p.outMu.Unlock()
		return
	}
	if n := len(p.spare); n > 0 {
		p.out, p.spare = p.spare[n-1], p.spare[:n-1]
	} else {
		p.out = &outgoing{}
	}
	p.outMu.Unlock()

	_ = p.WriteBatch(o.packets) // an error means that the socket is closed

	clear(o.packets)
	o.packets, o.data = o.packets[:0], o.data[:0]
	p.outMu.Lock()
	p.spare = append(p.spare, o)
	p.outMu.Unlock()
}
