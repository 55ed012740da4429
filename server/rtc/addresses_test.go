package rtc

import (
	"net/netip"
	"testing"
	"time"

	"sectile/server/udp"
)

type anyRoute struct{ taken int }

func (r *anyRoute) receive([]byte, netip.AddrPort, time.Duration) bool { r.taken++; return true }

// TestAddressInUse: however many addresses a peer has, the one that it sends from is not
// forgotten, nor the newest; the others are in time.
func TestAddressInUse(t *testing.T) {
	conn, err := udp.Listen("udp4", "127.0.0.1:0", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	p := newPort(conn, func() time.Duration { return 0 })
	a, r := &addresses{port: p, interval: time.Second}, &anyRoute{}
	address := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(1000+i))
	}
	routed := func(i int) bool { return p.take(&udp.Packet{Addr: address(i)}) }
	a.learn(address(0))
	a.learn(address(1))
	a.take(r)
	for i := 2; i < 40; i++ {
		a.heard(address(0))
		a.learn(address(i))
		if !routed(0) || !routed(i) {
			t.Fatalf("with %d addresses the one in use is known: %v, the newest: %v", i, routed(0), routed(i))
		}
	}
	if len(a.known) != maxPeerAddresses || len(p.routes) != maxPeerAddresses || routed(1) {
		t.Errorf("%d addresses are known, %d routed", len(a.known), len(p.routes))
	}
	a.release()
	if len(p.routes) != 0 {
		t.Errorf("%d routes are left", len(p.routes))
	}
}
