//go:build !purego

package pcm

import (
	"sectile/asm/cpu"
	"sectile/asm/internal/race"
)

//go:noescape
func scaleAVX2(dst, src []int16, gain int32)

//go:noescape
func peakAVX2(src []int16) int

//go:noescape
func energyAVX2(src []int16) uint64

func scale(dst, src []int16, gain int32) {
	if cpu.Current() < cpu.AVX2 {
		scaleGeneric(dst, src, gain)
		return
	}
	if race.Enabled {
		race.Read(src)
		race.Write(dst)
	}
	scaleAVX2(dst, src, gain)
}

func peak(src []int16) int {
	if cpu.Current() < cpu.AVX2 {
		return peakGeneric(src)
	}
	if race.Enabled {
		race.Read(src)
	}
	return peakAVX2(src)
}

func energy(src []int16) uint64 {
	if cpu.Current() < cpu.AVX2 {
		return energyGeneric(src)
	}
	if race.Enabled {
		race.Read(src)
	}
	return energyAVX2(src)
}
