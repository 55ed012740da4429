package pcm

import "fmt"

// RampMax is the greatest gain of Ramp, that of Gain.
const RampMax = GainMax / GainUnity

// PeakTotal returns the largest magnitude in a mix, 0 to 2³¹; 0 without samples.
func PeakTotal(total []int32) uint32 { return peakTotal(total) }

// Ramp narrows a mix under a gain that goes straight from one value to another:
//
//	gain[i] = from + i·((to-from)/n)
//	dst[i] = sat16(round(total[i]·gain[i]))
//
// in float32, each operation rounded by itself, the last one to the nearest integer and to
// the even one of two. The value to is where the gain of a next part begins. With a gain of
// 1 it is Saturate where magnitudes are below 2²⁴. It panics unless the lengths are equal
// and both gains are from 0 to RampMax.
func Ramp(dst []int16, total []int32, from, to float32) {
	if len(dst) != len(total) {
		panic(fmt.Sprintf("pcm: ramp of %d into %d samples", len(total), len(dst)))
	}
	if !(from >= 0 && from <= RampMax && to >= 0 && to <= RampMax) { // nor NaN
		panic(fmt.Sprintf("pcm: ramp from %v to %v", from, to))
	}
	ramp(dst, total, from, (to-from)/float32(max(1, len(dst))))
}
