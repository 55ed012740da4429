package room

import (
	"bytes"

	"sectile/asm/yuv"
	"sectile/engine/compose"
)

// blocks tells which macroblocks of the canvas are as they were encoded last. Drawing alone
// does not tell: a camera that shows the same, in whole or in its background, is drawn all
// the same.
type blocks struct {
	encoded    yuv.Image // a copy of the canvas as encoded last
	cols, rows int
	same       []byte // for each block, row by row: 1 if the canvas equals encoded, else 0
}

func newBlocks(w, h int) *blocks {
	b := &blocks{encoded: *yuv.NewImage(w, h), cols: yuv.Blocks(w), rows: yuv.Blocks(h)}
	b.same = make([]byte, b.cols*b.rows)
	fill(b.same, 1)
	return b
}

// compare looks at what was drawn and reports whether anything differs from what is
// encoded. Outside of drawn the canvas must equal it.
func (b *blocks) compare(canvas *yuv.Image, drawn []compose.Rect) (changed bool) {
	const side = yuv.BlockSize
	for _, r := range drawn {
		x, y := r.X&^(side-1), r.Y&^(side-1)
		w := min((r.X+r.W+side-1)&^(side-1), canvas.Width) - x
		h := min((r.Y+r.H+side-1)&^(side-1), canvas.Height) - y
		now, then := canvas.Sub(x, y, w, h), b.encoded.Sub(x, y, w, h)
		yuv.SameBlocks(b.same[y/side*b.cols+x/side:], b.cols, &now, &then)
	}
	return len(drawn) > 0 && bytes.IndexByte(b.same, 0) >= 0
}

// settle takes the canvas as encoded.
func (b *blocks) settle(canvas *yuv.Image) {
	forRuns(b.same, b.cols, func(col, row, n int) {
		now, then := blockRun(canvas, col, row, n), blockRun(&b.encoded, col, row, n)
		yuv.Copy(&then, &now)
	})
	fill(b.same, 1)
}

func fill(flags []byte, v byte) {
	for i := range flags {
		flags[i] = v
	}
}

// forRuns calls f for each run of n blocks of one row that differ.
func forRuns(same []byte, cols int, f func(col, row, n int)) {
	for row := range len(same) / cols {
		flags := same[row*cols:][:cols]
		for col := 0; ; {
			i := bytes.IndexByte(flags[col:], 0)
			if i < 0 {
				break
			}
			col += i
			n := bytes.IndexByte(flags[col:], 1)
			if n < 0 {
				n = cols - col
			}
			f(col, row, n)
			col += n
		}
	}
}

// blockRun is the view of n blocks of a row.
func blockRun(img *yuv.Image, col, row, n int) yuv.Image {
	const side = yuv.BlockSize
	x, y := col*side, row*side
	return img.Sub(x, y, min(n*side, img.Width-x), min(side, img.Height-y))
}

// half makes dst, half the size of the canvas, show it where the blocks differ, and same
// tell which blocks of dst that leaves alone. An odd half is rounded down: dst then lacks
// the last two columns or rows of the canvas.
func (b *blocks) half(dst *yuv.Image, same []byte, canvas *yuv.Image) {
	cols := yuv.Blocks(dst.Width)
	for row := range yuv.Blocks(dst.Height) {
		for col := range cols {
			all := byte(1)
			for y := 2 * row; y < min(2*row+2, b.rows); y++ {
				for x := 2 * col; x < min(2*col+2, b.cols); x++ {
					all &= b.same[y*b.cols+x]
				}
			}
			same[row*cols+col] = all
		}
	}
	forRuns(same, cols, func(col, row, n int) {
		to := blockRun(dst, col, row, n)
		from := canvas.Sub(2*yuv.BlockSize*col, 2*yuv.BlockSize*row, 2*to.Width, 2*to.Height)
		yuv.Halve(&to, &from)
	})
}
