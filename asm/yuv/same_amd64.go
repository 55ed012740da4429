//go:build !purego

package yuv

import (
	"sectile/asm/cpu"
	"sectile/asm/internal/race"
)

//go:noescape
func sameLumaAVX2(same []byte, a, b *byte, aStride, bStride, rows int)

//go:noescape
func sameLumaAVX512(same []byte, a, b *byte, aStride, bStride, rows int)

//go:noescape
func sameChromaAVX2(same []byte, a, b *byte, aStride, bStride, rows int)

//go:noescape
func sameChromaAVX512(same []byte, a, b *byte, aStride, bStride, rows int)

func sameLuma(same, a, b []byte, aStride, bStride, rows int) {
	tier := cpu.Current()
	if tier < cpu.AVX2 || len(same) == 0 {
		sameLumaGeneric(same, a, b, aStride, bStride, rows)
		return
	}
	if race.Enabled {
		readRows(a, aStride, 16*len(same), rows)
		readRows(b, bStride, 16*len(same), rows)
		race.Write(same)
	}
	if tier >= cpu.AVX512 {
		sameLumaAVX512(same, &a[0], &b[0], aStride, bStride, rows)
		return
	}
	sameLumaAVX2(same, &a[0], &b[0], aStride, bStride, rows)
}

func sameChroma(same, a, b []byte, aStride, bStride, rows int) {
	tier := cpu.Current()
	if tier < cpu.AVX2 || len(same) == 0 {
		sameChromaGeneric(same, a, b, aStride, bStride, rows)
		return
	}
	if race.Enabled {
		readRows(a, aStride, 8*len(same), rows)
		readRows(b, bStride, 8*len(same), rows)
		race.Write(same)
	}
	if tier >= cpu.AVX512 {
		sameChromaAVX512(same, &a[0], &b[0], aStride, bStride, rows)
		return
	}
	sameChromaAVX2(same, &a[0], &b[0], aStride, bStride, rows)
}
