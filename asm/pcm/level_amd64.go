//go:build !purego

package pcm

import (
	"sectile/asm/cpu"
	"sectile/asm/internal/race"
)

//go:noescape
func scaleAVX2(dst, src []int16, gain int32)

//go:noescape
func scaleAVX512(dst, src []int16, gain int32)

//go:noescape
func peakAVX2(src []int16) int

//go:noescape
func peakAVX512(src []int16) int

//go:noescape
func energyAVX2(src []int16) uint64

//go:noescape
func energyAVX512(src []int16) uint64

func scale(dst, src []int16, gain int32) {
	tier := cpu.Current()
	if tier < cpu.AVX2 {
		scaleGeneric(dst, src, gain)
		return
	}
	if race.Enabled {
		race.Read(src)
		race.Write(dst)
	}
	if tier >= cpu.AVX512 {
		scaleAVX512(dst, src, gain)
		return
	}
	scaleAVX2(dst, src, gain)
}

func peak(src []int16) int {
	tier := cpu.Current()
	if tier < cpu.AVX2 {
		return peakGeneric(src)
	}
	if race.Enabled {
		race.Read(src)
	}
	if tier >= cpu.AVX512 {
		return peakAVX512(src)
	}
	return peakAVX2(src)
}

func energy(src []int16) uint64 {
	tier := cpu.Current()
	if tier < cpu.AVX2 {
		return energyGeneric(src)
	}
	if race.Enabled {
		race.Read(src)
	}
	if tier >= cpu.AVX512 {
		return energyAVX512(src)
	}
	return energyAVX2(src)
}
