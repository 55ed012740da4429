package jitter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"sectile/engine/opuspkt"
)

const (
	rate  = 48000
	frame = 20 * time.Millisecond
	hz    = 317.0 // no frame begins where another one does
	loud  = 8000.0
	soft  = 100.0 // where corrections are free
)

// tone is the decoder of these tests: a packet says from which sample on a sine goes.
// After a concealment it fades over, as codecs do.
type tone struct {
	rate      int
	amplitude func(at float64) float64 // of the time in seconds
	noise     bool                     // no tone at all
	next      float64                  // sample at 48 kHz that comes after what was decoded last
	concealed bool
	failing   bool
	closed    bool

	decoded, recovered []int64 // from where on
}

// talk is loud in syllables, with quiet between them.
func talk(at float64) float64 {
	s := max(0, math.Sin(2*math.Pi*1.5*at))
	return soft + (loud-soft)*s*s
}

func steady(amplitude float64) func(float64) float64 {
	return func(float64) float64 { return amplitude }
}

// tonePacket makes a packet of any duration of Opus.
func tonePacket(from int64, d time.Duration, lbrr, stereo bool) []byte {
	toc := map[time.Duration][]byte{
		2500 * time.Microsecond: {28 << 3}, 5 * time.Millisecond: {29 << 3},
		10 * time.Millisecond: {0 << 3}, 20 * time.Millisecond: {1 << 3}, 40 * time.Millisecond: {2 << 3}, 60 * time.Millisecond: {3 << 3},
		80 * time.Millisecond: {1<<3 | 3, 4}, 100 * time.Millisecond: {1<<3 | 3, 5}, 120 * time.Millisecond: {3<<3 | 3, 2},
	}[d]
	p := make([]byte, len(toc)+20) // 20 bytes are 2, 4 or 5 equal frames
	copy(p, toc)
	if stereo {
		p[0] |= 4
	}
	if info, _ := opuspkt.Parse(p); lbrr {
		p[len(toc)] = 0x80 >> max(1, info.FrameSamples/960)
	}
	binary.BigEndian.PutUint64(p[len(p)-8:], uint64(from))
	return p
}

func (s *tone) value(at float64) float64 {
	if s.noise {
		return s.amplitude(at/48000) * (2*rand.New(rand.NewPCG(uint64(at), 0)).Float64() - 1)
	}
	return s.amplitude(at/48000) * math.Sin(2*math.Pi*hz*at/48000)
}

func (s *tone) fill(pcm []int16, from int64) {
	step := 48000 / float64(s.rate)
	for i := range pcm {
		v := s.value(float64(from) + float64(i)*step)
		if n := s.rate / fadeRate; s.concealed && i < n {
			w := (float64(i) + 0.5) / float64(n)
			v = w*v + (1-w)*s.value(s.next+float64(i)*step)
		}
		pcm[i] = int16(v)
	}
	s.next, s.concealed = float64(from)+float64(len(pcm))*step, false
}

func (s *tone) Decode(p []byte, pcm []int16) (int, error) {
	info, err := opuspkt.Parse(p)
	if err != nil || s.failing || len(p) < 8 {
		return 0, errors.New("refused")
	}
	n := info.Samples() * s.rate / 48000
	from := int64(binary.BigEndian.Uint64(p[len(p)-8:]))
	s.decoded = append(s.decoded, from)
	s.fill(pcm[:n], from)
	return n, nil
}

func (s *tone) DecodeFEC(p []byte, pcm []int16) error {
	if len(p) < 8 {
		return errors.New("refused")
	}
	from := int64(binary.BigEndian.Uint64(p[len(p)-8:])) - int64(len(pcm))*48000/int64(s.rate)
	s.recovered = append(s.recovered, from)
	s.fill(pcm, from)
	return nil
}

func (s *tone) Conceal(pcm []int16) error {
	if len(pcm)%(s.rate/400) != 0 {
		return fmt.Errorf("%d samples are no multiple of 2.5 ms", len(pcm))
	}
	s.concealed = false
	s.fill(pcm, int64(s.next))
	s.concealed = true
	return nil
}

func (s *tone) Close() { s.closed = true }

// bench is a sender, a network and a mixer on one virtual clock.
type bench struct {
	*Buffer
	t        *testing.T
	counters Counters
	tone     *tone
	now      time.Duration
	pull     time.Duration
	packet   time.Duration
	arrivals []arrival
	heard    []int16
	kinds    []Kind
	onPull   func()
}

type arrival struct {
	at time.Duration
	Packet
}

func newBench(t *testing.T, sampleRate int) *bench {
	b := &bench{t: t, pull: frame, packet: frame, tone: &tone{rate: sampleRate, amplitude: steady(loud)}}
	b.Buffer = New(Config{SampleRate: sampleRate, Decoder: b.tone, Counters: &b.counters})
	return b
}

// send has packet i, from 0, arrive after a delay.
func (b *bench) send(i int, delay time.Duration, lbrr bool) {
	from := int64(i) * int64(b.packet) * 48 / int64(time.Millisecond)
	b.arrive(time.Duration(i)*b.packet+delay, uint16(65500+i), uint32(1<<32-9600+from), // both wrap soon
		tonePacket(from, b.packet, lbrr, false))
}

func (b *bench) arrive(at time.Duration, seq uint16, ts uint32, payload []byte) {
	b.arrivals = append(b.arrivals, arrival{at, Packet{SSRC: 1, Sequence: seq, Timestamp: ts, Payload: payload}})
}

// run plays until a time.
func (b *bench) run(until time.Duration) {
	slices.SortStableFunc(b.arrivals, func(x, y arrival) int { return int(x.at - y.at) })
	pcm := make([]int16, int(b.pull*time.Duration(b.rate)/time.Second))
	for ; b.now < until; b.now += b.pull {
		for len(b.arrivals) > 0 && b.arrivals[0].at <= b.now {
			b.Push(b.arrivals[0].Packet, b.arrivals[0].at)
			b.arrivals = b.arrivals[1:]
		}
		for i := range pcm {
			pcm[i] = 12345
		}
		b.kinds = append(b.kinds, b.Pull(pcm, b.now))
		b.heard = append(b.heard, pcm...)
		if b.onPull != nil {
			b.onPull()
		}
	}
}

// smooth checks that nothing clicks: no sample is further from the one before than the
// sine's steepest slope allows, with room for a cross-fade and rounding.
func (b *bench) smooth() {
	b.t.Helper()
	peak := loud
	if b.tone.amplitude(0.1) == soft && b.tone.amplitude(0.2) == soft {
		peak = soft
	}
	limit := 2.5*peak*2*math.Pi*hz/float64(b.rate) + 2
	for i := 1; i < len(b.heard); i++ {
		if d := math.Abs(float64(b.heard[i]) - float64(b.heard[i-1])); d > limit {
			b.t.Fatalf("click of %.0f at sample %d (%v), limit %.0f", d, i, time.Duration(i)*time.Second/time.Duration(b.rate), limit)
		}
	}
}

// counted is what has been counted, for messages and goldens. It also checks that the
// shared counters agree with the buffer's own.
func (b *bench) counted() string {
	b.t.Helper()
	c, s := &b.counters, b.Stats()
	all := [...]uint64{c.Late.Load(), c.Lost.Load(), c.Reordered.Load(), c.Duplicate.Load(), c.Invalid.Load(), c.Resets.Load(), c.Normal.Load(), c.FEC.Load(), c.PLC.Load()}
	if own := [...]uint64{s.Late, s.Lost, s.Reordered, s.Duplicate, s.Invalid, s.Resets, s.Normal, s.FEC, s.PLC}; own != all {
		b.t.Errorf("own counts %d, shared %d", own, all)
	}
	return fmt.Sprintf("late %d lost %d reordered %d duplicate %d invalid %d resets %d normal %d fec %d plc %d",
		all[0], all[1], all[2], all[3], all[4], all[5], all[6], all[7], all[8])
}

// check checks what must hold after any operation.
func (b *bench) check() {
	b.t.Helper()
	waiting := 0
	for i := range b.slots {
		if s := &b.slots[i]; s.waiting {
			waiting += s.samples
			if s.seq < b.nextSeq || s.seq > b.newest || s.seq <= b.newest-ringSize {
				b.t.Fatalf("packet %d waits, next %d, newest %d", s.seq, b.nextSeq, b.newest)
			}
		}
	}
	if waiting != b.waiting {
		b.t.Fatalf("%d samples wait, but %d are counted", waiting, b.waiting)
	}
	if d := b.buffered(); d > maxBuffered {
		b.t.Fatalf("%v wait", d)
	}
	if d := b.Target(); d < minTarget || d > maxTarget {
		b.t.Fatalf("target %v", d)
	}
}
