// Package yuv holds the picture kernels: copy, fill, scaling, blending and comparison of
// planar YUV 4:2:0 (I420) pictures.
package yuv

import "fmt"

// Image is a view of an I420 picture, 8 bits a sample: one full-size luma plane and two
// chroma planes of (Width+1)/2 × (Height+1)/2. It owns nothing; row i of luma is
// Y[i*YStride : i*YStride+Width]. The planes may be C memory.
type Image struct {
	Y, U, V       []byte
	YStride       int // bytes from one luma row to the next
	CStride       int // the same for both chroma planes
	Width, Height int // luma samples
	Colours       Colours
}

// NewImage allocates a picture of w×h luma samples with 64-byte aligned strides.
// Its content is zero (which is green, not black). It panics unless both are positive.
func NewImage(w, h int) *Image {
	if w <= 0 || h <= 0 {
		panic(fmt.Sprintf("yuv: picture of %d×%d", w, h))
	}
	cw, ch := (w+1)/2, (h+1)/2
	ys, cs := (w+63)&^63, (cw+63)&^63
	buf := make([]byte, ys*h+2*cs*ch)
	return &Image{
		Y: buf[: ys*h : ys*h], U: buf[ys*h : ys*h+cs*ch : ys*h+cs*ch], V: buf[ys*h+cs*ch:],
		YStride: ys, CStride: cs, Width: w, Height: h,
	}
}

// Sub returns the view of the rectangle of w×h at (x, y). x and y must be even, the
// rectangle inside the picture; w and h may be odd only where they reach the picture's
// own odd edge. It panics otherwise: a caller's bug, never input.
func (m *Image) Sub(x, y, w, h int) Image {
	if x < 0 || y < 0 || w <= 0 || h <= 0 || x&1 != 0 || y&1 != 0 || x+w > m.Width || y+h > m.Height ||
		(w&1 != 0 && x+w != m.Width) || (h&1 != 0 && y+h != m.Height) {
		panic(fmt.Sprintf("yuv: sub-picture %d×%d at (%d,%d) of %d×%d", w, h, x, y, m.Width, m.Height))
	}
	return Image{
		Y: m.Y[y*m.YStride+x:], U: m.U[y/2*m.CStride+x/2:], V: m.V[y/2*m.CStride+x/2:],
		YStride: m.YStride, CStride: m.CStride, Width: w, Height: h, Colours: m.Colours,
	}
}
