package yuv

import "fmt"

// Colours says what colours the samples of a picture stand for, as far as they are others
// than by BT.601 with limited range: luma of 16–235 and chroma of 16–240.
type Colours uint8

const (
	FullRange Colours = 1 << iota // all samples span 0–255
	BT709                         // the matrix is that of BT.709
)

// Full range becomes limited by a blend of all samples with one colour: luma y becomes
// (219·y + 36·113)/255, chroma c becomes (224·c + 31·128)/255, rounded to nearest. The
// former is 16 + 219·y/255 to a twentieth, the latter is 128 + 224·(c-128)/255.
const (
	lumaShare, lumaColour     = 36, 113
	chromaShare, chromaColour = 31, 128
)

var lumaShares, chromaShares [maxSize]byte

func init() {
	for i := range lumaShares {
		lumaShares[i], chromaShares[i] = lumaShare, chromaShare
	}
}

// Standardize makes a picture that has the colours from one of BT.601 with limited range,
// in place. It panics if it is wider than 4096.
func Standardize(img *Image, from Colours) {
	if from == 0 {
		return
	}
	if img.Width > maxSize {
		panic(fmt.Sprintf("yuv: picture of %d×%d", img.Width, img.Height))
	}
	img.check()
	cw, ch := (img.Width+1)/2, (img.Height+1)/2
	if from&FullRange != 0 {
		for y := range img.Height {
			blend(img.Y[y*img.YStride:][:img.Width], lumaShares[:img.Width], lumaColour)
		}
		for y := range ch {
			blend(img.U[y*img.CStride:][:cw], chromaShares[:cw], chromaColour)
			blend(img.V[y*img.CStride:][:cw], chromaShares[:cw], chromaColour)
		}
	}
	if from&BT709 != 0 {
		for y := range ch {
			upper := img.Y[2*y*img.YStride:][:img.Width]
			lower := img.Y[min(2*y+1, img.Height-1)*img.YStride:][:img.Width]
			if 2*y+1 == img.Height {
				lower = nil
			}
			from709(upper, lower, img.U[y*img.CStride:][:cw], img.V[y*img.CStride:][:cw])
		}
	}
}

// from709 converts a row of chroma and the one or two rows of luma that go with it from the
// matrix of BT.709 to that of BT.601: with chroma around 0,
//
//	y += 0.09931·u + 0.19170·v
//	u, v = 0.98985·u - 0.11065·v, -0.07245·u + 0.98340·v
//
// in 16 bits of fraction.
func from709(upper, lower, us, vs []byte) {
	vs = vs[:len(us)]
	for x, u := range us {
		cu, cv := int32(u)-128, int32(vs[x])-128
		if cu|cv == 0 {
			continue // grey stays grey
		}
		us[x] = clamp(128 + (64871*cu-7252*cv+1<<15)>>16)
		vs[x] = clamp(128 + (-4748*cu+64448*cv+1<<15)>>16)
		more := (6508*cu + 12563*cv + 1<<15) >> 16
		brighten(upper, 2*x, more)
		brighten(lower, 2*x, more)
	}
}

// brighten adds to the sample at x and the next one, as far as there are any.
func brighten(row []byte, x int, more int32) {
	if x+1 < len(row) {
		row[x], row[x+1] = clamp(int32(row[x])+more), clamp(int32(row[x+1])+more)
	} else if x < len(row) {
		row[x] = clamp(int32(row[x]) + more)
	}
}

func clamp(v int32) byte { return byte(min(max(v, 0), 255)) }
