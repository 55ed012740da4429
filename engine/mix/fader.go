package mix

import (
	"math"
	"time"

	"sectile/asm/pcm"
)

const (
	fadeIn  = 5 * time.Millisecond // of the frame in which a talker starts: none of it is lost
	fadeOut = 10 * time.Millisecond
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
// not, or the other way round. It tells whether anything is left to be added. A gain over
// one holds samples at full scale. wide is scratch of the frame's length.
func (f *Fader) Step(samples []int16, wide []int32, frame time.Duration, gain int32, open bool) (adds bool) {
	was, from := f.open, f.gain+pcm.GainUnity
	f.open, f.gain = open, gain-pcm.GainUnity
	if !open && !was {
		return false
	}
	switch {
	case gain != from && was:
		ramp(samples, wide, float32(from)/pcm.GainUnity, float32(gain)/pcm.GainUnity)
	case gain != pcm.GainUnity:
		pcm.Gain(samples, samples, gain)
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
	return true
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
