package compose

import (
	"image"

	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// An outline is a filled shape, of points in 1/64 of a pixel. vector.Rasterizer draws lines
// to the same bits on every CPU, but its curves differ where the compiler fuses
// multiplications with additions, so curves become lines here, without fusible arithmetic.
type outline struct {
	z   *vector.Rasterizer
	pen fixed.Point26_6
}

// newOutline returns an empty outline in a picture of w×h pixels.
func newOutline(w, h int) *outline { return &outline{z: vector.NewRasterizer(w, h)} }

// point is (x, y) in 1/64 of a pixel.
func point(x, y int) fixed.Point26_6 {
	return fixed.Point26_6{X: fixed.Int26_6(x), Y: fixed.Int26_6(y)}
}

func (o *outline) moveTo(p fixed.Point26_6) {
	o.z.MoveTo(float32(p.X)/64, float32(p.Y)/64)
	o.pen = p
}

func (o *outline) lineTo(p fixed.Point26_6) {
	o.z.LineTo(float32(p.X)/64, float32(p.Y)/64)
	o.pen = p
}

// quadTo adds a quadratic Bézier curve by way of b to c.
func (o *outline) quadTo(b, c fixed.Point26_6) {
	a := o.pen
	n := curveLines(deviation(a, b, c))
	at := func(a, b, c fixed.Int26_6, i int) float32 {
		j := n - i
		return float32(j*j*int(a)+2*i*j*int(b)+i*i*int(c)) / float32(64*n*n)
	}
	for i := 1; i < n; i++ {
		o.z.LineTo(at(a.X, b.X, c.X, i), at(a.Y, b.Y, c.Y, i))
	}
	o.lineTo(c)
}

// cubeTo adds a cubic Bézier curve by way of b and c to d.
func (o *outline) cubeTo(b, c, d fixed.Point26_6) {
	a := o.pen
	n := curveLines(max(deviation(a, b, d), deviation(a, c, d)))
	at := func(a, b, c, d fixed.Int26_6, i int) float32 {
		j := n - i
		return float32(j*j*j*int(a)+3*i*j*j*int(b)+3*i*i*j*int(c)+i*i*i*int(d)) / float32(64*n*n*n)
	}
	for i := 1; i < n; i++ {
		o.z.LineTo(at(a.X, b.X, c.X, d.X, i), at(a.Y, b.Y, c.Y, d.Y, i))
	}
	o.lineTo(d)
}

// deviation tells how far from a line a curve from a by way of b to c is: squared, and in
// 1/64 of a pixel.
func deviation(a, b, c fixed.Point26_6) int {
	x, y := int(a.X-2*b.X+c.X), int(a.Y-2*b.Y+c.Y)
	return x*x + y*y
}

// curveLines is how many lines stand for a curve, by the measure of vector.Rasterizer: the
// fourth root of three times the deviation in pixels.
func curveLines(deviation int) int {
	n := 1
	for n*n*n*n*64*64 <= 3*deviation {
		n++
	}
	return n
}

// circleControl/circleRadius is how far from the corner the control points of a quarter of
// a circle are: the cubic Bézier curve meets the circle within 0.03 %.
const circleControl, circleRadius = 4477, 10000

// roundedRect adds a rectangle at p with corners of radius r.
func (o *outline) roundedRect(p fixed.Point26_6, w, h, r int) {
	x, y := int(p.X), int(p.Y)
	k := r * circleControl / circleRadius
	o.moveTo(point(x+r, y))
	o.lineTo(point(x+w-r, y))
	o.cubeTo(point(x+w-k, y), point(x+w, y+k), point(x+w, y+r))
	o.lineTo(point(x+w, y+h-r))
	o.cubeTo(point(x+w, y+h-k), point(x+w-k, y+h), point(x+w-r, y+h))
	o.lineTo(point(x+r, y+h))
	o.cubeTo(point(x+k, y+h), point(x, y+h-k), point(x, y+h-r))
	o.lineTo(point(x, y+r))
	o.cubeTo(point(x, y+k), point(x+k, y), point(x+r, y))
	o.z.ClosePath()
}

// polygon adds a polygon.
func (o *outline) polygon(points ...fixed.Point26_6) {
	o.moveTo(points[0])
	for _, p := range points[1:] {
		o.lineTo(p)
	}
	o.z.ClosePath()
}

// mask draws the outline.
func (o *outline) mask() *image.Alpha {
	mask := image.NewAlpha(o.z.Bounds())
	o.z.Draw(mask, mask.Rect, image.Opaque, image.Point{})
	return mask
}
