//go:build !purego

package yuv

import (
	"sectile/asm/cpu"
	"sectile/asm/internal/race"
)

//go:noescape
func blendAVX2(dst, alpha []byte, colour byte)

func blend(dst, alpha []byte, colour byte) {
	if cpu.Current() < cpu.AVX2 {
		blendGeneric(dst, alpha, colour)
		return
	}
	if race.Enabled {
		race.Read(alpha)
		race.Write(dst)
	}
	blendAVX2(dst, alpha, colour)
}
