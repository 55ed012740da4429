package jitter

import (
	"math"
	"time"

	"sectile/asm/pcm"
)

const (
	fadeRate = 400 // a cross-fade lasts 1/400 s, 2.5 ms

	// In a loud frame the delay is corrected only when it is further off by this.
	loudTooMuch   = 40 * time.Millisecond
	loudTooLittle = 20 * time.Millisecond
	quiet         = 100.0 // RMS below which a frame is quiet: −50 dBFS
	maxCorrection = 10 * time.Millisecond

	// Pitch periods, in loud frames.
	minLag         = 2500 * time.Microsecond
	maxLag         = 15 * time.Millisecond
	minCorrelation = 0.9
)

// correct takes out or puts in a little sound if the delay is off, at most once in 60 ms.
// n samples are about to be pulled.
func (b *Buffer) correct(n int, now time.Duration) {
	if !b.playing || now < b.correctAt || b.madeUp > 0 || len(b.sound) < n {
		return
	}
	delay := b.Delay(now)
	tooMuch, tooLittle := delay-b.est.high(), b.est.target-delay
	if tooMuch <= 0 && tooLittle <= 0 {
		return
	}
	short := b.rate / fadeRate
	if power := float64(pcm.Energy(b.sound[:n])); power < quiet*quiet*float64(n) {
		size := b.samples(min(max(tooLittle, delay-b.est.target), maxCorrection))
		if size < short {
			return
		}
		b.change(n, size, tooMuch > 0, now)
		return
	}
	if tooMuch <= loudTooMuch && tooLittle <= loudTooLittle {
		return
	}
	b.fill(b.samples(2*maxLag), false)
	if lag := b.pitch(); lag > 0 {
		b.change(n, lag, tooMuch > 0, now)
	}
}

func (b *Buffer) samples(d time.Duration) int { return int(d * time.Duration(b.rate) / time.Second) }

// change takes out or puts in size samples at the front, with a cross-fade.
func (b *Buffer) change(n, size int, takeOut bool, now time.Duration) {
	short := b.rate / fadeRate
	if takeOut {
		b.fill(max(n+size, size+short), false)
		if len(b.sound) < max(n+size, size+short) {
			return // what to play then has not come yet
		}
		for i := range short {
			b.sound[size+i] = crossFade(b.sound[i], b.sound[size+i], i, short)
		}
		b.sound = b.sound[:copy(b.sound, b.sound[size:])]
	} else {
		// The first size samples are played, then all from the start again.
		have := len(b.sound)
		if have < size+short || have+size > cap(b.sound) {
			return
		}
		b.sound = b.sound[:have+size]
		copy(b.sound[size:], b.sound[:have])
		for i := range short {
			// What would have come after the first size samples stands at 2·size now.
			b.sound[size+i] = crossFade(b.sound[2*size+i], b.sound[size+i], i, short)
		}
	}
	b.correctAt = now + correctionEvery
}

// pitch is the period, in samples, after which the sound repeats itself best, 0 if it does
// not. It looks at every fourth sample at 48 kHz: the cross-fade hides the rest.
func (b *Buffer) pitch() int {
	step := max(1, b.rate/12000)
	lo, hi := b.samples(minLag), b.samples(maxLag)
	if len(b.sound) < 2*hi {
		return 0
	}
	best, lag := minCorrelation, 0
	x := b.sound[:hi]
	for l := lo; l < hi; l += step {
		y := b.sound[l : l+hi]
		var xy, xx, yy float64
		for i := 0; i < hi; i += step {
			u, v := float64(x[i]), float64(y[i])
			xy += u * v
			xx += u * u
			yy += v * v
		}
		if xx == 0 || yy == 0 {
			continue
		}
		if c := xy / math.Sqrt(xx*yy); c > best {
			best, lag = c, l
		}
	}
	return lag
}

// crossFade is sample i of n on the way from one sound to another, along a raised cosine.
func crossFade(from, to int16, i, n int) int16 {
	w := 0.5 - 0.5*math.Cos(math.Pi*(float64(i)+0.5)/float64(n))
	return int16(math.Round(float64(from)*(1-w) + float64(to)*w))
}

// ramp scales samples by a gain that goes from one value to another.
func ramp(samples []int16, from, to int32) {
	n := int32(len(samples))
	for i := range samples {
		gain := from + int32(int64(to-from)*int64(i)/int64(n))
		samples[i] = int16(int32(samples[i]) * gain / pcm.GainUnity)
	}
}
