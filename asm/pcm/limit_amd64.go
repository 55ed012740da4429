//go:build !purego

package pcm

import (
	"sectile/asm/cpu"
	"sectile/asm/internal/race"
)

//go:noescape
func peakTotalAVX2(total []int32) uint32

//go:noescape
func peakTotalAVX512(total []int32) uint32

//go:noescape
func rampAVX2(dst []int16, total []int32, from, step float32)

//go:noescape
func rampAVX512(dst []int16, total []int32, from, step float32)

func peakTotal(total []int32) uint32 {
	tier := cpu.Current()
	if tier < cpu.AVX2 {
		return peakTotalGeneric(total)
	}
	if race.Enabled {
		race.Read(total)
	}
	if tier >= cpu.AVX512 {
		return peakTotalAVX512(total)
	}
	return peakTotalAVX2(total)
}

func ramp(dst []int16, total []int32, from, step float32) {
	tier := cpu.Current()
	if tier < cpu.AVX2 {
		rampGeneric(dst, total, from, step)
		return
	}
	if race.Enabled {
		race.Read(total)
		race.Write(dst)
	}
	if tier >= cpu.AVX512 {
		rampAVX512(dst, total, from, step)
		return
	}
	rampAVX2(dst, total, from, step)
}
