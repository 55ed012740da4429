//go:build !purego

package yuv

import (
	"sectile/asm/cpu"
	"sectile/asm/internal/race"
)

//go:noescape
func blendNEON(dst, alpha []byte, colour byte)

func blend(dst, alpha []byte, colour byte) {
	if cpu.Current() < cpu.NEON {
		blendGeneric(dst, alpha, colour)
		return
	}
	if race.Enabled {
		race.Read(alpha)
		race.Write(dst)
	}
	blendNEON(dst, alpha, colour)
}
