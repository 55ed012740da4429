//go:build !purego

package yuv

import (
	"sectile/asm/cpu"
	"sectile/asm/internal/race"
)

//go:noescape
func sameLumaNEON(same []byte, a, b *byte, aStride, bStride, rows int)

//go:noescape
func sameChromaNEON(same []byte, a, b *byte, aStride, bStride, rows int)

func sameLuma(same, a, b []byte, aStride, bStride, rows int) {
	if cpu.Current() < cpu.NEON || len(same) == 0 {
		sameLumaGeneric(same, a, b, aStride, bStride, rows)
		return
	}
	if race.Enabled {
		readRows(a, aStride, 16*len(same), rows)
		readRows(b, bStride, 16*len(same), rows)
		race.Write(same)
	}
	sameLumaNEON(same, &a[0], &b[0], aStride, bStride, rows)
}

func sameChroma(same, a, b []byte, aStride, bStride, rows int) {
	if cpu.Current() < cpu.NEON || len(same) == 0 {
		sameChromaGeneric(same, a, b, aStride, bStride, rows)
		return
	}
	if race.Enabled {
		readRows(a, aStride, 8*len(same), rows)
		readRows(b, bStride, 8*len(same), rows)
		race.Write(same)
	}
	sameChromaNEON(same, &a[0], &b[0], aStride, bStride, rows)
}
