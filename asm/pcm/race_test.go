package pcm

import (
	"slices"
	"testing"

	"sectile/asm/internal/kerneltest"
)

// view returns a part of a new slice, longer than one block of any kernel and with a tail,
// and some elements inside of the part and next to it.
func view[T any]() (part []T, inside, outside []*T) {
	const n, margin = 147, 3
	s := make([]T, n+2*margin)
	part = s[margin : margin+n]
	return part, []*T{&part[0], &part[n/2], &part[n-1]}, []*T{&s[margin-1], &s[margin+n]}
}

// argument returns the accesses to one argument of a kernel that run calls.
func argument[T any](name string, written bool, run func([]T)) []kerneltest.Access {
	return kerneltest.Accesses(name, written, func() (kernel func(), inside, outside []*T) {
		s, inside, outside := view[T]()
		return func() { run(s) }, inside, outside
	})
}

func TestRaces(t *testing.T) {
	// The arguments that a case is not about: each call takes its own.
	other := func() []int16 { s, _, _ := view[int16](); return s }
	sums := func() []int32 { s, _, _ := view[int32](); return s }
	kerneltest.Races(t, slices.Concat(
		argument("Sum/total", true, func(s []int32) { Sum(s, [][]int16{other(), other()}) }),
		argument("Sum/first", false, func(s []int16) { Sum(sums(), [][]int16{s, other(), other()}) }),
		argument("Sum/last", false, func(s []int16) { Sum(sums(), [][]int16{other(), other(), s}) }),
		argument("MixMinus/dst", true, func(s []int32) { MixMinus(s, sums(), other()) }),
		argument("MixMinus/total", false, func(s []int32) { MixMinus(sums(), s, other()) }),
		argument("MixMinus/own", false, func(s []int16) { MixMinus(sums(), sums(), s) }),
		argument("Saturate/dst", true, func(s []int16) { Saturate(s, sums()) }),
		argument("Saturate/total", false, func(s []int32) { Saturate(other(), s) }),
		argument("PeakTotal", false, func(s []int32) { PeakTotal(s) }),
		argument("Ramp/dst", true, func(s []int16) { Ramp(s, sums(), 0.5, 1) }),
		argument("Ramp/total", false, func(s []int32) { Ramp(other(), s, 0.5, 1) }),
		argument("Gain/dst", true, func(s []int16) { Gain(s, other(), GainUnity/2) }),
		argument("Gain/src", false, func(s []int16) { Gain(other(), s, GainUnity/2) }),
		argument("Peak", false, func(s []int16) { Peak(s) }),
		argument("Energy", false, func(s []int16) { Energy(s) }),
	))
}
