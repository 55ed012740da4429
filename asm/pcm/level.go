package pcm

import "fmt"

// Gains are fixed-point numbers with 12 bits of fraction.
const (
	GainUnity = 1 << 12
	GainMax   = 10 << 12 // +20 dB
)

// Gain scales a signal: dst[i] = sat16((src[i]·gain + 2048) >> 12), which rounds to nearest
// and halves up. GainUnity copies exactly, zero silences. dst may be src itself, but not
// overlap it otherwise. It panics unless the lengths are equal and 0 ≤ gain ≤ GainMax.
func Gain(dst, src []int16, gain int32) {
	if len(dst) != len(src) {
		panic(fmt.Sprintf("pcm: gain of %d into %d samples", len(src), len(dst)))
	}
	if gain < 0 || gain > GainMax {
		panic(fmt.Sprintf("pcm: gain %d/%d", gain, GainUnity))
	}
	checkOverlap(dst, src)
	scale(dst, src, gain)
}

// Peak returns the largest magnitude, 0 to 32768; 0 without samples.
func Peak(src []int16) int { return peak(src) }

// Energy returns the sum of the squares of all samples. Divided by their number it is the
// mean power, full scale being 2³⁰.
func Energy(src []int16) uint64 { return energy(src) }
