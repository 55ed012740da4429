package codecs

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"sectile/engine/codec"
	"sectile/engine/mix"
	"sectile/engine/opuspkt"
)

// TestFECFollowsLoss: where listeners lose every tenth packet, packets carry the one before
// (LBRR), and what is lost comes back by it; where they lose less, none does, for it costs
// quality.
func TestFECFollowsLoss(t *testing.T) {
	const samples, ticks = 960, 400
	sound := voiced(samples*ticks, 48000, 140)
	for i := range sound { // words of 200 ms, so that a loss is not made up from what was before
		if i/(48000/10)%3 == 2 {
			sound[i] = 0
		}
	}
	type result struct {
		redundant int
		modes     map[opuspkt.Mode]int
		distance  float64 // of the spectra of lost frames
	}
	send := func(loss float64) result {
		format := &mix.Format{Samples: samples, Frame: 20 * time.Millisecond, NewEncoder: func() (codec.AudioEncoder, error) {
			return Factory{}.NewAudioEncoder(audio)
		}}
		v := mix.NewVoice(format)
		defer v.Close()
		v.Expect(loss)
		history := mix.NewHistory(samples, 20*time.Millisecond)
		var packets [][]byte
		r := result{modes: map[opuspkt.Mode]int{}}
		for n := range ticks {
			packet, _, err := v.Encode(uint64(n+2), sound[n*samples:(n+1)*samples], history)
			if err != nil {
				t.Fatal(err)
			}
			info, err := opuspkt.Parse(packet)
			if err != nil {
				t.Fatal(err)
			}
			r.modes[info.Mode]++
			if info.LBRR {
				r.redundant++
			}
			packets = append(packets, slices.Clone(packet))
		}
		rng := rand.New(rand.NewPCG(1, 2))
		whole, lossy := newDecoder(t, 48000), newDecoder(t, 48000)
		defer whole.Close()
		defer lossy.Close()
		want, got, lost := make([]int16, samples), make([]int16, samples), 0.0
		for n, p := range packets[:ticks-1] {
			decode(t, whole, p, want)
			if n < 20 || rng.IntN(10) > 0 {
				decode(t, lossy, p, got)
				continue
			}
			fill := func() error { return lossy.Conceal(got) }
			if opuspkt.HasLBRR(packets[n+1]) {
				fill = func() error { return lossy.DecodeFEC(packets[n+1], got) }
			}
			if err := fill(); err != nil {
				t.Fatal(err)
			}
			r.distance += spectralDistance(want, got, 48000)
			lost++
		}
		r.distance /= lost
		return r
	}
	none, some, many := send(0), send(0.05), send(0.12)
	t.Logf("no loss reported: %+v; 5 %%: %+v; 12 %%: %+v", none, some, many)
	if none.redundant > 0 || some.redundant > 0 || none.modes[opuspkt.CELT] != ticks || some.modes[opuspkt.CELT] != ticks {
		t.Errorf("redundancy without need: %+v, %+v", none, some)
	}
	if many.redundant < ticks/2 || many.modes[opuspkt.Hybrid] < ticks*9/10 {
		t.Errorf("little redundancy at a loss of 12 %%: %+v", many)
	}
	if many.distance > none.distance/2 {
		t.Errorf("spectra of lost frames are %.1f dB apart with FEC, %.1f without", many.distance, none.distance)
	}
}
