package client

import (
	"math/rand/v2"

	"sectile/asm/yuv"
)

// A moving picture shows a clock in its upper quarter, a row of black and white squares
// that count pictures in binary, below it a flat colour, which shows what is smeared, and
// in its lowest quarter noise, which costs bits.
const (
	clockBits = 8
	// ClockTurn is how many pictures the clock counts before it begins anew.
	ClockTurn = 1 << clockBits

	black, white = 16, 235
	grain        = 4 // side of the noise's squares
)

// drawMoving draws the nth picture of a moving picture.
func drawMoving(img *yuv.Image, c Colour, n int, noise *rand.Rand) {
	w, h := img.Width&^1, img.Height&^1
	yuv.Fill(img, c.Y, c.U, c.V)
	for bit := range clockBits {
		x, right := w*bit/clockBits&^1, w*(bit+1)/clockBits&^1
		square := img.Sub(x, 0, right-x, h/4&^1)
		luma := byte(black)
		if n>>bit&1 == 1 {
			luma = white
		}
		yuv.Fill(&square, luma, 128, 128)
	}
	for y := h * 3 / 4; y < h; y++ {
		row := img.Y[y*img.YStride:][:w]
		if y > h*3/4 && y%grain != 0 {
			copy(row, img.Y[(y-1)*img.YStride:])
			continue
		}
		var luma byte
		for x := range row {
			if x%grain == 0 {
				luma = byte(64 + noise.Uint32N(128))
			}
			row[x] = luma
		}
	}
}

// Moving is what is seen of a moving picture in a cell.
type Moving struct {
	Clock  int    // the number of the picture, modulo ClockTurn
	Colour Colour // of the flat part
	Clean  bool   // the clock is black and white, and the flat part flat
}

// LookAt reads a moving picture in the rectangle of w×h at (x, y), which it fills.
func LookAt(img *yuv.Image, x, y, w, h int) (m Moving) {
	m.Clean = true
	for bit := range clockBits {
		left, right := w*bit/clockBits, w*(bit+1)/clockBits
		side := (right - left) / 2 &^ 1
		luma := Mean(img, (x+left+side/2)&^1, (y+h/16)&^1, side, h/8&^1).Y
		switch {
		case luma > 160:
			m.Clock |= 1 << bit
		case luma > 90:
			m.Clean = false
		}
	}
	m.Colour = Mean(img, (x+w/8)&^1, (y+h*5/16)&^1, w*3/4&^1, h*3/8&^1)
	const parts = 8
	for i := range parts {
		part := Mean(img, (x+w/8+w*3/4*i/parts)&^1, (y+h*5/16)&^1, w*3/4/parts&^1, h*3/8&^1)
		m.Clean = m.Clean && part.Near(m.Colour, 12)
	}
	return m
}

// Near tells whether a colour is the same within a tolerance for each channel.
func (c Colour) Near(other Colour, tolerance int) bool {
	d := func(x, y byte) int { return max(int(x)-int(y), int(y)-int(x)) }
	return d(c.Y, other.Y) <= tolerance && d(c.U, other.U) <= tolerance && d(c.V, other.V) <= tolerance
}
