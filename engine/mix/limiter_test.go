package mix

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"sectile/asm/pcm"
)

// limit sends a mix through a limiter in frames and returns what comes out, and the time
// in which the gain was below one.
func limit(l *Limiter, mix []int32, samples int) (out []int16, active time.Duration) {
	dst := make([]int16, samples)
	for i := 0; i < len(mix); i += samples {
		copy(l.next(), mix[i:i+samples])
		a, silent := l.Limit(dst)
		if silent && pcm.Peak(dst) != 0 {
			panic("silence with a peak")
		}
		active += a
		out = append(out, dst...)
	}
	return out, active
}

// frames are the sizes of frames at some rates.
var frames = []struct {
	samples int
	frame   time.Duration
}{
	{960, 20 * time.Millisecond}, {120, LookAhead}, {2880, 60 * time.Millisecond}, {20, LookAhead}, {160, 10 * time.Millisecond},
}

// TestLimiterBypass: what is not too loud comes out as it is, LookAhead later.
func TestLimiterBypass(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, f := range frames {
		mix := make([]int32, 20*f.samples)
		for i := range mix {
			mix[i] = int32(rng.IntN(2*ceiling+1) - ceiling)
		}
		l := NewLimiter(f.samples, f.frame)
		out, active := limit(l, mix, f.samples)
		delay := f.samples * int(LookAhead) / int(f.frame)
		for i, v := range out {
			want := int32(0)
			if i >= delay {
				want = mix[i-delay]
			}
			if int32(v) != want {
				t.Fatalf("%d samples: [%d] = %d, want %d", f.samples, i, v, want)
			}
		}
		if active != 0 {
			t.Errorf("%d samples: active for %v", f.samples, active)
		}
	}
}

// TestLimiterNeverOvershoots, whatever comes: steps, bursts, noise of any level.
func TestLimiterNeverOvershoots(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, f := range frames {
		l := NewLimiter(f.samples, f.frame)
		for round := range 300 {
			mix := make([]int32, f.samples)
			level := int32(1) << rng.IntN(31)
			for i := range mix {
				switch round % 4 {
				case 0:
					mix[i] = rng.Int32N(level) - level/2
				case 1:
					mix[i] = level
				case 2:
					if rng.IntN(50) == 0 {
						mix[i] = -level
					}
				case 3:
					mix[i] = int32(rng.Uint32())
				}
			}
			if out, _ := limit(l, mix, f.samples); pcm.Peak(out) > ceiling {
				t.Fatalf("%d samples, round %d, level %d: peak %d", f.samples, round, level, pcm.Peak(out))
			}
		}
	}
}

func FuzzLimiter(f *testing.F) {
	f.Add([]byte{0, 1, 2, 31, 200}, uint8(0))
	f.Fuzz(func(t *testing.T, levels []byte, size uint8) {
		s := frames[int(size)%len(frames)]
		l := NewLimiter(s.samples, s.frame)
		mix := make([]int32, s.samples)
		for _, b := range levels {
			level := int32(math.MaxInt32) >> (b & 31)
			for i := range mix {
				mix[i] = level
				if b>>5 > 0 && i%int(b>>5) == 0 {
					mix[i] = -level
				}
			}
			if out, _ := limit(l, mix, s.samples); pcm.Peak(out) > ceiling {
				t.Fatalf("peak %d", pcm.Peak(out))
			}
		}
	})
}

// TestLimiterIsSmooth: a burst on a tone turns the tone down before it comes and up after
// it, and nowhere does the gain jump.
func TestLimiterIsSmooth(t *testing.T) {
	const samples, seconds = 960, 3
	mix, tone := make([]int32, seconds*48000), make([]float64, seconds*48000)
	const burst, burstEnd = 48000, 48000 + 4800
	for i := range mix {
		tone[i] = 8000 * math.Sin(2*math.Pi*997*float64(i)/48000)
		if i >= burst && i < burstEnd {
			tone[i] *= 10
		}
		mix[i] = int32(tone[i])
	}
	out, active := limit(NewLimiter(samples, frame), mix, samples)
	const delay = 120
	// The gain where the wave is not near zero.
	gains := make([]float64, len(out))
	last := 1.0
	for i := delay; i < len(out); i++ {
		if math.Abs(tone[i-delay]) > 2000 {
			g := float64(out[i]) / tone[i-delay]
			if step := math.Abs(g - last); step > 0.03 { // 2.5 ms from 1 to 0.37 are 0.005 a sample
				t.Fatalf("the gain goes from %.3f to %.3f at %.1f ms", last, g, float64(i)/48)
			}
			last = g
		}
		gains[i] = last
	}
	if g := gains[burst-10]; math.Abs(g-1) > 0.001 {
		t.Errorf("gain %.3f before the look-ahead", g)
	}
	if g := gains[burstEnd-100]; math.Abs(g-ceiling/80000.0) > 0.01 {
		t.Errorf("gain %.3f in the burst, want %.3f", g, ceiling/80000.0)
	}
	if g := gains[burstEnd+delay+48*150]; g < 0.6 || g > 0.9 {
		t.Errorf("gain %.3f 150 ms after the burst, want 0.76", g)
	}
	if g := gains[len(gains)-1]; math.Abs(g-1) > 0.001 {
		t.Errorf("gain %.3f at the end", g)
	}
	if active < 700*time.Millisecond || active > 1500*time.Millisecond {
		t.Errorf("active for %v", active)
	}
}

// TestLimiterTakesOver: a limiter that goes on from another one lets out the same, and two
// that had different work agree in the end.
func TestLimiterTakesOver(t *testing.T) {
	const samples = 960
	rng := rand.New(rand.NewPCG(7, 8))
	noise := func(frames int, level int32) []int32 {
		mix := make([]int32, frames*samples)
		for i := range mix {
			mix[i] = rng.Int32N(2*level) - level
		}
		return mix
	}
	a, b := NewLimiter(samples, frame), NewLimiter(samples, frame)
	limit(a, noise(10, 100000), samples)
	b.Take(a)
	loud := noise(10, 50000)
	outA, _ := limit(a, loud, samples)
	outB, _ := limit(b, loud, samples)
	if !slices.Equal(outA, outB) {
		t.Error("the copy lets out something else")
	}
	limit(a, noise(1, 400000), samples)
	limit(b, noise(1, 10), samples)
	if a.Agrees(b) {
		t.Fatal("they agree after different work")
	}
	for _, level := range []int32{100, 60000} {
		limit(a, noise(1, 400000), samples)
		for i := 0; ; i++ {
			if i > 150 {
				t.Fatalf("at level %d they do not agree after 3 s", level)
			}
			same := noise(1, level)
			limit(a, same, samples)
			limit(b, same, samples)
			if a.Agrees(b) {
				break
			}
		}
	}
}
