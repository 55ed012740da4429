package yuv

import "fmt"

// Alpha is the shape of a label, drawn once and blended into many pictures: how opaque each
// sample is, 0 to 255.
type Alpha struct {
	w, h int
	y, c []byte // w×h and (w+1)/2 × (h+1)/2, without gaps
}

// NewAlpha copies a shape of w×h samples, row i of which is mask[i*stride : i*stride+w].
// Chroma gets the mean of the up to four samples it spans. It panics unless w and h are
// positive and mask holds them.
func NewAlpha(mask []byte, stride, w, h int) *Alpha {
	if w <= 0 || h <= 0 || stride < w || len(mask) < (h-1)*stride+w {
		panic(fmt.Sprintf("yuv: shape of %d×%d with stride %d in %d bytes", w, h, stride, len(mask)))
	}
	cw, ch := (w+1)/2, (h+1)/2
	a := &Alpha{w: w, h: h, y: make([]byte, w*h), c: make([]byte, cw*ch)}
	copyPlane(a.y, w, mask, stride, w, h)
	for y := range ch {
		upper := mask[2*y*stride:]
		lower := mask[min(2*y+1, h-1)*stride:]
		for x := range cw {
			l, r := 2*x, min(2*x+1, w-1)
			sum := int(upper[l]) + int(upper[r]) + int(lower[l]) + int(lower[r])
			a.c[y*cw+x] = byte((sum + 2) >> 2)
		}
	}
	return a
}

// Blend draws label in one colour over all of dst, which is a view into a picture in most
// cases: each sample d becomes (d·(255-a) + colour·a)/255, rounded to nearest. Where the
// shape is 0 nothing changes, where it is 255 the colour is exact. It panics unless the
// sizes are equal.
func Blend(dst *Image, label *Alpha, y, u, v byte) {
	if dst.Width != label.w || dst.Height != label.h {
		panic(fmt.Sprintf("yuv: shape of %d×%d on %d×%d", label.w, label.h, dst.Width, dst.Height))
	}
	dst.check()
	cw := (dst.Width + 1) / 2
	for i := range dst.Height {
		blend(dst.Y[i*dst.YStride:][:dst.Width], label.y[i*dst.Width:][:dst.Width], y)
	}
	for i := range (dst.Height + 1) / 2 {
		shape := label.c[i*cw:][:cw]
		blend(dst.U[i*dst.CStride:][:cw], shape, u)
		blend(dst.V[i*dst.CStride:][:cw], shape, v)
	}
}
