package codecs

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	libopus "gopkg.in/hraban/opus.v2"

	"sectile/engine/codec"
	"sectile/engine/jitter"
	"sectile/engine/mix"
)

// TestTalkThroughOpus: noise that was encoded is still told from notes.
func TestTalkThroughOpus(t *testing.T) {
	const frame, samples = 20 * time.Millisecond, 960
	rng := rand.New(rand.NewPCG(3, 3))
	low := 0.0
	sounds := []struct {
		name  string
		music bool
		at    func(i int) float64 // unit power
	}{
		{"white noise", false, func(int) float64 { return rng.NormFloat64() }},
		{"noise of a fan", false, func(int) float64 {
			low = 0.9*low + rng.NormFloat64()
			return low * math.Sqrt(1-0.9*0.9)
		}},
		{"minor chord", true, func(i int) (v float64) {
			for _, f := range []float64{220, 261.6, 329.6} {
				for h := 1.0; h <= 4; h++ {
					v += math.Sin(2*math.Pi*f*h*float64(i)/48000+f*h) / h
				}
			}
			return v / 1.5
		}},
	}
	for _, bitrate := range []int{16000, 24000, 64000} {
		for _, s := range sounds {
			for _, level := range []float64{-45, -38} {
				encoder, err := Factory{}.NewAudioEncoder(codec.AudioParams{SampleRate: 48000, Bitrate: bitrate, Complexity: 5})
				if err != nil {
					t.Fatal(err)
				}
				decoder := newDecoder(t, 48000)
				var talk mix.Talk
				pcm, packet := make([]int16, samples), make([]byte, 1500)
				last, silent := time.Duration(0), time.Duration(0)
				for n := range 200 {
					for i := range pcm {
						pcm[i] = int16(32768 * math.Pow(10, level/20) * s.at(n*samples+i))
					}
					size, err := encoder.Encode(pcm, packet)
					if err != nil {
						t.Fatal(err)
					}
					decode(t, decoder, packet[:size], pcm)
					if talk.Step(pcm, frame) {
						last = time.Duration(n+1) * frame
					} else if n > 5 {
						silent += frame
					}
				}
				if s.music && silent > 0 {
					t.Errorf("%s of %v dBFS at %d bit/s is not heard for %v", s.name, level, bitrate, silent)
				}
				if !s.music && last > 900*time.Millisecond {
					t.Errorf("%s of %v dBFS at %d bit/s is heard for %v", s.name, level, bitrate, last)
				}
				encoder.Close()
				decoder.Close()
			}
		}
	}
}

// TestDiscontinuousNoise: who has spoken over noise and then says nothing, and sends as
// WebRTC does with DTX, does not talk.
func TestDiscontinuousNoise(t *testing.T) {
	const frame, samples, speech, ticks = 20 * time.Millisecond, 960, 250, 1000
	for _, level := range []float64{-52, -50} {
		for _, pole := range []float64{0.9, 0.99} {
			encoder, err := libopus.NewEncoder(48000, 1, libopus.AppVoIP)
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range []error{encoder.SetDTX(true), encoder.SetBitrate(32000), encoder.SetComplexity(10)} {
				if err != nil {
					t.Fatal(err)
				}
			}
			buffer := jitter.New(jitter.Config{SampleRate: 48000, Decoder: newDecoder(t, 48000)})
			var talk mix.Talk
			rng := rand.New(rand.NewPCG(3, 3))
			voice := voiced(speech*samples, 48000, 140)
			pcm, packet, low := make([]int16, samples), make([]byte, 1500), 0.0
			sequence, talked, sent, silent := uint16(0), 0, 0, false
			for n := range ticks {
				for i := range pcm {
					low = pole*low + rng.NormFloat64()
					v := 32768 * math.Pow(10, level/20) * low * math.Sqrt(1-pole*pole)
					if n < speech {
						v += float64(voice[n*samples+i])
					}
					pcm[i] = int16(v)
				}
				size, err := encoder.Encode(pcm, packet)
				if err != nil {
					t.Fatal(err)
				}
				now := time.Duration(n) * frame
				if size > 2 || !silent { // of a silence the first packet, and then none
					buffer.Push(jitter.Packet{SSRC: 1, Sequence: sequence, Timestamp: uint32(n * samples), Payload: packet[:size]}, now)
					sequence++
					sent++
				}
				silent = size <= 2
				heard := pcm
				if buffer.Pull(pcm, now+frame/2) == jitter.Silence {
					heard = nil
				}
				if talk.Step(heard, frame) && n > speech+150 {
					talked++
				}
			}
			if sent == ticks {
				t.Error("all is sent")
			}
			if talked > 0 {
				t.Errorf("noise of %v dBFS, pole %v: talks in %d ticks", level, pole, talked)
			}
			buffer.Close()
		}
	}
}
