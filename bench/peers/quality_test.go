//go:build peers

package peers

import (
	"fmt"
	"image"
	_ "image/jpeg"
	"math"
	"os"
	"path/filepath"
	"testing"

	"sectile/asm/yuv"
)

// photos holds the photographs of Debian's mate-backgrounds.
const photos = "/usr/share/backgrounds/mate/nature"

// gray is a plane in floating point.
type gray struct {
	w, h int
	v    []float64
}

func newGray(w, h int) gray { return gray{w, h, make([]float64, w*h)} }

// zonePlate has all frequencies from none in the middle to the highest at the edge of the
// longer side, in all directions.
func zonePlate(w, h int) gray {
	g := newGray(w, h)
	k := math.Pi / float64(max(w, h))
	for y := range h {
		for x := range w {
			dx, dy := float64(x)-float64(w)/2, float64(y)-float64(h)/2
			g.v[y*w+x] = 127.5 + 127.5*math.Cos(k*(dx*dx+dy*dy))
		}
	}
	return g
}

// photo returns the luma of a picture.
func photo(t *testing.T, path string) gray {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, _, err := image.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	ycc, ok := m.(*image.YCbCr)
	if !ok {
		t.Fatalf("%s is no YCbCr picture", path)
	}
	g := newGray(ycc.Rect.Dx(), ycc.Rect.Dy())
	for y := range g.h {
		for x := range g.w {
			g.v[y*g.w+x] = float64(ycc.Y[y*ycc.YStride+x])
		}
	}
	return g
}

// area shrinks by the mean of the area that each sample covers, in floating point.
func (g gray) area(w, h int) gray {
	mid := newGray(w, g.h)
	shrinkLine(g.w, w, func(to, from int, weight float64) {
		for y := range g.h {
			mid.v[y*w+to] += weight * g.v[y*g.w+from]
		}
	})
	out := newGray(w, h)
	shrinkLine(g.h, h, func(to, from int, weight float64) {
		for x := range w {
			out.v[to*w+x] += weight * mid.v[from*w+x]
		}
	})
	return out
}

func shrinkLine(src, dst int, add func(to, from int, weight float64)) {
	ratio := float64(src) / float64(dst)
	for o := range dst {
		begin, end := float64(o)*ratio, float64(o+1)*ratio
		for i := int(begin); i < min(int(math.Ceil(end)), src); i++ {
			if covered := min(end, float64(i+1)) - max(begin, float64(i)); covered > 0 {
				add(o, i, covered/ratio)
			}
		}
	}
}

// luma puts g into the luma of m.
func (g gray) luma(m *yuv.Image) {
	for y := range g.h {
		for x := range g.w {
			m.Y[y*m.YStride+x] = byte(math.Round(g.v[y*g.w+x]))
		}
	}
}

func lumaOf(m *yuv.Image) gray {
	g := newGray(m.Width, m.Height)
	for y := range g.h {
		for x := range g.w {
			g.v[y*g.w+x] = float64(m.Y[y*m.YStride+x])
		}
	}
	return g
}

func psnr(a, b gray) float64 {
	sum := 0.0
	for i, v := range a.v {
		sum += (v - b.v[i]) * (v - b.v[i])
	}
	return 10 * math.Log10(255*255*float64(len(a.v))/sum)
}

// ssim is the mean structural similarity of windows of 8×8, 4 samples apart.
func ssim(a, b gray) float64 {
	const (
		size, step = 8, 4
		c1, c2     = (0.01 * 255) * (0.01 * 255), (0.03 * 255) * (0.03 * 255)
		n          = size * size
	)
	total, windows := 0.0, 0
	for y := 0; y+size <= a.h; y += step {
		for x := 0; x+size <= a.w; x += step {
			var sa, sb, saa, sbb, sab float64
			for j := range size {
				for i := range size {
					p, q := a.v[(y+j)*a.w+x+i], b.v[(y+j)*a.w+x+i]
					sa, sb, saa, sbb, sab = sa+p, sb+q, saa+p*p, sbb+q*q, sab+p*q
				}
			}
			ma, mb := sa/n, sb/n
			va, vb, cov := saa/n-ma*ma, sbb/n-mb*mb, sab/n-ma*mb
			total += (2*ma*mb + c1) * (2*cov + c2) / ((ma*ma + mb*mb + c1) * (va + vb + c2))
			windows++
		}
	}
	return total / float64(windows)
}

// The scaler comes at least as close to the mean of areas as libyuv's box filter does.
func TestQuality(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(photos, "*.jpg"))
	if err != nil || len(paths) < 5 {
		t.Fatalf("%d photographs in %s: scripts/deps.sh bench installs them", len(paths), photos)
	}
	pictures := map[string]gray{}
	for _, p := range paths {
		pictures[p] = photo(t, p)
	}
	for _, s := range [][4]int{
		{640, 360, 426, 240}, {1280, 720, 426, 240}, {1920, 1080, 426, 240},
		{640, 360, 320, 180}, {960, 540, 320, 180}, {1280, 720, 320, 180},
	} {
		src, dst := newImage(s[0], s[1]), newImage(s[2], s[3])
		scaler := yuv.NewScaler(s[0], s[1], s[2], s[3])
		// compare adds the measures of ours and theirs to sums.
		compare := func(name string, g gray, sums *[4]float64) {
			g.luma(src)
			want := lumaOf(src).area(s[2], s[3])
			scaler.Scale(dst, src)
			ours := lumaOf(dst)
			scale(dst, src, box, 1)
			theirs := lumaOf(dst)
			m := [4]float64{psnr(ours, want), psnr(theirs, want), ssim(ours, want), ssim(theirs, want)}
			if m[0] < m[1] || m[2] < m[3] {
				t.Errorf("%v of %s: PSNR %.2f dB, libyuv %.2f; SSIM %.6f, libyuv %.6f", s, name, m[0], m[1], m[2], m[3])
			}
			for i, v := range m {
				sums[i] += v
			}
		}
		var plate, all [4]float64
		compare("zone plate", zonePlate(s[0], s[1]), &plate)
		n := 0.0
		for name, g := range pictures {
			if g.w >= s[0] && g.h >= s[1] {
				compare(name, g.area(s[0], s[1]), &all)
				n++
			}
		}
		size := fmt.Sprintf("%d×%d → %d×%d", s[0], s[1], s[2], s[3])
		t.Logf("| %s | %.1f, %.1f dB | %.4f, %.4f | %.1f, %.1f dB | %.4f, %.4f |", size,
			plate[0], plate[1], plate[2], plate[3], all[0]/n, all[1]/n, all[2]/n, all[3]/n)
	}
}
