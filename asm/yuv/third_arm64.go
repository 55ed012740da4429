//go:build !purego

package yuv

import (
	"sectile/asm/cpu"
	"sectile/asm/internal/race"
)

//go:noescape
func thirdNEON(dst, src *byte, stride, n int)

func third(dst, src []byte, stride int) {
	if cpu.Current() < cpu.NEON || len(dst) < minWidth {
		thirdGeneric(dst, src, stride)
		return
	}
	if race.Enabled {
		readRows(src, stride, 3*len(dst), 3)
		race.Write(dst)
	}
	thirdNEON(&dst[0], &src[0], stride, len(dst))
}
