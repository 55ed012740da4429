package rtc

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"sectile/server/udp"
)

const (
	// calm is after how long without a tick of sound the socket is waited for. While ticks
	// run, they read it, and what is not theirs goes to the waiting goroutine: waking it
	// for each packet would cost more than all that is done for the packet.
	calm = 100 * time.Millisecond
	// moderation is how long the socket is left alone at most while pictures come, which
	// ticks of sound are too far apart for.
	moderation = 5 * time.Millisecond
)

// route takes the packets of one peer that need not go through pion. It returns whether
// the packet is dealt with; it may change the packet then.
type route interface {
	receive(packet []byte, from netip.AddrPort, arrival time.Duration) bool
}

// routed is a route and whose packets it takes.
type routed struct {
	route
	peer *addresses
}

// port is the UDP socket as pion's mux sees it: what routes take never comes out of it.
// Packets are read in batches, by the ticks of sound when they need them, and for pion by
// the goroutine of its mux.
type port struct {
	*udp.Conn
	clock  func() time.Duration // the engine's
	polled atomic.Int64         // when poll was called last

	routesMu sync.RWMutex
	routes   map[netip.AddrPort]routed

	timer    *time.Timer   // of wait
	ready    chan struct{} // something came to be in others
	inMu     sync.Mutex
	others   []udp.Packet  // not taken by routes, for pion; copies
	next     int           // of them
	spares   [][]byte      // for such copies
	pictured time.Duration // when a packet of a picture came last

	outMu     sync.Mutex
	out       *outgoing
	spare     []*outgoing
	gathering atomic.Bool // reports leave together
}

// outgoing are packets that wait for flush.
type outgoing struct {
	packets []udp.Packet
	data    []byte
}

// maxOutgoing bounds what waits: a tick of a large room is sent in parts.
const maxOutgoing = 256

func newPort(conn *udp.Conn, clock func() time.Duration) *port {
	p := &port{Conn: conn, clock: clock, routes: map[netip.AddrPort]routed{}, out: &outgoing{},
		ready: make(chan struct{}, 1), timer: time.NewTimer(calm)}
	p.polled.Store(-int64(calm))
	p.pictured = -calm
	return p
}

// setRoute has r take the packets of a peer from addr.
func (p *port) setRoute(addr netip.AddrPort, r route, peer *addresses) {
	p.routesMu.Lock()
	defer p.routesMu.Unlock()
	p.routes[addr] = routed{r, peer}
}

// deleteRoute undoes setRoute, unless another route has taken the address over.
func (p *port) deleteRoute(addr netip.AddrPort, r route) {
	p.routesMu.Lock()
	defer p.routesMu.Unlock()
	if p.routes[addr].route == r {
		delete(p.routes, addr)
	}
}

// poll brings in what has arrived.
func (p *port) poll() {
	p.polled.Store(int64(p.clock()))
	if !p.inMu.TryLock() {
		return // it is being brought in
	}
	defer p.inMu.Unlock()
	_ = p.read() // an error means that the socket is closed
}

// finish ends what poll began: what is queued is sent, and pion gets what is left for it.
// Not before: while the ticks encode, the runtime would hand their processor over.
func (p *port) finish() {
	p.flush()
	p.inMu.Lock()
	left := len(p.others) > 0
	p.inMu.Unlock()
	if left {
		select {
		case p.ready <- struct{}{}:
		default:
		}
	}
}

// ticking tells whether ticks of sound read the socket, and send what is queued.
func (p *port) ticking() bool { return p.clock()-time.Duration(p.polled.Load()) < calm }

// maxOthers bounds what waits for pion; more is lost, as in a full buffer of the socket.
const maxOthers = 4096

// read reads what is there, gives routes what is theirs and keeps the rest. It needs inMu.
func (p *port) read() error {
	for {
		batch, err := p.ReadBatch()
		if err != nil {
			return err
		}
		for i := range batch {
			packet := &batch[i]
			if p.take(packet) || len(p.others) >= maxOthers {
				continue
			}
			if isRTP(packet.Data) {
				p.pictured = p.clock()
			}
			var data []byte
			if n := len(p.spares); n > 0 {
				data, p.spares = p.spares[n-1], p.spares[:n-1]
			}
			p.others = append(p.others, udp.Packet{Data: append(data, packet.Data...), Addr: packet.Addr})
		}
		if len(batch) < udp.Batch {
			return nil
		}
	}
}

// ReadFromAddrPort implements ice.AddrPortReaderWriter.
func (p *port) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		if n, addr, ok := p.other(b); ok {
			return n, addr, nil
		}
		if err := p.wait(); err != nil {
			return 0, netip.AddrPort{}, err
		}
	}
}

// wait waits until it is worth while to look for others, and has them read.
func (p *port) wait() error {
	p.inMu.Lock()
	pictured := p.pictured
	p.inMu.Unlock()
	switch now := p.clock(); {
	case !p.ticking():
		if err := p.Wait(); err != nil {
			return err
		}
	case now-pictured < calm:
		time.Sleep(moderation)
	default:
		p.timer.Reset(calm)
		select {
		case <-p.ready:
			return nil
		case <-p.timer.C: // the ticks have ended, perhaps
		}
	}
	p.inMu.Lock()
	defer p.inMu.Unlock()
	return p.read()
}

// isRTP tells RTP from all else on the port (RFC 7983; RFC 5761, 4).
func isRTP(packet []byte) bool {
	return len(packet) >= 12 && packet[0]>>6 == 2 && (packet[1] < 192 || packet[1] > 223)
}

// other takes the next packet for pion into b.
func (p *port) other(b []byte) (int, netip.AddrPort, bool) {
	p.inMu.Lock()
	defer p.inMu.Unlock()
	if len(p.others) == 0 {
		return 0, netip.AddrPort{}, false
	}
	packet := p.others[p.next]
	n := copy(b, packet.Data)
	p.spares = append(p.spares, packet.Data[:0])
	p.others[p.next] = udp.Packet{}
	if p.next++; p.next == len(p.others) {
		p.others, p.next = p.others[:0], 0
	}
	return n, packet.Addr, true
}

// take offers a packet to the route of its sender. Of what that has taken pion's agent gets a
// packet of no bytes now and then: it ends a session of which it hears nothing, and answers to
// its checks may be lost for longer than that.
func (p *port) take(packet *udp.Packet) bool {
	p.routesMu.RLock()
	r := p.routes[packet.Addr]
	p.routesMu.RUnlock()
	if r.route == nil {
		return false
	}
	// The wall clock may have been stepped since the packet came.
	waited := min(max(time.Since(packet.Arrival), 0), 100*time.Millisecond)
	now := p.clock()
	if !r.receive(packet.Data, packet.Addr, now-waited) {
		return false
	}
	if r.peer.lives(now) {
		packet.Data = packet.Data[:0]
		return false
	}
	return true
}

// ReadFrom implements net.PacketConn.
func (p *port) ReadFrom(b []byte) (int, net.Addr, error) {
	n, addr, err := p.ReadFromAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(addr), nil
}

// isReport tells sender and receiver reports, encrypted or not (RFC 3550, 6.4; RFC 3711, 3.4).
func isReport(packet []byte) bool {
	const sender, receiver = 200, 201
	return len(packet) >= 8 && packet[0]>>6 == 2 && (packet[1] == sender || packet[1] == receiver)
}

// together has the reports that are written while f runs leave together at its end.
func (p *port) together(f func()) {
	p.gathering.Store(true)
	f()
	p.gathering.Store(false)
	p.flush()
}

// gather queues a report while others are waited for, and tells whether it did.
func (p *port) gather(data []byte, to netip.AddrPort) bool {
	if !p.gathering.Load() {
		return false
	}
	p.queue(data, to)
	return true
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
