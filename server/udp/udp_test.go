package udp

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

func open(t testing.TB, network, address string) *Conn {
	t.Helper()
	c, err := Listen(network, address, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// read waits for datagrams.
func read(c *Conn) ([]Packet, error) {
	for range 5 {
		if err := c.Wait(); err != nil {
			return nil, err
		}
		if got, err := c.ReadBatch(); len(got) > 0 || err != nil {
			return got, err
		}
	}
	return nil, errors.New("nothing comes")
}

func port(c *Conn) uint16 { return c.LocalAddr().(*net.UDPAddr).AddrPort().Port() }

var sockets = []struct{ name, network, address, loopback string }{
	{"IPv4", "udp4", "127.0.0.1:0", "127.0.0.1"},
	{"IPv6", "udp6", "[::1]:0", "::1"},
	{"dual stack, IPv4 peer", "udp", ":0", "127.0.0.1"},
	{"dual stack, IPv6 peer", "udp", ":0", "::1"},
}

func TestBatch(t *testing.T) {
	for _, tt := range sockets {
		t.Run(tt.name, func(t *testing.T) {
			from, to := open(t, tt.network, tt.address), open(t, tt.network, tt.address)
			loopback := netip.MustParseAddr(tt.loopback)
			sizes := []int{0, 1, 2, 100, 1200, MaxPacket - 1, MaxPacket, MaxPacket + 100}
			var packets []Packet
			for i := range Batch + 1 { // more would not fit the usual receive buffer
				data := bytes.Repeat([]byte{byte(i)}, sizes[i%len(sizes)])
				packets = append(packets, Packet{Data: data, Addr: netip.AddrPortFrom(loopback, port(to))})
			}
			before := time.Now()
			if err := from.WriteBatch(packets); err != nil {
				t.Fatal(err)
			}
			after := time.Now()
			time.Sleep(20 * time.Millisecond) // reading late must not show in Arrival
			for got := 0; got < len(packets); {
				batch, err := read(to)
				if err != nil {
					t.Fatalf("after %d datagrams: %v", got, err)
				}
				for _, p := range batch {
					want := packets[got].Data
					want = want[:min(len(want), MaxPacket)]
					if !bytes.Equal(p.Data, want) {
						t.Fatalf("datagram %d: %d bytes, want %d", got, len(p.Data), len(want))
					}
					if p.Addr != netip.AddrPortFrom(loopback, port(from)) {
						t.Fatalf("datagram %d is from %v", got, p.Addr)
					}
					// A wall clock may be stepped, but not in the middle of a test.
					if p.Arrival.Before(before.Add(-time.Millisecond)) || p.Arrival.After(after.Add(10*time.Millisecond)) {
						t.Fatalf("datagram %d arrived at %v, sent between %v and %v", got, p.Arrival, before, after)
					}
					got++
				}
			}
		})
	}
}

// A datagram that cannot be sent costs the others nothing.
func TestRefused(t *testing.T) {
	from, to := open(t, "udp4", "127.0.0.1:0"), open(t, "udp4", "127.0.0.1:0")
	good := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port(to))
	var packets []Packet
	for i := range 10 {
		packets = append(packets,
			Packet{Data: make([]byte, 70000), Addr: good},                                            // EMSGSIZE
			Packet{Data: []byte{1}, Addr: netip.AddrPortFrom(netip.MustParseAddr("203.0.113.1"), 9)}, // not from 127.0.0.1
			Packet{Data: []byte(fmt.Sprint(i)), Addr: good})
	}
	if err := from.WriteBatch(packets); err != nil {
		t.Fatal(err)
	}
	for got := 0; got < 10; {
		batch, err := read(to)
		if err != nil {
			t.Fatalf("after %d datagrams: %v", got, err)
		}
		for _, p := range batch {
			if string(p.Data) != fmt.Sprint(got) {
				t.Fatalf("datagram %d is %q", got, p.Data)
			}
			got++
		}
	}
}

// Single datagrams of any size arrive as they are; one that cannot be sent is skipped.
func TestSingle(t *testing.T) {
	for _, tt := range sockets {
		t.Run(tt.name, func(t *testing.T) {
			from, to := open(t, tt.network, tt.address), open(t, tt.network, tt.address)
			addr := netip.AddrPortFrom(netip.MustParseAddr(tt.loopback), port(to))
			for _, size := range []int{0, 1, 1200} {
				if n, err := from.WriteToAddrPort(make([]byte, 70000), addr); n != 70000 || err != nil {
					t.Fatalf("%d bytes, %v", n, err)
				}
				data := bytes.Repeat([]byte{7}, size)
				if n, err := from.WriteTo(data, net.UDPAddrFromAddrPort(addr)); n != size || err != nil {
					t.Fatalf("%d bytes of %d: %v", n, size, err)
				}
				got, err := read(to)
				if err != nil {
					t.Fatal(err)
				}
				if len(got) != 1 || !bytes.Equal(got[0].Data, data) || got[0].Addr != netip.AddrPortFrom(addr.Addr(), port(from)) {
					t.Errorf("sent %d bytes, got %d datagrams, the first of %d bytes from %v", size, len(got), len(got[0].Data), got[0].Addr)
				}
			}
		})
	}
}

// Many write at a time, in batches and not, and each one's datagrams arrive once, in order.
func TestWriters(t *testing.T) {
	from, to := open(t, "udp4", "127.0.0.1:0"), open(t, "udp4", "127.0.0.1:0")
	addr := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port(to))
	const writers, rounds, batch = 4, 20, 5
	for round := range rounds {
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				var packets []Packet
				for i := range batch {
					packets = append(packets, Packet{Data: []byte{byte(w), byte(round), byte(i)}, Addr: addr})
				}
				if w == 0 {
					for _, p := range packets {
						from.WriteToAddrPort(p.Data, p.Addr)
					}
				} else if err := from.WriteBatch(packets); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		var next [writers]byte
		for got := 0; got < writers*batch; {
			packets, err := read(to)
			if err != nil {
				t.Fatalf("after %d datagrams: %v", got, err)
			}
			for _, p := range packets {
				w := p.Data[0]
				if p.Data[1] != byte(round) || p.Data[2] != next[w] {
					t.Fatalf("round %d: datagram %d after %d of writer %d", round, p.Data, next[w], w)
				}
				next[w]++
				got++
			}
		}
	}
}

// ReadBatch does not wait.
func TestNothing(t *testing.T) {
	for _, tt := range sockets {
		if got, err := open(t, tt.network, tt.address).ReadBatch(); len(got) != 0 || err != nil {
			t.Errorf("%s: %d datagrams, %v", tt.name, len(got), err)
		}
	}
}

func TestClosed(t *testing.T) {
	c := open(t, "udp4", "127.0.0.1:0")
	done := make(chan error)
	go func() {
		for {
			if err := c.Wait(); err != nil {
				done <- err
				return
			}
		}
	}()
	time.Sleep(20 * time.Millisecond) // so that it waits, most likely
	start := time.Now()
	c.Close()
	if err := <-done; err != net.ErrClosed {
		t.Errorf("Wait for a closed socket: %v", err)
	}
	if d := time.Since(start); d > time.Second/2 {
		t.Errorf("Wait ends %v after Close", d)
	}
	if err := c.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := c.ReadBatch(); err == nil {
		t.Error("ReadBatch of a closed socket gives no error")
	}
	if err := c.WriteBatch([]Packet{{Data: []byte{1}, Addr: netip.MustParseAddrPort("127.0.0.1:9")}}); err == nil {
		t.Error("WriteBatch of a closed socket gives no error")
	}
	if _, err := c.WriteToAddrPort([]byte{1}, netip.MustParseAddrPort("127.0.0.1:9")); err == nil {
		t.Error("WriteToAddrPort of a closed socket gives no error")
	}
}

func TestAllocs(t *testing.T) {
	for _, tt := range sockets {
		from, to := open(t, tt.network, tt.address), open(t, tt.network, tt.address)
		packets := make([]Packet, 20)
		for i := range packets {
			packets[i] = Packet{Data: make([]byte, 200), Addr: netip.AddrPortFrom(netip.MustParseAddr(tt.loopback), port(to))}
		}
		n := testing.AllocsPerRun(100, func() {
			if err := from.WriteBatch(packets); err != nil {
				t.Fatal(err)
			}
			for got := 0; got < len(packets); {
				batch, err := read(to)
				if err != nil {
					t.Fatal(err)
				}
				got += len(batch)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations for 20 datagrams", tt.name, n)
		}
		n = testing.AllocsPerRun(100, func() {
			if _, err := from.WriteToAddrPort(packets[0].Data, packets[0].Addr); err != nil {
				t.Fatal(err)
			}
			if _, err := read(to); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations for a single datagram", tt.name, n)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	from, to := open(b, "udp4", "127.0.0.1:0"), open(b, "udp4", "127.0.0.1:0")
	packets := make([]Packet, 40)
	for i := range packets {
		packets[i] = Packet{Data: make([]byte, 200), Addr: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port(to))}
	}
	b.Run("batch", func(b *testing.B) {
		for b.Loop() {
			from.WriteBatch(packets)
		}
	})
	b.Run("single", func(b *testing.B) {
		for b.Loop() {
			for _, p := range packets {
				from.WriteToAddrPort(p.Data, p.Addr)
			}
		}
	})
}
