package x264

import "sectile/asm/yuv"

const (
	// cutLeast and cutRatio are by how much more than usual a picture differs from the one
	// before if it shows new things: levels of luma, in the mean over the whole picture.
	cutLeast, cutRatio = 4, 3
	// cutSamples is how many samples of a macroblock are compared.
	cutSamples = 8
)

// cuts finds pictures of new things, which cost about what a keyframe does, before they are
// encoded. What merely moves differs from picture to picture about as much.
type cuts struct {
	last  []byte  // samples of the picture before
	usual float64 // levels
}

func newCuts(blocks int) cuts { return cuts{last: make([]byte, cutSamples*blocks)} }

// step takes the next picture, with what Encode is told is the same.
func (c *cuts) step(img *yuv.Image, same []byte) (cut bool) {
	sum, across := 0, yuv.Blocks(img.Width)
	for n := range len(c.last) / cutSamples {
		if same != nil && same[n] != 0 {
			continue
		}
		last := c.last[cutSamples*n:][:cutSamples]
		x, y := n%across*16, n/across*16
		for i := range last {
			// The picture may end within a block.
			v := img.Y[min(y+2+i/2*4, img.Height-1)*img.YStride+min(x+3+i%2*8, img.Width-1)]
			sum += max(int(v)-int(last[i]), int(last[i])-int(v))
			last[i] = v
		}
	}
	mean := float64(sum) / float64(len(c.last))
	cut = mean > cutLeast+cutRatio*c.usual
	c.usual += (mean - c.usual) / 4
	return cut
}
