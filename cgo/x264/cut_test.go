package x264

import (
	"math/rand/v2"
	"testing"
	"time"

	"sectile/asm/yuv"
	"sectile/cgo/h264dec"
)

// TestCuts: pictures of new things, several a second, cause no more keyframes than may be,
// fit the buffer, and are decoded as what was encoded.
func TestCuts(t *testing.T) {
	const every, pictures = 12, 125
	p := params360()
	p.Bitrate, p.KeyframeFloor = 500_000, time.Second
	noise := func(img *yuv.Image, scene, _ int) {
		rng := rand.New(rand.NewPCG(uint64(scene), 5))
		for i := range img.Y {
			img.Y[i] = byte(rng.Uint32())
		}
	}
	var scenes []*scene
	for i := range 4 {
		scenes = append(scenes, newScene(p.Width, p.Height, uint64(10*i), false))
	}
	for _, c := range []struct {
		name string
		draw func(img *yuv.Image, scene, n int)
		sent int // pictures, at least
	}{
		{"noise", noise, pictures * 8 / 10},
		{"cameras", func(img *yuv.Image, scene, n int) { scenes[scene%len(scenes)].draw(img, n) }, pictures},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEncoder(t, p)
			d, err := h264dec.NewDecoder()
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			img, other := yuv.NewImage(p.Width, p.Height), yuv.NewImage(p.Width, p.Height)
			yuv.Fill(img, 128, 128, 128)
			yuv.Fill(other, 128, 128, 128)
			sent, keyed := 0, -1
			var sizes [pictures]int
			for n := range pictures {
				c.draw(img, n/every, n)
				au, key, err := e.Encode(img, int64(n)*3600, false, nil)
				if err != nil {
					t.Fatal(err)
				}
				sizes[n] = len(au)
				if len(au) == 0 {
					continue
				}
				sent++
				if key {
					if keyed >= 0 && n-keyed < p.FPS {
						t.Errorf("picture %d is a keyframe, as was %d", n, keyed)
					}
					keyed = n
				}
				if ok, err := d.Decode(au); !ok || err != nil {
					t.Fatalf("picture %d: Decode = %v, %v", n, ok, err)
				}
				got := d.Hold()
				c.draw(other, n/every+1, n)
				right := difference(got.Y, got.YStride, img.Y, img.YStride, p.Width, p.Height)
				wrong := difference(got.Y, got.YStride, other.Y, other.YStride, p.Width, p.Height)
				if right*4 > wrong*3 {
					t.Errorf("picture %d is not what was encoded: differs by %d, a picture of another scene by %d", n, right, wrong)
				}
				d.Release()
			}
			if sent < c.sent {
				t.Errorf("%d pictures of %d are sent, want %d", sent, pictures, c.sent)
			}
			half, sum := p.Bitrate/8/2, 0
			for n, size := range sizes {
				if sum += size; n >= 13 {
					sum -= sizes[n-13]
				}
				if sum > 2*half {
					t.Errorf("half a second up to picture %d takes %d bytes, twice its share is %d", n, sum, 2*half)
				}
			}
		})
	}
}

// TestHeldBack: a new picture that turns out too large is held back until a keyframe may be,
// or is asked for.
func TestHeldBack(t *testing.T) {
	p := params360()
	p.KeyframeFloor = time.Second
	for _, asked := range []int{0, 15} {
		e := newEncoder(t, p)
		d, err := h264dec.NewDecoder()
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		img := yuv.NewImage(p.Width, p.Height)
		yuv.Fill(img, 100, 120, 140)
		const cut = 5
		for n := range 40 {
			if n == cut {
				rng := rand.New(rand.NewPCG(1, 2))
				for i := range img.Y {
					img.Y[i] = byte(rng.Uint32())
				}
			}
			au, key, err := e.Encode(img, int64(n)*3600, n > 0 && n == asked, nil)
			if err != nil {
				t.Fatal(err)
			}
			end := p.FPS
			if asked > 0 {
				end = asked
			}
			if held := n >= cut && n < end; held != (len(au) == 0) || key != (n == 0 || n == end) {
				t.Fatalf("asked at %d: picture %d has %d bytes, key %v", asked, n, len(au), key)
			}
			if len(au) == 0 {
				continue
			}
			if half := p.Bitrate / 8 / 2; len(au) > half {
				t.Errorf("picture %d takes %d bytes, the buffer %d", n, len(au), half)
			}
			if ok, err := d.Decode(au); !ok || err != nil {
				t.Fatalf("picture %d: Decode = %v, %v", n, ok, err)
			}
		}
	}
}
