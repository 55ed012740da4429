package rtc

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"sectile/engine/room"
)

// notingWriter notes when packets are written, and what.
type notingWriter struct {
	mu      sync.Mutex
	start   time.Time
	at      []time.Duration
	headers []rtp.Header
	bodies  [][]byte
}

func (w *notingWriter) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = append(w.at, time.Since(w.start))
	w.headers = append(w.headers, *h)
	w.bodies = append(w.bodies, slices.Clone(payload))
	return len(payload), nil
}

func (w *notingWriter) Write([]byte) (int, error) { return 0, nil }

// clock is a server's.
func clock() func() time.Duration {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}

// TestPacing: a usual picture goes at once, a large one within the time until the next,
// never more than so many packets at a time; all in order and complete.
func TestPacing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var wg sync.WaitGroup
		p := newPacer(wg.Go)
		type viewer struct {
			*pacedTrack
			*notingWriter
		}
		var viewers []viewer
		var counted atomic.Int64
		for range 3 {
			w := &notingWriter{start: time.Now()}
			track := newTrack(video, "s")
			track.writer = w
			viewers = append(viewers, viewer{&pacedTrack{pacer: p, track: track, out: newSender(clock(), &p.buffers, new(atomic.Uint64), 0), count: func(packets, _ int) { counted.Add(int64(packets)) }}, w})
		}
		// 25 pictures a second: of 5 packets, but the fourth and the fifth of 60, and one of so
		// many that they cannot wait.
		sizes := []int{5, 5, 5, 60, 60, 5, 5, 1100, 5, 5, 5}
		for n, size := range sizes {
			payloads := make([][]byte, size)
			for i := range payloads {
				payloads[i] = fmt.Appendf(nil, "%d of %d", i, n)
			}
			for _, v := range viewers {
				v.pacedTrack.write(payloads, uint32(n)*3600, n == 0)
			}
			for i := range payloads { // the room reuses the memory
				clear(payloads[i])
			}
			time.Sleep(40 * time.Millisecond)
		}
		wg.Wait() // the goroutine ends when nothing waits
		total := 0
		for _, size := range sizes {
			total += size
		}
		if n := counted.Load(); n != int64(3*total) {
			t.Errorf("%d packets are counted, want %d", n, 3*total)
		}
		for _, v := range viewers {
			if len(v.at) != total {
				t.Fatalf("%d packets are sent, want %d", len(v.at), total)
			}
			i := 0
			for n, size := range sizes {
				begin := time.Duration(n) * 40 * time.Millisecond
				atOnce := map[time.Duration]int{}
				for k := range size {
					h := v.headers[i]
					if string(v.bodies[i]) != fmt.Sprintf("%d of %d", k, n) || h.Marker != (k == size-1) || h.Timestamp != uint32(n)*3600+v.track.offset {
						t.Fatalf("packet %d of picture %d is %q, %+v", k, n, v.bodies[i], h)
					}
					if i > 0 && h.SequenceNumber != v.headers[i-1].SequenceNumber+1 {
						t.Fatalf("packet %d of picture %d: a gap in the sequence", k, n)
					}
					if late := v.at[i] - begin; late < 0 || late > 40*time.Millisecond || size == 5 && late > 0 {
						t.Errorf("packet %d of picture %d of %d packets comes %v late", k, n, size, late)
					}
					atOnce[v.at[i]]++
					i++
				}
				for at, packets := range atOnce {
					if size == 60 && packets > 12 {
						t.Errorf("%d packets of picture %d at %v", packets, n, at)
					}
				}
			}
		}
	})
}

// TestPacedTrackCloses: what waits is dropped when the session ends.
func TestPacedTrackCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var wg sync.WaitGroup
		w := &notingWriter{start: time.Now()}
		track := newTrack(video, "s")
		track.writer = w
		p := newPacer(wg.Go)
		v := &pacedTrack{pacer: p, track: track, out: newSender(clock(), &p.buffers, new(atomic.Uint64), 0), count: func(int, int) {}}
		v.write(make([][]byte, 100), 0, true)
		v.close()
		v.write(make([][]byte, 100), 3600, false)
		wg.Wait()
		if len(w.at) != burst {
			t.Errorf("%d packets are sent, want %d", len(w.at), burst)
		}
	})
}

// TestBandwidth: what a player's reports say of its bandwidth reaches the room; a player
// that plays no pictures is not estimated. The first estimate is enough for the room's picture.
func TestBandwidth(t *testing.T) {
	b := newBench(t, Config{})
	pc := newViewer(t, recvonly, audio, video)
	receive(pc)
	b.open(pc, "/meeting/whep").connect()
	eventually(t, "an estimate by the player's reports", func() bool {
		for _, s := range b.engine.subscriptions() {
			s.mu.Lock()
			known := s.bandwidth == room.Bandwidth{Rate: firstTimes * 8_000_000, Probed: true}
			s.mu.Unlock()
			if known {
				return true
			}
		}
		return false
	})
	talk := b.open(newViewer(t, recvonly, audio), "/talk/whep").connect()
	if b.session(talk).role.(*player).out != nil {
		t.Error("the bandwidth of a player that hears only is estimated")
	}
}
