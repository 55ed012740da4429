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
)

const (
	rate  = 48000
	frame = 20 * time.Millisecond
	hz    = 300.0
	loud  = 8000.0
	soft  = 100.0 // where corrections are free
)

// sine is the decoder of these tests: a packet says from which sample on a sine goes, and
// whether it carries the frame before it.
type sine struct {
	rate      int
	amplitude float64
	next      int64 // sample at 48 kHz that comes after what was decoded last
	closed    bool
}

// sinePacket makes a packet of SILK of 10, 20, 40 or 60 ms.
func sinePacket(from int64, d time.Duration, lbrr bool) []byte {
	config := slices.Index([]time.Duration{10 * time.Millisecond, 20 * time.Millisecond, 40 * time.Millisecond, 60 * time.Millisecond}, d)
	p := []byte{byte(config) << 3, 0}
	if lbrr {
		p[1] = 0x80 >> max(1, d/frame)
	}
	return binary.BigEndian.AppendUint64(p, uint64(from))
}

func (s *sine) fill(pcm []int16, from int64) {
	for i := range pcm {
		at := float64(from) + float64(i)*48000/float64(s.rate)
		pcm[i] = int16(s.amplitude * math.Sin(2*math.Pi*hz*at/48000))
	}
	s.next = from + int64(len(pcm))*48000/int64(s.rate)
}

func (s *sine) Decode(p []byte, pcm []int16) (int, error) {
	if len(p) != 10 {
		return 0, errors.New("not a packet of the test")
	}
	n := s.rate * [4]int{10, 20, 40, 60}[p[0]>>3&3] / 1000
	s.fill(pcm[:n], int64(binary.BigEndian.Uint64(p[2:])))
	return n, nil
}

func (s *sine) DecodeFEC(p []byte, pcm []int16) error {
	s.fill(pcm, int64(binary.BigEndian.Uint64(p[2:]))-int64(len(pcm))*48000/int64(s.rate))
	return nil
}

func (s *sine) Conceal(pcm []int16) error { s.fill(pcm, s.next); return nil }
func (s *sine) Close()                    { s.closed = true }

// bench is a sender, a network and a mixer on one virtual clock.
type bench struct {
	*Buffer
	t        *testing.T
	counters Counters
	sine     *sine
	now      time.Duration
	arrivals []arrival // sorted by time
	heard    []int16
	kinds    []Kind
	pcm      []int16
	onPull   func()
}

type arrival struct {
	at time.Duration
	Packet
}

func newBench(t *testing.T, sampleRate int) *bench {
	b := &bench{t: t, sine: &sine{rate: sampleRate, amplitude: loud}, pcm: make([]int16, sampleRate/50)}
	b.Buffer = New(Config{SampleRate: sampleRate, Decoder: b.sine, Counters: &b.counters})
	return b
}

// send has packet i of 20 ms, from 0, arrive after a delay.
func (b *bench) send(i int, delay time.Duration, lbrr bool) {
	at := time.Duration(i)*frame + delay
	b.arrivals = append(b.arrivals, arrival{at, Packet{
		SSRC: 1, Sequence: uint16(65500 + i), Timestamp: uint32(1<<32 - 9600 + i*960), // both wrap soon
		Payload: sinePacket(int64(i)*960, frame, lbrr),
	}})
}

// run plays until a time, a pull every 20 ms.
func (b *bench) run(until time.Duration) {
	slices.SortStableFunc(b.arrivals, func(x, y arrival) int { return int(x.at - y.at) })
	for ; b.now < until; b.now += frame {
		for len(b.arrivals) > 0 && b.arrivals[0].at <= b.now {
			b.Push(b.arrivals[0].Packet, b.arrivals[0].at)
			b.arrivals = b.arrivals[1:]
		}
		b.kinds = append(b.kinds, b.Pull(b.pcm, b.now))
		b.heard = append(b.heard, b.pcm...)
		if b.onPull != nil {
			b.onPull()
		}
	}
}

// smooth checks that nothing clicks: no sample is further from the one before than the
// sine's steepest slope allows, with room for a cross-fade.
func (b *bench) smooth() {
	b.t.Helper()
	limit := 3 * loud * 2 * math.Pi * hz / float64(b.rate)
	for i := 1; i < len(b.heard); i++ {
		if d := math.Abs(float64(b.heard[i]) - float64(b.heard[i-1])); d > limit {
			b.t.Fatalf("click of %.0f at sample %d (%v), limit %.0f", d, i, time.Duration(i)*time.Second/time.Duration(b.rate), limit)
		}
	}
}

func TestIdealNetwork(t *testing.T) {
	b := newBench(t, rate)
	b.sine.amplitude = soft
	for i := range 250 {
		b.send(i, 0, false)
	}
	b.run(time.Second)
	if got := b.Target(); got != minTarget {
		t.Errorf("target is %v after 50 packets, want %v", got, minTarget)
	}
	b.run(5 * time.Second)
	if d := b.Delay(b.now); d > 40*time.Millisecond {
		t.Errorf("delay is %v", d)
	}
	c := &b.counters
	if c.Late.Load()+c.Lost.Load()+c.Reordered.Load()+c.Duplicate.Load()+c.PLC.Load() != 0 {
		t.Errorf("late %d, lost %d, reordered %d, duplicate %d, made up %d", c.Late.Load(), c.Lost.Load(), c.Reordered.Load(), c.Duplicate.Load(), c.PLC.Load())
	}
	if slices.Contains(b.kinds[5:249], Silence) {
		t.Error("silence in the middle")
	}
	b.smooth()
}

func TestReordering(t *testing.T) {
	b := newBench(t, rate)
	for i := range 80 {
		delay := time.Duration(0)
		if i%8 == 6 { // every fourth pair is swapped
			delay = frame + time.Millisecond
		}
		b.send(i, delay, false)
	}
	b.run(90 * frame)
	c := &b.counters
	if c.Reordered.Load() != 10 || c.Lost.Load() != 0 || c.Late.Load() != 0 {
		t.Errorf("reordered %d, lost %d, late %d; want 10, 0, 0", c.Reordered.Load(), c.Lost.Load(), c.Late.Load())
	}
	if b.Target() <= minTarget {
		t.Errorf("target %v: reordering costs nothing", b.Target())
	}
}

func TestMissing(t *testing.T) {
	b := newBench(t, rate)
	for i := range 40 {
		if i%5 != 4 {
			b.send(i, 0, false)
		}
	}
	b.run(50 * frame)
	if lost := b.counters.Lost.Load(); lost != 7 && lost != 8 {
		t.Errorf("lost %d, want 7 or 8", lost)
	}
}

func TestPeriodicLoss(t *testing.T) {
	for _, lbrr := range []bool{false, true} {
		b := newBench(t, rate)
		for i := range 500 {
			if i%10 != 9 {
				b.send(i, 0, lbrr)
			}
		}
		b.run(480 * frame)
		c := &b.counters
		if lbrr && (c.PLC.Load() > 0 || c.FEC.Load() < 45) || !lbrr && (c.PLC.Load() < 45 || c.FEC.Load() > 0) {
			t.Errorf("FEC %v: %d made up, %d recovered", lbrr, c.PLC.Load(), c.FEC.Load())
		}
		if lbrr {
			b.smooth()
		}
		if d := b.Delay(b.now); d > 80*time.Millisecond {
			t.Errorf("FEC %v: delay grew to %v", lbrr, d)
		}
	}
}

// TestDriftAcrossSilence: clocks that differ by 25 ms a second, with long silences.
func TestDriftAcrossSilence(t *testing.T) {
	for _, drift := range []float64{-0.025, 0.025} {
		b := newBench(t, rate)
		b.sine.amplitude = soft
		i := 0
		for spurt := range 6 {
			for range 100 { // 2 s of talk, then 5 s of silence
				media := time.Duration(i+spurt*250) * frame
				at := time.Duration(float64(media) * (1 + drift))
				b.arrivals = append(b.arrivals, arrival{at + 10*time.Second, Packet{SSRC: 1, Sequence: uint16(i),
					Timestamp: uint32((i + spurt*250) * 960), Payload: sinePacket(int64(i+spurt*250)*960, frame, false)}})
				i++
			}
		}
		starts := slices.Clone(b.arrivals)
		var delays []time.Duration
		silent := true
		spurt := 0
		b.onPull = func() {
			k := b.kinds[len(b.kinds)-1]
			if silent && k == Sound {
				if late := b.now - starts[spurt*100].at; late > 100*time.Millisecond {
					t.Errorf("drift %v: spurt %d is heard after %v", drift, spurt, late)
				}
				spurt++
			}
			if k == Sound && b.madeUp == 0 && b.now%(100*time.Millisecond) == 0 {
				delays = append(delays, b.Delay(b.now))
			}
			silent = k == Silence
		}
		b.run(60 * time.Second)
		if spurt != 6 {
			t.Errorf("drift %v: %d spurts of 6 heard", drift, spurt)
		}
		if d := slices.Max(delays[20:]) - slices.Min(delays[20:]); d > 40*time.Millisecond {
			t.Errorf("drift %v: delay changes by %v: %v", drift, d, delays)
		}
	}
}

// TestBurstLoss: Gilbert and Elliott's model, 10 % in bursts, with a fixed seed.
func TestBurstLoss(t *testing.T) {
	b := newBench(t, rate)
	rng := rand.New(rand.NewPCG(6, 6))
	bad := false
	sent, dropped := 0, 0
	for i := range 3000 {
		if bad {
			bad = rng.Float64() < 1.0/3 // bursts of 1.5 packets
		} else {
			bad = rng.Float64() < 0.075
		}
		if bad {
			dropped++
			continue
		}
		sent++
		b.send(i, 0, false)
	}
	b.run(3010 * frame)
	c := &b.counters
	got := fmt.Sprint(sent, dropped, c.Normal.Load(), c.Lost.Load(), c.Late.Load())
	// All that came was played, all that did not was missed, and nothing else.
	if want := fmt.Sprint(sent, dropped, sent, dropped, 0); got != want {
		t.Errorf("sent, dropped, decoded, lost, late: %s, want %s", got, want)
	}
	if d := b.Delay(b.now); d > 120*time.Millisecond {
		t.Errorf("delay grew to %v", d)
	}
}

// TestJitterThenClean: after 10 s of ±150 ms, delay falls again.
func TestJitterThenClean(t *testing.T) {
	b := newBench(t, rate)
	rng := rand.New(rand.NewPCG(7, 7))
	for i := range 500 {
		b.send(i, time.Duration(rng.Int64N(int64(300*time.Millisecond))), false)
	}
	for i := 500; i < 2100; i++ {
		b.send(i, 150*time.Millisecond, false)
	}
	b.run(10 * time.Second)
	if b.Target() < 150*time.Millisecond {
		t.Errorf("target is %v while packets come up to 300 ms late", b.Target())
	}
	b.run(40 * time.Second)
	if d := b.Delay(b.now); d > b.Target()+40*time.Millisecond {
		t.Errorf("delay is %v 30 s later, target %v", d, b.Target())
	}
}

// TestClockDrift: half an hour at ±200 ppm; the delay does not creep.
func TestClockDrift(t *testing.T) {
	for _, ppm := range []float64{-200, 200} {
		b := newBench(t, 8000) // as much happens, at a sixth of the samples
		b.sine.amplitude = soft
		var first, last time.Duration
		n := 0
		b.onPull = func() {
			b.heard, b.kinds = b.heard[:0], b.kinds[:0]
			switch n++; n {
			case 3000:
				first = b.Delay(b.now)
			case 89000:
				last = b.Delay(b.now)
			}
		}
		for i := range 90000 {
			at := time.Duration(float64(i) * float64(frame) * (1 + ppm/1e6))
			b.run(at) // all pulls before this packet
			b.Push(Packet{SSRC: 1, Sequence: uint16(i), Timestamp: uint32(i * 960), Payload: sinePacket(int64(i)*960, frame, false)}, at)
		}
		minutes := float64(89000-3000) / 3000
		if slope := float64(last-first) / float64(time.Millisecond) / minutes; math.Abs(slope) >= 1 {
			t.Errorf("%v ppm: delay creeps %.2f ms a minute, from %v to %v", ppm, slope, first, last)
		}
		if b.counters.Late.Load()+b.counters.Lost.Load() > 0 {
			t.Errorf("%v ppm: %d late, %d lost", ppm, b.counters.Late.Load(), b.counters.Lost.Load())
		}
	}
}

func TestStalls(t *testing.T) {
	for _, stall := range []time.Duration{150 * time.Millisecond, 300 * time.Millisecond} {
		b := newBench(t, rate)
		for i := range 1000 {
			delay := time.Duration(0)
			if at := time.Duration(i) * frame; at >= 2*time.Second && at < 2*time.Second+stall {
				delay = 2*time.Second + stall - at // all that waited comes at once
			}
			b.send(i, delay, false)
		}
		b.run(19 * time.Second)
		if d := b.Delay(b.now); d > b.est.high()+loudTooMuch || b.Target() > minTarget {
			t.Errorf("stall of %v: delay is %v 17 s later, target %v", stall, d, b.Target())
		}
		// Sound is back at most 60 ms after the network is.
		back := int((2*time.Second + stall + 60*time.Millisecond) / frame)
		if slices.Contains(b.kinds[back:], Silence) {
			t.Errorf("stall of %v: silence after it", stall)
		}
	}
}

func TestPacketDurations(t *testing.T) {
	for _, d := range []time.Duration{10, 20, 40, 60} {
		d *= time.Millisecond
		for _, sampleRate := range []int{8000, 48000} {
			for _, pull := range []time.Duration{2500 * time.Microsecond, 20 * time.Millisecond, 60 * time.Millisecond} {
				b := newBench(t, sampleRate)
				pcm := make([]int16, int(pull*time.Duration(sampleRate)/time.Second))
				var heard []int16
				i := 0
				for now := time.Duration(0); now < 4*time.Second; now += pull {
					for ; time.Duration(i+1)*d <= now; i++ { // a packet is sent at its end
						b.Push(Packet{SSRC: 1, Sequence: uint16(i), Timestamp: uint32(time.Duration(i) * d * 48000 / time.Second),
							Payload: sinePacket(int64(time.Duration(i)*d*48000/time.Second), d, false)}, time.Duration(i+1)*d)
					}
					b.Pull(pcm, now)
					heard = append(heard, pcm...)
				}
				b.heard = heard[len(heard)/2:]
				b.smooth()
				silent := 0
				for _, v := range b.heard {
					if v == 0 {
						silent++
					}
				}
				if silent > len(b.heard)/20 {
					t.Errorf("packets of %v, pulls of %v at %d Hz: %d of %d samples are zero", d, pull, sampleRate, silent, len(b.heard))
				}
				if b.counters.PLC.Load() > 0 {
					t.Errorf("packets of %v, pulls of %v: %d frames made up", d, pull, b.counters.PLC.Load())
				}
			}
		}
	}
}

// TestSilenceIsExact: before the first packet, in the sender's silence and after the last
// packet there are zeros, soon, and no decoder runs.
func TestSilenceIsExact(t *testing.T) {
	b := newBench(t, rate)
	b.run(200 * time.Millisecond)
	if slices.Contains(b.kinds, Sound) {
		t.Error("sound without a packet")
	}
	b.kinds = nil
	for i := 10; i < 60; i++ {
		b.send(i, 0, false)
	}
	// Packets of DTX: the TOC alone, every 400 ms.
	for i := 80; i < 200; i += 20 {
		b.arrivals = append(b.arrivals, arrival{time.Duration(i) * frame, Packet{SSRC: 1, Sequence: uint16(65500 + 60 + (i-80)/20),
			Timestamp: uint32(1<<32 - 9600 + i*960), Payload: []byte{1 << 3}}})
	}
	b.run(60*frame + 200*time.Millisecond)
	b.kinds = nil
	made := b.counters.PLC.Load()
	b.run(300 * frame)
	if slices.Contains(b.kinds, Sound) || b.counters.PLC.Load() != made {
		t.Errorf("sound, or %d frames made up, in silence", b.counters.PLC.Load()-made)
	}
	b.smooth()
}

// TestDelayIsBounded: whatever comes, no more than 500 ms wait.
func TestDelayIsBounded(t *testing.T) {
	b := newBench(t, rate)
	for i := range 200 {
		b.Push(Packet{SSRC: 1, Sequence: uint16(i), Timestamp: uint32(i * 2880), Payload: sinePacket(int64(i)*2880, 60*time.Millisecond, false)}, 0)
		if first := b.first(); media(b.newEnd-first.ts) > maxBuffered {
			t.Fatalf("%v wait", media(b.newEnd-first.ts))
		}
	}
}

func TestNewStream(t *testing.T) {
	b := newBench(t, rate)
	for i := range 50 {
		b.send(i, 0, false)
	}
	b.run(time.Second)
	for i := range 50 {
		b.arrivals = append(b.arrivals, arrival{time.Second + time.Duration(i)*frame, Packet{SSRC: 2, Sequence: uint16(7 + i), Timestamp: uint32(77 + i*960),
			Payload: sinePacket(int64(i)*960, frame, false)}})
	}
	b.kinds = nil
	b.run(2 * time.Second)
	if n := b.counters.Resets.Load(); n != 1 {
		t.Errorf("%d resets", n)
	}
	if slices.Contains(b.kinds[5:], Silence) {
		t.Error("the new stream is not heard")
	}
}

func TestInvalid(t *testing.T) {
	b := newBench(t, rate)
	for _, p := range [][]byte{nil, make([]byte, maxPayload+1), {0xff}, {31<<3 | 3, 0}} {
		b.Push(Packet{Payload: p}, 0)
	}
	if n := b.counters.Invalid.Load(); n != 4 {
		t.Errorf("%d of 4 refused", n)
	}
	b.Push(Packet{Sequence: 1, Payload: []byte{1 << 3, 0, 0}}, 0) // Opus by its shape, but the decoder refuses it
	b.Push(Packet{Sequence: 1, Payload: []byte{1 << 3, 0, 0}}, 0)
	b.run(200 * time.Millisecond)
	if n := b.counters.Invalid.Load(); n != 5 {
		t.Errorf("%d counted, want the decoder's refusal too", n)
	}
	if n := b.counters.Duplicate.Load(); n != 1 {
		t.Errorf("%d duplicates", n)
	}
}

func TestDoesNotAllocate(t *testing.T) {
	b := newBench(t, rate)
	i := 0
	payload := sinePacket(0, frame, false)
	if n := testing.AllocsPerRun(500, func() {
		binary.BigEndian.PutUint64(payload[2:], uint64(i*960))
		if i%7 != 3 {
			b.Push(Packet{SSRC: 1, Sequence: uint16(i), Timestamp: uint32(i * 960), Payload: payload}, time.Duration(i)*frame)
		}
		b.Pull(b.pcm, time.Duration(i)*frame)
		i++
	}); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
}

// operations runs any sequence of operations and checks what must always hold.
func operations(t *testing.T, script []byte) {
	b := newBench(t, 16000)
	now := time.Duration(0)
	seq, ts := uint16(0), uint32(0)
	durations := []time.Duration{10 * time.Millisecond, 20 * time.Millisecond, 40 * time.Millisecond, 60 * time.Millisecond}
	for len(script) >= 2 {
		op, arg := script[0], script[1]
		script = script[2:]
		switch op % 8 {
		case 0, 1, 2:
			d := durations[arg%4]
			b.Push(Packet{SSRC: uint32(op >> 7), Sequence: seq, Timestamp: ts, Payload: sinePacket(int64(ts), d, arg&4 != 0)}, now)
			seq++
			ts += uint32(d * 48000 / time.Second)
		case 3:
			seq += uint16(int8(arg))
		case 4:
			ts += uint32(int32(int8(arg)) << (op >> 4))
		case 5:
			b.Push(Packet{Sequence: seq, Timestamp: ts, Payload: script[:min(len(script), int(arg))]}, now)
		case 6:
			now += time.Duration(arg) * time.Millisecond
		case 7:
			samples := make([]int16, 16*[]int{2, 5, 10, 20, 40, 60}[arg%6])
			for i := range samples {
				samples[i] = 12345
			}
			kind := b.Pull(samples, now)
			zero := !slices.ContainsFunc(samples, func(v int16) bool { return v != 0 })
			if (kind == Silence) != zero {
				t.Fatalf("kind %d, but all zero: %v", kind, zero)
			}
			now += time.Duration(len(samples)/16) * time.Millisecond
		}
		if first := b.first(); first != nil && media(b.newEnd-first.ts) > maxBuffered {
			t.Fatalf("%v wait", media(b.newEnd-first.ts))
		}
		if len(b.sound) > 16*500 {
			t.Fatalf("%d samples wait", len(b.sound))
		}
	}
}

func TestRandomOperations(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 12))
	for range 300 {
		script := make([]byte, 600)
		for i := range script {
			script[i] = byte(rng.Uint32())
		}
		operations(t, script)
	}
}

func FuzzOperations(f *testing.F) {
	f.Add([]byte{0, 1, 0, 1, 0, 1, 7, 3, 7, 3, 6, 60, 7, 3, 3, 5, 0, 1, 7, 3})
	f.Fuzz(operations)
}
