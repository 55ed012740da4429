package mix

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

const frame = 20 * time.Millisecond

// TestBusAgainstDirectSums: every mix equals the sum of the others, saturated once.
func TestBusAgainstDirectSums(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 3, 10, 100} {
		const samples = 961 // no multiple of any vector
		b := NewBus(samples)
		inputs := make([][]int16, n)
		b.Reset()
		for i := range inputs {
			inputs[i] = make([]int16, samples)
			for j := range inputs[i] {
				inputs[i][j] = int16(rng.Uint32())
			}
			b.Add(inputs[i])
		}
		b.Sum()
		direct := func(without int) []int16 {
			out := make([]int16, samples)
			for j := range out {
				sum := 0
				for i := range inputs {
					if i != without {
						sum += int(inputs[i][j])
					}
				}
				out[j] = int16(max(-32768, min(32767, sum)))
			}
			return out
		}
		got := make([]int16, samples)
		b.All(got)
		if !slices.Equal(got, direct(-1)) {
			t.Fatalf("%d inputs: the mix of all is not their sum", n)
		}
		for i := range inputs {
			b.Without(got, inputs[i])
			if !slices.Equal(got, direct(i)) {
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

// recorder is an encoder that keeps what it is given.
type recorder struct{ frames []int16 }

func (r *recorder) Encode(pcm []int16, _ []byte) (int, error) {
	r.frames = append(r.frames, pcm[0])
	return 1, nil
}
func (r *recorder) SetPacketLoss(int) error { return nil }
func (r *recorder) Reset() error            { r.frames = append(r.frames, -1); return nil }
func (r *recorder) Close()                  {}

// TestVoiceIsWarmed: an encoder that did not run in the tick before is reset and fed the
// last four frames, in order, before the one that counts.
func TestVoiceIsWarmed(t *testing.T) {
	h := NewHistory(1, frame)
	encoder := &recorder{}
	v := NewVoice(encoder)
	for tick := uint64(1); tick <= 12; tick++ {
		if tick != 8 && tick != 9 {
			if _, err := v.Encode(tick, []int16{int16(tick * 100)}, h); err != nil {
				t.Fatal(err)
			}
		}
		h.Push([]int16{int16(tick)})
	}
	want := []int16{100, 200, 300, 400, 500, 600, 700, -1, 6, 7, 8, 9, 1000, 1100, 1200}
	if !slices.Equal(encoder.frames, want) {
		t.Errorf("encoded %v, want %v", encoder.frames, want)
	}
	h.Clear()
	encoder.frames = nil
	if _, err := v.Encode(20, []int16{2000}, h); err != nil {
		t.Fatal(err)
	}
	if want := []int16{-1, 2000}; !slices.Equal(encoder.frames, want) {
		t.Errorf("after a pause encoded %v, want %v", encoder.frames, want)
	}
}

func TestTalkHangsOver(t *testing.T) {
	loud, quiet := make([]int16, 960), make([]int16, 960)
	for i := range loud {
		loud[i], quiet[i] = 3000, 20
	}
	var talk Talk
	talking := 0
	for i := range 100 {
		in := quiet
		switch {
		case i == 0:
			in = loud
		case i%2 == 0:
			in = nil
		}
		if talk.Step(in, frame) {
			talking++
		}
	}
	if talking != 25 {
		t.Errorf("one loud frame talks for %d frames, want 25", talking)
	}
}

func TestTickDoesNotAllocate(t *testing.T) {
	b := NewBus(960)
	inputs := [][]int16{make([]int16, 960), make([]int16, 960)}
	h := NewHistory(960, frame)
	out := make([]int16, 960)
	var talk Talk
	if n := testing.AllocsPerRun(100, func() {
		b.Reset()
		for _, in := range inputs {
			talk.Step(in, frame)
			b.Add(in)
		}
		b.Sum()
		b.All(out)
		b.Without(out, inputs[0])
		h.Push(out)
	}); n != 0 {
		t.Errorf("%v allocations a tick", n)
	}
}
