package client

import (
	"math/rand/v2"
	"testing"

	"sectile/asm/yuv"
)

// TestLookAt: a moving picture is read in a cell of any usual size, and damage is noticed.
func TestLookAt(t *testing.T) {
	c := Colour{170, 60, 200}
	noise := rand.New(rand.NewPCG(1, 1))
	for _, size := range [][2]int{{640, 360}, {320, 180}, {160, 90}, {106, 60}, {80, 44}} {
		w, h := size[0], size[1]
		img := yuv.NewImage(w+40, h+20)
		cell := img.Sub(22, 14, w, h)
		for n := range 2 * ClockTurn {
			drawMoving(&cell, c, n, noise)
			if got, want := LookAt(img, 22, 14, w, h), (Moving{n % ClockTurn, c, true}); got != want {
				t.Fatalf("picture %d in %d×%d is %+v", n, w, h, got)
			}
		}
		grey := cell.Sub(w/2&^1, h/2&^1, w/8&^1, h/4&^1)
		yuv.Fill(&grey, 128, 128, 128)
		if got := LookAt(img, 22, 14, w, h); got.Clean {
			t.Errorf("with a grey part in %d×%d it is %+v", w, h, got)
		}
		drawMoving(&cell, c, 1, noise)
		grey = cell.Sub(0, 0, w/2&^1, h/4&^1)
		yuv.Fill(&grey, 128, 128, 128)
		if got := LookAt(img, 22, 14, w, h); got.Clean {
			t.Errorf("with a grey clock in %d×%d it is %+v", w, h, got)
		}
	}
}
