package client

import (
	"net"
	"net/netip"
	"sync"
)

// Relay is a bad link to a server's UDP port for clients that cannot have a Link: they are
// given its address in place of the server's.
type Relay struct {
	server netip.AddrPort
	front  *impaired // towards clients
	wg     sync.WaitGroup

	mu     sync.Mutex
	backs  map[netip.AddrPort]*net.UDPConn // towards the server, by client
	old    []*net.UDPConn                  // the same, of before
	sent   map[netip.AddrPort]int          // packets, by client
	cut    netip.AddrPort                  // of whom nothing passes
	closed bool
}

// NewRelay makes a relay on loopback.
func NewRelay(server netip.AddrPort) (*Relay, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	r := &Relay{server: server, front: newImpaired(udp{conn}, Impairment{}, Impairment{}, 1), backs: map[netip.AddrPort]*net.UDPConn{}, sent: map[netip.AddrPort]int{}}
	r.wg.Go(r.up)
	return r, nil
}

// Addr is where clients send to.
func (r *Relay) Addr() netip.AddrPort { return r.front.LocalAddr().(*net.UDPAddr).AddrPort() }

// Impair changes what happens to packets to the server and from it, from now on.
func (r *Relay) Impair(up, down Impairment) { r.front.impair(down, up) }

// Rebind has clients seen at other ports from now on. Unless lost, what the server sends to
// those of before still arrives, as when a client goes over to another network; if lost, it
// is as when a NAT was started anew.
func (r *Relay) Rebind(lost bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for client, back := range r.backs {
		r.old = append(r.old, back)
		delete(r.backs, client)
		if lost {
			back.Close()
		}
	}
}

// Cut has nothing pass any more of the client's address that has sent most since the last
// Cut, but what that one had cut. A client of several addresses must go over to another.
func (r *Relay) Cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	most := 0
	for client, n := range r.sent {
		if n > most && client != r.cut {
			most, r.cut = n, client
		}
	}
	clear(r.sent)
}

// Close ends the relay.
func (r *Relay) Close() error {
	err := r.front.Close()
	r.mu.Lock()
	r.closed = true
	for _, back := range r.backs {
		r.old = append(r.old, back)
	}
	for _, back := range r.old {
		back.Close()
	}
	r.mu.Unlock()
	r.wg.Wait()
	return err
}

// up carries what clients send.
func (r *Relay) up() {
	buffer := make([]byte, maxPacket)
	for {
		n, from, err := r.front.ReadFromAddrPort(buffer)
		if err != nil {
			return
		}
		if back := r.back(netip.AddrPortFrom(from.Addr().Unmap(), from.Port())); back != nil {
			_, _ = back.Write(buffer[:n]) // what is lost is lost
		}
	}
}

// back is the socket for a packet of a client; nil if it does not pass.
func (r *Relay) back(client netip.AddrPort) *net.UDPConn {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent[client]++
	if client == r.cut {
		return nil
	}
	back := r.backs[client]
	if back != nil || r.closed {
		return back
	}
	back, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(r.server))
	if err != nil {
		return nil
	}
	r.backs[client] = back
	r.wg.Go(func() { r.down(back, client) })
	return back
}

// down carries what the server sends to one client.
func (r *Relay) down(back *net.UDPConn, client netip.AddrPort) {
	buffer := make([]byte, maxPacket)
	for {
		n, err := back.Read(buffer)
		if err != nil {
			return
		}
		r.mu.Lock()
		cut := client == r.cut
		r.mu.Unlock()
		if !cut {
			_, _ = r.front.WriteToAddrPort(buffer[:n], client)
		}
	}
}
