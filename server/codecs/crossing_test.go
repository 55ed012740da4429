package codecs

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"sectile/engine/codec"
	"sectile/engine/mix"
)

// voiced is something like a voice: harmonics of a gliding pitch, syllables of 4 a second,
// and some noise.
func voiced(samples int) []int16 {
	rng := rand.New(rand.NewPCG(5, 5))
	pcm := make([]int16, samples)
	phase := 0.0
	for i := range pcm {
		t := float64(i) / 48000
		phase += 2 * math.Pi * (140 + 30*math.Sin(2*math.Pi*0.7*t)) / 48000
		v := 0.0
		for h := 1.0; h <= 20; h++ {
			v += math.Sin(h*phase) / h
		}
		envelope := 0.55 + 0.45*math.Sin(2*math.Pi*4*t)
		pcm[i] = int16(envelope * (3000*v + 150*rng.NormFloat64()))
	}
	return pcm
}

// snr is the ratio of a signal to what differs from it, in dB.
func snr(signal, other []int16) float64 {
	var power, noise float64
	for i := range signal {
		d := float64(signal[i]) - float64(other[i])
		power += float64(signal[i]) * float64(signal[i])
		noise += d * d
	}
	return 10 * math.Log10(power/max(noise, 1))
}

// TestCrossingIsInaudible measures what a listener hears who is moved from the shared
// encoder to one of their own, against one who stays, when both encode the same sound. The
// difference in the 40 ms after the move must be below the codec's own noise, whose ratio
// is about 20 dB, for an encoder that was warmed, and is far above it for one that was not.
func TestCrossingIsInaudible(t *testing.T) {
	const samples, ticks = 960, 300
	frame := 20 * time.Millisecond
	sound := voiced(samples * ticks)
	measure := func(warm bool) (worst, mean float64) {
		worst = math.Inf(1)
		crossings := 0.0
		for cross := 40; cross+2 < ticks; cross += 9 {
			shared, private := newVoice(t), newVoice(t)
			staying, moving := newDecoder(t), newDecoder(t)
			history := mix.NewHistory(samples, frame)
			stay, move := make([]int16, samples), make([]int16, samples)
			var heard, moved []int16
			for tick := cross - 20; tick < cross+2; tick++ {
				pcm := sound[tick*samples : (tick+1)*samples]
				packet, err := shared.Encode(uint64(tick), pcm, history)
				if err != nil {
					t.Fatal(err)
				}
				decode(t, staying, packet, stay)
				if tick >= cross {
					past := history
					if !warm {
						past = mix.NewHistory(samples, frame)
					}
					if packet, err = private.Encode(uint64(tick), pcm, past); err != nil {
						t.Fatal(err)
					}
				}
				decode(t, moving, packet, move)
				if tick >= cross {
					heard, moved = append(heard, stay...), append(moved, move...)
				}
				history.Push(pcm)
			}
			ratio := snr(heard, moved)
			worst, mean = min(worst, ratio), mean+ratio
			crossings++
			shared.Close()
			private.Close()
			staying.Close()
			moving.Close()
		}
		return worst, mean / crossings
	}
	warmWorst, warmMean := measure(true)
	coldWorst, coldMean := measure(false)
	t.Logf("warmed: mean %.1f dB, worst %.1f; cold: mean %.1f dB, worst %.1f", warmMean, warmWorst, coldMean, coldWorst)
	if warmMean < 20 || warmWorst < 12 {
		t.Errorf("a warmed crossing differs by %.1f dB, at worst %.1f", warmMean, warmWorst)
	}
	if warmMean-coldMean < 6 {
		t.Errorf("warming gains only %.1f dB: does the test measure anything?", warmMean-coldMean)
	}
}

func newVoice(t *testing.T) *mix.Voice {
	t.Helper()
	encoder, err := Factory{}.NewAudioEncoder(codec.AudioParams{SampleRate: 48000, Bitrate: 64000, Complexity: 5})
	if err != nil {
		t.Fatal(err)
	}
	return mix.NewVoice(encoder)
}

func newDecoder(t *testing.T) codec.AudioDecoder {
	t.Helper()
	decoder, err := Factory{}.NewAudioDecoder(48000)
	if err != nil {
		t.Fatal(err)
	}
	return decoder
}

func decode(t *testing.T, d codec.AudioDecoder, packet []byte, pcm []int16) {
	t.Helper()
	if n, err := d.Decode(packet, pcm); err != nil || n != len(pcm) {
		t.Fatalf("decoded %d samples: %v", n, err)
	}
}
