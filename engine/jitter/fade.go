package jitter

import (
	"math"

	"sectile/asm/pcm"
	"sectile/engine/opuspkt"
)

const (
	fadeRate = 400 // a cross-fade lasts 1/400 s, 2.5 ms

	// audibleStep is the least step to silence that would click: −60 dBFS.
	audibleStep = 32

	fadeStep    = opuspkt.Rate / 50 // 20 ms
	fadeSamples = fadeStep * (len(fadeGains) - 1)
)

// fadeGains are the gains of what is made up, at its start and after each fadeStep. Their means
// over 20 ms are 1, .8, .5 and .2; a single frame that is missing keeps its loudness.
var fadeGains = [...]int32{pcm.GainUnity, pcm.GainUnity, pcm.GainUnity * 6 / 10, pcm.GainUnity * 4 / 10, 0}

// gainAt is the gain after so many made-up samples, at opuspkt.Rate.
func gainAt(samples int) int32 {
	step := samples / fadeStep
	if step >= len(fadeGains)-1 {
		return 0
	}
	return fadeGains[step] + (fadeGains[step+1]-fadeGains[step])*int32(samples%fadeStep)/fadeStep
}

// crossFade is sample i of n on the way from one sound to another, along a raised cosine.
func crossFade(from, to int16, i, n int) int16 {
	w := 0.5 - 0.5*math.Cos(math.Pi*(float64(i)+0.5)/float64(n))
	return int16(math.Round(float64(from)*(1-w) + float64(to)*w))
}

// evenFade is crossFade between sounds of a correlation that are equally loud: louder by what
// they would cancel of each other.
func evenFade(from, to int16, i, n int, correlation float64) int16 {
	w := 0.5 - 0.5*math.Cos(math.Pi*(float64(i)+0.5)/float64(n))
	power := 1 - 2*w*(1-w)*(1-min(1, max(0, correlation)))
	v := (float64(from)*(1-w) + float64(to)*w) / math.Sqrt(power)
	return int16(min(math.MaxInt16, max(math.MinInt16, math.Round(v))))
}

// ramp scales samples by a gain that goes from one value to another.
func ramp(samples []int16, from, to int32) {
	n := int32(len(samples))
	for i := range samples {
		gain := from + (to-from)*int32(i)/n
		samples[i] = int16(int32(samples[i]) * gain / pcm.GainUnity)
	}
}
