//go:build (!amd64 && !arm64) || purego

package yuv

type tables struct{}

func newTables(*axis) tables { return tables{} }

func vertical(mid []int16, src []byte, stride int, weight []int16, count int) {
	verticalGeneric(mid, src, stride, weight, count)
}

func horizontal(dst []byte, mid []int16, a *axis, _ *tables, _ []byte) {
	horizontalGeneric(dst, mid, a)
}

func half(dst, src []byte, stride int)    { halfGeneric(dst, src, stride) }
func third(dst, src []byte, stride int)   { thirdGeneric(dst, src, stride) }
func quarter(dst, src []byte, stride int) { quarterGeneric(dst, src, stride) }
