package mix

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"sectile/asm/pcm"
	"sectile/engine/codec"
)

const frame = 20 * time.Millisecond

// TestBusAgainstDirectSums: every mix that a limiter gets is the sum of the others.
func TestBusAgainstDirectSums(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 3, 10, 100} {
		const samples = 960
		b := NewBus(samples)
		inputs := make([][]int16, n)
		times := func(i int) int { return 1 + i%3 }
		b.Reset()
		for i := range inputs {
			inputs[i] = make([]int16, samples)
			for j := range inputs[i] {
				inputs[i][j] = int16(rng.Uint32())
			}
			b.Add(inputs[i], times(i))
		}
		b.Sum()
		direct := func(without int) []int32 {
			out := make([]int32, samples)
			for j := range out {
				for i := range inputs {
					if i != without {
						out[j] += int32(times(i)) * int32(inputs[i][j])
					}
				}
			}
			return out
		}
		l := NewLimiter(samples, frame)
		b.All(l)
		if !slices.Equal(l.next(), direct(-1)) {
			t.Fatalf("%d inputs: the mix of all is not their sum", n)
		}
		for i := range inputs {
			b.Without(l, inputs[i], times(i))
			if !slices.Equal(l.next(), direct(i)) {
				t.Fatalf("%d inputs: mix %d is not the sum of the others", n, i)
			}
		}
	}
}

// TestRoute: private from the first frame on; shared again only after the encoders had
// the time to agree.
func TestRoute(t *testing.T) {
	var r Route
	var got []bool
	for i := range 12 {
		got = append(got, r.Step(i == 2 || i == 3, frame))
	}
	f, p := false, true
	if want := []bool{f, f, p, p, p, p, p, f, f, f, f, f}; !slices.Equal(got, want) {
		t.Errorf("private at %v, want %v", got, want)
	}
}

// recorder is an encoder that keeps the first sample of each frame that it is given.
type recorder struct {
	frames []int16
}

func (r *recorder) Encode(pcm []int16, packet []byte) (int, error) {
	r.frames = append(r.frames, pcm[0])
	packet[0] = byte(pcm[0])
	return 1, nil
}
func (r *recorder) SetPacketLoss(int) error { return nil }
func (r *recorder) Reset() error            { r.frames = append(r.frames, -1); return nil }
func (r *recorder) Close()                  {}

// station is a voice that records, with a mix of one input.
type station struct {
	t       *testing.T
	voice   *Voice
	encoder *recorder
	bus     *Bus
	out     []int16
}

// stations makes voices of frames of 2.5 ms with one sample.
func stations(t *testing.T, n int) []*station {
	f := &Format{Samples: 1, Frame: LookAhead}
	var all []*station
	for range n {
		s := &station{t: t, voice: NewVoice(f), encoder: &recorder{}, bus: NewBus(1), out: make([]int16, 1)}
		s.voice.encoder = s.encoder
		all = append(all, s)
	}
	f.NewEncoder = func() (codec.AudioEncoder, error) { return &recorder{}, nil }
	return all
}

func (s *station) mix(tick uint64, v int16) {
	s.bus.Reset()
	s.bus.Add([]int16{v}, 1)
	s.bus.Sum()
	s.voice.Mix(tick, s.out, s.bus, nil, 0)
}

// encode returns the packet and whether an encoder made it.
func (s *station) encode(tick uint64, h *History) (byte, bool) {
	s.t.Helper()
	p, encoded, err := s.voice.Encode(tick, s.out, h)
	if err != nil || len(p) != 1 {
		s.t.Fatalf("packet %v, %v", p, err)
	}
	return p[0], encoded
}

// TestVoiceIsWarmed: an encoder that did not run in the tick before is reset and fed the
// past of all, in order, before the frame that counts.
func TestVoiceIsWarmed(t *testing.T) {
	h := NewHistory(1, frame)
	s := stations(t, 1)[0]
	for tick := uint64(1); tick <= 12; tick++ {
		s.mix(tick, int16(tick*100+100)) // comes out in the next tick
		if tick != 8 && tick != 9 {
			s.encode(tick, h)
		}
		h.Push([]int16{int16(tick)})
	}
	want := []int16{0, 200, 300, 400, 500, 600, 700, -1, 6, 7, 8, 9, 1000, 1100, 1200}
	if !slices.Equal(s.encoder.frames, want) {
		t.Errorf("encoded %v, want %v", s.encoder.frames, want)
	}
	h.Clear()
	s.encoder.frames = nil
	s.mix(20, 0)
	s.encode(20, h)
	if want := []int16{-1, 1300}; !slices.Equal(s.encoder.frames, want) {
		t.Errorf("after a pause encoded %v, want %v", s.encoder.frames, want)
	}
}

// TestSilenceTakesNoEncoder: once an encoder has said silence for as long as it remembers,
// it rests, and goes on from there.
func TestSilenceTakesNoEncoder(t *testing.T) {
	h := NewHistory(1, LookAhead)
	warm := warmFrames(LookAhead)
	s := stations(t, 1)[0]
	var encoded []bool
	for tick := uint64(1); tick <= 100; tick++ {
		s.mix(tick, int16(1000*(tick/51))) // comes out at 52
		p, e := s.encode(tick, h)
		encoded = append(encoded, e)
		if want := byte(s.out[0] & 0xff); p != want {
			t.Fatalf("tick %d: packet %d, want %d", tick, p, want)
		}
	}
	for i, e := range encoded {
		if want := i < warm || i >= 50; e != want { // the sound is in the limiter since tick 51
			t.Errorf("tick %d: encoded %v", i+1, e)
		}
	}
	if resets := slices.Index(s.encoder.frames[1:], -1); resets >= 0 {
		t.Errorf("the encoder was reset after silence: %v", s.encoder.frames)
	}
}

// TestSilenceIsThePast: a voice that has had nothing but silence to say is fed that before
// its first sound, and not the mix of all.
func TestSilenceIsThePast(t *testing.T) {
	h := NewHistory(1, LookAhead)
	pair := stations(t, 2)
	all, own := pair[0], pair[1]
	warm := warmFrames(LookAhead)
	const crossing = 100
	for tick := uint64(1); tick < 200; tick++ {
		talk, answer := int16(0), int16(0)
		if tick >= crossing {
			talk = 50
			own.voice.Follow(tick, all.voice, true, false)
		}
		if tick >= 150 {
			answer = 7
		}
		all.mix(tick, talk+answer)
		if tick >= crossing {
			own.mix(tick, answer)
			if _, encoded := own.encode(tick, h); encoded != (tick >= 150) {
				t.Fatalf("tick %d: encoded %v", tick, encoded)
			}
		}
		h.Push(all.out)
	}
	want := slices.Concat([]int16{-1}, make([]int16, warm), []int16{0, 7, 7})
	if got := own.encoder.frames[:len(want)]; !slices.Equal(got, want) {
		t.Errorf("encoded %v, want %v", got, want)
	}
}

func TestTickDoesNotAllocate(t *testing.T) {
	b := NewBus(960)
	inputs := [][]int16{make([]int16, 960), make([]int16, 960)}
	for i := range inputs[0] {
		inputs[0][i], inputs[1][i] = 20000, 20000 // enough for the limiter
	}
	samples := make([]int16, 960)
	f := &Format{Samples: 960, Frame: frame, NewEncoder: func() (codec.AudioEncoder, error) { return discard{}, nil }}
	all, own := NewVoice(f), NewVoice(f)
	h := NewHistory(960, frame)
	out, wide := make([]int16, 960), make([]int32, 960)
	var talk Talk
	var fader Fader
	tick := uint64(0)
	if n := testing.AllocsPerRun(100, func() {
		tick++
		b.Reset()
		for _, in := range inputs {
			copy(samples, in)
			fader.Step(samples, wide, frame, pcm.GainUnity/2, talk.Step(in, frame) && tick%2 == 0)
			b.Add(in, 1)
		}
		b.Sum()
		own.Follow(tick, all, true, false)
		all.Mix(tick, out, b, nil, 0)
		all.Encode(tick, out, h)
		own.Mix(tick, out, b, inputs[0], 1)
		own.Encode(tick, out, h)
		h.Push(out)
	}); n != 0 {
		t.Errorf("%v allocations a tick", n)
	}
}

// discard is an encoder that does nothing.
type discard struct{}

func (discard) Encode([]int16, []byte) (int, error) { return 1, nil }
func (discard) SetPacketLoss(int) error             { return nil }
func (discard) Reset() error                        { return nil }
func (discard) Close()                              {}
