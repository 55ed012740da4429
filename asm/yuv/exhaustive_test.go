package yuv

import (
	"testing"

	"sectile/asm/internal/kerneltest"
)

// boxes lays out, side by side in rows of their own, blocks of side×side samples with every
// sum that such a block can have, twice: spread evenly, and with as many full samples as
// there are. sums holds theirs.
func boxes(side int) (src []byte, sums []int) {
	samples := side * side
	n := 2 * (samples*255 + 1)
	src = make([]byte, n*samples)
	sums = make([]int, n)
	for block := range n {
		sum := block / 2
		sums[block] = sum
		for i := range samples {
			v := sum / samples
			if i < sum%samples {
				v++
			}
			if block&1 != 0 {
				v = min(max(sum-255*i, 0), 255)
			}
			src[i/side*n*side+block*side+i%side] = byte(v)
		}
	}
	return src, sums
}

// Every sum of a block of 2×2, of 3×3 and of 4×4 samples.
func TestBoxesExhaustive(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		for _, side := range []int{2, 3, 4} {
			src, sums := boxes(side)
			n := len(sums)
			p := newPlane(n*side, side, n, 1)
			if p.shrink != side {
				t.Fatalf("factor %d instead of %d", p.shrink, side)
			}
			dst := make([]byte, n)
			new(Scaler).plane(&p, dst, n, src, n*side)
			for i, sum := range sums {
				if want := (sum + side*side/2) / (side * side); int(dst[i]) != want {
					t.Fatalf("a sum of %d in %d×%d samples: %d instead of %d", sum, side, side, dst[i], want)
				}
			}
		}
	})
}

// Each of two samples in every proportion, as they meet when a picture grows: the weights
// are those of all sizes up to a hundred.
func TestLinearExhaustive(t *testing.T) {
	sizes := 100
	if testing.Short() {
		sizes = 40
	}
	kerneltest.Tiers(t, func(t *testing.T) {
		for n := 3; n <= sizes; n++ {
			src, dst := NewImage(2, 2), NewImage(n, n)
			for _, v := range [][2]byte{{0, 255}, {255, 0}, {1, 254}, {127, 128}} {
				for y := range 2 {
					src.Y[y*src.YStride], src.Y[y*src.YStride+1] = v[0], v[1]
				}
				NewScaler(2, 2, n, n).Scale(dst, src)
				for y := range n {
					for x := range n {
						// The centre of output x is (2x+1)/n - 1/2 in source samples.
						at := min(max(2*(2*x+1)-n, 0), 2*n)
						want := float64(v[0]) + (float64(v[1])-float64(v[0]))*float64(at)/float64(2*n)
						if got := float64(dst.Y[y*dst.YStride+x]); got < want-0.55 || got > want+0.55 {
							t.Fatalf("%d to %d of %v: (%d,%d) = %v instead of %.3f", 2, n, v, x, y, got, want)
						}
					}
				}
			}
		}
	})
}
