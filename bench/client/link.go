package client

import (
	"math/rand/v2"
	"net"
	"strings"
	"sync"
)

// Link is the way to a server, good or bad.
type Link struct {
	Server string  // URL, such as http://127.0.0.1:8080
	Loss   float64 // share of UDP packets that are lost, in each direction, from 0 to 1
}

// listen opens the client's UDP socket, of the same family as the server's URL. It is
// bound to loopback: no packet leaves the machine.
func (l Link) listen() (net.PacketConn, error) {
	network, address := "udp4", "127.0.0.1:0"
	if strings.Contains(l.Server, "://[") {
		network, address = "udp6", "[::1]:0"
	}
	conn, err := net.ListenPacket(network, address)
	if err != nil || l.Loss == 0 {
		return conn, err
	}
	return &lossy{PacketConn: conn, loss: l.Loss, rng: rand.New(rand.NewPCG(1, 1))}, nil
}

// lossy loses packets at random, always the same ones of the same sequence.
type lossy struct {
	net.PacketConn
	loss float64
	mu   sync.Mutex
	rng  *rand.Rand
}

func (c *lossy) lost() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rng.Float64() < c.loss
}

func (c *lossy) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		n, addr, err := c.PacketConn.ReadFrom(p)
		if err != nil || !c.lost() {
			return n, addr, err
		}
	}
}

func (c *lossy) WriteTo(p []byte, addr net.Addr) (int, error) {
	if c.lost() {
		return len(p), nil
	}
	return c.PacketConn.WriteTo(p, addr)
}
