//go:build !purego

package pcm

import (
	"sectile/asm/cpu"
	"sectile/asm/internal/race"
)

//go:noescape
func scaleNEON(dst, src []int16, gain int32)

//go:noescape
func peakNEON(src []int16) int

//go:noescape
func energyNEON(src []int16) uint64

func scale(dst, src []int16, gain int32) {
	if cpu.Current() < cpu.NEON {
		scaleGeneric(dst, src, gain)
		return
	}
	if race.Enabled {
		race.Read(src)
		race.Write(dst)
	}
	scaleNEON(dst, src, gain)
}

func peak(src []int16) int {
	if cpu.Current() < cpu.NEON {
		return peakGeneric(src)
	}
	if race.Enabled {
		race.Read(src)
	}
	return peakNEON(src)
}

func energy(src []int16) uint64 {
	if cpu.Current() < cpu.NEON {
		return energyGeneric(src)
	}
	if race.Enabled {
		race.Read(src)
	}
	return energyNEON(src)
}
