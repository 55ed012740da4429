package jitter

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
	"unsafe"
)

func TestIdealNetwork(t *testing.T) {
	b := newBench(t, rate)
	b.tone.amplitude = talk
	for i := range 250 {
		b.send(i, 0, false)
	}
	b.run(time.Second)
	if got := b.Target(); got != minTarget {
		t.Errorf("target is %v after 50 packets, want %v", got, minTarget)
	}
	b.run(5 * time.Second)
	if d := b.Delay(b.now); d < minTarget || d > minTarget+granularity {
		t.Errorf("delay is %v", d)
	}
	if s := b.Stats(); s.Normal < 247 || s.Late+s.Lost+s.Reordered+s.Duplicate+s.Invalid+s.Resets+s.FEC+s.PLC != 0 {
		t.Errorf("counted %s", b.counted())
	}
	if slices.ContainsFunc(b.kinds[5:249], func(k Kind) bool { return k != Speech }) {
		t.Error("not all is speech")
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
	if s := b.Stats(); s.Reordered != 10 || s.Lost != 0 || s.Late != 0 {
		t.Errorf("counted %s; want reordered 10, lost 0, late 0", b.counted())
	}
	if b.Target() != 40*time.Millisecond {
		t.Errorf("target %v, want 40 ms for packets that are overtaken by 21", b.Target())
	}
	if !slices.IsSorted(b.tone.decoded) || len(b.tone.decoded) != 80 {
		t.Errorf("decoded %d: %d", len(b.tone.decoded), b.tone.decoded)
	}
}

// TestReorderingAcrossWraps: packets that overtake each other where sequence numbers or
// timestamps wrap, or both, are played in order.
func TestReorderingAcrossWraps(t *testing.T) {
	for name, first := range map[string]struct{ seq, ts int }{
		"sequence numbers":            {65536 - 20, 5000},
		"timestamps":                  {5000, 1<<32 - 20*960},
		"both":                        {65536 - 20, 1<<32 - 20*960},
		"timestamps, within a packet": {5000, 1<<32 - 20*960 + 400},
	} {
		for _, by := range []int{1, 2} { // packets that overtake packet 19, the last before the wrap
			b := newBench(t, rate)
			b.tone.amplitude = steady(soft)
			reordered := 0
			for i := range 100 {
				delay := time.Duration(0)
				if i%5 == 4 {
					delay = time.Duration(by)*frame + time.Millisecond
					if i < 80 {
						reordered++
					}
				}
				b.arrive(time.Duration(i)*frame+delay, uint16(first.seq+i), uint32(first.ts+i*960), tonePacket(int64(i)*960, frame, false, false))
			}
			b.run(90 * frame)
			s := b.Stats()
			if s.Lost+s.Duplicate+s.Resets+s.PLC > 1 || s.Late > 1 {
				t.Errorf("%s, overtaken by %d: %s", name, by, b.counted())
			}
			if s.Reordered+s.Late < uint64(reordered) {
				t.Errorf("%s, overtaken by %d: %d reordered, want %d", name, by, s.Reordered, reordered)
			}
			if !slices.IsSorted(b.tone.decoded) || !slices.Contains(b.tone.decoded, 19*960) || !slices.Contains(b.tone.decoded, 20*960) {
				t.Errorf("%s, overtaken by %d: decoded from %d", name, by, b.tone.decoded)
			}
			b.smooth()
		}
	}
}

// TestOvertaken: packets that are overtaken by so much that they come too late teach how
// long to wait for them, if they are many enough.
func TestOvertaken(t *testing.T) {
	for _, c := range []struct {
		every  int
		target time.Duration
	}{{10, 120 * time.Millisecond}, {100, 20 * time.Millisecond}} {
		b := newBench(t, rate)
		b.tone.amplitude = talk
		for i := range 1500 {
			delay := time.Duration(0)
			if i%c.every == 6 {
				delay = 105 * time.Millisecond
			}
			b.send(i, delay, false)
		}
		b.run(10 * time.Second)
		late := b.Stats().Late
		b.run(30 * time.Second)
		if b.Target() != c.target {
			t.Errorf("every %d: target %v, want %v", c.every, b.Target(), c.target)
		}
		if d := b.Stats().Late - late; c.target > minTarget && d > 0 {
			t.Errorf("every %d: %d still late after 10 s", c.every, d)
		}
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
	if lost := b.Stats().Lost; lost != 7 && lost != 8 {
		t.Errorf("lost %d, want 7 or 8", lost)
	}
}

func TestPeriodicLoss(t *testing.T) {
	for _, lbrr := range []bool{false, true} {
		b := newBench(t, rate)
		b.tone.amplitude = talk
		for i := range 800 {
			if i%10 != 9 {
				b.send(i, 0, lbrr)
			}
		}
		b.run(780 * frame)
		s := b.Stats()
		if lbrr && (s.PLC > 0 || s.FEC < 75) || !lbrr && (s.PLC < 75 || s.FEC > 0) {
			t.Errorf("FEC %v: %d made up, %d recovered", lbrr, s.PLC, s.FEC)
		}
		for _, from := range b.tone.recovered {
			if from/960%10 != 9 || from%960 != 0 {
				t.Fatalf("recovered the frame from sample %d", from)
			}
		}
		if d := b.Delay(b.now); d > 40*time.Millisecond {
			t.Errorf("FEC %v: delay is %v", lbrr, d)
		}
		b.smooth()
	}
}

// TestBurstWithFEC: of two frames that are missing, the last one is recovered.
func TestBurstWithFEC(t *testing.T) {
	b := newBench(t, rate)
	for i := range 60 {
		if i != 30 && i != 31 {
			b.send(i, 0, true)
		}
	}
	b.run(50 * frame)
	if !slices.Equal(b.tone.recovered, []int64{31 * 960}) || b.Stats().PLC != 1 {
		t.Errorf("recovered %d, %s", b.tone.recovered, b.counted())
	}
	b.smooth()
}

// TestDriftAcrossSilence: clocks that differ by 25 ms a second, with silences of which there
// are packets of DTX or none. The sender is the same all the time, however long it was silent.
func TestDriftAcrossSilence(t *testing.T) {
	for _, test := range []struct {
		silence time.Duration
		dtx     int // frames between its packets, 0: none
	}{
		{400 * time.Millisecond, 0}, {time.Second, 0}, {2 * time.Second, 0}, {4900 * time.Millisecond, 0},
		{8 * time.Second, 0}, {5 * time.Second, 20}, {time.Second, 20},
	} {
		for _, drift := range []float64{-0.025, 0.025} {
			t.Run(fmt.Sprint(test.silence, test.dtx, drift), func(t *testing.T) {
				b := newBench(t, rate)
				b.tone.amplitude = steady(soft)
				const spurts, length = 8, 100 // frames
				at := time.Duration(0)
				arrives := func(at time.Duration) time.Duration {
					return 10*time.Second + time.Duration(float64(at)*(1+drift))
				}
				var starts []time.Duration
				seq := uint16(0)
				for range spurts {
					starts = append(starts, arrives(at))
					for i := range int(test.silence/frame) + length {
						from := int64(at * 48 / time.Millisecond)
						switch {
						case i < length:
							b.arrive(arrives(at), seq, uint32(from), tonePacket(from, frame, false, false))
							seq++
						case test.dtx > 0 && (i-length)%test.dtx == 0:
							b.arrive(arrives(at), seq, uint32(from), []byte{1 << 3})
							seq++
						}
						at += frame
					}
				}
				var delays, heard []time.Duration // as the buffer has it, and since what is played came
				silent, spurt, made := true, 0, 0
				b.onPull = func() {
					k := b.kinds[len(b.kinds)-1]
					if silent && k != Silence && spurt < spurts {
						if late := b.now - starts[spurt]; late > 100*time.Millisecond {
							t.Errorf("spurt %d is heard after %v", spurt, late)
						}
						spurt++
					}
					silent = k == Silence
					if k == Concealed {
						made++
					}
					if _, ts, ok := b.Playout(); ok && k == Speech {
						delays = append(delays, b.Delay(b.now))
						heard = append(heard, b.now-arrives(time.Duration(ts)*time.Second/rate))
					}
				}
				b.run(arrives(at))
				if spurt != spurts || b.Stats().Resets > 0 || b.Stats().Late+b.Stats().Lost > 0 {
					t.Errorf("%d spurts of %d heard, %s", spurt, spurts, b.counted())
				}
				// At the end of each spurt it fades out in up to 5 pulls.
				if made > 5*spurts+5 {
					t.Errorf("%d pulls of %d were made up", made, len(b.kinds))
				}
				// Not the first second, where the delay falls from the one to start with.
				change := func(of []time.Duration) time.Duration { return slices.Max(of[50:]) - slices.Min(of[50:]) }
				if d := change(delays); d > 40*time.Millisecond && drift < 0 || d > 41*time.Millisecond {
					t.Errorf("delay changes by %v", d)
				}
				// Of a slow sender the packets come 50 ms later in the 2 s over which the least
				// transit time is taken, which is what the target must be then: 60 ms. As the
				// spurt goes on that much is used up.
				if d, most := change(heard), 40*time.Millisecond; drift < 0 && d > most || d > most+30*time.Millisecond {
					t.Errorf("from arrival to playing it takes from %v to %v", slices.Min(heard[50:]), slices.Max(heard[50:]))
				}
				b.smooth()
			})
		}
	}
}

// TestLongSilence: who says nothing for long, and sends nothing, goes on with all that was
// learned, with or without the loss of the first packet; another stream begins anew.
func TestLongSilence(t *testing.T) {
	for name, test := range map[string]struct {
		pause, jump time.Duration // what passes, and what timestamps jump by
		lost        int
		resets      uint64
	}{
		"6 s":                     {6 * time.Second, 6 * time.Second, 0, 0},
		"10 min":                  {10 * time.Minute, 10 * time.Minute, 0, 0},
		"11 h":                    {11 * time.Hour, 11 * time.Hour, 0, 0},
		"first packet lost":       {20 * time.Second, 20 * time.Second, 1, 0},
		"clock stands":            {20 * time.Second, 0, 0, 0},
		"clock is off by 4 s":     {20 * time.Second, 24 * time.Second, 0, 0},
		"clock is off by 6 s":     {20 * time.Second, 26 * time.Second, 0, 1},
		"clock goes back":         {20 * time.Second, -20 * time.Second, 0, 1},
		"jump without a pause":    {0, 6 * time.Second, 0, 1},
		"jump back, and no pause": {0, -6 * time.Second, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, rate)
			for i := range 100 {
				b.send(i, 0, false)
			}
			b.run(100 * frame)
			b.now += test.pause
			begin := b.now
			seq := uint16(65500 + 100 + test.lost)
			for i := range 50 {
				from := int64(time.Duration(100+i)*frame+test.jump) * 48 / int64(time.Millisecond)
				b.arrive(begin+time.Duration(i)*frame, seq, uint32(1<<32-9600+from), tonePacket(from, frame, false, false))
				seq++
			}
			b.run(begin + frame)
			if got, want := b.Target(), map[uint64]time.Duration{0: minTarget, 1: startTarget}[test.resets]; got != want || b.Stats().Resets != test.resets {
				t.Errorf("target %v, want %v; %d resets, want %d", got, want, b.Stats().Resets, test.resets)
			}
			b.kinds = nil
			b.run(begin + 40*frame)
			if test.jump <= test.pause && slices.Contains(b.kinds[5:], Silence) {
				t.Error("is not heard again")
			}
		})
	}
}

// TestBurstLoss: Gilbert and Elliott's model, 10 % in bursts of 30 ms, with a fixed seed.
func TestBurstLoss(t *testing.T) {
	for lbrr, want := range map[bool]string{
		false: "late 0 lost 291 reordered 0 duplicate 0 invalid 0 resets 0 normal 2709 fec 0 plc 377",
		true:  "late 0 lost 291 reordered 0 duplicate 0 invalid 0 resets 0 normal 2709 fec 206 plc 171",
	} {
		b := newBench(t, rate)
		rng := rand.New(rand.NewPCG(6, 6))
		bad := false
		sent := 0
		for i := range 3000 {
			if bad {
				bad = rng.Float64() < 1.0/3 // bursts of 1.5 packets
			} else {
				bad = rng.Float64() < 0.075
			}
			if !bad {
				sent++
				b.send(i, 0, lbrr)
			}
		}
		b.run(3010 * frame)
		// All that came is played, all that did not is missed, and nothing else.
		if s := b.Stats(); s.Normal != uint64(sent) || s.Lost != uint64(3000-sent) {
			t.Errorf("FEC %v: sent %d of 3000, counted %s", lbrr, sent, b.counted())
		}
		if got := b.counted(); got != want {
			t.Errorf("FEC %v: counted %s, want %s", lbrr, got, want)
		}
		b.smooth()
	}
}

// TestJitterThenClean: after 10 s of ±150 ms the target falls again within a minute, and the
// delay with it within 10 s, whatever is heard.
func TestJitterThenClean(t *testing.T) {
	for name, c := range map[string]struct {
		amplitude func(float64) float64
		noise     bool
	}{"talk": {talk, false}, "tone": {steady(loud), false}, "noise": {steady(loud), true}} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, rate)
			b.tone.amplitude, b.tone.noise = c.amplitude, c.noise
			rng := rand.New(rand.NewPCG(7, 7))
			last := time.Duration(0)
			for i := range 500 { // in order
				delay := max(time.Duration(rng.Int64N(int64(300*time.Millisecond))), last-frame)
				b.send(i, delay, false)
				last = delay
			}
			for i := 500; i < 5000; i++ {
				b.send(i, 150*time.Millisecond, false)
			}
			b.run(10 * time.Second)
			if b.Target() < 150*time.Millisecond {
				t.Errorf("target is %v while packets come up to 300 ms late", b.Target())
			}
			b.run(40 * time.Second)
			if d := b.Delay(b.now); d > b.Target()+granularity {
				t.Errorf("delay is %v 30 s later, target %v", d, b.Target())
			}
			for b.Target() > minTarget && b.now < 90*time.Second {
				b.run(b.now + frame)
			}
			fell := b.now
			b.run(fell + 10*time.Second)
			if d := b.Delay(b.now); b.Target() > minTarget || d > b.Target()+granularity {
				t.Errorf("delay is %v 10 s after the target fell to %v at %v", d, b.Target(), fell)
			}
			made := b.Stats().PLC
			b.run(fell + 20*time.Second)
			if b.Stats().PLC != made {
				t.Errorf("%d stretches made up once the delay has fallen", b.Stats().PLC-made)
			}
			if !c.noise {
				b.smooth()
			}
		})
	}
}

// TestClockDrift: half an hour at ±200 ppm; the delay does not creep, and the drift shows.
func TestClockDrift(t *testing.T) {
	minutes := 30
	if testing.Short() {
		minutes = 6
	}
	for _, ppm := range []float64{-200, 200} {
		b := newBench(t, 8000) // as much happens, at a sixth of the samples
		b.tone.amplitude = steady(soft)
		var n, x, y, xx, xy float64 // of a line through all delays
		b.onPull = func() {
			b.heard, b.kinds, b.tone.decoded = b.heard[:0], b.kinds[:0], b.tone.decoded[:0]
			if b.now > time.Minute {
				u, v := b.now.Minutes(), float64(b.Delay(b.now))/float64(time.Millisecond)
				n, x, y, xx, xy = n+1, x+u, y+v, xx+u*u, xy+u*v
			}
		}
		payload := tonePacket(0, frame, false, false)
		for i := range minutes * 3000 {
			at := time.Duration(float64(i) * float64(frame) * (1 + ppm/1e6))
			b.run(at) // all pulls before this packet
			binary.BigEndian.PutUint64(payload[len(payload)-8:], uint64(i*960))
			b.Push(Packet{SSRC: 1, Sequence: uint16(i), Timestamp: uint32(i * 960), Payload: payload}, at)
		}
		if slope := (n*xy - x*y) / (n*xx - x*x); math.Abs(slope) >= 1 && minutes == 30 {
			t.Errorf("%v ppm: delay creeps %.2f ms a minute", ppm, slope)
		}
		if mean := y / n; mean > 45 {
			t.Errorf("%v ppm: mean delay %.0f ms", ppm, mean)
		}
		s := b.Stats()
		if s.Late+s.Lost+s.PLC > 0 {
			t.Errorf("%v ppm: %s", ppm, b.counted())
		}
		if math.Abs(s.Drift*1e6-ppm) > 10 {
			t.Errorf("%v ppm: drift %.0f ppm", ppm, s.Drift*1e6)
		}
		// The corrections have made up for it.
		if made := (s.PutIn - s.TakenOut).Seconds(); math.Abs(made-float64(minutes)*60*ppm/1e6) > 0.06 {
			t.Errorf("%v ppm: put in %v, taken out %v", ppm, s.PutIn, s.TakenOut)
		}
	}
}

func TestStalls(t *testing.T) {
	const begin = 2200 * time.Millisecond // in a loud syllable
	for _, stall := range []time.Duration{150 * time.Millisecond, 300 * time.Millisecond} {
		b := newBench(t, rate)
		b.tone.amplitude = talk
		for i := range 1000 {
			delay := time.Duration(0)
			if at := time.Duration(i) * frame; at >= begin && at < begin+stall {
				delay = begin + stall - at // all that waited comes at once
			}
			b.send(i, delay, false)
		}
		b.run(begin + stall)
		if d := b.Stats().PLC; d == 0 || b.kinds[len(b.kinds)-1] != Silence {
			t.Errorf("stall of %v: nothing was made up, or no silence came after it", stall)
		}
		b.run(19 * time.Second)
		if d := b.Delay(b.now); d > b.Target()+granularity || b.Target() > minTarget {
			t.Errorf("stall of %v: delay is %v 17 s later, target %v", stall, d, b.Target())
		}
		// Sound is back at most 60 ms after the network is.
		back := int((begin + stall + 60*time.Millisecond) / frame)
		if slices.Contains(b.kinds[back:], Silence) {
			t.Errorf("stall of %v: silence after it", stall)
		}
		// After the short one all is played, and the delay falls again in the pauses of
		// talk. The long one is not made up for: it begins again near the present.
		if s := b.Stats(); s.Lost != 0 || (s.Late > 0) != (stall > 200*time.Millisecond) {
			t.Errorf("stall of %v: %s", stall, b.counted())
		}
		b.smooth()
	}
}

// TestLossKeepsDelay: what is made up before it is known to be lost takes its place.
func TestLossKeepsDelay(t *testing.T) {
	for lost := 1; lost <= 3; lost++ {
		b := newBench(t, rate)
		for i := range 100 {
			switch after := i - 50 - lost; {
			case after >= 0: // the next ones come too late to tell in time
				b.send(i, max(0, 45*time.Millisecond-time.Duration(after)*frame), false)
			case i < 50:
				b.send(i, 0, false)
			}
		}
		b.run(50 * frame)
		before := b.Delay(b.now)
		b.run(70 * frame)
		// What waits for it is made up 10 ms at a time.
		if after := b.Delay(b.now); after < before || after > before+10*time.Millisecond || b.Stats().Lost != uint64(lost) {
			t.Errorf("%d lost: delay was %v, is %v; %s", lost, before, after, b.counted())
		}
		b.smooth()
	}
}

// TestOutage: what is lost while nothing at all comes counts too.
func TestOutage(t *testing.T) {
	b := newBench(t, rate)
	for i := range 200 {
		if i < 100 || i >= 115 {
			b.send(i, 0, false)
		}
	}
	b.run(190 * frame)
	if s := b.Stats(); s.Lost != 15 || s.Late != 0 || s.PLC > 8 {
		t.Errorf("counted %s, want lost 15, and made up at most 80 ms", b.counted())
	}
	if !slices.Contains(b.kinds[100:115], Silence) || slices.Contains(b.kinds[120:], Silence) {
		t.Errorf("kinds %d", b.kinds[100:])
	}
	b.smooth()
}

// TestPacketDurations: any packets, any pulls, with a little jitter; nothing is ever
// missing, however quiet it is, that is however freely the delay is corrected.
func TestPacketDurations(t *testing.T) {
	for _, packet := range []float64{2.5, 5, 10, 20, 40, 60, 80, 100, 120} {
		for _, pull := range []float64{2.5, 5, 10, 20, 40, 60} {
			for _, amplitude := range []float64{soft, loud} {
				for _, sampleRate := range []int{8000, 48000} {
					if sampleRate == 48000 && pull != 20 {
						continue
					}
					b := newBench(t, sampleRate)
					b.tone.amplitude = steady(amplitude)
					b.packet, b.pull = time.Duration(packet*float64(time.Millisecond)), time.Duration(pull*float64(time.Millisecond))
					for i := range int(4 * time.Second / b.packet) {
						b.send(i, b.packet+time.Duration(i*7%13)*time.Millisecond/4, false)
					}
					b.run(3500 * time.Millisecond)
					s := b.Stats()
					if s.PLC+s.Late+s.Lost > 0 {
						t.Errorf("packets of %v, pulls of %v at %d Hz: %s", b.packet, b.pull, sampleRate, b.counted())
					}
					if slices.Contains(b.kinds[len(b.kinds)/5:], Silence) {
						t.Errorf("packets of %v, pulls of %v at %d Hz: silence", b.packet, b.pull, sampleRate)
					}
					b.smooth()
				}
			}
		}
	}
}

// TestChanges: packets of every duration in one stream, mono and stereo in turn.
func TestChanges(t *testing.T) {
	b := newBench(t, rate)
	at := time.Duration(0)
	sizes := []float64{2.5, 120, 5, 100, 10, 80, 20, 60, 40}
	n := 0
	for i := 0; at < 10*time.Second; i++ {
		d := time.Duration(sizes[i/8%len(sizes)] * float64(time.Millisecond))
		from := int64(at) * 48 / int64(time.Millisecond)
		b.arrive(at, uint16(i), uint32(from), tonePacket(from, d, false, i%3 == 0))
		at += d
		n++
	}
	b.run(9800 * time.Millisecond)
	s := b.Stats()
	if s.Lost+s.Late+s.Invalid+s.Resets > 0 || s.Normal < uint64(n)-4 {
		t.Errorf("%d sent, %s", n, b.counted())
	}
	b.smooth()
}

// TestShortPackets: 64 packets of 2.5 ms are only 160 ms. Great jitter must not end all
// sound.
func TestShortPackets(t *testing.T) {
	b := newBench(t, rate)
	b.packet = 2500 * time.Microsecond
	for i := range 8000 {
		delay := time.Duration(0)
		if at := time.Duration(i) * b.packet % time.Second; at < 250*time.Millisecond && i < 6000 {
			delay = 250*time.Millisecond - at
		}
		b.send(i, delay, false)
	}
	b.onPull = b.check
	b.run(19 * time.Second)
	if b.Target() > 80*time.Millisecond {
		t.Errorf("target %v is more than the ring can hold", b.Target())
	}
	if slices.ContainsFunc(b.kinds[800:], func(k Kind) bool { return k != Speech }) {
		t.Error("not all is speech after the jitter")
	}
	b.smooth()
}

// TestSilenceIsExact: before the first packet, in the sender's silence and after the last
// packet there are zeros, soon, and no decoder runs.
func TestSilenceIsExact(t *testing.T) {
	for _, every := range []int{1, 20} { // frames between packets of DTX
		b := newBench(t, rate)
		b.run(200 * time.Millisecond)
		if slices.ContainsFunc(b.kinds, func(k Kind) bool { return k != Silence }) {
			t.Error("sound without a packet")
		}
		for i := 10; i < 60; i++ {
			b.send(i, 0, false)
		}
		seq := uint16(65560 - 65536)
		for i := 60; i < 200; i += every {
			b.arrive(time.Duration(i)*frame, seq, uint32(1<<32-9600+i*960), []byte{1 << 3})
			seq++
		}
		for i := 200; i < 250; i++ { // talk again
			b.arrive(time.Duration(i)*frame, seq, uint32(1<<32-9600+i*960), tonePacket(int64(i)*960, frame, false, false))
			seq++
		}
		b.run(70 * frame)
		b.kinds = nil
		made := b.Stats().PLC
		b.run(200 * frame)
		if slices.ContainsFunc(b.kinds, func(k Kind) bool { return k != Silence }) || b.Stats().PLC != made {
			t.Errorf("every %d: sound, or %d stretches made up, in silence", every, b.Stats().PLC-made)
		}
		b.kinds = nil
		b.run(260 * frame)
		first := slices.IndexFunc(b.kinds, func(k Kind) bool { return k != Silence })
		if first < 0 || first > 4 || b.Stats().Late+b.Stats().Lost > 0 {
			t.Errorf("every %d: talk is back after %d frames, %s", every, first, b.counted())
		}
		if d := b.Target(); d != minTarget {
			t.Errorf("every %d: target %v", every, d)
		}
		b.run(300 * frame)
		b.kinds = nil
		b.run(310 * frame)
		if slices.ContainsFunc(b.kinds, func(k Kind) bool { return k != Silence }) {
			t.Errorf("every %d: sound after the end", every)
		}
		b.smooth()
	}
}

// TestPausedPulls: when nothing was pulled for long, playing goes on near the present.
func TestPausedPulls(t *testing.T) {
	b := newBench(t, rate)
	for i := range 200 {
		b.send(i, 0, false)
	}
	b.run(time.Second)
	b.now += 400 * time.Millisecond
	b.run(b.now + frame)
	if d := b.Delay(b.now); d > b.high() || b.Stats().Late == 0 {
		t.Errorf("delay is %v after a pause of 400 ms, %s", d, b.counted())
	}
	b.smooth()
}

// TestCorrections: when packets begin to come 100 ms earlier, the delay follows: at once
// where it is quiet, by whole periods of what is loud, and now and then if that has none.
func TestCorrections(t *testing.T) {
	for name, c := range map[string]struct {
		amplitude float64
		noise     bool
		atLeast   time.Duration // between corrections
	}{
		"quiet":       {soft, false, correctionEvery},
		"loud":        {loud, false, correctionEvery},
		"loud noise":  {loud, true, 500 * time.Millisecond},
		"quiet noise": {400, true, correctionEvery},
	} {
		b := newBench(t, rate)
		b.tone.amplitude, b.tone.noise = steady(c.amplitude), c.noise
		for i := range 500 {
			delay := 100 * time.Millisecond
			if i >= 100 {
				delay = 0
			}
			b.send(i, delay, false)
		}
		var last, changed time.Duration
		b.onPull = func() {
			if s := b.Stats(); s.TakenOut+s.PutIn != changed {
				if b.now-last < c.atLeast {
					t.Errorf("%s: corrected %v after the last time", name, b.now-last)
				}
				last, changed = b.now, s.TakenOut+s.PutIn
			}
		}
		b.run(2 * time.Second)
		before := b.Stats().TakenOut
		b.run(8 * time.Second)
		s := b.Stats()
		if s.TakenOut == before || b.Delay(b.now) > b.high() || s.PLC+s.Late+s.Lost > 0 {
			t.Errorf("%s: delay is %v, target %v, taken out %v, put in %v, %s", name, b.Delay(b.now), b.Target(), s.TakenOut, s.PutIn, b.counted())
		}
		if !c.noise {
			b.smooth()
		}
	}
}

// TestPiecesAreInaudible: where a piece of noise is taken out it stays as loud as it was, and
// nothing clicks: the steps from sample to sample are those of the noise.
func TestPiecesAreInaudible(t *testing.T) {
	b := newBench(t, rate)
	b.tone.amplitude, b.tone.noise = steady(loud), true
	const packets = 10000
	for i := range packets { // a clock that is too fast, so that there is always too much
		b.send(i, -time.Duration(i)*frame/100, false)
	}
	pull := int(frame * rate / time.Second)
	fade := rate / longFadeRate
	var cuts, n float64
	var power [5]float64 // of the sound in each fifth of the cross-fades
	var step, usual float64
	taken := time.Duration(0)
	b.onPull = func() {
		x := b.heard[len(b.heard)-pull:]
		square := func(x []int16) (sum float64) {
			for _, v := range x {
				sum += float64(v) * float64(v)
			}
			return sum / float64(len(x))
		}
		if s := b.Stats().TakenOut; s != taken {
			taken = s
			cuts++
			for i := range power {
				power[i] += square(x[i*fade/len(power) : (i+1)*fade/len(power)])
			}
			for i := 1; i <= fade; i++ {
				step = max(step, math.Abs(float64(x[i])-float64(x[i-1])))
			}
		} else if b.kinds[len(b.kinds)-1] == Speech && b.now > time.Second {
			usual += square(x)
			n++
		}
		b.heard, b.kinds, b.tone.decoded = b.heard[:0], b.kinds[:0], b.tone.decoded[:0]
	}
	b.run(packets * (frame - frame/100))
	if cuts < 100 {
		t.Fatalf("%v pieces were taken out", cuts)
	}
	for i := range power {
		level := 10 * math.Log10(power[i]/cuts/(usual/n))
		t.Logf("fifth %d: %+.2f dB", i, level)
		if math.Abs(level) > 0.5 {
			t.Errorf("in fifth %d of the cross-fades it is %+.2f dB louder", i, level)
		}
	}
	if step > 2*math.Sqrt2*loud {
		t.Errorf("click of %.0f", step)
	}
}

// TestForgetting: 10 s of delays of 150 ms are forgotten after a minute, not much earlier.
func TestForgetting(t *testing.T) {
	var e estimator
	e.reset()
	now := time.Duration(0)
	run := func(d time.Duration, most time.Duration) {
		for end := now + d; now < end; now += frame {
			delay := time.Duration(0)
			if now/frame%5 == 0 {
				delay = most
			}
			e.observe(now, delay, inOrder)
		}
	}
	for _, c := range []struct{ d, most, target time.Duration }{
		{10 * time.Second, 150 * time.Millisecond, 160 * time.Millisecond},
		{45 * time.Second, 0, 160 * time.Millisecond},
		{15 * time.Second, 0, 20 * time.Millisecond},
		{5 * time.Second, 900 * time.Millisecond, maxTarget},
	} {
		if run(c.d, c.most); e.target != c.target {
			t.Errorf("after %v of %v at %v: target %v, want %v", c.d, c.most, now, e.target, c.target)
		}
	}
}

// TestSilenceTeachesNothing: late packets of DTX, and late ones that end a silence, do not
// change the target.
func TestSilenceTeachesNothing(t *testing.T) {
	b := newBench(t, rate)
	b.packet = 60 * time.Millisecond
	seq := uint16(0)
	for spurt := range 10 {
		begin := time.Duration(spurt) * 3 * time.Second
		for i := range 20 {
			delay := time.Duration(0)
			if i == 0 && spurt > 0 {
				delay = 55 * time.Millisecond
			}
			at := begin + time.Duration(i)*b.packet
			b.arrive(at+delay, seq, uint32(at*48/time.Millisecond), tonePacket(int64(at*48/time.Millisecond), b.packet, false, false))
			seq++
		}
		for i := range 3 {
			at := begin + 1200*time.Millisecond + time.Duration(i)*400*time.Millisecond
			b.arrive(at+150*time.Millisecond, seq, uint32(at*48/time.Millisecond), []byte{1 << 3})
			seq++
		}
	}
	b.run(30 * time.Second)
	if b.Target() != minTarget || b.Stats().Lost+b.Stats().Late > 0 {
		t.Errorf("target %v, %s", b.Target(), b.counted())
	}
}

// TestFade: what is made up fades out within 80 ms.
func TestFade(t *testing.T) {
	b := newBench(t, rate)
	for i := range 20 { // before anything is corrected
		b.send(i, 0, false)
	}
	b.run(2 * time.Second)
	first := slices.Index(b.kinds, Concealed)
	var peaks []int
	for i := first; b.kinds[i] != Silence; i++ {
		peak := 0
		for _, v := range b.heard[i*960 : (i+1)*960] {
			peak = max(peak, int(v))
		}
		peaks = append(peaks, peak)
	}
	if len(peaks) != 4 || peaks[0] < loud*9/10 || !slices.IsSortedFunc(peaks, func(x, y int) int { return y - x }) {
		t.Errorf("peaks of frames made up: %d", peaks)
	}
}

func TestNewStream(t *testing.T) {
	for name, change := range map[string]func(p *Packet){
		"SSRC":      func(p *Packet) { p.SSRC = 2 },
		"sequence":  func(p *Packet) { p.Sequence += 5000 },
		"timestamp": func(p *Packet) { p.Timestamp += 6 * 48000 },
		"backwards": func(p *Packet) { p.Timestamp -= 6 * 48000 },
	} {
		b := newBench(t, rate)
		for i := range 50 {
			b.send(i, 0, false)
		}
		for i := 50; i < 57; i++ { // until where the sine is far from zero
			b.send(i, 0, false)
		}
		b.run(57 * frame)
		for i := 57; i < 100; i++ {
			b.send(i, 0, false)
			change(&b.arrivals[len(b.arrivals)-1].Packet)
		}
		b.kinds = nil
		b.run(2 * time.Second)
		if n := b.Stats().Resets; n != 1 {
			t.Errorf("%s: %d resets", name, n)
		}
		if slices.Contains(b.kinds[5:], Silence) {
			t.Errorf("%s: the new stream is not heard", name)
		}
		b.smooth()
	}
}

func TestReset(t *testing.T) {
	b := newBench(t, rate)
	for i := range 200 {
		b.send(i, time.Duration(i%5)*10*time.Millisecond, false)
	}
	b.run(2 * time.Second)
	arrivals := b.arrivals
	b.arrivals = nil
	b.Reset()
	b.check()
	b.kinds = nil
	b.run(2*time.Second + 5*frame)
	if slices.ContainsFunc(b.kinds, func(k Kind) bool { return k != Silence }) || b.Target() != startTarget || b.Delay(b.now) != 0 {
		t.Errorf("kinds %d, target %v, delay %v after a reset", b.kinds, b.Target(), b.Delay(b.now))
	}
	b.arrivals = arrivals
	b.run(3 * time.Second)
	if b.kinds[len(b.kinds)-1] != Speech || b.Stats().Resets != 0 {
		t.Errorf("not heard again, or %d resets counted", b.Stats().Resets)
	}
	b.Close()
	if !b.tone.closed {
		t.Error("the decoder is not closed")
	}
}

func TestInvalid(t *testing.T) {
	b := newBench(t, rate)
	for _, p := range [][]byte{nil, make([]byte, maxPayload+1), {0xff}, {31<<3 | 3, 0}} {
		b.Push(Packet{Payload: p}, 0)
	}
	if n := b.Stats().Invalid; n != 4 {
		t.Errorf("%d of 4 refused", n)
	}
	for i := range 50 {
		b.send(i, 0, true)
		b.send(i, time.Millisecond, false) // again
		b.send(i, 300*time.Millisecond, false)
	}
	b.run(25 * frame)
	b.tone.failing = true // Opus by its shape, but the decoder refuses it
	b.run(28 * frame)
	b.tone.failing = false
	b.run(30 * frame)
	if slices.Contains(b.kinds[5:], Silence) {
		t.Error("what the decoder refuses is not concealed")
	}
	b.run(70 * frame)
	if got, want := b.counted(), "late 0 lost 0 reordered 0 duplicate 100 invalid 7 resets 0 normal 47 fec 0 plc 11"; got != want {
		t.Errorf("counted %s, want %s", got, want)
	}
	b.smooth()
}

// TestPayloadIsCopied: the caller may use its memory again.
func TestPayloadIsCopied(t *testing.T) {
	b := newBench(t, rate)
	payload := tonePacket(0, frame, false, false)
	for i := range 10 {
		binary.BigEndian.PutUint64(payload[len(payload)-8:], uint64(i*960))
		b.Push(Packet{SSRC: 1, Sequence: uint16(i), Timestamp: uint32(i * 960), Payload: payload}, time.Duration(i)*frame)
	}
	b.now = 10 * frame
	b.run(15 * frame)
	for i, from := range b.tone.decoded {
		if i > 0 && from != b.tone.decoded[i-1]+960 {
			t.Fatalf("decoded from %d", b.tone.decoded)
		}
	}
}

func TestIsBounded(t *testing.T) {
	b := newBench(t, rate)
	for i := range 200 {
		b.Push(Packet{SSRC: 1, Sequence: uint16(i), Timestamp: uint32(i * 2880), Payload: tonePacket(int64(i)*2880, 60*time.Millisecond, false, false)}, 0)
		b.check()
	}
	if n := b.Stats().Lost; n != 192 {
		t.Errorf("%d of 200 packets of 60 ms are given up, want all but 8", n)
	}
	memory := int(unsafe.Sizeof(*b.Buffer)) + 2*(cap(b.sound)+cap(b.scratch))
	for i := range b.slots {
		memory += cap(b.slots[i].payload)
	}
	if memory > 200<<10 {
		t.Errorf("%d bytes", memory)
	}
}

func TestDoesNotAllocate(t *testing.T) {
	b := newBench(t, rate)
	b.tone.decoded, b.tone.recovered = make([]int64, 0, 4000), make([]int64, 0, 4000)
	pcm := make([]int16, 960)
	payload := tonePacket(0, frame, true, false)
	garbage := []byte{31<<3 | 3, 0}
	i := 0
	if n := testing.AllocsPerRun(1000, func() {
		now := time.Duration(i) * frame
		binary.BigEndian.PutUint64(payload[len(payload)-8:], uint64(i*960))
		if i%7 != 3 && i%50 > 10 {
			b.Push(Packet{SSRC: 1, Sequence: uint16(i), Timestamp: uint32(i * 960), Payload: payload}, now)
		}
		b.Push(Packet{SSRC: 1, Sequence: uint16(i), Timestamp: uint32(i * 960), Payload: garbage}, now)
		b.Pull(pcm, now)
		i++
	}); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
	if s := b.Stats(); s.Normal == 0 || s.FEC == 0 || s.PLC == 0 {
		t.Errorf("not all was tried: %s", b.counted())
	}
}

// operations runs any sequence of operations and checks what must always hold.
func operations(t *testing.T, script []byte) {
	b := newBench(t, 16000)
	seq, ts := uint16(0), uint32(0)
	durations := []time.Duration{2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond,
		40 * time.Millisecond, 60 * time.Millisecond, 100 * time.Millisecond, 120 * time.Millisecond}
	for len(script) >= 2 {
		op, arg := script[0], script[1]
		script = script[2:]
		switch op % 8 {
		case 0, 1, 2:
			d := durations[arg%8]
			if arg < 128 {
				d = frame
			}
			b.Push(Packet{SSRC: uint32(op >> 7), Sequence: seq, Timestamp: ts, Payload: tonePacket(int64(ts), d, arg&8 != 0, arg&16 != 0)}, b.now)
			seq++
			ts += uint32(d * 48000 / time.Second)
		case 3:
			seq += uint16(int8(arg))
		case 4:
			ts += uint32(int32(int8(arg)) << (op >> 4))
		case 5:
			b.Push(Packet{Sequence: seq, Timestamp: ts, Payload: script[:min(len(script), int(arg))]}, b.now)
		case 6:
			b.now += time.Duration(arg) * time.Millisecond
			if arg == 255 {
				b.Reset()
			}
		case 7:
			samples := make([]int16, 16*[]int{5, 10, 20, 20, 40, 60}[arg%6])
			for i := range samples {
				samples[i] = 12345
			}
			kind := b.Pull(samples, b.now)
			zero := !slices.ContainsFunc(samples, func(v int16) bool { return v != 0 })
			if (kind == Silence) != zero {
				t.Fatalf("kind %d, but all zero: %v", kind, zero)
			}
			if slices.Contains(samples, 12345) {
				t.Fatal("not all of the samples are filled")
			}
			b.now += time.Duration(len(samples)/16) * time.Millisecond
		}
		b.check()
	}
	// Whatever was, once nothing comes any more and the time of all has passed there is
	// silence. Each of the packets may be of 5 s after the one before.
	pcm := make([]int16, 16*20)
	for range ringSize + 10 {
		b.now += 5 * time.Second
		b.Pull(pcm, b.now)
		b.check()
	}
	for range 40 {
		b.now += frame
		b.Pull(pcm, b.now)
	}
	if k := b.Pull(pcm, b.now); k != Silence || b.playing || b.waiting > 0 {
		t.Fatalf("kind %d at the end, %d samples wait", k, b.waiting)
	}
}

func TestRandomOperations(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(12, seed))
		script := make([]byte, 500)
		for i := range script {
			script[i] = byte(rng.Uint32())
		}
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { operations(t, script) }) {
			return
		}
	}
}

func FuzzOperations(f *testing.F) {
	f.Add([]byte{0, 1, 0, 1, 0, 1, 7, 3, 7, 3, 6, 60, 7, 3, 3, 5, 0, 1, 7, 3})
	f.Fuzz(operations)
}
