package compose

import (
	"image"
	"math"

	"golang.org/x/image/math/fixed"
)

// drawMutedMicrophone draws a crossed microphone into the square of size pixels at (x, y).
func drawMutedMicrophone(dst *image.Alpha, x, y, size int) {
	// The shape is designed on a grid of 24×24, of which unit takes halves.
	unit := func(halves int) int { return halves * size * 64 / 48 }
	at := func(x, y int) fixed.Point26_6 { return point(unit(x), unit(y)) }

	// The parts all turn the same way, so that where they overlap nothing cancels out.
	o := newOutline(size, size)
	o.roundedRect(at(17, 2), unit(14), unit(26), unit(7))
	o.bow(at(24, 22), unit(16), unit(12))
	o.polygon(at(22, 34), at(26, 34), at(26, 46), at(22, 46))
	microphone := o.mask()

	o = newOutline(size, size)
	o.stroke(at(6, 5), at(42, 43), unit(12))
	gap := o.mask()
	o = newOutline(size, size)
	o.stroke(at(6, 5), at(42, 43), unit(5))
	line := o.mask()
	for i := range size {
		for j := range size {
			k := microphone.PixOffset(j, i)
			v := int(microphone.Pix[k])*(255-int(gap.Pix[k]))/255 + int(line.Pix[k])
			dst.Pix[dst.PixOffset(x+j, y+i)] = uint8(min(v, 255))
		}
	}
}

// bow adds the lower half of a ring around p.
func (o *outline) bow(p fixed.Point26_6, outer, inner int) {
	x, y := int(p.X), int(p.Y)
	o.moveTo(point(x+outer, y))
	k := outer - outer*circleControl/circleRadius
	o.cubeTo(point(x+outer, y+k), point(x+k, y+outer), point(x, y+outer))
	o.cubeTo(point(x-k, y+outer), point(x-outer, y+k), point(x-outer, y))
	o.lineTo(point(x-inner, y))
	k = inner - inner*circleControl/circleRadius
	o.cubeTo(point(x-inner, y+k), point(x-k, y+inner), point(x, y+inner))
	o.cubeTo(point(x+k, y+inner), point(x+inner, y+k), point(x+inner, y))
	o.z.ClosePath()
}

// stroke adds a line of some width from p to q.
func (o *outline) stroke(p, q fixed.Point26_6, width int) {
	d := q.Sub(p)
	length := math.Sqrt(float64(int(d.X)*int(d.X) + int(d.Y)*int(d.Y)))
	side := func(along fixed.Int26_6) int { return int(float64(int(along)*width) / (2 * length)) }
	n := point(side(d.Y), -side(d.X))
	o.polygon(p.Add(n), q.Add(n), q.Sub(n), p.Sub(n))
}
