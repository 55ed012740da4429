//go:build !purego

package yuv

import (
	"sectile/asm/cpu"
	"sectile/asm/internal/race"
)

//go:noescape
func blendAVX2(dst, alpha []byte, colour byte)

//go:noescape
func blendAVX512(dst, alpha []byte, colour byte)

func blend(dst, alpha []byte, colour byte) {
	tier := cpu.Current()
	if tier < cpu.AVX2 {
		blendGeneric(dst, alpha, colour)
		return
	}
	if race.Enabled {
		race.Read(alpha)
		race.Write(dst)
	}
	if tier >= cpu.AVX512 {
		blendAVX512(dst, alpha, colour)
		return
	}
	blendAVX2(dst, alpha, colour)
}
