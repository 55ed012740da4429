package x264

import (
	"math"
	"math/rand/v2"
	"testing"

	"sectile/asm/yuv"
	"sectile/cgo/h264dec"
	"sectile/engine/codec"
)

// texture is a plane that a pan goes over: patches with edges and fine grain, or smooth.
type texture struct {
	w, h int
	v    []byte
}

func newTexture(w, h int, seed uint64, low, high float64, smooth bool) *texture {
	rng := rand.New(rand.NewPCG(seed, 1))
	t := &texture{w, h, make([]byte, w*h)}
	coarse := make([]float64, (w/24+2)*(h/24+2))
	for i := range coarse {
		coarse[i] = rng.Float64()
	}
	at := func(x, y int) float64 { return coarse[y*(w/24+2)+x] }
	for y := range h {
		for x := range w {
			fx, fy := float64(x%24)/24, float64(y%24)/24
			v := (at(x/24, y/24)*(1-fx)+at(x/24+1, y/24)*fx)*(1-fy) +
				(at(x/24, y/24+1)*(1-fx)+at(x/24+1, y/24+1)*fx)*fy
			if !smooth {
				if v > 0.6 { // an edge
					v = 1 - v/2
				}
				v = min(v+0.12*rng.Float64(), 1)
			}
			t.v[y*w+x] = byte(low + (high-low)*v)
		}
	}
	return t
}

// draw draws the part of the texture at (x, y), which are in 1/16 of a sample.
func (t *texture) draw(dst []byte, stride, w, h, x, y int) {
	fx, fy := x%16, y%16
	for j := range h {
		a := t.v[(y/16+j)*t.w+x/16:][:w+1]
		b := t.v[(y/16+j+1)*t.w+x/16:][:w+1]
		row := dst[j*stride:][:w]
		for i := range row {
			up := int(a[i])*(16-fx) + int(a[i+1])*fx
			down := int(b[i])*(16-fx) + int(b[i+1])*fx
			row[i] = byte((up*(16-fy) + down*fy + 128) / 256)
		}
	}
}

// scene is what a camera sees that pans over textures, with the noise of its sensor.
type scene struct {
	y, u, v *texture
	noise   []byte
}

func newScene(w, h int, seed uint64, smooth bool) *scene {
	s := &scene{
		newTexture(w+400, h+200, seed, 30, 220, smooth), newTexture(w/2+200, h/2+100, seed+1, 90, 150, smooth),
		newTexture(w/2+200, h/2+100, seed+2, 100, 170, smooth), make([]byte, 1<<16),
	}
	rng := rand.New(rand.NewPCG(seed, 2))
	for i := range s.noise {
		s.noise[i] = byte(rng.IntN(4))
	}
	return s
}

// draw draws the nth picture: 1.7 samples further right and 0.6 further down than the one
// before.
func (s *scene) draw(img *yuv.Image, n int) {
	x, y := 27*n, 10*n
	s.y.draw(img.Y, img.YStride, img.Width, img.Height, x, y)
	s.u.draw(img.U, img.CStride, img.Width/2, img.Height/2, x/2, y/2)
	s.v.draw(img.V, img.CStride, img.Width/2, img.Height/2, x/2, y/2)
	for j := range img.Height {
		row := img.Y[j*img.YStride:][:img.Width]
		noise := s.noise[(n*7919+j*911)%(len(s.noise)-img.Width):]
		for i := range row {
			row[i] += noise[i]
		}
	}
}

// difference is the sum of the squared differences of a plane.
func difference(a []byte, as int, b []byte, bs, w, h int) (sum int) {
	for y := range h {
		ra, rb := a[y*as:][:w], b[y*bs:][:w]
		for x := range ra {
			d := int(ra[x]) - int(rb[x])
			sum += d * d
		}
	}
	return sum
}

// TestQuality: at a bitrate, what is decoded is as near to what was encoded as it was when
// the floors were measured, less half a decibel. A test of bits alone passes with any
// quality.
func TestQuality(t *testing.T) {
	const w, h, pictures, from = 640, 352, 75, 25
	pan := func(smooth bool) func() func(*yuv.Image, int, []byte) {
		return func() func(*yuv.Image, int, []byte) {
			s := newScene(w, h, 1, smooth)
			return func(img *yuv.Image, n int, same []byte) { s.draw(img, n); clear(same) }
		}
	}
	for _, c := range []struct {
		name         string
		bitrate      int
		luma, chroma float64 // dB
		draw         func() func(img *yuv.Image, n int, same []byte)
	}{
		{"pan over a texture", 1_500_000, 37.1, 41.9, pan(false)},
		{"pan over smooth patches", 80_000, 36.8, 41.7, pan(true)}, // shows the edges of blocks
		{"mosaic with one moving cell of four", 600_000, 37.7, 40.1, func() func(*yuv.Image, int, []byte) {
			scenes := []*scene{newScene(w/2, h/2, 1, false), newScene(w/2, h/2, 11, false), newScene(w/2, h/2, 21, false), newScene(w/2, h/2, 31, false)}
			return func(img *yuv.Image, n int, same []byte) {
				for i, s := range scenes {
					x, y := i%2*w/2, i/2*h/2
					if n == 0 || i == 1 {
						cell := img.Sub(x, y, w/2, h/2)
						s.draw(&cell, n)
						for row := range h / 32 {
							clear(same[(y/16+row)*(w/16)+x/16:][:w/32])
						}
					}
				}
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEncoder(t, codec.VideoParams{Width: w, Height: h, FPS: 25, Bitrate: c.bitrate, Preset: "superfast"})
			d, err := h264dec.NewDecoder()
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			draw := c.draw()
			img, same := yuv.NewImage(w, h), make([]byte, w/16*h/16)
			bits, luma, chroma := 0, 0, 0
			for n := range pictures {
				for i := range same {
					same[i] = 1
				}
				draw(img, n, same)
				au, key, err := e.Encode(img, int64(n)*3600, false, same)
				if err != nil {
					t.Fatal(err)
				}
				if key && n > 0 {
					t.Errorf("picture %d is a keyframe", n)
				}
				if ok, err := d.Decode(au); !ok || err != nil {
					t.Fatalf("picture %d: Decode = %v, %v", n, ok, err)
				}
				got := d.Hold()
				if n >= from {
					bits += 8 * len(au)
					luma += difference(got.Y, got.YStride, img.Y, img.YStride, w, h)
					chroma += difference(got.U, got.CStride, img.U, img.CStride, w/2, h/2) +
						difference(got.V, got.CStride, img.V, img.CStride, w/2, h/2)
				}
				d.Release()
			}
			psnr := func(sum, samples int) float64 {
				return 10 * math.Log10(255*255*float64(samples)*(pictures-from)/float64(sum))
			}
			y, uv, rate := psnr(luma, w*h), psnr(chroma, w*h/2), bits*25/(pictures-from)
			t.Logf("luma %.2f dB, chroma %.2f dB, %d bit/s", y, uv, rate)
			if y < c.luma || uv < c.chroma || rate > c.bitrate*105/100 {
				t.Errorf("luma %.2f dB, chroma %.2f dB at %d bit/s, want %.1f and %.1f at %d", y, uv, rate, c.luma, c.chroma, c.bitrate)
			}
		})
	}
}
