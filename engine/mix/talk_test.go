package mix

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// amplitude of white noise of a power in dBFS.
func amplitude(dBFS float64) float64 { return 32768 * math.Pow(10, dBFS/20) }

// fan is low-pass noise of unit power, as a fan makes it, to be repeated.
var fan = func() []float64 {
	const pole = 0.9 // a corner at 800 Hz
	rng := rand.New(rand.NewPCG(1, 1))
	out, state := make([]float64, 5*48000), 0.0
	for i := range out {
		state = pole*state + rng.NormFloat64()
		out[i] = state * math.Sqrt(1-pole*pole)
	}
	return out
}()

// speech is something like it, to be repeated: harmonics in syllables of 5 a second, and
// every other second a pause.
var speech = func() []float64 {
	out := make([]float64, 2*48000)
	for i := range out[:len(out)*85/100] {
		t := float64(i) / 48000
		for h := 1.0; h <= 12; h++ {
			out[i] += math.Sin(2*math.Pi*130*h*t) / h
		}
		out[i] *= math.Pow(math.Abs(math.Sin(2*math.Pi*2.5*t)), 1.5)
	}
	return out
}()

// add adds a part of a signal that repeats, of a level in dBFS, to samples.
func add(samples []int16, signal []float64, start int, dBFS float64) {
	for i := range samples {
		samples[i] += int16(amplitude(dBFS) * signal[(start+i)%len(signal)])
	}
}

// TestFanIsNoTalker: steady noise is none after two seconds; speech over it is one, at once.
func TestFanIsNoTalker(t *testing.T) {
	for _, d := range []time.Duration{2500 * time.Microsecond, 10 * time.Millisecond, frame, 60 * time.Millisecond} {
		samples := int(d * 48000 / time.Second)
		for _, level := range []float64{-80, -60, -50, -42, -35} {
			var talk Talk
			pcm := make([]int16, samples)
			for n := range int(6 * time.Second / d) {
				clear(pcm)
				add(pcm, fan, n*samples, level)
				if at := time.Duration(n) * d; talk.Step(pcm, d) && at > 2*time.Second {
					t.Fatalf("frames of %v: a fan at %v dBFS talks after %v", d, level, at)
				}
			}
			begin, heard, words := -1, 0, 0
			for n := range int(6 * time.Second / d) {
				clear(pcm)
				add(pcm, speech, n*samples, max(level+12, -45))
				word := n*samples%len(speech) < len(speech)*85/100
				add(pcm, fan, n*samples, level)
				talking := talk.Step(pcm, d)
				if word {
					words++
				}
				if word && talking {
					heard++
				}
				if begin < 0 && talking {
					begin = n * samples
				}
			}
			if share := float64(heard) / float64(words); share < 0.95 {
				t.Errorf("frames of %v: %.1f %% of the speech over a fan at %v dBFS is heard", d, 100*share, level)
			}
			// The first syllable swells for 100 ms.
			if begin < 0 || begin > 48000*7/100 {
				t.Errorf("frames of %v: speech over a fan at %v dBFS is heard after %d samples", d, level, begin)
			}
		}
	}
}

// TestSteadySoundTalks: a sound that is louder than any noise of a room is not taken for
// it, however long it lasts.
func TestSteadySoundTalks(t *testing.T) {
	pcm := make([]int16, 960)
	for _, level := range []float64{-12, -20, -28} { // of the peak
		var talk Talk
		for n := range 15 * 50 {
			for i := range pcm {
				pcm[i] = int16(amplitude(level) * math.Sin(2*math.Pi*440*float64(n*960+i)/48000))
			}
			if !talk.Step(pcm, frame) {
				t.Fatalf("a tone of %v dBFS does not talk after %d frames", level, n)
			}
		}
	}
}

// TestTalkStartsAtOnce: the first frame of a word counts, also that of a new input, and a
// word that begins near the end of its frame.
func TestTalkStartsAtOnce(t *testing.T) {
	for _, pause := range []time.Duration{0, 5 * time.Second} {
		for _, at := range []int{0, 480, 840} {
			var talk Talk
			pcm := make([]int16, 960)
			for n := range pause / frame {
				clear(pcm)
				add(pcm, fan, int(n)*960, -65)
				talk.Step(pcm, frame)
			}
			if talk.hang > 0 {
				t.Fatal("talks in the pause")
			}
			clear(pcm)
			add(pcm, fan, 0, -65)
			for i := at; i < len(pcm); i++ {
				pcm[i] += int16(amplitude(-26) * math.Sin(2*math.Pi*200*float64(i)/48000))
			}
			if !talk.Step(pcm, frame) {
				t.Errorf("a word that begins at sample %d of a frame after %v is not heard", at, pause)
			}
		}
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
