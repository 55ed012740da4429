//go:build !purego

package pcm

import (
	"sectile/asm/cpu"
	"sectile/asm/internal/race"
)

//go:noescape
func peakTotalNEON(total []int32) uint32

//go:noescape
func rampNEON(dst []int16, total []int32, from, step float32)

func peakTotal(total []int32) uint32 {
	if cpu.Current() < cpu.NEON {
		return peakTotalGeneric(total)
	}
	if race.Enabled {
		race.Read(total)
	}
	return peakTotalNEON(total)
}

func ramp(dst []int16, total []int32, from, step float32) {
	if cpu.Current() < cpu.NEON {
		rampGeneric(dst, total, from, step)
		return
	}
	if race.Enabled {
		race.Read(total)
		race.Write(dst)
	}
	rampNEON(dst, total, from, step)
}
