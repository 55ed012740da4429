package mix

import (
	"math"
	"time"

	"sectile/asm/pcm"
)

const (
	fadeIn  = 5 * time.Millisecond // of the frame in which a talker starts: none of it is lost
	fadeOut = 10 * time.Millisecond

	fullScale = math.MaxInt16 * pcm.GainUnity
)

// Fader brings the samples of one input to the level with which they go into the mix.
// Levels change along straight lines, so that no change is heard as a click. The zero Fader
// is closed and has a gain of one.
type Fader struct {
	open bool
	gain int32 // less pcm.GainUnity, where the frame before ended
}

// Gain returns the fixed-point gain nearest to one in dB, at most that of pcm.GainMax.
func Gain(dB float64) int32 {
	return min(int32(math.Round(math.Pow(10, dB/20)*pcm.GainUnity)), pcm.GainMax)
}

// Step scales one frame by gain, and fades it in or out if the fader is to be open and was
// not, or the other way round. It returns how many times the samples are to be added to the
// mix: not at all if nothing is left of them, and more than once where the gain lifts them
// above full scale, which they do not hold; only the mix's limiter brings that down. wide is
// scratch of the frame's length.
func (f *Fader) Step(samples []int16, wide []int32, frame time.Duration, gain int32, open bool) (times int) {
	was, from := f.open, f.gain+pcm.GainUnity
	f.open, f.gain = open, gain-pcm.GainUnity
	if !open && !was {
		return 0
	}
	moves := gain != from && was
	most := gain
	if moves {
		most = max(gain, from)
	}
	times = 1
	if most > pcm.GainUnity {
		times = max(1, (pcm.Peak(samples)*int(most)+fullScale-1)/fullScale)
	}
	switch n := int32(times); {
	case moves:
		ramp(samples, wide, float32(from)/float32(n*pcm.GainUnity), float32(gain)/float32(n*pcm.GainUnity))
	case gain != pcm.GainUnity:
		pcm.Gain(samples, samples, gain/n)
	}
	part := func(fade time.Duration) int { return int(min(fade, frame) * time.Duration(len(samples)) / frame) }
	switch {
	case open && !was:
		n := part(fadeIn)
		ramp(samples[:n], wide, 0, 1)
	case was && !open:
		n := part(fadeOut)
		ramp(samples[:n], wide, 1, 0)
		clear(samples[n:])
	}
	return times
}

// Open tells whether the frame before was let through.
func (f *Fader) Open() bool { return f.open }

// Skip tells of a frame without samples, after which the fader is open or not.
func (f *Fader) Skip(gain int32, open bool) { f.open, f.gain = open, gain-pcm.GainUnity }

func ramp(samples []int16, wide []int32, from, to float32) {
	wide = wide[:len(samples)]
	pcm.Sum(wide, [][]int16{samples})
	pcm.Ramp(samples, wide, from, to)
}
