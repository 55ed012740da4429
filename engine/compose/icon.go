package compose

import (
	"image"
	"math"

	"golang.org/x/image/vector"
)

// point is one of a shape's, in units of a grid of 24×24.
type point struct{ x, y float64 }

// drawMutedMicrophone draws a crossed microphone into the square of size pixels at (x, y).
func drawMutedMicrophone(dst *image.Alpha, x, y, size int) {
	bounds := image.Rect(0, 0, size, size)
	scale := float64(size) / 24
	render := func(shape func(z *vector.Rasterizer)) *image.Alpha {
		z := vector.NewRasterizer(size, size)
		shape(z)
		mask := image.NewAlpha(bounds)
		z.Draw(mask, bounds, image.Opaque, image.Point{})
		return mask
	}
	microphone := render(func(z *vector.Rasterizer) {
		s := float32(scale)
		roundedRect(z, 8.5*s, 1*s, 7*s, 13*s, 3.5*s)
		var holder []point
		for i := range 17 {
			sin, cos := math.Sincos(math.Pi * float64(i) / 16)
			holder = append(holder, point{12 + 7*cos, 11 + 7*sin})
		}
		stroke(z, scale, 2, holder...)
		stroke(z, scale, 2, point{12, 17}, point{12, 23})
	})
	from, to := point{3, 2.5}, point{21, 21.5}
	gap := render(func(z *vector.Rasterizer) { stroke(z, scale, 6, from, to) })
	line := render(func(z *vector.Rasterizer) { stroke(z, scale, 2.5, from, to) })
	for i := range size {
		for j := range size {
			at := microphone.PixOffset(j, i)
			v := int(microphone.Pix[at])*(255-int(gap.Pix[at]))/255 + int(line.Pix[at])
			dst.Pix[dst.PixOffset(x+j, y+i)] = uint8(min(v, 255))
		}
	}
}

// stroke draws a line of some width through points. Its parts all turn the same way, so
// that where they overlap nothing cancels out.
func stroke(z *vector.Rasterizer, scale, width float64, points ...point) {
	for i := 1; i < len(points); i++ {
		p, q := points[i-1], points[i]
		length := math.Hypot(q.x-p.x, q.y-p.y)
		nx, ny := (q.y-p.y)/length*width/2, (p.x-q.x)/length*width/2
		z.MoveTo(float32((p.x+nx)*scale), float32((p.y+ny)*scale))
		z.LineTo(float32((q.x+nx)*scale), float32((q.y+ny)*scale))
		z.LineTo(float32((q.x-nx)*scale), float32((q.y-ny)*scale))
		z.LineTo(float32((p.x-nx)*scale), float32((p.y-ny)*scale))
		z.ClosePath()
	}
}

// roundedRect adds a rectangle with corners of radius r.
func roundedRect(z *vector.Rasterizer, x, y, w, h, r float32) {
	// The control points of a quarter of a circle, which a cubic Bézier meets within 0.03 %.
	k := r * 0.4477
	z.MoveTo(x+r, y)
	z.LineTo(x+w-r, y)
	z.CubeTo(x+w-k, y, x+w, y+k, x+w, y+r)
	z.LineTo(x+w, y+h-r)
	z.CubeTo(x+w, y+h-k, x+w-k, y+h, x+w-r, y+h)
	z.LineTo(x+r, y+h)
	z.CubeTo(x+k, y+h, x, y+h-k, x, y+h-r)
	z.LineTo(x, y+r)
	z.CubeTo(x, y+k, x+k, y, x+r, y)
	z.ClosePath()
}
