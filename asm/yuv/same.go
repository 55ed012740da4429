package yuv

import "fmt"

// BlockSize is the side of a block that SameBlocks compares, in luma samples: that of a
// macroblock of H.264.
const BlockSize = 16

// Blocks returns how many blocks cover n luma samples.
func Blocks(n int) int { return (n + BlockSize - 1) / BlockSize }

// SameBlocks compares two pictures of one size block by block: 16×16 luma samples with the
// 8×8 of each chroma plane that belong to them, or what there is of them at the right and
// lower edges. It sets same[r*stride+c] to 1 if column c of row r of the blocks is equal in
// both pictures, and to 0 if it is not; the bytes between the rows stay. It panics unless
// the sizes are equal and same holds Blocks(Height) rows of Blocks(Width).
func SameBlocks(same []byte, stride int, a, b *Image) {
	if a.Width != b.Width || a.Height != b.Height {
		panic(fmt.Sprintf("yuv: comparison of %d×%d with %d×%d", a.Width, a.Height, b.Width, b.Height))
	}
	a.check()
	b.check()
	w, h := a.Width, a.Height
	cols, rows := Blocks(w), Blocks(h)
	if stride < cols || len(same) < (rows-1)*stride+cols {
		panic(fmt.Sprintf("yuv: %d×%d blocks with stride %d in %d bytes", cols, rows, stride, len(same)))
	}
	whole := w / BlockSize
	for r := range rows {
		flags := same[r*stride:][:cols]
		n := min(h-r*BlockSize, BlockSize)
		cn := (n + 1) / 2
		ay, by := a.Y[r*BlockSize*a.YStride:], b.Y[r*BlockSize*b.YStride:]
		at, bt := r*BlockSize/2*a.CStride, r*BlockSize/2*b.CStride
		sameLuma(flags[:whole], ay, by, a.YStride, b.YStride, n)
		sameChroma(flags[:whole], a.U[at:], b.U[bt:], a.CStride, b.CStride, cn)
		sameChroma(flags[:whole], a.V[at:], b.V[bt:], a.CStride, b.CStride, cn)
		if whole < cols {
			x, cx := whole*BlockSize, whole*BlockSize/2
			flags[whole] = 0
			if equal(ay[x:], by[x:], a.YStride, b.YStride, w-x, n) &&
				equal(a.U[at+cx:], b.U[bt+cx:], a.CStride, b.CStride, (w-x+1)/2, cn) &&
				equal(a.V[at+cx:], b.V[bt+cx:], a.CStride, b.CStride, (w-x+1)/2, cn) {
				flags[whole] = 1
			}
		}
	}
}
