//go:build !purego

package pcm

import (
	"sectile/asm/cpu"
	"sectile/asm/internal/race"
)

//go:noescape
func sumNEON(total []int32, srcs [][]int16, offset int)

//go:noescape
func mixMinusNEON(dst, total []int32, own []int16)

//go:noescape
func saturateNEON(dst []int16, total []int32)

// sumWork is how many samples one call of a kernel adds at most, some 50 µs: the runtime
// cannot preempt assembly.
const sumWork = 1 << 19

func sum(total []int32, srcs [][]int16) {
	if cpu.Current() < cpu.NEON {
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
		sumNEON(total[i:min(i+step, len(total))], srcs, i)
	}
}

func mixMinus(dst, total []int32, own []int16) {
	if cpu.Current() < cpu.NEON {
		mixMinusGeneric(dst, total, own)
		return
	}
	if race.Enabled {
		race.Read(total)
		race.Read(own)
		race.Write(dst)
	}
	mixMinusNEON(dst, total, own)
}

func saturate(dst []int16, total []int32) {
	if cpu.Current() < cpu.NEON {
		saturateGeneric(dst, total)
		return
	}
	if race.Enabled {
		race.Read(total)
		race.Write(dst)
	}
	saturateNEON(dst, total)
}
