//go:build peers

package peers

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"sectile/asm/cpu"
	"sectile/asm/pcm"
	"sectile/asm/yuv"
)

const samples = 960 // 20 ms at 48 kHz

// peer runs f as the sub-benchmark of another implementation. f repeats by itself.
func peer(b *testing.B, impl, key string, bytes int, f func(reps int)) {
	b.Run(fmt.Sprintf("impl=%s/%s", impl, key), func(b *testing.B) {
		b.SetBytes(int64(bytes))
		f(b.N)
	})
}

// ours runs f as one sub-benchmark for each tier.
func ours(b *testing.B, key string, bytes int, f func()) {
	for _, tier := range cpu.Available() {
		b.Run(fmt.Sprintf("impl=%s/%s", tier, key), func(b *testing.B) {
			defer cpu.Set(cpu.Set(tier))
			b.SetBytes(int64(bytes))
			for b.Loop() {
				f()
			}
		})
	}
}

func randomise[T int16 | byte](s []T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range s {
		s[i] = T(r.Uint32())
	}
}

// buffers are what the kernels for samples work with, filled.
func buffers(n int) (dst, src []int16, total []int32) {
	dst, src, total = alloc[int16](n), alloc[int16](n), alloc[int32](n)
	randomise(src)
	for i := range total {
		total[i] = 3 * int32(src[n-1-i])
	}
	return dst, src, total
}

func BenchmarkSum(b *testing.B) {
	total := alloc[int32](samples)
	for _, k := range []int{3, 10, 100} {
		in, key, bytes := newInputs(k, samples), fmt.Sprintf("inputs=%d", k), 2*samples*k
		for _, s := range in.slices {
			randomise(s)
		}
		ours(b, key, bytes, func() { pcm.Sum(total, in.slices) })
		peer(b, "gcc", key, bytes, func(reps int) { in.sum(total, reps) })
		peer(b, "read", key, bytes, func(reps int) { in.read(2*samples, reps) })
	}
}

func BenchmarkMixMinus(b *testing.B) {
	_, src, total := buffers(samples)
	dst := alloc[int32](samples)
	ours(b, "n=960", 10*samples, func() { pcm.MixMinus(dst, total, src) })
	peer(b, "gcc", "n=960", 10*samples, func(reps int) { mixMinus(dst, total, src, reps) })
}

func BenchmarkPeakTotal(b *testing.B) {
	_, _, total := buffers(samples)
	ours(b, "n=960", 4*samples, func() { pcm.PeakTotal(total) })
	peer(b, "gcc", "n=960", 4*samples, func(reps int) { peakTotal(total, reps) })
}

func BenchmarkRamp(b *testing.B) {
	dst, _, total := buffers(samples)
	ours(b, "n=960", 6*samples, func() { pcm.Ramp(dst, total, 0.5, 1) })
	peer(b, "gcc", "n=960", 6*samples, func(reps int) { ramp(dst, total, 0.5, 1, reps) })
}

func BenchmarkSaturate(b *testing.B) {
	dst, _, total := buffers(samples)
	ours(b, "n=960", 6*samples, func() { pcm.Saturate(dst, total) })
	peer(b, "gcc", "n=960", 6*samples, func(reps int) { saturate(dst, total, reps) })
}

func BenchmarkGain(b *testing.B) {
	dst, src, _ := buffers(samples)
	ours(b, "n=960", 4*samples, func() { pcm.Gain(dst, src, pcm.GainUnity/2) })
	peer(b, "gcc", "n=960", 4*samples, func(reps int) { gain(dst, src, pcm.GainUnity/2, reps) })
}

func BenchmarkPeak(b *testing.B) {
	_, src, _ := buffers(samples)
	ours(b, "n=960", 2*samples, func() { pcm.Peak(src) })
	peer(b, "gcc", "n=960", 2*samples, func(reps int) { peak(src, reps) })
}

func BenchmarkEnergy(b *testing.B) {
	_, src, _ := buffers(samples)
	ours(b, "n=960", 2*samples, func() { pcm.Energy(src) })
	peer(b, "gcc", "n=960", 2*samples, func(reps int) { energy(src, reps) })
}

// BenchmarkScale is libyuv with its box filter, which it does not use where a side shrinks
// to half or more, but bilinear; impl=libyuv-bilinear is that everywhere. impl=read only
// reads the source.
func BenchmarkScale(b *testing.B) {
	for _, s := range [][4]int{
		{640, 360, 426, 240}, {1280, 720, 426, 240}, {1920, 1080, 426, 240}, {320, 180, 426, 240},
		{1280, 720, 640, 360}, {640, 360, 320, 180}, {1280, 720, 320, 180}, {1920, 1080, 640, 360}, {960, 540, 320, 180},
	} {
		src, dst := newImage(s[0], s[1]), newImage(s[2], s[3])
		randomiseImage(src)
		scaler := yuv.NewScaler(s[0], s[1], s[2], s[3])
		key, bytes := fmt.Sprintf("size=%dx%d-%dx%d", s[0], s[1], s[2], s[3]), s[0]*s[1]*3/2
		ours(b, key, bytes, func() { scaler.Scale(dst, src) })
		peer(b, "libyuv", key, bytes, func(reps int) { scale(dst, src, box, reps) })
		peer(b, "libyuv-bilinear", key, bytes, func(reps int) { scale(dst, src, bilinear, reps) })
		peer(b, "read", key, bytes, func(reps int) { readImage(src, reps) })
	}
}

func randomiseImage(m *yuv.Image) {
	randomise(m.Y)
	randomise(m.U)
	randomise(m.V)
}

// BenchmarkCopy copies a picture into a cell of a canvas.
func BenchmarkCopy(b *testing.B) {
	const w, h = 640, 360
	src, canvas := newImage(w, h), newImage(1280, 720)
	randomiseImage(src)
	dst := canvas.Sub(w, h, w, h)
	ours(b, "size=640x360", w*h*3/2, func() { yuv.Copy(&dst, src) })
	peer(b, "libyuv", "size=640x360", w*h*3/2, func(reps int) { copyImage(&dst, src, reps) })
}

func BenchmarkBlend(b *testing.B) {
	const w, h = 320, 40
	m := newImage(w, h)
	randomiseImage(m)
	shape := alloc[byte](w * h)
	randomise(shape)
	label := yuv.NewAlpha(shape, w, w, h)
	ours(b, "size=320x40", w*h*3/2, func() { yuv.Blend(m, label, 235, 128, 128) })
	// The same number of samples in one row.
	dst, alpha := alloc[byte](w*h*3/2), alloc[byte](w*h*3/2)
	peer(b, "gcc", "size=320x40", w*h*3/2, func(reps int) { blend(dst, alpha, 235, reps) })
}

// What is compared computes the same.
func TestPeersAgree(t *testing.T) {
	dst, src, total := buffers(samples)
	want := make([]int16, samples)
	for name, f := range map[string][2]func(dst []int16){
		"ramp":     {func(d []int16) { pcm.Ramp(d, total, 0.5, 1) }, func(d []int16) { ramp(d, total, 0.5, 1, 1) }},
		"saturate": {func(d []int16) { pcm.Saturate(d, total) }, func(d []int16) { saturate(d, total, 1) }},
		"gain":     {func(d []int16) { pcm.Gain(d, src, 7000) }, func(d []int16) { gain(d, src, 7000, 1) }},
	} {
		f[0](want)
		f[1](dst)
		if !slices.Equal(dst, want) {
			t.Errorf("%s differs", name)
		}
	}
	minus, wantMinus := make([]int32, samples), alloc[int32](samples)
	pcm.MixMinus(minus, total, src)
	mixMinus(wantMinus, total, src, 1)
	if !slices.Equal(minus, wantMinus) {
		t.Error("mix-minus differs")
	}
	if peak(src, 1) != pcm.Peak(src) || energy(src, 1) != pcm.Energy(src) || peakTotal(total, 1) != pcm.PeakTotal(total) {
		t.Error("levels differ")
	}
	in := newInputs(7, samples)
	for _, s := range in.slices {
		randomise(s)
	}
	sums := alloc[int32](samples)
	in.sum(sums, 1)
	pcm.Sum(total, in.slices)
	if !slices.Equal(sums, total) {
		t.Error("sums differ")
	}
	a, m := newImage(128, 36), newImage(128, 36) // without margins
	randomiseImage(a)
	copyImage(m, a, 1)
	if !slices.Equal(m.Y, a.Y) || !slices.Equal(m.U, a.U) || !slices.Equal(m.V, a.V) {
		t.Error("copies differ")
	}
}
