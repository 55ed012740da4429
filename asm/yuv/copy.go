package yuv

import "fmt"

// check panics unless the planes of m hold what its sizes and strides promise: kernels
// know no bounds.
func (m *Image) check() {
	cw, ch := (m.Width+1)/2, (m.Height+1)/2
	if m.Width <= 0 || m.Height <= 0 || m.YStride < m.Width || m.CStride < cw ||
		len(m.Y) < (m.Height-1)*m.YStride+m.Width ||
		len(m.U) < (ch-1)*m.CStride+cw || len(m.V) < (ch-1)*m.CStride+cw {
		panic(fmt.Sprintf("yuv: picture of %d×%d with strides %d, %d in planes of %d, %d, %d bytes",
			m.Width, m.Height, m.YStride, m.CStride, len(m.Y), len(m.U), len(m.V)))
	}
}

// Copy copies src into dst, which may be a view into a larger picture. It panics unless
// their sizes are equal. They must not share samples.
func Copy(dst, src *Image) {
	if dst.Width != src.Width || dst.Height != src.Height {
		panic(fmt.Sprintf("yuv: copy of %d×%d into %d×%d", src.Width, src.Height, dst.Width, dst.Height))
	}
	dst.check()
	src.check()
	w, h := src.Width, src.Height
	cw, ch := (w+1)/2, (h+1)/2
	copyPlane(dst.Y, dst.YStride, src.Y, src.YStride, w, h)
	copyPlane(dst.U, dst.CStride, src.U, src.CStride, cw, ch)
	copyPlane(dst.V, dst.CStride, src.V, src.CStride, cw, ch)
}

func copyPlane(dst []byte, dstStride int, src []byte, srcStride, w, h int) {
	for y := range h {
		copy(dst[y*dstStride:][:w], src[y*srcStride:][:w])
	}
}

// Fill gives all samples of dst one colour.
func Fill(dst *Image, y, u, v byte) {
	dst.check()
	cw, ch := (dst.Width+1)/2, (dst.Height+1)/2
	fillPlane(dst.Y, dst.YStride, dst.Width, dst.Height, y)
	fillPlane(dst.U, dst.CStride, cw, ch, u)
	fillPlane(dst.V, dst.CStride, cw, ch, v)
}

// fillPlane lets copy, which is assembly in the runtime, do the work.
func fillPlane(dst []byte, stride, w, h int, v byte) {
	first := dst[:w]
	first[0] = v
	for n := 1; n < w; n *= 2 {
		copy(first[n:], first[:n])
	}
	for y := 1; y < h; y++ {
		copy(dst[y*stride:][:w], first)
	}
}
