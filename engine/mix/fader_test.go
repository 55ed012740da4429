package mix

import (
	"math"
	"slices"
	"testing"

	"sectile/asm/pcm"
)

// TestFader follows a constant through opening, a change of gain and closing.
func TestFader(t *testing.T) {
	const level = 10000
	half := int32(pcm.GainUnity / 2)
	steps := []struct {
		gain       int32
		open       bool
		times      int
		start, end float64 // of level, at the frame's ends
	}{
		{pcm.GainUnity, false, 0, 0, 0},
		{pcm.GainUnity, true, 1, 0, 1},
		{pcm.GainUnity, true, 1, 1, 1},
		{half, true, 1, 1, 0.5},
		{half, true, 1, 0.5, 0.5},
		{half, false, 1, 0.5, 0},
		{half, false, 0, 0, 0},
		{pcm.GainUnity, false, 0, 0, 0},
		{half, true, 1, 0, 0.5},
		{2 * pcm.GainUnity, true, 1, 0.5, 2},
		{4 * pcm.GainUnity, true, 2, 2, 4},
		{10 * pcm.GainUnity, true, 4, 4, 10},
		{10 * pcm.GainUnity, true, 4, 10, 10},
		{pcm.GainUnity, true, 4, 10, 1},
		{2 * pcm.GainUnity, true, 1, 1, 2},
		{2 * pcm.GainUnity, false, 1, 2, 0},
	}
	for _, f := range frames {
		var fader Fader
		wide := make([]int32, f.samples)
		pcmIn := make([]int16, f.samples)
		last := 0.0
		for i, s := range steps {
			for j := range pcmIn {
				pcmIn[j] = level
			}
			times := fader.Step(pcmIn, wide, f.frame, s.gain, s.open)
			if times != s.times {
				t.Fatalf("%d samples, step %d: added %d times", f.samples, i, times)
			}
			if times == 0 {
				continue
			}
			unit := level / float64(times)
			first, end := float64(pcmIn[0])/unit, float64(pcmIn[f.samples-1])/unit
			slope := 10.0 / float64(f.samples) * float64(f.frame) / float64(min(f.frame, fadeIn))
			if math.Abs(first-s.start) > slope || math.Abs(end-s.end) > slope {
				t.Errorf("%d samples, step %d: from %.3f to %.3f, want %v to %v", f.samples, i, first, end, s.start, s.end)
			}
			for j, v := range pcmIn {
				if v := float64(v) / unit; math.Abs(v-last) > slope {
					t.Fatalf("%d samples, step %d: a jump from %.3f to %.3f at %d", f.samples, i, last, v, j)
				}
				last = float64(v) / unit
			}
		}
	}
}

// TestFaderLosesNoOnset: all but the first 5 ms of the frame in which it opens is as it was.
func TestFaderLosesNoOnset(t *testing.T) {
	var fader Fader
	in := make([]int16, 960)
	for i := range in {
		in[i] = int16(i*37%20000 - 10000)
	}
	out := slices.Clone(in)
	fader.Step(out, make([]int32, 960), frame, pcm.GainUnity, true)
	if !slices.Equal(out[240:], in[240:]) {
		t.Error("what comes after 5 ms is changed")
	}
	if pcm.Energy(out[120:240]) < pcm.Energy(in[120:240])/3 {
		t.Error("the second half of the fade is quieter than it is meant to be")
	}
}

func TestGain(t *testing.T) {
	for dB, want := range map[float64]int32{0: pcm.GainUnity, 20: pcm.GainMax, -60: 4, -6: 2053, 6: 8173} {
		if got := Gain(dB); got != want {
			t.Errorf("%v dB is %d, want %d", dB, got, want)
		}
	}
}
