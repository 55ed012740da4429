//go:build amd64 || arm64

package udp

import (
	"net/netip"
	"syscall"
	"testing"
	"time"
)

// full is a socket for datagrams that has room for no more.
func full(t *testing.T) uintptr {
	t.Helper()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Close(pair[0])
		syscall.Close(pair[1])
	})
	for err == nil {
		err = syscall.Sendto(pair[0], []byte{1}, syscall.MSG_DONTWAIT, nil)
	}
	if err != syscall.EAGAIN {
		t.Fatal(err)
	}
	return uintptr(pair[0])
}

// While the socket's buffer is full a batch waits once, not for each of its datagrams.
func TestPatience(t *testing.T) {
	var v vector
	v.link()
	for i := range v.headers {
		v.headers[i].hdr.Name = nil // such a socket is connected
		v.iovecs[i].Base = &[]byte{1}[0]
		v.iovecs[i].SetLen(1)
	}
	fd := full(t)
	start := time.Now()
	left := v.send(fd, Batch, patience)
	if d := time.Since(start); left > 0 || d < patience || d > Batch/4*patience {
		t.Errorf("a batch for which there is no room took %v, %v are left", d, left)
	}
	start = time.Now()
	sendTo(fd, []byte{1}, nil, 0)
	if d := time.Since(start); d < patience {
		t.Errorf("gave up after %v", d)
	}
}

// Neither kind of write waits for a batch that another goroutine is writing.
func TestWritesDoNotWait(t *testing.T) {
	from, to := open(t, "udp4", "127.0.0.1:0"), open(t, "udp4", "127.0.0.1:0")
	addr := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port(to))
	other := from.vector() // as while another batch is on its way
	if err := from.WriteBatch([]Packet{{Data: []byte{1}, Addr: addr}}); err != nil {
		t.Fatal(err)
	}
	if again := from.vector(); again == other {
		t.Error("two batches share their headers")
	}
	from.mu.Lock() // as while another one takes its vector
	defer from.mu.Unlock()
	done := make(chan struct{})
	go func() {
		from.WriteToAddrPort([]byte{2}, addr)
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("a single write waits for a batch")
	}
}
