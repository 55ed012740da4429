package mix

import (
	"math"
	"time"

	"sectile/asm/pcm"
)

// Talk detects whether an input talks: louder than its own noise now, or a moment ago. The
// noise is the least power of the last second or so, as in minimum statistics (Martin,
// 2001): speech has gaps between syllables, a fan has none.
type Talk struct {
	hang  time.Duration
	power float64 // over talkSpan
	noise noiseFloor
}

const (
	talkSpan     = 20 * time.Millisecond  // over which power is taken
	talkHangover = 500 * time.Millisecond // longer than the gaps between words

	talkMargin = 8.0 // dB over the noise: that of a room varies less in 20 ms
	talkLeast  = -55 // dBFS: nothing quieter is talk

	// noiseMost bounds what is taken for noise, dBFS. A steady sound that is louder by
	// talkMargin than this is no noise of a room but meant to be heard: music, a tone.
	noiseMost = -40
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
		// A sender that sends nothing tells nothing about its noise.
		t.hang = max(0, t.hang-frame)
		return t.hang > 0
	}
	loudest, parts := 0.0, max(1, int(frame/talkSpan))
	for i := range parts {
		part := samples[i*len(samples)/parts : (i+1)*len(samples)/parts]
		p := float64(pcm.Energy(part)) / float64(len(part))
		t.power += (p - t.power) * min(1, float64(frame)/float64(talkSpan))
		loudest = max(loudest, t.power)
		t.noise.step(p, frame/time.Duration(parts))
	}
	if loudest > max(leastPower, marginRatio*min(t.noise.floor(), mostNoise)) {
		t.hang = talkHangover
		return true
	}
	t.hang = max(0, t.hang-frame)
	return t.hang > 0
}

// noiseFloor is the least of a smoothed power in the last noiseParts parts of noisePart.
// Before that time has passed it knows none: whoever starts with a word is heard.
type noiseFloor struct {
	smooth float64
	least  [noiseParts]float64 // of the parts that have passed
	passed int
	now    float64       // least of the part that has not
	age    time.Duration // of that
}

const (
	noiseParts  = 6
	noisePart   = 200 * time.Millisecond
	noiseSmooth = 80 * time.Millisecond
)

func (n *noiseFloor) step(power float64, d time.Duration) {
	switch {
	case n.passed == 0 && n.age == 0:
		n.smooth, n.now = power, power
	default:
		n.smooth += (power - n.smooth) * min(1, float64(d)/float64(noiseSmooth))
	}
	n.now = min(n.now, n.smooth)
	if n.age += d; n.age >= noisePart {
		n.least[n.passed%noiseParts] = n.now
		n.passed++
		n.now, n.age = n.smooth, n.age-noisePart
	}
}

func (n *noiseFloor) floor() float64 {
	if n.passed < noiseParts {
		return 0
	}
	least := n.now
	for _, p := range n.least {
		least = min(least, p)
	}
	return least
}
