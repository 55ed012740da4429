package h264

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

const ms = time.Millisecond

// sender makes packets of access units, 40 ms apart.
type sender struct {
	packetizer Packetizer
	next       Packet
}

func (s *sender) send(au []byte, mtu int) (packets []Packet) {
	for _, payload := range s.packetizer.Packetize(nil, au, mtu) {
		p := s.next
		p.Payload = bytes.Clone(payload)
		packets = append(packets, p)
		s.next.Sequence++
	}
	packets[len(packets)-1].Marker = true
	s.next.Timestamp += 3600
	return packets
}

// drain returns what is ready, with data of its own.
func drain(a *Assembler, now time.Duration) (units []AU) {
	for {
		au, ok := a.Next(now)
		if !ok {
			return units
		}
		au.Data = bytes.Clone(au.Data)
		units = append(units, au)
	}
}

func pushAll(a *Assembler, now time.Duration, packets ...Packet) []AU {
	for _, p := range packets {
		a.Push(p, now)
	}
	return drain(a, now)
}

// keyUnit and deltaUnit are access units of realistic shape.
func keyUnit(rng *rand.Rand, size int) []byte {
	return annexB(usual().nal(), pps, slice(rng, 0x65, size))
}

func deltaUnit(rng *rand.Rand, size int) []byte { return annexB(slice(rng, 0x41, size)) }

func wantUnits(t *testing.T, got []AU, want ...[]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d units, want %d", len(got), len(want))
	}
	for i := range got {
		if !bytes.Equal(got[i].Data, want[i]) {
			t.Errorf("unit %d:\n got %x\nwant %x", i, got[i].Data, want[i])
		}
	}
}

func TestAssemble(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	a := NewAssembler(Config{})
	s := sender{next: Packet{SSRC: 1, Sequence: 65534, Timestamp: 1<<32 - 3600}} // both wrap
	for n := range 10 {
		au := deltaUnit(rng, 100+n*300)
		if n%5 == 0 {
			au = keyUnit(rng, 5000)
		}
		timestamp := s.next.Timestamp
		packets := s.send(au, 1000)
		if got := pushAll(a, 0, packets[:len(packets)-1]...); len(got) != 0 {
			t.Fatalf("unit %d is out before its last packet", n)
		}
		got := pushAll(a, 0, packets[len(packets)-1])
		wantUnits(t, got, au)
		if got[0].Timestamp != timestamp || got[0].Key != (n%5 == 0) || got[0].Gap {
			t.Errorf("unit %d: %+v", n, got[0])
		}
		if sps := got[0].SPS; (sps != nil) != got[0].Key || (sps != nil && (sps.Width != 640 || sps.Check() != nil)) {
			t.Errorf("unit %d: SPS %+v", n, sps)
		}
	}
	if st := a.Stats(); st.Units != 10 || st.Lost+st.Late+st.Damaged+st.Malformed+st.Duplicates+st.Resets != 0 {
		t.Errorf("%+v", st)
	}
}

// TestRoundTrip loses, delays, repeats and shuffles packets at random. What comes out
// must be what went in, in order, with Gap wherever something is left out.
func TestRoundTrip(t *testing.T) {
	for seed := range uint64(40) {
		loss := []float64{0, 0, .01, .05, .3}[seed%5]
		late := []float64{0, .02, .1}[seed%3]
		t.Run(fmt.Sprintf("seed=%d,loss=%v,late=%v", seed, loss, late), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 2))
			a := NewAssembler(Config{})
			s := sender{next: Packet{SSRC: 7, Sequence: uint16(rng.Uint32()), Timestamp: rng.Uint32()}}
			var sent [][]byte
			first := s.next.Timestamp
			type event struct {
				at time.Duration
				Packet
			}
			var events []event
			complete := true
			for n := range 300 {
				var au []byte
				switch {
				case n%30 == 0:
					au = keyUnit(rng, 1+rng.IntN(30000))
				case rng.IntN(4) == 0:
					au = annexB(slice(rng, 0x41, 1+rng.IntN(900)), slice(rng, 0x41, 1+rng.IntN(3000)))
				default:
					au = deltaUnit(rng, 1+rng.IntN(3000))
				}
				sent = append(sent, au)
				at := time.Duration(n) * 40 * ms
				for _, p := range s.send(au, 1000) {
					at += 10 * time.Microsecond
					e := event{at, p}
					if n > 0 && rng.Float64() < late {
						e.at += time.Duration(rng.IntN(90)) * ms // retransmitted in time
					}
					if n > 0 && rng.Float64() < loss {
						complete = false
						continue
					}
					events = append(events, e)
					if rng.Float64() < .02 {
						events = append(events, e)
					}
				}
			}
			slices.SortStableFunc(events, func(a, b event) int { return int(a.at - b.at) })
			last, units := -1, 0
			check := func(au AU) {
				n := int(au.Timestamp-first) / 3600
				if n <= last || n >= len(sent) {
					t.Fatalf("unit %d came after %d", n, last)
				}
				if !bytes.Equal(au.Data, sent[n]) {
					t.Fatalf("unit %d is corrupted", n)
				}
				if n != last+1 && !au.Gap {
					t.Fatalf("no gap between units %d and %d", last, n)
				}
				if complete && au.Gap {
					t.Fatalf("gap before unit %d, though all packets came", n)
				}
				if au.Key != (n%30 == 0) {
					t.Fatalf("unit %d: Key %v", n, au.Key)
				}
				last = n
				units++
			}
			for _, e := range events {
				a.Push(e.Packet, e.at)
				for {
					au, ok := a.Next(e.at)
					if !ok {
						break
					}
					check(au)
				}
			}
			for _, au := range drain(a, time.Hour) {
				check(au)
			}
			if complete && units != len(sent) {
				t.Errorf("%d of %d units came out, though all packets came", units, len(sent))
			}
			if !complete && units < len(sent)/20 {
				t.Errorf("only %d of %d units came out", units, len(sent))
			}
		})
	}
}

// TestWait checks when a missing packet is given up, and that one which comes in time
// is used.
func TestWait(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	s := sender{next: Packet{Sequence: 100}}
	key, lost, after := keyUnit(rng, 10), deltaUnit(rng, 1500), deltaUnit(rng, 10)
	packets := slices.Concat(s.send(key, 1000), s.send(lost, 1000), s.send(after, 1000))
	hole := slices.IndexFunc(packets, func(p Packet) bool { return p.Payload[0]&typeMask == typeFUA })
	rest := slices.Concat(packets[:hole], packets[hole+1:])

	for _, c := range []struct {
		wait, give time.Duration
	}{{0, 100 * ms}, {30 * ms, 30 * ms}} {
		a := NewAssembler(Config{Wait: c.wait})
		wantUnits(t, pushAll(a, 10*ms, rest...), key)
		if got := drain(a, 10*ms+c.give-1); len(got) != 0 {
			t.Fatalf("wait %v: %d units before its time", c.wait, len(got))
		}
		// The next unit follows on a whole end of the damaged one, so it is whole itself.
		got := drain(a, 10*ms+c.give)
		wantUnits(t, got, after)
		if !got[0].Gap {
			t.Errorf("wait %v: no gap after a loss", c.wait)
		}
		if got := pushAll(a, 10*ms+c.give, packets[hole]); len(got) != 0 {
			t.Errorf("wait %v: the late packet was used", c.wait)
		}
		if st := a.Stats(); st.Lost != 1 || st.Late != 1 || st.Damaged != 1 || st.Units != 2 {
			t.Errorf("wait %v: %+v", c.wait, st)
		}
	}

	a := NewAssembler(Config{})
	wantUnits(t, pushAll(a, 10*ms, rest...), key)
	got := pushAll(a, 110*ms-1, packets[hole])
	wantUnits(t, got, lost, after)
	if got[0].Gap || got[1].Gap {
		t.Error("gap, though the packet came in time")
	}
}

// TestKeyframeAhead: a missing packet is waited for beyond Wait, but not where a later
// keyframe is whole.
func TestKeyframeAhead(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	s := sender{next: Packet{Sequence: 65500}}
	config := Config{Wait: 100 * ms, Most: time.Second, Skip: 50 * ms}
	key, lost, after, key2, last := keyUnit(rng, 10), deltaUnit(rng, 10), deltaUnit(rng, 1500), keyUnit(rng, 5000), deltaUnit(rng, 10)
	first, gap, next, second, end := s.send(key, 1000), s.send(lost, 1000), s.send(after, 1000), s.send(key2, 1000), s.send(last, 1000)
	start := func() *Assembler {
		a := NewAssembler(config)
		wantUnits(t, pushAll(a, 0, slices.Concat(first, next)...), key)
		return a
	}

	a := start()
	if drain(a, 100*ms-1); a.Overdue(100*ms - 1) {
		t.Error("overdue too early")
	}
	if drain(a, 100*ms); !a.Overdue(100 * ms) {
		t.Error("not overdue")
	}
	got := pushAll(a, 999*ms, gap...)
	wantUnits(t, got, lost, after)
	if got[0].Gap || got[1].Gap || a.Overdue(999*ms) {
		t.Error("a gap, though the packet came")
	}

	a = start()
	if got := drain(a, time.Second-1); len(got) != 0 || a.Stats().Lost != 0 {
		t.Errorf("before the longest wait: %d units, %+v", len(got), a.Stats())
	}
	drain(a, time.Second) // nothing tells that the next unit is whole
	if a.Overdue(time.Second) || a.Stats().Lost != 1 {
		t.Errorf("after the longest wait: %+v", a.Stats())
	}

	for missing := range second {
		a = start()
		if got := pushAll(a, 60*ms, slices.Concat(second[:missing], second[missing+1:], end)...); len(got) != 0 {
			t.Fatalf("without packet %d of the keyframe: %d units", missing, len(got))
		}
		got := pushAll(a, 70*ms, second[missing])
		wantUnits(t, got, key2, last)
		if !got[0].Gap || !got[0].Key || got[1].Gap {
			t.Errorf("%+v, %+v", got[0], got[1])
		}
	}

	a = start()
	if got := pushAll(a, 50*ms-1, second...); len(got) != 0 {
		t.Error("a keyframe does not wait for what it has overtaken")
	}
	wantUnits(t, pushAll(a, 50*ms-1, gap...), lost, after, key2)

	a = start()
	a.SetWait(200 * ms)
	if a.Overdue(200*ms-1) || !a.Overdue(200*ms) {
		t.Error("SetWait")
	}
}

// TestMarker: units also end where the timestamp changes, and padding changes nothing.
func TestMarker(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	s := sender{}
	a := NewAssembler(Config{})
	var want [][]byte
	var got []AU
	for n := range 5 {
		au := deltaUnit(rng, 1500)
		if n == 0 {
			au = keyUnit(rng, 1500)
		}
		want = append(want, au)
		packets := s.send(au, 1000)
		packets[len(packets)-1].Marker = false
		padding := packets[len(packets)-1]
		padding.Payload, padding.Sequence = nil, s.next.Sequence
		s.next.Sequence++
		got = append(got, pushAll(a, 0, append(packets, padding)...)...)
	}
	wantUnits(t, got, want[:4]...)
	for n, au := range got {
		if au.Gap || au.Timestamp != uint32(n)*3600 {
			t.Errorf("unit %d: timestamp %d, gap %v", n, au.Timestamp, au.Gap)
		}
	}
}

// TestStartsAnywhere joins a stream in the middle of a unit.
func TestStartsAnywhere(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	s := sender{}
	a := NewAssembler(Config{})
	if got := pushAll(a, 0, s.send(deltaUnit(rng, 5000), 1000)[2:]...); len(got) != 0 {
		t.Fatal("half a unit was handed out")
	}
	au := deltaUnit(rng, 5000)
	got := pushAll(a, 0, s.send(au, 1000)...)
	wantUnits(t, got, au)
	if !got[0].Gap {
		t.Error("no gap after half a unit")
	}
}

func TestReset(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	for name, change := range map[string]func(*sender){
		"SSRC":           func(s *sender) { s.next.SSRC++ },
		"jump forwards":  func(s *sender) { s.next.Sequence += 20000 },
		"jump backwards": func(s *sender) { s.next.Sequence -= 20000 },
	} {
		t.Run(name, func(t *testing.T) {
			s := sender{}
			a := NewAssembler(Config{})
			key := keyUnit(rng, 1500)
			wantUnits(t, pushAll(a, 0, s.send(key, 1000)...), key)
			a.Push(s.send(deltaUnit(rng, 1500), 1000)[0], 0)
			change(&s)
			// The first packet after a jump is taken for a stray one.
			got := pushAll(a, 0, append(s.send(deltaUnit(rng, 10), 1000), s.send(key, 1000)...)...)
			wantUnits(t, got, key)
			if !got[0].Gap || a.Stats().Resets != 1 {
				t.Errorf("gap %v, %+v", got[0].Gap, a.Stats())
			}
		})
	}

	s := sender{}
	a := NewAssembler(Config{})
	key, delta := keyUnit(rng, 1500), deltaUnit(rng, 10)
	wantUnits(t, pushAll(a, 0, s.send(key, 1000)...), key)
	stray := s.next
	stray.Sequence += 30000
	stray.Payload = []byte{0x41, 1}
	a.Push(stray, 0)
	got := pushAll(a, 0, s.send(delta, 1000)...)
	wantUnits(t, got, delta)
	if got[0].Gap || a.Stats().Resets != 0 {
		t.Errorf("after a stray packet: gap %v, %+v", got[0].Gap, a.Stats())
	}

	packets := s.send(deltaUnit(rng, 1500), 1000)
	a.Push(packets[0], 0)
	a.Reset()
	if got := pushAll(a, 0, packets[1:]...); len(got) != 0 {
		t.Error("a unit from before Reset went on after it")
	}
}

// TestOverflow pushes far more than the window behind a missing packet, all at once.
func TestOverflow(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	s := sender{}
	a := NewAssembler(Config{})
	key := keyUnit(rng, 10)
	wantUnits(t, pushAll(a, 0, s.send(key, 1000)...), key)
	s.next.Sequence++
	var sent [][]byte
	var got []AU
	for range 2 * window {
		au := deltaUnit(rng, 10)
		sent = append(sent, au)
		got = append(got, pushAll(a, 0, s.send(au, 1000)...)...)
	}
	// The first after the hole is not known to be whole, and some are pushed out with it.
	wantUnits(t, got, sent[len(sent)-len(got):]...)
	if len(got) < len(sent)-2 || !got[0].Gap || a.Stats().Lost != 1 {
		t.Errorf("%d of %d units, gap %v, %+v", len(got), len(sent), got[0].Gap, a.Stats())
	}
}

func single(payloads ...[]byte) (packets []Packet) {
	for i, p := range payloads {
		packets = append(packets, Packet{Sequence: uint16(i), Timestamp: 9, Payload: p, Marker: i == len(payloads)-1})
	}
	return packets
}

func TestMalformed(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	sps := usual().nal()
	many := make([][]byte, maxSlices+1)
	for i := range many {
		many[i] = []byte{0x41, 0x9a, 0xff}
	}
	big := make([][]byte, maxUnit/4000+1)
	for i := range big {
		big[i] = slice(rng, 0x41, 4000)
	}
	good := append([]byte{0x78, 0, byte(len(sps))}, sps...)
	for name, payloads := range map[string][][]byte{
		"type 0":               {{0x60, 1, 2}},
		"STAP-B":               {{0x79, 0, 0, 0, 2, 0x41, 1}},
		"MTAP16":               {{0x7a, 0, 0, 0, 2, 0x41, 1}},
		"FU-B":                 {{0x7d, 0x85, 0, 0, 1}},
		"forbidden bit":        {{0xc1, 1, 2}},
		"STAP-A cut short":     {append(good[:len(good):len(good)], 0)},
		"STAP-A size too big":  {{0x78, 0, 9, 0x41, 1}},
		"STAP-A size 0":        {{0x78, 0, 0}},
		"STAP-A in STAP-A":     {{0x78, 0, 4, 0x78, 0, 1, 0x41}},
		"FU-A without header":  {{0x7c}},
		"FU-A of STAP-A":       {{0x7c, 0xd8, 1}},
		"FU-A without start":   {{0x7c, 0x45, 1}},
		"FU-A without end":     {{0x7c, 0x85, 1}},
		"FU-A starts twice":    {{0x7c, 0x85, 1}, {0x7c, 0x85, 1}, {0x7c, 0x45, 1}},
		"FU-A changes type":    {{0x7c, 0x85, 1}, {0x7c, 0x41, 1}},
		"FU-A interrupted":     {{0x7c, 0x85, 1}, {0x41, 1}, {0x7c, 0x45, 1}},
		"data partition":       {{0x42, 1}},
		"malformed SPS":        {sps[:6], pps, {0x65, 1}},
		"hidden malformed SPS": {pps, slices.Concat([]byte{0x65, 1}, startCode, sps[:6])},
		"too many slices":      many,
		"too big":              big,
	} {
		t.Run(name, func(t *testing.T) {
			a := NewAssembler(Config{})
			a.clean = true // or nothing but an SPS would be looked at
			if got := pushAll(a, 0, single(payloads...)...); len(got) != 0 {
				t.Errorf("handed out %x", got[0].Data)
			}
			if st := a.Stats(); st.Damaged != 1 {
				t.Errorf("%+v", st)
			}
			after := Packet{Sequence: uint16(len(payloads)), Timestamp: 10, Marker: true, Payload: []byte{0x41, 1}}
			got := pushAll(a, 0, after)
			wantUnits(t, got, annexB(after.Payload))
			if !got[0].Gap {
				t.Error("no gap after a malformed unit")
			}
		})
	}
	a := NewAssembler(Config{})
	a.clean = true
	wantUnits(t, pushAll(a, 0, single(many[1:]...)...), annexB(many[1:]...)) // as many as may be
}

// TestHiddenSPS: a decoder would find a second SPS inside a slice, so Next must too.
func TestHiddenSPS(t *testing.T) {
	unsafe := usual()
	unsafe.refs = 16
	for _, slice := range [][]byte{
		slices.Concat([]byte{0x65, 1, 2}, startCode, unsafe.nal()),
		slices.Concat([]byte{0x65, 1, 2}, codePrefix, unsafe.nal(), codePrefix, usual().nal()),
	} {
		got := pushAll(NewAssembler(Config{}), 0, single(usual().nal(), pps, slice)...)
		if len(got) != 1 || got[0].SPS == nil || got[0].SPS.Check() == nil {
			t.Errorf("%+v", got)
		}
	}
}

// TestParameterSets: those that come once, or under a timestamp of their own, go before
// the pictures that need them.
func TestParameterSets(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	sps, other := usual().nal(), []byte{0x68, 0xee, 0x3c, 0x80}
	idr, delta := slice(rng, 0x65, 100), slice(rng, 0x41, 100)
	s := sender{}
	a := NewAssembler(Config{})
	send := func(nals ...[]byte) []AU { return pushAll(a, 0, s.send(annexB(nals...), 1000)...) }

	wantUnits(t, send(sps, pps))
	wantUnits(t, send(idr), annexB(sps, pps, idr))
	wantUnits(t, send(delta), annexB(delta))
	got := send(idr)
	wantUnits(t, got, annexB(sps, pps, idr))
	if got[0].SPS == nil || got[0].SPS.Width != 640 || got[0].Gap {
		t.Errorf("%+v", got[0])
	}
	wantUnits(t, send(other))
	wantUnits(t, send(delta), annexB(other, delta))
	wantUnits(t, send(pps, delta), annexB(pps, delta))
	wantUnits(t, send(pps, delta), annexB(pps, delta))
	wantUnits(t, send(idr), annexB(sps, pps, other, pps, idr)) // the last of an id counts
	wantUnits(t, send(sps, pps, idr), annexB(sps, pps, idr))
	wantUnits(t, send(idr), annexB(sps, pps, idr))
	a.Reset()
	if got := send(idr); len(got) != 0 {
		t.Error("a unit after Reset that is not known to be whole")
	}
	if got := send(idr); len(got) != 1 || got[0].SPS != nil {
		t.Errorf("parameter sets from before Reset: %+v", got)
	}
}

func TestManyParameterSetsAreBounded(t *testing.T) {
	s := sender{}
	a := NewAssembler(Config{})
	pushAll(a, 0, s.send(annexB(usual().nal(), pps, []byte{0x65, 1}), 1000)...)
	for n := range 5000 {
		pushAll(a, 0, s.send(annexB([]byte{0x68, byte(n/255 + 1), byte(n%255 + 1)}, []byte{0x41, 1}), 1000)...)
		if len(a.params) > maxParams {
			t.Fatalf("%d bytes of parameter sets are kept", len(a.params))
		}
	}
}

func TestAssemblerAllocs(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 10))
	a := NewAssembler(Config{})
	s := sender{}
	var packets []Packet
	for n := range 30 {
		au := deltaUnit(rng, 3000)
		if n%10 == 0 {
			au = keyUnit(rng, 20000)
		}
		packets = append(packets, s.send(au, 1000)...)
	}
	var sequence uint16
	run := func() {
		units := 0
		for _, p := range packets {
			p.Sequence = sequence
			sequence++
			a.Push(p, 0)
			for {
				if _, ok := a.Next(0); !ok {
					break
				}
				units++
			}
		}
		if units != 30 {
			t.Fatalf("%d units", units)
		}
	}
	for range window/len(packets) + 1 {
		run() // every slot gets its memory
	}
	if n := testing.AllocsPerRun(20, run); n != 0 {
		t.Errorf("%v allocations for %d packets", n, len(packets))
	}
}

// FuzzAssembler reads packets from bytes: flags, sequence step, timestamp step, time,
// length, payload.
func FuzzAssembler(f *testing.F) {
	rng := rand.New(rand.NewPCG(11, 11))
	s := sender{}
	var seed []byte
	for n := range 4 {
		au := deltaUnit(rng, 300)
		if n == 0 {
			au = keyUnit(rng, 300)
		}
		for i, p := range s.send(au, 100) {
			flags := byte(0)
			if p.Marker {
				flags |= 1
			}
			seed = append(seed, flags, 1, byte(i>>8), 1, byte(len(p.Payload)))
			seed = append(seed, p.Payload...)
		}
	}
	f.Add(seed)
	f.Add([]byte{2, 200, 1, 1, 2, 0x41, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		a := NewAssembler(Config{})
		var p Packet
		var now time.Duration
		for len(data) >= 5 {
			flags, n := data[0], int(data[4])
			p.Marker = flags&1 != 0
			if flags&2 != 0 {
				p.SSRC++
			}
			step := uint16(int8(data[1]))
			if flags&4 != 0 {
				step *= 256
			}
			p.Sequence += step
			p.Timestamp += uint32(data[2]) * 3600
			now += time.Duration(data[3]) * ms
			data = data[5:]
			n = min(n, len(data))
			p.Payload, data = data[:n], data[n:]
			if flags&8 != 0 {
				p.Payload = bytes.Repeat(p.Payload, 20)
			}
			a.Push(p, now)
			for {
				au, ok := a.Next(now)
				if !ok {
					break
				}
				if len(au.Data) > maxUnit+maxParams || !bytes.HasPrefix(au.Data, startCode) {
					t.Fatalf("unit of %d bytes", len(au.Data))
				}
				pictures, key := 0, false
				for nal, rest := nextNAL(au.Data); len(nal) > 0; nal, rest = nextNAL(rest) {
					switch nal[0] & typeMask {
					case typeSlice:
						pictures++
					case typeIDR:
						pictures++
						key = true
					case typeSPS:
						if _, err := ParseSPS(nal); err != nil || au.SPS == nil {
							t.Fatalf("unit with SPS %x, %v, as %+v", nal, err, au.SPS)
						}
					}
				}
				if pictures == 0 || pictures > maxSlices || key != au.Key {
					t.Fatalf("%d slices, key %v", pictures, au.Key)
				}
			}
		}
		if st := a.Stats(); st.Units > st.Packets {
			t.Fatalf("%+v", st)
		}
	})
}
