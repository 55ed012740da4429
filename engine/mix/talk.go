package mix

import (
	"math"
	"time"

	"sectile/asm/pcm"
)

// Talk detects whether an input talks: louder than its own noise now, or a moment ago.
// Noise is what is steady, not loud, and has no pitch; so music counts as talk, too.
type Talk struct {
	hang  time.Duration
	spurt time.Duration // sound over the noise since there was none
	power float64       // over talkSpan
	noise noiseFloor
	still comfort
	pitch pitch
}

const (
	talkSpan = 20 * time.Millisecond // over which power is taken

	// How long talk goes on after its last sound: longer than the gaps between words. After
	// a click it is less, and grows with what is heard until then.
	mostHangover   = 500 * time.Millisecond
	leastHangover  = 200 * time.Millisecond
	hangoverGrowth = 8

	talkMargin = 8.0 // dB over the noise: that of a room varies less in 20 ms
	talkLeast  = -55 // dBFS: nothing quieter is talk

	// noiseMost bounds what is taken for noise, dBFS. A steady sound that is louder by
	// talkMargin than this is no noise of a room but meant to be heard: applause, a machine
	// that is shown.
	noiseMost = -40

	// A sound has a pitch that repeats by more than this. Noise does by less than 0.25,
	// notes by more than 0.45.
	pitched = 0.35
)

func power(dBFS float64) float64 { return math.Pow(10, dBFS/10) * 32768 * 32768 }

var (
	leastPower  = power(talkLeast)
	mostNoise   = power(noiseMost)
	marginRatio = math.Pow(10, talkMargin/10)
)

// Step takes one frame of an input, nil for silence, and returns whether it talks.
func (t *Talk) Step(samples []int16, frame time.Duration) bool {
	if len(samples) == 0 {
		// A sender that sends nothing tells nothing about its noise, but by what it lets
		// hear now and then.
		t.pitch.skip()
		t.still.end()
		return t.rest(frame)
	}
	loudest, parts := 0.0, max(1, int(frame/talkSpan))
	for i := range parts {
		part, d := samples[i*len(samples)/parts:(i+1)*len(samples)/parts], frame/time.Duration(parts)
		p := float64(pcm.Energy(part)) / float64(len(part))
		t.power += (p - t.power) * min(1, float64(frame)/float64(talkSpan))
		loudest = max(loudest, t.power)
		t.still.step(t.power, d)
		if t.power > marginRatio*mostNoise {
			t.pitch.skip() // talk, whatever its pitch
		} else {
			t.pitch.step(part, d)
		}
		if t.noise.step(p, d) && t.noise.judge(t.isNoise()) {
			t.hang = 0
		}
	}
	if loudest > max(leastPower, marginRatio*min(max(t.noise.floor(), t.still.floor()), mostNoise)) {
		t.spurt = min(t.spurt+frame, mostHangover)
		t.hang = max(t.hang, min(mostHangover, leastHangover+hangoverGrowth*(t.spurt-frame)))
		return true
	}
	return t.rest(frame)
}

// rest lets a frame pass without a sound over the noise.
func (t *Talk) rest(frame time.Duration) bool {
	if t.hang = max(0, t.hang-frame); t.hang == 0 {
		t.spurt = 0
	}
	return t.hang > 0
}

// isNoise tells whether the newest sound may be noise.
func (t *Talk) isNoise() bool {
	return t.noise.smooth < leastPower || t.pitch.known() && t.pitch.repeats() < pitched
}
