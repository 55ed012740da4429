package yuv

import (
	"testing"

	"sectile/asm/internal/kerneltest"
)

// What rooms scale; bytes are those of the source.
func BenchmarkScale(b *testing.B) {
	kerneltest.Bench(b, func(b *testing.B) {
		for _, s := range [][4]int{
			{1280, 720, 640, 360}, {1280, 720, 320, 180}, {1920, 1080, 640, 360}, {1920, 1080, 426, 240},
			{1280, 720, 426, 240}, {640, 360, 426, 240}, {640, 360, 1280, 720},
		} {
			b.Run("size="+name(s), func(b *testing.B) {
				src, dst := NewImage(s[0], s[1]), NewImage(s[2], s[3])
				randomise(src, 1)
				scaler := NewScaler(s[0], s[1], s[2], s[3])
				b.SetBytes(int64(s[0] * s[1] * 3 / 2))
				for b.Loop() {
					scaler.Scale(dst, src)
				}
			})
		}
	})
}

// benchRows runs one row kernel on rows of n samples.
func benchRows(b *testing.B, srcBytes int, f func(dst, src []byte, mid []int16)) {
	const n = 640
	kerneltest.Bench(b, func(b *testing.B) {
		b.Run("n=640", func(b *testing.B) {
			dst, src, mid := make([]byte, n), make([]byte, 4*4*n), make([]int16, 8*n)
			b.SetBytes(int64(srcBytes * n))
			for b.Loop() {
				f(dst, src, mid)
			}
		})
	})
}

func BenchmarkHalf(b *testing.B) {
	benchRows(b, 4, func(dst, src []byte, _ []int16) { halfPlane(dst, 0, src, 2*len(dst), len(dst), 1) })
}

func BenchmarkQuarter(b *testing.B) {
	benchRows(b, 16, func(dst, src []byte, _ []int16) { quarterPlane(dst, 0, src, 4*len(dst), len(dst), 1) })
}

func BenchmarkVertical(b *testing.B) {
	weight := []int16{5461, 5462, 5461, 0}
	benchRows(b, 3, func(dst, src []byte, mid []int16) { vertical(mid[:len(dst)], src, len(dst), weight, 3) })
}

// BenchmarkHorizontalPairs shrinks by 1.5, BenchmarkHorizontalDots by 3.
func BenchmarkHorizontalPairs(b *testing.B) { benchHorizontal(b, 960) }
func BenchmarkHorizontalDots(b *testing.B)  { benchHorizontal(b, 1920) }

func benchHorizontal(b *testing.B, srcW int) {
	a := newAxis(srcW, 640)
	t, rest := newTables(a), make([]byte, 16)
	benchRows(b, 1, func(dst, _ []byte, mid []int16) { horizontal(dst, mid, a, &t, rest) })
}

func BenchmarkFill(b *testing.B) {
	m := NewImage(1280, 720)
	b.SetBytes(1280 * 720 * 3 / 2)
	for b.Loop() {
		Fill(m, 16, 128, 128)
	}
}
