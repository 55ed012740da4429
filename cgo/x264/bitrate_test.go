package x264

import (
	"errors"
	"testing"

	"sectile/asm/yuv"
)

// TestSetBitrate: what is encoded follows, both ways, without a keyframe.
func TestSetBitrate(t *testing.T) {
	e := newEncoder(t, params360())
	img := yuv.NewImage(640, 360)
	n := 0
	rate := func() int {
		bytes := 0
		for i := range 75 {
			moving(img, n)
			n++
			au, key, err := e.Encode(img, int64(n)*3600, false, nil)
			if err != nil {
				t.Fatal(err)
			}
			if key && n > 1 {
				t.Errorf("picture %d is a keyframe", n)
			}
			if i >= 25 { // the buffer of the rate before is used up
				bytes += len(au)
			}
		}
		return 8 * bytes / 2
	}
	for _, want := range []int{800_000, 200_000, 600_000} {
		if err := e.SetBitrate(want); err != nil {
			t.Fatal(err)
		}
		if got := rate(); got < want*7/10 || got > want*12/10 {
			t.Errorf("%d bit/s, want %d", got, want)
		}
	}
	if err := e.SetBitrate(10); err == nil {
		t.Error("10 bit/s are accepted")
	}
	e.Close()
	if err := e.SetBitrate(500_000); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
