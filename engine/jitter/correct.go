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

	// In a loud frame the delay is corrected by a period of the sound, at once only when it
	// is further off than this.
	loudTooMuch   = 40 * time.Millisecond
	loudTooLittle = 20 * time.Millisecond
	maxCorrection = 10 * time.Millisecond

	// Pitch periods, in loud frames.
	minLag         = 2500 * time.Microsecond
	maxLag         = 15 * time.Millisecond
	minCorrelation = 0.9

	// When the delay is too long by less, or there is no period, what is taken out must be
	// heard the less the sooner it comes after the last correction: see bar.
	barFalls = 800 * time.Millisecond // from minCorrelation to 0
	barEnds  = 1200 * time.Millisecond
	// Below this correlation there is no period. Then a longer piece is taken out less
	// often, with a longer cross-fade.
	noPeriod     = 0.5
	minPiece     = 10 * time.Millisecond
	maxPiece     = 20 * time.Millisecond
	longFadeRate = 200 // such a cross-fade lasts 1/200 s, 5 ms
	levelTime    = 0.5 // over which the mean power is taken, seconds
)

// correct takes out or puts in a little sound if the delay is off, at most once in 60 ms.
// n samples are about to be pulled.
func (b *Buffer) correct(n int, now time.Duration) {
	if !b.playing || b.madeUp > 0 || n == 0 {
		return
	}
	power := float64(pcm.Energy(b.sound[:n])) / float64(n)
	b.floor = max(1, min(power, b.floor*(1+floorRise*b.length(n).Seconds())))
	b.level += (power - b.level) * min(1, b.length(n).Seconds()/levelTime)
	if now < b.correctAt {
		return
	}
	delay, low := b.Delay(now), b.low()
	tooMuch, tooLittle := delay-b.high(), low-delay
	if tooMuch <= 0 && tooLittle <= 0 {
		b.rightAt = now
		return
	}
	if b.isQuiet(n) {
		b.change(n, max(b.rate/fadeRate, b.samples(min(max(tooLittle, delay-low), maxCorrection))), tooMuch > 0, b.rate/fadeRate, 1, now)
		return
	}
	bar := b.bar(now)
	switch {
	case tooLittle > loudTooLittle:
		bar = minCorrelation
	case tooMuch > loudTooMuch:
		bar = min(bar, minCorrelation)
	}
	if tooLittle > 0 && tooLittle <= loudTooLittle || bar >= 1 {
		return
	}
	b.correctAt = now + correctionEvery // whether something is found or not: seeking costs
	if bar < noPeriod {
		fade := b.rate / longFadeRate
		b.fill(b.samples(maxPiece)+fade, false)
		piece, correlation := b.match(b.samples(minPiece), b.samples(maxPiece), fade)
		if piece > 0 && (correlation > bar || power < (1-bar)*b.level) {
			// Of all samples: the best of many matches of some looks better than it is.
			correlation = correlate(b.sound[:fade], b.sound[piece:], 1)
			b.change(n, piece, true, fade, correlation, now)
		}
		return
	}
	window := b.samples(maxLag)
	b.fill(2*window, false)
	if lag, correlation := b.match(b.samples(minLag), window, window); correlation > bar {
		b.change(n, lag, tooMuch > 0, b.rate/fadeRate, 1, now)
	}
}

// bar is how well a piece to be taken out must match what comes after it, or how much softer
// than usual it must be: the share of its power that is missing. It falls with the time since
// the last correction, so that within that time the place is chosen where least is heard.
func (b *Buffer) bar(now time.Duration) float64 {
	return minCorrelation * float64(barEnds-(now-b.rightAt)) / float64(barFalls)
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

// change takes out or puts in size samples at the front, with a cross-fade of fade samples
// between sounds of a correlation.
func (b *Buffer) change(n, size int, takeOut bool, fade int, correlation float64, now time.Duration) {
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
			b.sound[size+i] = evenFade(b.sound[i], b.sound[size+i], i, fade, correlation)
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
			b.sound[size+i] = evenFade(b.sound[2*size+i], b.sound[size+i], i, fade, correlation)
		}
		b.stats.PutIn += b.length(size)
	}
	b.correctAt, b.rightAt = now+correctionEvery, now
}

// match finds after how many samples, from lo to less than hi, the first window samples are
// repeated best, and their correlation then. It looks at every fourth sample at 48 kHz: the
// cross-fade hides the rest. It is 0, 0 if there is not enough sound.
func (b *Buffer) match(lo, hi, window int) (lag int, best float64) {
	step := max(1, b.rate/12000)
	if len(b.sound) < hi+window {
		return 0, 0
	}
	best = -1
	for l := lo; l < hi; l += step {
		if c := correlate(b.sound[:window], b.sound[l:], step); c > best {
			best, lag = c, l
		}
	}
	return lag, best
}

// correlate is the correlation of each step-th sample of x with those of y, 0 for silence.
func correlate(x, y []int16, step int) float64 {
	var xy, xx, yy float64
	y = y[:len(x)]
	for i := 0; i < len(x); i += step {
		u, v := float64(x[i]), float64(y[i])
		xy += u * v
		xx += u * u
		yy += v * v
	}
	if xx == 0 || yy == 0 {
		return 0
	}
	return xy / math.Sqrt(xx*yy)
}
