package codecs

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"sectile/engine/codec"
	"sectile/engine/mix"
)

// voiced is something like a voice: harmonics of a gliding pitch, syllables of 4 a second,
// and some noise.
func voiced(samples, rate int, pitch float64) []int16 {
	rng := rand.New(rand.NewPCG(5, 5))
	pcm := make([]int16, samples)
	phase := 0.0
	for i := range pcm {
		t := float64(i) / float64(rate)
		phase += 2 * math.Pi * (pitch + 30*math.Sin(2*math.Pi*0.7*t)) / float64(rate)
		v := 0.0
		for h := 1.0; h <= 20; h++ {
			v += math.Sin(h*phase) / h
		}
		envelope := 0.55 + 0.45*math.Sin(2*math.Pi*4*t)
		pcm[i] = int16(envelope * (3000*v + 150*rng.NormFloat64()))
	}
	return pcm
}

// ear is what one listener heard, decoded.
type ear struct {
	decoder codec.AudioDecoder
	pcm     []int16
}

func (e *ear) hear(t *testing.T, packet []byte, samples int) {
	t.Helper()
	frame := make([]int16, samples)
	decode(t, e.decoder, packet, frame)
	e.pcm = append(e.pcm, frame...)
}

// scene is a room with a listener who talks at times, and others.
type scene struct {
	params  codec.AudioParams
	samples int
	ticks   int
	others  []int16             // what they say
	own     []int16             // what the listener says
	adds    func(tick int) bool // whether the listener does
	cold    bool                // encoders are not warmed
	loss    float64             // that the listener reports
}

// play returns the listener's mix, and it as it is heard by two: one is moved between
// encoders as a room does it, the last time in tick crossed; the other one has the same
// encoder all the time. It also returns how many packets of silence the first one got.
func (s *scene) play(t *testing.T) (mixed, moved, stayed []int16, crossed, silence int) {
	t.Helper()
	frame := time.Duration(s.samples) * time.Second / time.Duration(s.params.SampleRate)
	newEncoder := func() (codec.AudioEncoder, error) { return Factory{}.NewAudioEncoder(s.params) }
	format := &mix.Format{Samples: s.samples, Frame: frame, NewEncoder: newEncoder}
	all, private, same := mix.NewVoice(format), mix.NewVoice(format), mix.NewVoice(format)
	defer all.Close()
	defer private.Close()
	encoder, err := newEncoder()
	if err != nil {
		t.Fatal(err)
	}
	defer encoder.Close()
	moving, staying := ear{decoder: newDecoder(t, s.params.SampleRate)}, ear{decoder: newDecoder(t, s.params.SampleRate)}
	defer moving.decoder.Close()
	defer staying.decoder.Close()
	history, bus := mix.NewHistory(s.samples, frame), mix.NewBus(s.samples)
	out, packet := make([]int16, s.samples), make([]byte, 4000)
	private.Expect(s.loss)
	var route mix.Route
	before := s.adds(0)
	for n := range s.ticks {
		tick := uint64(n + 1)
		bus.Reset()
		bus.Add(s.others[n*s.samples:(n+1)*s.samples], 1)
		var own []int16
		times := 0
		if s.adds(n) {
			own, times = s.own[n*s.samples:(n+1)*s.samples], 1
		}
		bus.Add(own, times)
		bus.Sum()
		differs := times > 0 || private.Differs(tick, all)
		alone := route.Step(differs, frame)
		if alone {
			private.Follow(tick, all, differs, false)
		}
		if alone != before {
			before, crossed = alone, n
		}
		all.Mix(tick, out, bus, nil, 0)
		past := slices.Clone(out)
		p, encoded, err := all.Encode(tick, out, history)
		if alone {
			private.Mix(tick, out, bus, own, times)
			p, encoded, err = private.Encode(tick, out, history)
		}
		if err != nil {
			t.Fatal(err)
		}
		if !encoded {
			silence++
		}
		moving.hear(t, p, s.samples)

		same.Mix(tick, out, bus, own, times)
		mixed = append(mixed, out...)
		k, err := encoder.Encode(out, packet)
		if err != nil {
			t.Fatal(err)
		}
		staying.hear(t, packet[:k], s.samples)
		if !s.cold {
			history.Push(past)
		}
	}
	return mixed, moving.pcm, staying.pcm, crossed, silence
}

// segmentalSNR is the mean over segments of 10 ms of the ratio of a signal to what differs
// from it, in dB, each at most 35.
func segmentalSNR(signal, other []int16, rate int) float64 {
	segment, sum, n := rate/100, 0.0, 0.0
	for i := 0; i+segment <= len(signal); i += segment {
		power, noise := 1.0, 1.0
		for j := i; j < i+segment; j++ {
			d := float64(signal[j]) - float64(other[j])
			power += float64(signal[j]) * float64(signal[j])
			noise += d * d
		}
		sum += min(35, 10*math.Log10(power/noise))
		n++
	}
	return sum / n
}

// spectralDistance is the mean over spectra of 20 ms, 10 ms apart, of the root mean square
// of the differences of their levels in bands of 200 Hz up to 6 kHz, in dB. Levels more
// than 50 dB below the loudest of a spectrum count as that.
func spectralDistance(signal, other []int16, rate int) float64 {
	window, bands := rate/50, 30
	cosine := make([]float64, rate)
	for i := range cosine {
		cosine[i] = math.Cos(2 * math.Pi * float64(i) / float64(rate))
	}
	levels := func(x []int16) []float64 {
		out, loudest := make([]float64, bands), 0.0
		for b := range out {
			power := 1.0
			for k := range 4 { // bins of 50 Hz
				var re, im float64
				for i, v := range x {
					hann := 0.5 - 0.5*cosine[i*50]
					re += hann * float64(v) * cosine[i*(200*b+50*k)%rate]
					im += hann * float64(v) * cosine[(i*(200*b+50*k)+rate*3/4)%rate]
				}
				power += re*re + im*im
			}
			out[b] = 10 * math.Log10(power)
			loudest = max(loudest, out[b])
		}
		for b := range out {
			out[b] = max(out[b], loudest-50)
		}
		return out
	}
	sum, n := 0.0, 0.0
	for i := 0; i+window <= len(signal); i += rate / 100 {
		a, b := levels(signal[i:i+window]), levels(other[i:i+window])
		square := 0.0
		for k := range a {
			square += (a[k] - b[k]) * (a[k] - b[k])
		}
		sum += math.Sqrt(square / float64(bands))
		n++
	}
	return sum / n
}

// TestCrossingIsInaudible measures what a listener hears who is moved from the shared
// encoder to one of their own, or back, against one who has the same encoder all the time,
// in the 60 ms after the move. What differs must be less than what the codec itself makes
// of the mix, in the wave and in the spectrum; and it must be far more for an encoder that
// was not warmed, or the measurement is worth nothing.
func TestCrossingIsInaudible(t *testing.T) {
	celt := codec.AudioParams{SampleRate: 48000, Bitrate: 64000, Complexity: 1}
	hybrid := codec.AudioParams{SampleRate: 48000, Bitrate: 24000, Complexity: 5}
	silk := codec.AudioParams{SampleRate: 16000, Bitrate: 16000, Complexity: 5}
	always := func(int) bool { return true }
	from := func(tick int) func(int) bool { return func(n int) bool { return n >= tick } }
	until := func(tick int) func(int) bool { return func(n int) bool { return n < tick } }
	for _, c := range []struct {
		name    string
		params  codec.AudioParams
		adds    func(tick int) func(int) bool
		others  func(tick int) func(int) bool // when they talk, nil: always
		gain    float64                       // of the listener's voice
		silence bool                          // the listener is sent packets of silence before
		loss    float64                       // that the listener reports
		cold    bool                          // an encoder that is not warmed is measured, too
	}{
		{name: "start, CELT", params: celt, adds: from, gain: 1, cold: true},
		{name: "start, hybrid", params: hybrid, adds: from, gain: 1},
		{name: "start, SILK", params: silk, adds: from, gain: 1},
		{name: "stop, CELT", params: celt, adds: until, gain: 1},
		{name: "stop, hybrid", params: hybrid, adds: until, gain: 1},
		{name: "stop, SILK", params: silk, adds: until, gain: 1},
		{name: "stop, with the mix of all limited", params: celt, adds: until, gain: 5},
		{name: "stop, at a loss of 5 %", params: celt, adds: until, gain: 1, loss: 0.05},
		{name: "stop, with FEC", params: celt, adds: until, gain: 1, loss: 0.12},
		{name: "others start, with silence until then", params: celt, gain: 1, silence: true,
			adds:   func(tick int) func(int) bool { return from(tick - 10) },
			others: func(tick int) func(int) bool { return func(n int) bool { return n < 20 || n >= tick } }},
		{name: "others start, with silence until then, hybrid", params: hybrid, gain: 1, silence: true,
			adds:   func(tick int) func(int) bool { return from(tick - 10) },
			others: func(tick int) func(int) bool { return func(n int) bool { return n < 20 || n >= tick } }},
		{name: "start, in silence", params: celt, gain: 1, silence: true,
			adds:   func(tick int) func(int) bool { return from(tick - 2) },
			others: func(tick int) func(int) bool { return func(n int) bool { return n < 20 || n >= tick } }},
	} {
		t.Run(c.name, func(t *testing.T) {
			samples := c.params.SampleRate / 50
			const ticks, positions = 150, 10
			others, own := voiced(samples*ticks, c.params.SampleRate, 140), voiced(samples*ticks, c.params.SampleRate, 210)
			for i := range own {
				own[i] = int16(c.gain * float64(own[i]))
			}
			measure := func(cold bool) (ratio, worst, distance, codecRatio, codecDistance float64) {
				worst = math.Inf(1)
				for k := range positions {
					tick := 40 + 3*k
					s := scene{params: c.params, samples: samples, ticks: tick + 10 + 10*int(c.gain), own: own, adds: c.adds(tick), cold: cold, loss: c.loss}
					s.others = slices.Clone(others)
					talk := always
					if c.others != nil {
						talk = c.others(tick)
					}
					for n := range ticks {
						if !talk(n) {
							clear(s.others[n*samples : (n+1)*samples])
						}
					}
					mixed, moved, stayed, crossed, silence := s.play(t)
					if (silence > 0) != c.silence {
						t.Fatalf("%d packets of silence", silence)
					}
					if c.others != nil {
						crossed = tick // what is measured is the end of silence
					}
					if c.gain > 1 && crossed < tick+10 {
						t.Fatalf("moved %d ticks after the end of talk: was nothing limited?", crossed-tick)
					}
					a := crossed * samples
					b := a + 3*samples
					r := segmentalSNR(stayed[a:b], moved[a:b], c.params.SampleRate)
					ratio, worst = ratio+r/positions, min(worst, r)
					distance += spectralDistance(stayed[a:b], moved[a:b], c.params.SampleRate) / positions
					d := c.params.SampleRate * 65 / 10000 // of an encoder and decoder (RFC 6716, 2.1.4)
					codecRatio += segmentalSNR(mixed[a-d:b-d], stayed[a:b], c.params.SampleRate) / positions
					codecDistance += spectralDistance(mixed[a-d:b-d], stayed[a:b], c.params.SampleRate) / positions
				}
				return ratio, worst, distance, codecRatio, codecDistance
			}
			ratio, worst, distance, codecRatio, codecDistance := measure(false)
			t.Logf("segmental SNR %.1f dB, worst %.1f, spectra %.2f dB apart; the codec's own: %.1f dB, %.2f dB",
				ratio, worst, distance, codecRatio, codecDistance)
			if ratio < codecRatio-1 || worst < codecRatio-10 {
				t.Errorf("the wave differs more than by the codec's own noise")
			}
			if distance > codecDistance+0.1 {
				t.Errorf("the spectra differ more than by the codec's own noise")
			}
			if c.cold {
				coldRatio, _, coldDistance, _, _ := measure(true)
				t.Logf("not warmed: %.1f dB, spectra %.2f dB apart", coldRatio, coldDistance)
				if ratio-coldRatio < 6 || coldDistance < 2*distance {
					t.Error("warming gains little: does the test measure anything?")
				}
			}
		})
	}
}

// TestSilencePackets: whatever the room's settings, a packet of silence has the duration of
// a frame, decodes to silence after speech, and speech goes on after it.
func TestSilencePackets(t *testing.T) {
	for _, rate := range []int{8000, 12000, 16000, 24000, 48000} {
		for _, tenths := range []int{25, 50, 100, 200, 400, 600} {
			for _, bitrate := range []int{24000, 64000} {
				samples, ticks := rate*tenths/10000, 60*200/tenths
				s := scene{params: codec.AudioParams{SampleRate: rate, Bitrate: bitrate, Complexity: 5}, samples: samples, ticks: ticks}
				s.adds = func(int) bool { return false }
				s.others = voiced(samples*ticks, rate, 140)
				from, to := ticks/3, ticks*2/3
				clear(s.others[from*samples : to*samples])
				_, moved, stayed, _, silence := s.play(t)
				if want := to - from - max(4, 400/tenths) - 2; silence < want {
					t.Errorf("%d Hz, %d samples, %d bit/s: %d packets of silence, want %d", rate, samples, bitrate, silence, want)
				}
				quiet := moved[(to-2)*samples : to*samples]
				for _, v := range quiet {
					if v > 16 || v < -16 {
						t.Errorf("%d Hz, %d samples, %d bit/s: silence sounds as %d", rate, samples, bitrate, v)
						break
					}
				}
				end := to * samples
				if r := segmentalSNR(stayed[end:], moved[end:], rate); r < 10 {
					t.Errorf("%d Hz, %d samples, %d bit/s: after silence the sound is %.1f dB from that of an encoder that went on", rate, samples, bitrate, r)
				}
			}
		}
	}
}

func newDecoder(t *testing.T, rate int) codec.AudioDecoder {
	t.Helper()
	decoder, err := Factory{}.NewAudioDecoder(rate)
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
