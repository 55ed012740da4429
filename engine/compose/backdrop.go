package compose

import (
	"image"

	"golang.org/x/image/draw"

	"sectile/asm/yuv"
)

// Backdrop returns img as a background for a canvas of w×h, which are even: as large as
// covers it in its own shape, centred, upon black where it is transparent.
func Backdrop(img image.Image, w, h int) *yuv.Image {
	b := img.Bounds()
	part := crop(b.Dx(), b.Dy(), Rect{0, 0, w, h})
	scaled := image.NewRGBA(image.Rect(0, 0, w, h))
	from := image.Rect(part.X, part.Y, part.X+part.W, part.Y+part.H).Add(b.Min)
	draw.CatmullRom.Scale(scaled, scaled.Rect, img, from, draw.Src, nil)

	dst := yuv.NewImage(w, h)
	for y := 0; y < h; y += 2 {
		for x := 0; x < w; x += 2 {
			u, v := 0, 0
			for i := range 4 { // the samples that share one of chroma
				px, py := x+i%2, y+i/2
				rgba := scaled.Pix[scaled.PixOffset(px, py):]
				c := rgb(uint32(rgba[0])<<16 | uint32(rgba[1])<<8 | uint32(rgba[2]))
				dst.Y[py*dst.YStride+px] = c.y
				u, v = u+int(c.u), v+int(c.v)
			}
			dst.U[y/2*dst.CStride+x/2], dst.V[y/2*dst.CStride+x/2] = byte((u+2)/4), byte((v+2)/4)
		}
	}
	return dst
}

// paint makes dst, which is r of the canvas, background.
func (c *Canvas) paint(dst *yuv.Image, r Rect) {
	if c.style.Backdrop == nil {
		yuv.Fill(dst, c.background.y, c.background.u, c.background.v)
		return
	}
	src := c.style.Backdrop.Sub(r.X, r.Y, r.W, r.H)
	yuv.Copy(dst, &src)
}
