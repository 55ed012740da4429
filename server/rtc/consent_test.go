package rtc

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"sectile/server/udp"
)

// writes are the packets that an agent's connection let through at once.
type writes struct{ packets []string }

func (w *writes) ReadFromAddrPort([]byte) (int, netip.AddrPort, error) { select {} }
func (w *writes) WriteToAddrPort(b []byte, _ netip.AddrPort) (int, error) {
	w.packets = append(w.packets, string(b))
	return len(b), nil
}

// Checks between agents that agreed are thinned out, and leave with the sound while there
// is some. Nothing else is held back, nothing at all while they search, and for a while
// nothing to an address that is new.
func TestConsent(t *testing.T) {
	conn, err := udp.Listen("udp4", "127.0.0.1:0", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	now := time.Minute
	p := newPort(conn, func() time.Duration { return now })
	through := &writes{}
	known, stranger := netip.MustParseAddrPort("127.0.0.1:1000"), netip.MustParseAddrPort("127.0.0.1:1001")
	c := &checkedConn{AddrPortReaderWriter: through, addresses: &addresses{port: p}, consent: &consent{port: p, interval: 4 * time.Second}}
	message := func(kind string) []byte { return append([]byte(kind), make([]byte, stunHeader-2)...) }
	request, success, indication := message(bindingRequest), message(bindingSuccess), message("\x00\x11")
	dtls := append([]byte{22}, make([]byte, 40)...)
	write := func(b []byte, to netip.AddrPort, direct, queued int) {
		t.Helper()
		through.packets = nil
		before := len(p.out.packets)
		if n, err := c.WriteToAddrPort(b, to); n != len(b) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
		if d, q := len(through.packets), len(p.out.packets)-before; d != direct || q != queued {
			t.Fatalf("at %v: %d sent, %d queued, want %d, %d", now, d, q, direct, queued)
		}
	}

	write(success, known, 1, 0) // from now on it is known
	write(request, known, 1, 0)
	write(request, known, 1, 0) // they still search
	c.consent.settle(now + time.Second)
	write(request, known, 1, 0)
	now += time.Second
	write(request, known, 1, 0) // it is new
	now += newAddress
	write(request, known, 1, 0)
	for range 3 {
		now += time.Second
		write(request, known, 0, 0)
		write(success, known, 1, 0)
		write(request, stranger, 1, 0)
		write(dtls, known, 1, 0)
	}
	now += 990 * time.Millisecond
	write(request, known, 1, 0)

	p.poll() // sound comes
	write(request, known, 0, 0)
	write(success, known, 0, 1)
	write(indication, known, 0, 1)
	write(dtls, known, 1, 0)
	now += 4 * time.Second
	p.poll()
	write(request, known, 0, 1)
	write(request, known, 0, 0)

	other := netip.MustParseAddrPort("127.0.0.1:1002")
	write(success, other, 1, 0) // for the mux must know it
	write(request, other, 0, 1)
	write(request, other, 0, 1)
	write(success, other, 0, 1)
	now += newAddress
	p.poll()
	write(request, other, 0, 1)
	write(request, other, 0, 0)
	write(request, known, 0, 1) // each has its own interval
	write(request, known, 0, 0)

	now += 4 * time.Second // sound has ended
	write(request, known, 1, 0)
}

// Reports that are made in one turn leave together at its end, what else pion sends at once.
func TestTogether(t *testing.T) {
	conn, err := udp.Listen("udp4", "127.0.0.1:0", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	p := newPort(conn, func() time.Duration { return time.Minute })
	through := &writes{}
	c := &checkedConn{AddrPortReaderWriter: through, addresses: &addresses{port: p}, consent: &consent{port: p}}
	to := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	c.meet(to)
	packet := func(kind byte) []byte { return append([]byte{0x80, kind}, make([]byte, 38)...) }
	write := func(b []byte) {
		t.Helper()
		if n, err := c.WriteToAddrPort(b, to); n != len(b) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	const senderReport, receiverReport, feedback, picture = 200, 201, 205, 96
	p.together(func() {
		for _, kind := range []byte{senderReport, feedback, receiverReport, picture} {
			write(packet(kind))
		}
		if len(through.packets) != 2 || len(p.out.packets) != 2 {
			t.Errorf("%d were sent at once and %d kept, want 2 and 2", len(through.packets), len(p.out.packets))
		}
	})
	if len(p.out.packets) != 0 {
		t.Errorf("%d are left", len(p.out.packets))
	}
	write(packet(senderReport))
	if len(through.packets) != 3 {
		t.Error("a report of no turn is kept")
	}
	// The socket has sent them, to itself.
	if err := conn.Wait(); err != nil {
		t.Fatal(err)
	}
	batch, err := conn.ReadBatch()
	if err != nil || len(batch) != 2 || batch[0].Data[1] != senderReport || batch[1].Data[1] != receiverReport {
		t.Errorf("%d packets, %v", len(batch), err)
	}
}
