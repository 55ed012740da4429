package jitter

import (
	"math"
	"time"

	"sectile/asm/pcm"
	"sectile/engine/opuspkt"
)

const (
	// A frame is quiet, so that a few milliseconds more or less of it are not heard, below
	// −50 dBFS, or within 6 dB of the noise in pauses if that is below −38 dBFS.
	quiet     = 100.0 * 100.0
	quietest  = 4.0
	maxNoise  = 400.0 * 400.0
	floorRise = 1.0 // of the noise's power, 1/s: it rises slowly and falls at once

	// In a loud frame the delay is corrected only when it is further off by this.
	loudTooMuch   = 40 * time.Millisecond
	loudTooLittle = 20 * time.Millisecond
	maxCorrection = 10 * time.Millisecond

	// Pitch periods, in loud frames.
	minLag         = 2500 * time.Microsecond
	maxLag         = 15 * time.Millisecond
	minCorrelation = 0.9
)

// correct takes out or puts in a little sound if the delay is off, at most once in 60 ms.
// n samples are about to be pulled.
func (b *Buffer) correct(n int, now time.Duration) {
	if !b.playing || b.madeUp > 0 || n == 0 {
		return
	}
	power := float64(pcm.Energy(b.sound[:n])) / float64(n)
	b.floor = max(1, min(power, b.floor*(1+floorRise*b.length(n).Seconds())))
	if now < b.correctAt {
		return
	}
	delay, low := b.Delay(now), b.low()
	tooMuch, tooLittle := delay-b.high(), low-delay
	if tooMuch <= 0 && tooLittle <= 0 {
		return
	}
	if b.isQuiet(n) {
		b.change(n, max(b.rate/fadeRate, b.samples(min(max(tooLittle, delay-low), maxCorrection))), tooMuch > 0, now)
		return
	}
	if tooMuch <= loudTooMuch && tooLittle <= loudTooLittle {
		return
	}
	b.correctAt = now + correctionEvery // whether a period is found or not: seeking costs
	b.fill(b.samples(2*maxLag), false)
	if lag := b.pitch(); lag > 0 {
		b.change(n, lag, tooMuch > 0, now)
	}
}

func (b *Buffer) samples(d time.Duration) int { return int(d * time.Duration(b.rate) / time.Second) }

// isQuiet tells whether all is quiet that a correction touches.
func (b *Buffer) isQuiet(n int) bool {
	n = max(n, b.samples(maxCorrection)+b.rate/fadeRate)
	b.fill(n, false)
	sound := b.sound[:min(n, len(b.sound))]
	power := float64(pcm.Energy(sound)) / float64(len(sound))
	return power < quiet || power < maxNoise && power < quietest*b.floor
}

// change takes out or puts in size samples at the front, with a cross-fade.
func (b *Buffer) change(n, size int, takeOut bool, now time.Duration) {
	fade := b.rate / fadeRate
	if takeOut {
		// The packets that pulls need are other ones then; they must be there in time.
		position := b.position() + int64(size)*opuspkt.Rate/int64(b.rate)
		if b.Delay(now)-b.length(size) < b.enough(b.ahead(b.nextTS-position, b.frame)) {
			return
		}
		b.fill(max(n+size, size+fade), false)
		if len(b.sound) < max(n+size, size+fade) {
			return // what to play then has not come yet
		}
		for i := range fade {
			b.sound[size+i] = crossFade(b.sound[i], b.sound[size+i], i, fade)
		}
		b.sound = b.sound[:copy(b.sound, b.sound[size:])]
		b.guessed = max(0, b.guessed-size)
		b.stats.TakenOut += b.length(size)
	} else {
		// The first size samples are played, then all from the start again.
		have := len(b.sound)
		if have < size+fade || have+size > cap(b.sound) {
			return
		}
		b.sound = b.sound[:have+size]
		copy(b.sound[size:], b.sound[:have])
		for i := range fade {
			// What would have come after the first size samples stands at 2·size now.
			b.sound[size+i] = crossFade(b.sound[2*size+i], b.sound[size+i], i, fade)
		}
		b.stats.PutIn += b.length(size)
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
