//go:build (!amd64 && !arm64) || purego

package yuv

func sameLuma(same, a, b []byte, aStride, bStride, rows int) {
	sameLumaGeneric(same, a, b, aStride, bStride, rows)
}

func sameChroma(same, a, b []byte, aStride, bStride, rows int) {
	sameChromaGeneric(same, a, b, aStride, bStride, rows)
}
