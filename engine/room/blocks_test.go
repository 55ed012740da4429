package room

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"sectile/asm/yuv"
	"sectile/engine/compose"
)

// TestBlocks draws anything anywhere and compares what is told of it with the pictures.
func TestBlocks(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, size := range [][2]int{{64, 64}, {66, 70}, {640, 360}, {426, 238}} {
		w, h := size[0], size[1]
		canvas, encoded := yuv.NewImage(w, h), yuv.NewImage(w, h)
		b := newBlocks(w, h)
		small := yuv.NewImage(w/2&^1, h/2&^1)
		same := make([]byte, yuv.Blocks(small.Width)*yuv.Blocks(small.Height))
		for round := range 60 {
			var drawn []compose.Rect
			differs := false
			for range rng.IntN(5) {
				x, y := 2*rng.IntN(w/2), 2*rng.IntN(h/2)
				r := compose.Rect{X: x, Y: y, W: 2 + 2*rng.IntN((w-x)/2), H: 2 + 2*rng.IntN((h-y)/2)}
				drawn = append(drawn, r)
				if rng.IntN(2) == 0 { // otherwise the same is drawn again
					sub := canvas.Sub(r.X, r.Y, r.W, r.H)
					yuv.Fill(&sub, byte(rng.Uint32()), byte(rng.Uint32()), byte(rng.Uint32()))
				}
			}
			want := make([]byte, len(b.same))
			yuv.SameBlocks(want, b.cols, canvas, encoded)
			differs = bytes.IndexByte(want, 0) >= 0
			if got := b.compare(canvas, drawn); got != differs {
				t.Fatalf("%d×%d, round %d: changed is %v", w, h, round, got)
			}
			if !bytes.Equal(b.same, want) {
				t.Fatalf("%d×%d, round %d: blocks %v, want %v", w, h, round, b.same, want)
			}
			before := *yuv.NewImage(small.Width, small.Height)
			yuv.Copy(&before, small)
			b.half(small, same, canvas)
			yuv.SameBlocks(want[:len(same)], yuv.Blocks(small.Width), small, &before)
			for i, flag := range same {
				if flag == 1 && want[i] == 0 {
					t.Fatalf("%d×%d, round %d: block %d of the half changed, but is told to be the same", w, h, round, i)
				}
			}
			b.settle(canvas)
			yuv.Copy(encoded, canvas)
			yuv.SameBlocks(want, b.cols, &b.encoded, canvas)
			if bytes.IndexByte(want, 0) >= 0 || bytes.IndexByte(b.same, 0) >= 0 {
				t.Fatalf("%d×%d, round %d: not settled: %v, %v", w, h, round, want, b.same)
			}
			whole := canvas.Sub(0, 0, 2*small.Width, 2*small.Height)
			halved := yuv.NewImage(small.Width, small.Height)
			yuv.Halve(halved, &whole)
			if round > 0 || differs {
				yuv.SameBlocks(same, yuv.Blocks(small.Width), halved, small)
				if bytes.IndexByte(same, 0) >= 0 {
					t.Fatalf("%d×%d, round %d: the half is not that of the canvas", w, h, round)
				}
			}
		}
	}
}
