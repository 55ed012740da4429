//go:build !purego

package pcm

import (
	"sectile/asm/cpu"
	"sectile/asm/internal/race"
)

//go:noescape
func sumAVX2(total []int32, srcs [][]int16, offset int)

//go:noescape
func sumAVX512(total []int32, srcs [][]int16, offset int)

//go:noescape
func mixMinusAVX2(dst, total []int32, own []int16)

//go:noescape
func mixMinusAVX512(dst, total []int32, own []int16)

//go:noescape
func saturateAVX2(dst []int16, total []int32)

//go:noescape
func saturateAVX512(dst []int16, total []int32)

// sumWork is how many samples one call of a kernel adds at most, about 20 µs: the runtime
// cannot preempt assembly.
const sumWork = 1 << 19

func sum(total []int32, srcs [][]int16) {
	tier := cpu.Current()
	if tier < cpu.AVX2 {
		sumGeneric(total, srcs)
		return
	}
	if race.Enabled {
		for _, s := range srcs {
			race.Read(s)
		}
		race.Write(total)
	}
	step := max(64, sumWork/max(1, len(srcs))&^63)
	for i := 0; i < len(total); i += step {
		part := total[i:min(i+step, len(total))]
		if tier >= cpu.AVX512 {
			sumAVX512(part, srcs, i)
		} else {
			sumAVX2(part, srcs, i)
		}
	}
}

func mixMinus(dst, total []int32, own []int16) {
	tier := cpu.Current()
	if tier < cpu.AVX2 {
		mixMinusGeneric(dst, total, own)
		return
	}
	if race.Enabled {
		race.Read(total)
		race.Read(own)
		race.Write(dst)
	}
	if tier >= cpu.AVX512 {
		mixMinusAVX512(dst, total, own)
		return
	}
	mixMinusAVX2(dst, total, own)
}

func saturate(dst []int16, total []int32) {
	tier := cpu.Current()
	if tier < cpu.AVX2 {
		saturateGeneric(dst, total)
		return
	}
	if race.Enabled {
		race.Read(total)
		race.Write(dst)
	}
	if tier >= cpu.AVX512 {
		saturateAVX512(dst, total)
		return
	}
	saturateAVX2(dst, total)
}
