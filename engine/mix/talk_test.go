package mix

import (
	"math"
	"math/rand/v2"
	"slices"
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
	scale := amplitude(dBFS)
	for i := range samples {
		samples[i] += int16(scale * signal[(start+i)%len(signal)])
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

// TestTalkHangsOver: talk goes on for longer the more was heard.
func TestTalkHangsOver(t *testing.T) {
	loud, quiet := make([]int16, 960), make([]int16, 960)
	for i := range loud {
		loud[i], quiet[i] = 3000, 20
	}
	for spurt, want := range map[int]int{1: 10, 2: 11 + 8, 10: 10 + 24, 50: 50 + 24} {
		var talk Talk
		talking := 0
		for i := range 150 {
			in := quiet
			switch {
			case i < spurt:
				in = loud
			case i%2 == 0:
				in = nil
			}
			if talk.Step(in, frame) {
				talking++
			}
		}
		if talking != want {
			t.Errorf("%d loud frames talk for %d, want %d", spurt, talking, want)
		}
	}
}

// unit scales a signal to unit power.
func unit(signal []float64) []float64 {
	power := 0.0
	for _, v := range signal {
		power += v * v
	}
	for i := range signal {
		signal[i] /= math.Sqrt(power / float64(len(signal)))
	}
	return signal
}

// noises of unit power, to be repeated: white, pink (after Kellet), that of a fan, and the
// rumble of an air conditioner.
var noises = func() map[string][]float64 {
	rng := rand.New(rand.NewPCG(2, 2))
	white, pink, rumble := make([]float64, 6*48000), make([]float64, 6*48000), make([]float64, 6*48000)
	var state [3]float64
	low := 0.0
	for i := range white {
		w := rng.NormFloat64()
		state[0] = 0.99765*state[0] + 0.0990460*w
		state[1] = 0.96300*state[1] + 0.2965164*w
		state[2] = 0.57000*state[2] + 1.0526913*w
		low = 0.99*low + w
		white[i], pink[i], rumble[i] = w, state[0]+state[1]+state[2]+0.1848*w, low
	}
	return map[string][]float64{"white": unit(white), "pink": unit(pink), "fan": unit(slices.Clone(fan)), "rumble": unit(rumble)}
}()

// notes of unit power, of an instrument with overtones, held for five seconds.
func notes(frequencies ...float64) []float64 {
	out := make([]float64, 5*48000)
	for i := range out {
		for _, f := range frequencies {
			for h := 1.0; h <= 5; h++ {
				out[i] += math.Sin(2*math.Pi*f*h*float64(i)/48000+f*h) / h / h
			}
		}
	}
	return unit(out)
}

// listen has Talk hear a signal of a level in dBFS once, with pink noise of another level
// behind it, and returns in which frames it talked.
func listen(talk *Talk, signal []float64, level, noise float64) (talked []bool) {
	pcm := make([]int16, 960)
	for start := 0; start+960 <= len(signal); start += 960 {
		clear(pcm)
		add(pcm, signal, start, level)
		add(pcm, noises["pink"], start, noise)
		talked = append(talked, talk.Step(pcm, frame))
	}
	return talked
}

// until is when talk ended.
func until(talked []bool) time.Duration {
	for i := len(talked); i > 0; i-- {
		if talked[i-1] {
			return time.Duration(i) * frame
		}
	}
	return 0
}

// TestNoiseIsClosed: a noise that begins is heard for less than a second, also right after
// speech, and after speech over it the noise is heard for no more than 300 ms beyond the
// hangover.
func TestNoiseIsClosed(t *testing.T) {
	quiet := make([]float64, 3*48000)
	words := unit(slices.Clone(speech))
	for name, noise := range noises {
		for _, level := range []float64{-50, -45, -40} {
			var talk Talk
			if d := until(listen(&talk, noise, level, -90)); d > 900*time.Millisecond {
				t.Errorf("%s noise of %v dBFS that begins is heard for %v", name, level, d)
			}
			// Speech over the noise, of which the last syllable is not cut.
			both := make([]float64, len(words)*85/100)
			for i := range both {
				both[i] = words[i] + noise[i]*math.Pow(10, (level+25)/20)
			}
			if talked := listen(&talk, both, -25, -90); slices.Contains(talked[5:], false) {
				t.Errorf("speech over %s noise of %v dBFS is not heard in frame %d", name, level, 5+slices.Index(talked[5:], false))
			}
			if d := until(listen(&talk, noise, level, -90)); d > mostHangover+300*time.Millisecond {
				t.Errorf("%s noise of %v dBFS is heard for %v after speech", name, level, d)
			}
			// Speech and noise that begin at once.
			talk = Talk{}
			listen(&talk, both, -25, -90)
			if d := until(listen(&talk, noise, level, -90)); d > mostHangover+300*time.Millisecond {
				t.Errorf("%s noise of %v dBFS that came with speech is heard for %v after it", name, level, d)
			}
			// A noise that comes after a pause, while its floor is that of the pause.
			talk = Talk{}
			listen(&talk, quiet, -90, -70)
			if d := until(listen(&talk, noise, level, -90)); d > 900*time.Millisecond {
				t.Errorf("%s noise of %v dBFS after a pause is heard for %v", name, level, d)
			}
		}
	}
}

// TestMusicIsHeard: notes are no noise, however long they are held, and down to where they
// are not heard.
func TestMusicIsHeard(t *testing.T) {
	piano := notes(220, 277.2, 329.6)
	for i := range piano {
		piano[i] *= math.Exp(-float64(i) / 48000 / 1.5) // 5.8 dB a second
	}
	melody := make([]float64, 5*48000)
	for i, f := range []float64{262, 294, 330, 349, 392, 440, 494, 523, 494, 440} {
		copy(melody[i*24000:], notes(f)[:24000])
	}
	sine := func(f float64) []float64 {
		out := make([]float64, 5*48000)
		for i := range out {
			out[i] = math.Sin(2 * math.Pi * f * float64(i) / 48000)
		}
		return unit(out)
	}
	for name, music := range map[string][]float64{
		"sine of 440 Hz": sine(440), "sine of 4500 Hz": sine(4500), "low note": notes(82.4), "note": notes(440), "major": notes(261.6, 329.6, 392),
		"minor": notes(220, 261.6, 329.6), "diminished": notes(261.6, 311.1, 370, 440),
		"seven notes": notes(110, 164.8, 220, 277.2, 329.6, 415.3, 554.4), "piano": piano, "melody": melody,
	} {
		for _, level := range []float64{-35, -42} {
			for _, noise := range []float64{-90, level - 18} {
				var talk Talk
				if noise > -90 { // its floor is known
					listen(&talk, make([]float64, 2*48000), -90, noise)
				}
				talked := listen(&talk, music, level, noise)
				if name == "piano" {
					talked = talked[:int(50*(level+50)/5.8)] // until -50 dBFS
				}
				if i := slices.Index(talked, false); i >= 0 {
					t.Errorf("%s of %v dBFS, noise of %v: not heard after %v", name, level, noise, time.Duration(i)*frame)
				}
			}
		}
	}
}

// TestHumIsClosed: what has a pitch and never changes is no music.
func TestHumIsClosed(t *testing.T) {
	var talk Talk
	hum := notes(150)
	heard := time.Duration(0)
	for range 5 {
		heard += until(listen(&talk, hum, -45, -80))
	}
	if heard < longestNote || heard > longestNote+2*time.Second {
		t.Errorf("a hum is heard for %v, want about %v", heard, longestNote)
	}
}

// TestTalkDoesNotAllocate, also where it looks for a pitch.
func TestTalkDoesNotAllocate(t *testing.T) {
	var talk Talk
	pcm := make([]int16, 960)
	add(pcm, fan, 0, -45)
	if n := testing.AllocsPerRun(100, func() { talk.Step(pcm, frame) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// TestShortSounds: a click or a breath is heard at once, as a word that begins with it has
// to be, and holds the gate open for no longer than it takes.
func TestShortSounds(t *testing.T) {
	click := make([]float64, 2*48000)
	copy(click[48000+300:], noises["white"][:480])
	breath := make([]float64, 3*48000)
	for i := range 48000 / 2 {
		breath[48000+i] = noises["pink"][i] * math.Pow(math.Sin(math.Pi*float64(i)/(48000/2)), 2)
	}
	for _, c := range []struct {
		name   string
		signal []float64
		level  float64
		least  time.Duration
		most   time.Duration
	}{
		{"click", click, -30, leastHangover - frame, leastHangover + frame},
		{"breath", breath, -38, 200 * time.Millisecond, 500*time.Millisecond + mostHangover},
	} {
		var talk Talk
		listen(&talk, make([]float64, 3*48000), -90, -65)
		talked := listen(&talk, c.signal, c.level, -65)
		if slices.Contains(talked[:50], true) {
			t.Fatalf("%s: talks before", c.name)
		}
		n := 0
		for _, talking := range talked {
			if talking {
				n++
			}
		}
		if d := time.Duration(n) * frame; d < c.least || d > c.most {
			t.Errorf("a %s is talk for %v, want %v to %v", c.name, d, c.least, c.most)
		}
		if c.name == "click" && !talked[50] {
			t.Error("the frame of the click is not heard")
		}
	}
}

// TestComfortNoise: what a sender with discontinuous transmission lets hear of its noise is
// talk a few times at most, and a word after it is, at once.
func TestComfortNoise(t *testing.T) {
	for _, level := range []float64{-54, -50, -45, -42} {
		var talk Talk
		pcm := make([]int16, 960)
		for n := range 500 {
			in := pcm
			switch k := n % 20; {
			case k <= 3: // the packet, and what a jitter buffer makes up after it
				clear(pcm)
				add(pcm, fan, n*960, level-20*math.Log10(1/[]float64{1, 0.8, 0.5, 0.25}[k]))
			default:
				in = nil
			}
			if talk.Step(in, frame) && n > 100 {
				t.Fatalf("noise of %v dBFS talks after %v", level, time.Duration(n)*frame)
			}
		}
		heard, words := 0, 0
		for n := range 85 {
			clear(pcm)
			add(pcm, speech, n*960, max(level+15, -45))
			if talk.Step(pcm, frame) {
				heard++
			}
			words++
		}
		if heard < words*95/100 {
			t.Errorf("%d of %d frames of speech over noise of %v dBFS are heard", heard, words, level)
		}
	}
}
