package yuv

import "fmt"

// maxSize bounds both sides of what is scaled. It keeps positions and their products far
// inside of their types.
const maxSize = 4096

// Scaler scales pictures of one size to another. Each axis for itself is averaged over the
// area that an output sample covers where it shrinks, interpolated linearly between sample
// centres where it grows, and copied where it keeps its size. Planes are scaled alike, luma
// by its own size and chroma by its, (w+1)/2 × (h+1)/2; both planes span the whole picture.
//
// The result is defined to the bit. With vertical weights v and horizontal weights w, in
// units of 1/16384 and with a sum of 16384 each, an output sample is
//
//	(Σ w[i]·((Σ v[j]·src[j][i] + 64) >> 7) + 1<<20) >> 21
//
// where >> rounds down. Where both axes of a plane shrink to exactly a third, it is the mean
// of nine samples, rounded to nearest. A picture of one colour stays exactly that.
//
// A Scaler holds a row of intermediate results: it must not be used by two goroutines at
// once.
type Scaler struct {
	srcW, srcH, dstW, dstH int
	luma, chroma           plane
	mid                    []int16 // one or two source rows after vertical scaling, and room for kernels around them
	rest                   []byte  // the end of an output row, where a kernel writes more than that
}

// plane is how the planes of one size are scaled.
type plane struct {
	srcW, dstW, dstH int
	shrink           int   // 1, 2, 3 or 4 if both axes are divided exactly by that
	h, v             *axis // nil otherwise
	tables           tables
	wide             *wideTables // nil if there are no kernels that make two rows at once
}

// NewScaler makes the tables and buffers for scaling pictures of srcW×srcH luma samples to
// dstW×dstH. It panics unless all are 1 to 4096.
func NewScaler(srcW, srcH, dstW, dstH int) *Scaler {
	for _, n := range []int{srcW, srcH, dstW, dstH} {
		if n < 1 || n > maxSize {
			panic(fmt.Sprintf("yuv: scaler from %d×%d to %d×%d", srcW, srcH, dstW, dstH))
		}
	}
	s := &Scaler{srcW: srcW, srcH: srcH, dstW: dstW, dstH: dstH}
	s.luma = newPlane(srcW, srcH, dstW, dstH)
	s.chroma = newPlane((srcW+1)/2, (srcH+1)/2, (dstW+1)/2, (dstH+1)/2)
	if n := max(midLen(&s.luma), midLen(&s.chroma)); n > 0 {
		s.mid = make([]int16, n)
		s.rest = make([]byte, 16)
	}
	return s
}

func newPlane(srcW, srcH, dstW, dstH int) plane {
	p := plane{srcW: srcW, dstW: dstW, dstH: dstH}
	for _, n := range []int{1, 2, 3, 4} {
		if srcW == n*dstW && srcH == n*dstH {
			p.shrink = n
			return p
		}
	}
	p.h, p.v = newAxis(srcW, dstW), newAxis(srcH, dstH)
	p.tables = newTables(p.h)
	p.wide = newWideTables(srcW, p.h, p.v)
	return p
}

// Scale scales src into dst, which may be a view into a larger picture; nothing outside of
// the view is written. It panics unless the sizes are those of the scaler. The pictures
// must not share samples.
func (s *Scaler) Scale(dst, src *Image) {
	if src.Width != s.srcW || src.Height != s.srcH || dst.Width != s.dstW || dst.Height != s.dstH {
		panic(fmt.Sprintf("yuv: scaler from %d×%d to %d×%d used from %d×%d to %d×%d", s.srcW, s.srcH,
			s.dstW, s.dstH, src.Width, src.Height, dst.Width, dst.Height))
	}
	dst.check()
	src.check()
	s.plane(&s.luma, dst.Y, dst.YStride, src.Y, src.YStride)
	s.plane(&s.chroma, dst.U, dst.CStride, src.U, src.CStride)
	s.plane(&s.chroma, dst.V, dst.CStride, src.V, src.CStride)
}

func (s *Scaler) plane(p *plane, dst []byte, dstStride int, src []byte, srcStride int) {
	switch p.shrink {
	case 1:
		copyPlane(dst, dstStride, src, srcStride, p.dstW, p.dstH)
	case 2:
		halfPlane(dst, dstStride, src, srcStride, p.dstW, p.dstH)
	case 3:
		thirdPlane(dst, dstStride, src, srcStride, p.dstW, p.dstH)
	case 4:
		quarterPlane(dst, dstStride, src, srcStride, p.dstW, p.dstH)
	default:
		s.general(p, dst, dstStride, src, srcStride)
	}
}

// Halve makes each sample of dst the mean of 2×2 of src, rounded half up: what a Scaler
// between these sizes does, without having one. Luma of dst must have even sizes and src
// twice those. It panics otherwise. The pictures must not share samples.
func Halve(dst, src *Image) {
	if src.Width != 2*dst.Width || src.Height != 2*dst.Height || dst.Width&1 != 0 || dst.Height&1 != 0 {
		panic(fmt.Sprintf("yuv: %d×%d is not half of %d×%d", dst.Width, dst.Height, src.Width, src.Height))
	}
	dst.check()
	src.check()
	w, h := dst.Width, dst.Height
	halfPlane(dst.Y, dst.YStride, src.Y, src.YStride, w, h)
	halfPlane(dst.U, dst.CStride, src.U, src.CStride, w/2, h/2)
	halfPlane(dst.V, dst.CStride, src.V, src.CStride, w/2, h/2)
}
