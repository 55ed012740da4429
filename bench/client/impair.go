package client

import (
	"cmp"
	"container/heap"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// Impairment is what happens to packets in one direction, in the order of the fields. The
// zero value does nothing. All chance is drawn from the seed of the link.
type Impairment struct {
	Rate  int           // bit/s that pass, headers of IP and UDP counted; 0: no limit
	Queue time.Duration // the longest wait for that; what would wait longer is lost; 0: 300 ms

	Loss  float64 // share of packets that are lost, from 0 to 1
	Burst float64 // mean number lost in a row, by the Gilbert–Elliott model; 0: each by itself

	Delay     time.Duration // of all
	Jitter    time.Duration // each is delayed by Jitter more, ±Jitter, uniformly
	KeepOrder bool          // none overtakes another by its jitter

	Reorder float64 // share of packets that are held for 30 ms, so that the next overtakes

	Stall time.Duration // at the end of each Every nothing passes for so long, and then all at once
	Every time.Duration
}

// held is the delay of a packet that is to be overtaken by the next of a stream with one
// each 20 ms, and by that one only.
const held = 30 * time.Millisecond

const (
	// usualQueue is what home routers hold, or somewhat less.
	usualQueue = 300 * time.Millisecond
	// lowerHeaders are the bytes of IPv4 and UDP.
	lowerHeaders = 28
)

// way is one direction of a link.
type way struct {
	Impairment
	random *rand.Rand
	free   time.Duration // when the last packet has passed the limit of the rate
	since  time.Duration // when the impairment began
	bad    bool          // the last packet was lost
	last   time.Duration // when the newest comes out, if they keep their order
}

// pass tells when a packet of so many bytes comes out that goes in at now, or that it is
// lost.
func (w *way) pass(size int, now time.Duration) (due time.Duration, lost bool) {
	due = now
	if w.Rate > 0 {
		if w.queued(now) > cmp.Or(w.Queue, usualQueue) {
			return 0, true
		}
		w.free = max(w.free, now) + time.Duration(8*(size+lowerHeaders))*time.Second/time.Duration(w.Rate)
		due = w.free
	}
	if w.lose() {
		return 0, true
	}
	due += w.Delay
	if w.Jitter > 0 {
		due += time.Duration(w.random.Int64N(int64(2*w.Jitter) + 1))
		if w.KeepOrder {
			due = max(due, w.last)
		}
	}
	if w.Reorder > 0 && w.random.Float64() < w.Reorder {
		due += held
	}
	if w.Stall > 0 {
		if next := w.since + ((due-w.since)/w.Every+1)*w.Every; due >= next-w.Stall {
			due = next
		}
	}
	w.last = max(w.last, due)
	return due, false
}

// queued is how long a packet waits that goes in at now, for those before it.
func (w *way) queued(now time.Duration) time.Duration { return max(w.free-now, 0) }

func (w *way) lose() bool {
	if w.Loss <= 0 {
		return false
	}
	chance := w.Loss
	if w.Burst > 0 && w.Loss < 1 {
		recovery := 1 / w.Burst
		chance = w.Loss / (1 - w.Loss) * recovery
		if w.bad {
			chance = 1 - recovery
		}
	}
	w.bad = w.random.Float64() < chance
	return w.bad
}

// impaired is a socket behind a bad link. Reads are for one goroutine; read deadlines are
// its own. It has one goroutine, as soon as a packet that is sent has to wait.
type impaired struct {
	packetConn
	start  time.Time
	closed chan struct{}
	wake   chan struct{} // there is a new first packet to send
	wg     sync.WaitGroup

	mu       sync.Mutex
	up, down way
	out      queue
	sending  bool // the goroutine runs

	in       queue // the reader's, as is
	deadline bool  // whether the socket has one
}

func newImpaired(conn packetConn, up, down Impairment, seed uint64) *impaired {
	return &impaired{
		packetConn: conn, start: time.Now(), closed: make(chan struct{}), wake: make(chan struct{}, 1),
		up:   way{Impairment: up, random: rand.New(rand.NewPCG(seed, 1))},
		down: way{Impairment: down, random: rand.New(rand.NewPCG(seed, 2))},
	}
}

// impair changes what happens to packets from now on. Stalls count from now.
func (c *impaired) impair(up, down Impairment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Since(c.start)
	c.up.Impairment, c.up.since = up, now
	c.down.Impairment, c.down.since = down, now
}

// queued is how long a packet waits by now in each direction for those before it.
func (c *impaired) queued() (up, down time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Since(c.start)
	return c.up.queued(now), c.down.queued(now)
}

// Close closes the socket; what has not come out is lost.
func (c *impaired) Close() error {
	c.mu.Lock()
	select {
	case <-c.closed:
	default:
		close(c.closed)
	}
	c.mu.Unlock()
	err := c.packetConn.Close()
	c.wg.Wait()
	return err
}

// WriteToAddrPort sends a packet, at once or later. Errors of what is sent later are lost.
func (c *impaired) WriteToAddrPort(p []byte, addr netip.AddrPort) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock() // also while it is sent, for the order
	now := time.Since(c.start)
	due, lost := c.up.pass(len(p), now)
	switch {
	case lost:
		return len(p), nil
	case due > now || c.out.due(now):
		c.later(p, addr, due)
		return len(p), nil
	}
	return c.packetConn.WriteToAddrPort(p, addr)
}

// WriteTo is the same.
func (c *impaired) WriteTo(p []byte, addr net.Addr) (int, error) {
	to, ok := addr.(*net.UDPAddr)
	if !ok {
		return 0, &net.AddrError{Err: "not of UDP", Addr: addr.String()}
	}
	return c.WriteToAddrPort(p, to.AddrPort())
}

// later leaves a packet to the goroutine.
func (c *impaired) later(p []byte, addr netip.AddrPort, due time.Duration) {
	select {
	case <-c.closed:
		return
	default:
	}
	if c.out.add(p, addr, due) {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
	if !c.sending {
		c.sending = true
		c.wg.Go(c.send)
	}
}

// send sends what is due until the socket is closed.
func (c *impaired) send() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	buffer := make([]byte, maxPacket)
	for {
		select {
		case <-c.closed:
			return
		case <-c.wake:
		case <-timer.C:
		}
		for {
			c.mu.Lock()
			n, addr, ok := c.out.take(buffer, time.Since(c.start))
			if ok {
				// The socket may be closed meanwhile.
				_, _ = c.packetConn.WriteToAddrPort(buffer[:n], addr)
			} else if len(c.out.packets) > 0 {
				timer.Reset(c.out.packets[0].due - time.Since(c.start))
			}
			c.mu.Unlock()
			if !ok {
				break
			}
		}
	}
}

// ReadFromAddrPort reads the next packet that has come out.
func (c *impaired) ReadFromAddrPort(p []byte) (int, netip.AddrPort, error) {
	for {
		now := time.Since(c.start)
		if n, addr, ok := c.in.take(p, now); ok {
			return n, addr, nil
		}
		if waiting := len(c.in.packets) > 0; waiting || c.deadline {
			var deadline time.Time
			if waiting {
				deadline = c.start.Add(c.in.packets[0].due)
			}
			if err := c.packetConn.SetReadDeadline(deadline); err != nil {
				return 0, netip.AddrPort{}, err
			}
			c.deadline = waiting
		}
		n, addr, err := c.packetConn.ReadFromAddrPort(p)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		if err != nil {
			return n, addr, err
		}
		c.mu.Lock()
		now = time.Since(c.start)
		due, lost := c.down.pass(n, now)
		c.mu.Unlock()
		switch {
		case lost:
		case due > now || c.in.due(now):
			c.in.add(p[:n], addr, due)
		default:
			return n, addr, nil
		}
	}
}

// ReadFrom is the same.
func (c *impaired) ReadFrom(p []byte) (int, net.Addr, error) {
	n, addr, err := c.ReadFromAddrPort(p)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(addr), nil
}

// maxPacket is the size of the largest UDP packet.
const maxPacket = 65535

// waiting is a packet on its way.
type waiting struct {
	due    time.Duration
	number uint64 // of those that are due at the same time, the first comes first
	addr   netip.AddrPort
	data   []byte
}

// queue holds packets by the time when they come out.
type queue struct {
	packets []waiting // a heap
	number  uint64
	spare   [][]byte
}

// add copies a packet into the queue and tells whether it is the first to come out.
func (q *queue) add(p []byte, addr netip.AddrPort, due time.Duration) (first bool) {
	var data []byte
	if n := len(q.spare); n > 0 {
		data, q.spare = q.spare[n-1][:0], q.spare[:n-1]
	}
	q.number++
	heap.Push(q, waiting{due, q.number, addr, append(data, p...)})
	return q.packets[0].number == q.number
}

// due tells whether a packet is.
func (q *queue) due(now time.Duration) bool { return len(q.packets) > 0 && q.packets[0].due <= now }

// take moves the first packet to p if it is due.
func (q *queue) take(p []byte, now time.Duration) (n int, addr netip.AddrPort, ok bool) {
	if !q.due(now) {
		return 0, addr, false
	}
	w := heap.Pop(q).(waiting)
	q.spare = append(q.spare, w.data)
	return copy(p, w.data), w.addr, true
}

// Len implements heap.Interface.
func (q *queue) Len() int { return len(q.packets) }

// Less implements heap.Interface.
func (q *queue) Less(i, j int) bool {
	a, b := &q.packets[i], &q.packets[j]
	return a.due < b.due || a.due == b.due && a.number < b.number
}

// Swap implements heap.Interface.
func (q *queue) Swap(i, j int) { q.packets[i], q.packets[j] = q.packets[j], q.packets[i] }

// Push implements heap.Interface.
func (q *queue) Push(x any) { q.packets = append(q.packets, x.(waiting)) }

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := q.packets[len(q.packets)-1]
	q.packets = q.packets[:len(q.packets)-1]
	return last
}
