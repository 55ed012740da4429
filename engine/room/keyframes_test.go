package room

import (
	"bytes"
	"testing"
	"time"
)

const ms = time.Millisecond

func TestGOP(t *testing.T) {
	g := gop{cheap: 1000}
	if got := g.answer(0, 0); got != encode {
		t.Errorf("before any keyframe: %v", got)
	}
	now := 5 * time.Second
	key, small, big := bytes.Repeat([]byte{1}, 800), bytes.Repeat([]byte{2}, 50), bytes.Repeat([]byte{3}, 1000)
	g.add(small, false, now-time.Second)
	if got := g.answer(0, now); got != encode {
		t.Errorf("without a keyframe: %v", got)
	}
	g.add(key, true, now)
	g.add(small, false, now+40*ms)
	if !bytes.Equal(g.unit(0), key) || !bytes.Equal(g.unit(1), small) || len(g.ends) != 2 {
		t.Errorf("keeps %v", g.ends)
	}
	// What is small is replayed at any age.
	for _, age := range []time.Duration{0, 50 * ms, 999 * ms, time.Hour} {
		if got := g.answer(0, now+age); got != replay {
			t.Errorf("small, age %v: %v", age, got)
		}
	}
	// What is big only while a keyframe is not due.
	g.add(big, false, now+80*ms)
	for age, want := range map[time.Duration]answer{100 * ms: replay, 999 * ms: replay, time.Second: encode} {
		if got := g.answer(0, now+age); got != want {
			t.Errorf("big, age %v: %v", age, got)
		}
	}
	// Over a thin link it takes longer than to wait for the keyframe.
	for _, test := range []struct {
		rate int
		age  time.Duration
		want answer
	}{{100_000, 100 * ms, replay}, {10_000, 100 * ms, replay}, {9000, 100 * ms, later}, {10_000, 200 * ms, later}, {100_000, 910 * ms, replay}, {100_000, 920 * ms, later}} {
		if got := g.answer(test.rate, now+test.age); got != test.want {
			t.Errorf("big, %d bit/s, age %v: %v", test.rate, test.age, got)
		}
	}
	// What is not kept as a whole is not replayed, and a keyframe still keeps its distance.
	g.add(bytes.Repeat(big, 3), false, now+120*ms)
	for age, want := range map[time.Duration]answer{200 * ms: later, time.Second: encode} {
		if got := g.answer(0, now+age); got != want {
			t.Errorf("huge, age %v: %v", age, got)
		}
	}
	g.add(small, false, now+160*ms)
	if g.whole {
		t.Error("kept with a hole")
	}
	g.add(key, true, now+2*time.Second)
	for range 2 * gopPictures {
		g.add([]byte{1}, false, now+3*time.Second)
	}
	if got := g.answer(0, now+4*time.Second); got != encode {
		t.Errorf("of too many pictures: %v", got)
	}
	g.reset()
	if got := g.answer(0, now+4*time.Second); got != encode || g.cheap != 1000 {
		t.Errorf("after reset: %v, %d", got, g.cheap)
	}
}

func TestFrameClock(t *testing.T) {
	for _, fps := range []int{1, 7, 24, 25, 30, 59, 60} {
		period := time.Second / time.Duration(fps)
		c := frameClock{period: period, fps: int64(fps)}
		deadline := 36*time.Hour + 125*time.Microsecond*3
		last, odd := c.at(deadline), 0
		for n := range 200_000 {
			skip := 1
			if n%1000 == 0 {
				skip = 3
			}
			deadline += time.Duration(skip) * period
			ts := c.at(deadline)
			step := float64(ts-last) / float64(skip)
			if exact := float64(videoClock) / float64(fps); step <= exact-1 || step >= exact+1 {
				odd++
			}
			if again := c.at(deadline); again != ts {
				t.Fatalf("%d fps: %d and then %d at one time", fps, ts, again)
			}
			off := float64(ts)/videoClock - deadline.Seconds()
			if off < -0.0006 || off > 0.0006 {
				t.Fatalf("%d fps: %v s off the clock after %d pictures", fps, off, n)
			}
			last = ts
		}
		if odd > 1 { // when it follows the clock
			t.Errorf("%d fps: %d steps are not those of %d pictures a second", fps, odd, fps)
		}
	}
}
