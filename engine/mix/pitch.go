package mix

import (
	"math"
	"time"

	"sectile/asm/pcm"
)

const (
	pitchRate = 6000 // Hz, about that of past
	// pitchWindow is how much is compared with what was before it, 80 ms, and the lags are
	// those of 40 to 400 Hz: whatever is higher repeats there, too.
	pitchWindow = pitchRate * 80 / 1000
	leastLag    = pitchRate / 400
	mostLag     = pitchRate / 40
)

// pitch tells notes from noise: what has a pitch, be it several at once, repeats itself
// within a few hundredths of a second, and noise does not.
type pitch struct {
	past   [pitchWindow + mostLag]int16 // differences of means; the newest last
	filled int                          // of it, without a gap
	last   int32
}

// step takes samples of a duration.
func (p *pitch) step(samples []int16, d time.Duration) {
	// What is in a mean of few samples need not be exact, so neither must be the rate.
	rate := int(time.Duration(len(samples)) * time.Second / d)
	n := max(1, rate/pitchRate)
	fresh := p.past[copy(p.past[:], p.past[min(len(samples)/n, len(p.past)):]):]
	p.filled = min(p.filled+len(fresh), len(p.past))
	for i := range fresh {
		sum := int32(0)
		for _, v := range samples[i*n : (i+1)*n] {
			sum += int32(v)
		}
		mean := sum / int32(n)
		// The difference takes away the rumble of which the noise of a room is full.
		fresh[i] = int16((mean - p.last) / 2)
		p.last = mean
	}
}

// skip leaves out a part of the sound.
func (p *pitch) skip() { p.filled = 0 }

// known tells whether there is enough sound without a gap.
func (p *pitch) known() bool { return p.filled == len(p.past) }

// repeats is how much the newest sound is like that of some moment before, 0 to 1: the
// greatest normalized correlation. Noises, whatever their colour, are below 0.25, chords of
// up to seven notes above 0.6, and 10 dB over noise above 0.45.
func (p *pitch) repeats() float64 {
	var both [2][]int16
	var wide [pitchWindow]int32
	var sum [pitchWindow]int16
	both[0] = p.past[mostLag:]
	own := float64(pcm.Energy(both[0]))
	most := 0.0
	for lag := leastLag; lag <= mostLag; lag++ {
		both[1] = p.past[mostLag-lag : len(p.past)-lag]
		other := float64(pcm.Energy(both[1]))
		// The energy of a sum is that of its parts and twice their correlation.
		pcm.Sum(wide[:], both[:])
		pcm.Saturate(sum[:], wide[:])
		correlation := (float64(pcm.Energy(sum[:])) - own - other) / 2
		most = max(most, correlation/math.Sqrt(max(1, own*other)))
	}
	return most
}
