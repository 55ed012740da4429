//go:build !amd64 || purego

package yuv

// wideTables are for kernels that make two rows at once, of which there are none here.
type wideTables struct{}

func newWideTables(int, *axis, *axis) *wideTables { return nil }

// midLen returns how long the intermediate row must be; 0 if there is none. Kernels read
// whole vectors of it, from the first sample of an output or a pair of samples on.
func midLen(p *plane) int {
	if p.h == nil {
		return 0
	}
	return p.srcW + p.h.taps + 8
}

// general scales a plane row by row.
func (s *Scaler) general(p *plane, dst []byte, dstStride int, src []byte, srcStride int) {
	for y := range p.dstH {
		weights := p.v.weight[p.v.offset[y]:]
		vertical(s.mid[:p.srcW], src[int(p.v.first[y])*srcStride:], srcStride, weights, int(p.v.count[y]))
		horizontal(dst[y*dstStride:][:p.dstW], s.mid, p.h, &p.tables, s.rest)
	}
}

func halfPlane(dst []byte, dstStride int, src []byte, srcStride, w, h int) {
	for y := range h {
		half(dst[y*dstStride:][:w], src[2*y*srcStride:], srcStride)
	}
}

func thirdPlane(dst []byte, dstStride int, src []byte, srcStride, w, h int) {
	for y := range h {
		third(dst[y*dstStride:][:w], src[3*y*srcStride:], srcStride)
	}
}

func quarterPlane(dst []byte, dstStride int, src []byte, srcStride, w, h int) {
	for y := range h {
		quarter(dst[y*dstStride:][:w], src[4*y*srcStride:], srcStride)
	}
}
