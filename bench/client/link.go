package client

import (
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
)

// Link is the way to a server, good or bad.
type Link struct {
	Server string     // URL, such as http://127.0.0.1:8080
	Local  netip.Addr // address of this side for HTTP and media; zero: loopback
	Loss   float64    // share of UDP packets that are lost, in each direction, from 0 to 1
}

// listen opens the client's UDP socket. Without Local it is bound to loopback, of the same
// family as the server's URL: no packet leaves the machine.
func (l Link) listen() (packetConn, error) {
	local := l.Local
	if !local.IsValid() {
		local = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		if strings.Contains(l.Server, "://[") {
			local = netip.IPv6Loopback()
		}
	}
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, 0)))
	if err != nil || l.Loss == 0 {
		return udp{conn}, err
	}
	return &lossy{udp: udp{conn}, loss: l.Loss, rng: rand.New(rand.NewPCG(1, 1))}, nil
}

// http is the client that asks from the link's own address.
func (l Link) http() *http.Client {
	if !l.Local.IsValid() {
		return http.DefaultClient
	}
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(l.Local, 0))}
	return &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
}

// lossy loses packets at random, always the same ones of the same sequence.
type lossy struct {
	udp
	loss float64
	mu   sync.Mutex
	rng  *rand.Rand
}

func (c *lossy) lost() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rng.Float64() < c.loss
}

func (c *lossy) ReadFromAddrPort(p []byte) (int, netip.AddrPort, error) {
	for {
		n, addr, err := c.udp.ReadFromAddrPort(p)
		if err != nil || !c.lost() {
			return n, addr, err
		}
	}
}

func (c *lossy) WriteToAddrPort(p []byte, addr netip.AddrPort) (int, error) {
	if c.lost() {
		return len(p), nil
	}
	return c.udp.WriteToAddrPort(p, addr)
}
