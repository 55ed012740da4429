package client

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"
)

// arrival is what came out of a link: the packet's number and when it went in and out.
type arrival struct {
	number  int
	in, out time.Duration // since the link was there
}

// transmit sends n packets, spacing apart, over real sockets, in the direction that is
// impaired, and returns what arrived, in that order.
func transmit(t *testing.T, up bool, im Impairment, seed uint64, n int, spacing time.Duration) []arrival {
	t.Helper()
	listen := func() *net.UDPConn {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	plain := udp{listen()}
	var bad *impaired
	if up {
		bad = newImpaired(udp{listen()}, im, Impairment{}, seed)
	} else {
		bad = newImpaired(udp{listen()}, Impairment{}, im, seed)
	}
	defer plain.Close()
	defer bad.Close()
	from, to := packetConn(plain), packetConn(bad)
	if up {
		from, to = to, from
	}
	address := to.LocalAddr().(*net.UDPAddr).AddrPort()

	const last = 1 << 31 // sent unimpaired at the end, until the other side has seen it
	var arrivals []arrival
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 1500)
		for {
			size, _, err := to.ReadFromAddrPort(buffer)
			if err != nil {
				if !errors.Is(err, net.ErrClosed) {
					t.Error(err)
				}
				return
			}
			number := binary.BigEndian.Uint32(buffer)
			if number == last {
				return
			}
			if size != 12 {
				t.Errorf("packet of %d bytes, 12 were sent", size)
			}
			arrivals = append(arrivals, arrival{int(number), time.Duration(binary.BigEndian.Uint64(buffer[4:])), time.Since(bad.start)})
		}
	}()
	send := func(number uint32, address netip.AddrPort) {
		p := binary.BigEndian.AppendUint32(nil, number)
		p = binary.BigEndian.AppendUint64(p, uint64(time.Since(bad.start)))
		if _, err := from.WriteToAddrPort(p, address); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		send(uint32(i), address)
		time.Sleep(spacing)
	}
	time.Sleep(im.Delay + 2*im.Jitter + im.Stall + im.Queue + held)
	bad.impair(Impairment{}, Impairment{})
	for {
		send(last, address)
		select {
		case <-done:
			return arrivals
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// directions runs a test for both.
func directions(t *testing.T, f func(t *testing.T, up bool)) {
	t.Run("up", func(t *testing.T) { t.Parallel(); f(t, true) })
	t.Run("down", func(t *testing.T) { t.Parallel(); f(t, false) })
}

// survivors are those of n packets that a link does not lose, by the model alone.
func survivors(im Impairment, up bool, seed uint64, n int) (numbers []int) {
	stream := uint64(2)
	if up {
		stream = 1
	}
	w := way{Impairment: im, random: rand.New(rand.NewPCG(seed, stream))}
	for i := range n {
		if _, lost := w.pass(12, 0); !lost {
			numbers = append(numbers, i)
		}
	}
	return numbers
}

// TestLinkLoses: the packets that the seed says are lost, and no others.
func TestLinkLoses(t *testing.T) {
	const n = 500
	for name, im := range map[string]Impairment{"alone": {Loss: 0.1}, "bursts": {Loss: 0.1, Burst: 3}, "all": {Loss: 1}} {
		t.Run(name, func(t *testing.T) {
			directions(t, func(t *testing.T, up bool) {
				want := survivors(im, up, 7, n)
				got := transmit(t, up, im, 7, n, 100*time.Microsecond)
				if len(got) != len(want) {
					t.Fatalf("%d of %d packets arrived, %d should", len(got), n, len(want))
				}
				for i, a := range got {
					if a.number != want[i] {
						t.Fatalf("arrival %d is packet %d, want %d", i, a.number, want[i])
					}
				}
			})
		})
	}
}

// TestLossStatistics: share and mean length of bursts of many packets.
func TestLossStatistics(t *testing.T) {
	const n = 200000
	for _, test := range []struct{ loss, burst, wantBurst float64 }{
		{0.01, 0, 1.01}, {0.05, 0, 1.05}, {0.2, 0, 1.25}, // 1/(1−loss)
		{0.1, 2, 2}, {0.1, 3, 3}, {0.3, 5, 5},
	} {
		w := way{Impairment: Impairment{Loss: test.loss, Burst: test.burst}, random: rand.New(rand.NewPCG(1, 1))}
		lost, bursts, was := 0, 0, false
		for range n {
			_, now := w.pass(12, 0)
			if now {
				lost++
				if !was {
					bursts++
				}
			}
			was = now
		}
		if share := float64(lost) / n; share < 0.93*test.loss || share > 1.07*test.loss {
			t.Errorf("%+v: %.4f are lost", test, share)
		}
		if mean := float64(lost) / float64(bursts); mean < 0.93*test.wantBurst || mean > 1.07*test.wantBurst {
			t.Errorf("%+v: bursts of %.2f packets", test, mean)
		}
	}
}

// TestLinkDelays: nothing comes early, everything comes, in order.
func TestLinkDelays(t *testing.T) {
	directions(t, func(t *testing.T, up bool) {
		const delay = 30 * time.Millisecond
		got := transmit(t, up, Impairment{Delay: delay}, 1, 300, 200*time.Microsecond)
		if len(got) != 300 {
			t.Fatalf("%d of 300 packets arrived", len(got))
		}
		for i, a := range got {
			if a.number != i {
				t.Fatalf("packet %d arrived as number %d", a.number, i)
			}
			if a.out-a.in < delay {
				t.Fatalf("packet %d came after %v", i, a.out-a.in)
			}
		}
	})
}

// TestLinkJitter: packets overtake each other unless they keep their order, and none is lost.
func TestLinkJitter(t *testing.T) {
	for _, keep := range []bool{false, true} {
		t.Run(map[bool]string{true: "ordered", false: "unordered"}[keep], func(t *testing.T) {
			directions(t, func(t *testing.T, up bool) {
				im := Impairment{Jitter: 20 * time.Millisecond, KeepOrder: keep}
				got := transmit(t, up, im, 3, 300, time.Millisecond)
				if len(got) != 300 {
					t.Fatalf("%d of 300 packets arrived", len(got))
				}
				overtaken := 0
				for i := 1; i < len(got); i++ {
					if got[i].number < got[i-1].number {
						overtaken++
					}
				}
				if keep && overtaken > 0 || !keep && overtaken < 30 {
					t.Errorf("%d packets of 300 were overtaken", overtaken)
				}
			})
		})
	}
}

// TestJitterStatistics: uniform about its middle.
func TestJitterStatistics(t *testing.T) {
	const n, jitter = 100000, 50 * time.Millisecond
	w := way{Impairment: Impairment{Delay: time.Second, Jitter: jitter}, random: rand.New(rand.NewPCG(1, 1))}
	var sum, lowest, highest time.Duration = 0, time.Hour, 0
	for range n {
		due, _ := w.pass(12, 0)
		sum, lowest, highest = sum+due, min(lowest, due), max(highest, due)
	}
	if mean := sum / n; mean < time.Second+49*time.Millisecond || mean > time.Second+51*time.Millisecond {
		t.Errorf("mean delay %v", mean)
	}
	if lowest < time.Second || lowest > time.Second+time.Millisecond || highest > time.Second+2*jitter || highest < time.Second+99*time.Millisecond {
		t.Errorf("delays from %v to %v", lowest, highest)
	}
}

// TestLinkReorders: about so many packets of a stream are overtaken by the next, and by no
// other.
func TestLinkReorders(t *testing.T) {
	const n, period = 2000, 20 * time.Millisecond
	w := way{Impairment: Impairment{Reorder: 0.05}, random: rand.New(rand.NewPCG(1, 1))}
	var due [n]time.Duration
	overtaken := 0
	for i := range due {
		due[i], _ = w.pass(12, time.Duration(i)*period)
		if i > 0 && due[i] < due[i-1] {
			overtaken++
		}
		if i > 1 && due[i] < due[i-2] {
			t.Errorf("packet %d overtook packet %d", i, i-2)
		}
	}
	if overtaken < n*4/100 || overtaken > n*6/100 {
		t.Errorf("%d packets of %d were overtaken", overtaken, n)
	}
	directions(t, func(t *testing.T, up bool) {
		got := transmit(t, up, Impairment{Reorder: 0.2}, 1, 200, 5*time.Millisecond)
		late := 0
		for i := 1; i < len(got); i++ {
			if got[i].number < got[i-1].number {
				late++
			}
		}
		if len(got) != 200 || late < 10 {
			t.Errorf("%d of 200 packets arrived, %d after their successor", len(got), late)
		}
	})
}

// TestRateStatistics: what fits passes, delayed by its size; of what does not the rest is
// lost, and nothing waits for longer than the queue is.
func TestRateStatistics(t *testing.T) {
	const size, rate, queue = 972, 800_000, 100 * time.Millisecond // 10 ms a packet
	for _, test := range []struct {
		spacing         time.Duration
		loss            float64
		lowest, highest time.Duration
	}{
		{20 * time.Millisecond, 0, 10 * time.Millisecond, 10 * time.Millisecond},
		{10 * time.Millisecond, 0, 10 * time.Millisecond, 10 * time.Millisecond},
		{5 * time.Millisecond, 0.5, 10 * time.Millisecond, queue + 10*time.Millisecond},
		{2500 * time.Microsecond, 0.75, 10 * time.Millisecond, queue + 10*time.Millisecond},
	} {
		w := way{Impairment: Impairment{Rate: rate, Queue: queue}, random: rand.New(rand.NewPCG(1, 1))}
		const n = 4000
		lost, lowest, highest := 0, time.Hour, time.Duration(0)
		for i := range n {
			now := time.Duration(i) * test.spacing
			due, gone := w.pass(size, now)
			if gone {
				lost++
				continue
			}
			lowest, highest = min(lowest, due-now), max(highest, due-now)
		}
		if loss := float64(lost) / n; loss < test.loss-0.01 || loss > test.loss+0.01 || lowest != test.lowest || highest > test.highest || highest < test.highest*8/10 {
			t.Errorf("a packet in %v: %.3f are lost, the others wait from %v to %v", test.spacing, loss, lowest, highest)
		}
	}
}

// TestLinkIsNarrow: over real sockets no more passes than the rate, in order.
func TestLinkIsNarrow(t *testing.T) {
	directions(t, func(t *testing.T, up bool) {
		const rate = 80_000 // 4 ms a packet of 12 bytes
		got := transmit(t, up, Impairment{Rate: rate, Queue: 50 * time.Millisecond}, 1, 400, 250*time.Microsecond)
		if len(got) < 20 || len(got) > 399 {
			t.Fatalf("%d of 400 packets arrived", len(got))
		}
		for i := 1; i < len(got); i++ {
			if got[i].number <= got[i-1].number {
				t.Fatalf("packet %d arrived after packet %d", got[i].number, got[i-1].number)
			}
		}
		first, last := got[0], got[len(got)-1]
		if took := last.out - first.in; took < time.Duration(len(got))*4*time.Millisecond {
			t.Errorf("%d packets passed within %v", len(got), took)
		}
	})
}

// TestLinkStalls: nothing comes out in a stall, and afterwards everything does, in order.
func TestLinkStalls(t *testing.T) {
	directions(t, func(t *testing.T, up bool) {
		const stall, every = 60 * time.Millisecond, 150 * time.Millisecond
		got := transmit(t, up, Impairment{Stall: stall, Every: every}, 1, 200, 2*time.Millisecond)
		if len(got) != 200 {
			t.Fatalf("%d of 200 packets arrived", len(got))
		}
		stalled := 0
		for i, a := range got {
			if a.number != i {
				t.Fatalf("packet %d arrived as number %d", a.number, i)
			}
			// Packets went in a little before the link looked at its clock, so that one at an edge
			// of a stall tells nothing.
			if phase := a.in % every; phase > every-stall && phase < every-stall/4 {
				stalled++
				if end := a.in - phase + every; a.out < end {
					t.Errorf("packet %d went in at %v and came out at %v, in a stall", i, a.in, a.out)
				}
			}
		}
		if stalled < 20 {
			t.Errorf("only %d packets went into stalls", stalled)
		}
	})
}

// TestLinkCloses: what waits neither comes out nor holds up Close.
func TestLinkCloses(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	link := newImpaired(udp{conn}, Impairment{Delay: time.Hour}, Impairment{}, 1)
	if _, err := link.WriteTo([]byte("late"), conn.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	if err := link.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := link.ReadFrom(make([]byte, 10)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a read after Close: %v", err)
	}
	if err := link.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Close again: %v", err)
	}
}
