package yuv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"sectile/asm/internal/kerneltest"
)

// fromColours is Standardize of one sample in floating point, by way of R'G'B'.
func fromColours(from Colours, y, u, v byte) (y2, u2, v2 float64) {
	luma, cb, cr := (float64(y)-16)/219, (float64(u)-128)/224, (float64(v)-128)/224
	if from&FullRange != 0 {
		luma, cb, cr = float64(y)/255, (float64(u)-128)/255, (float64(v)-128)/255
	}
	if from&BT709 != 0 {
		const kr, kb = 0.2126, 0.0722
		r, b := luma+2*(1-kr)*cr, luma+2*(1-kb)*cb
		g := (luma - kr*r - kb*b) / (1 - kr - kb)
		luma = 0.299*r + 0.587*g + 0.114*b
		cb, cr = (b-luma)/1.772, (r-luma)/1.402
	}
	limit := func(v float64) float64 { return math.Min(math.Max(v, 0), 255) }
	return limit(16 + 219*luma), limit(128 + 224*cb), limit(128 + 224*cr)
}

func TestStandardize(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		for _, from := range []Colours{0, FullRange, BT709, FullRange | BT709} {
			most := 0.51 // rounded once
			if from == FullRange {
				most = 0.55
			}
			if from == FullRange|BT709 {
				most = 1.3 // chroma is rounded before it is spread over luma
			}
			img := NewImage(512, 512)
			for y := range 256 {
				for x := range 256 {
					img.U[y*img.CStride+x], img.V[y*img.CStride+x] = byte(x), byte(y)
				}
			}
			r := rand.New(rand.NewPCG(1, 2))
			for i := range img.Y {
				img.Y[i] = byte(r.Uint32())
			}
			was := NewImage(512, 512)
			Copy(was, img)
			Standardize(img, from)
			for y := range 512 {
				for x := range 512 {
					i, c := y*img.YStride+x, y/2*img.CStride+x/2
					wantY, wantU, wantV := fromColours(from, was.Y[i], was.U[c], was.V[c])
					for _, v := range [][2]float64{{float64(img.Y[i]), wantY}, {float64(img.U[c]), wantU}, {float64(img.V[c]), wantV}} {
						if math.Abs(v[0]-v[1]) > most {
							t.Fatalf("colours %d: %d, %d, %d became %d, %d, %d, want %.2f, %.2f, %.2f", from, was.Y[i], was.U[c], was.V[c],
								img.Y[i], img.U[c], img.V[c], wantY, wantU, wantV)
						}
					}
				}
			}
		}
	})
}

// What is next to a view of odd size stays.
func TestStandardizeView(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {7, 5}, {16, 9}, {33, 2}} {
		w, h := size[0], size[1]
		into(t, w, h, func(dst *Image) {
			Fill(dst, 255, 90, 240)
			Standardize(dst, FullRange|BT709)
			want, u, v := fromColours(FullRange|BT709, 255, 90, 240)
			for y := range h {
				for x := range w {
					if got := dst.Y[y*dst.YStride+x]; math.Abs(float64(got)-want) > 1.3 {
						t.Errorf("%v: luma at %d, %d is %d, want %.1f", size, x, y, got, want)
					}
				}
			}
			if math.Abs(float64(dst.U[0])-u) > 1.3 || math.Abs(float64(dst.V[0])-v) > 1.3 {
				t.Errorf("%v: chroma is %d, %d, want %.1f, %.1f", size, dst.U[0], dst.V[0], u, v)
			}
		})
	}
}

func TestStandardizeAllocs(t *testing.T) {
	img := NewImage(320, 180)
	if n := testing.AllocsPerRun(10, func() { Standardize(img, FullRange|BT709) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkStandardize(b *testing.B) {
	for name, from := range map[string]Colours{"range": FullRange, "matrix": BT709} {
		b.Run(fmt.Sprintf("colours=%s", name), func(b *testing.B) {
			img := NewImage(1280, 720)
			for i := range img.U {
				img.U[i], img.V[i] = byte(100+i%50), byte(110+i%40)
			}
			for b.Loop() {
				Standardize(img, from)
			}
		})
	}
}
