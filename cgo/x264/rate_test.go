package x264

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"sectile/asm/yuv"
	"sectile/cgo/h264dec"
)

// TestRateModel lets rate control choose for pictures that cost bits at random, as its model
// says and half as much or twice: the bitrate is used, and the bucket does not run over.
func TestRateModel(t *testing.T) {
	const blocks, bitrate, fps = 3600, 1_500_000, 30
	rng := rand.New(rand.NewPCG(7, 8))
	for _, moving := range []int{200, 1800, 3600} {
		r := newRate(bitrate, fps, 1280, 720, blocks)
		same := bytes.Repeat([]byte{1}, blocks)
		clear(same[:moving])
		sum, over := 0.0, 0
		const pictures = 20 * fps
		for n := range pictures {
			r.pass(1. / fps)
			qp := r.begin(n == 0 || n == 300, false, same)
			cost := 200. // bits a block at QP 24
			if r.kind == key {
				cost = 600
			}
			bits := cost * r.work * scale(24) / scale(float64(qp)) * math.Exp2(rng.Float64()*2-1)
			for r.kind == key && r.again(int(bits)) { // the cost was not known, or is another now
				bits = cost * r.work * scale(24) / scale(float64(r.chosen))
			}
			if r.again(int(bits)) {
				t.Fatalf("%d blocks, picture %d: of the usual cost, but encoded again", moving, n)
			}
			r.end(int(bits))
			if n >= fps {
				sum += bits
			}
			if r.level > r.capacity {
				over++
			}
		}
		if over > 0 {
			t.Errorf("%d blocks: %d pictures do not fit the bucket", moving, over)
		}
		rate := sum / (pictures/fps - 1)
		if rate > 1.02*bitrate || moving > 200 && rate < 0.9*bitrate {
			t.Errorf("%d blocks: %.0f bit/s, want %d", moving, rate, bitrate)
		}
	}
}

// TestMovingTooMuch: a part of the picture moves in a way that takes more bits than the bitrate
// allows, twice as many a block as in a keyframe. It gets coarse, but goes on moving: keyframes
// are no way out.
func TestMovingTooMuch(t *testing.T) {
	const blocks, fps, bitrate = 240, 25, 125_000
	same := bytes.Repeat([]byte{1}, blocks)
	clear(same[:89])
	r := newRate(bitrate, fps, 320, 180, blocks)
	sent, keys, keyed, holding := 0, 0, -fps, false
	const pictures = 10 * fps
	for n := range pictures {
		r.pass(1. / fps)
		mayKey := n-keyed >= fps
		if holding && !mayKey {
			continue
		}
		isKey := n == 0 || holding
		qp := r.begin(isKey, false, same)
		size := func() int { // as measured; half as fine does not take half the bits
			if r.kind == key {
				return int(66000 * math.Exp2(float64(21-qp)/13.6))
			}
			return int(43500 * math.Exp2(float64(27-qp)/9))
		}
		bits := size()
		for r.again(bits) && mayKey {
			isKey, qp = true, r.chosen
			bits = size()
		}
		if holding = !mayKey && r.kind == key && !isKey; holding { // again said so
			continue
		}
		if isKey {
			keyed = n
			keys++
		}
		sent++
		r.end(bits)
	}
	if sent < pictures*8/10 || keys > 2 {
		t.Errorf("of %d pictures %d are sent, %d of them keyframes", pictures, sent, keys)
	}
}

// TestNewPicture shows something quite different after a picture that was refined for long:
// quantized as finely, it would take seconds to send.
func TestNewPicture(t *testing.T) {
	p := params360()
	e := newEncoder(t, p)
	img := yuv.NewImage(p.Width, p.Height)
	yuv.Fill(img, 100, 120, 140)
	encode := func(n int) ([]byte, bool) {
		t.Helper()
		au, isKey, err := e.Encode(img, int64(n)*3600, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		return au, isKey
	}
	for n := range 50 {
		encode(n)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range img.Y {
		img.Y[i] = byte(rng.Uint32())
	}
	au, isKey := encode(50)
	if half := p.Bitrate / 8 / 2; len(au) > half {
		t.Errorf("a new picture takes %d bytes, the buffer %d", len(au), half)
	}
	if !isKey {
		t.Error("a new picture that did not fit is no keyframe, but what it refers to was not sent")
	}
	d, err := h264dec.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if ok, err := d.Decode(au); !ok || err != nil {
		t.Fatalf("Decode = %v, %v", ok, err)
	}
	for n := 51; n < 60; n++ { // and the stream goes on from it
		au, _ := encode(n)
		if ok, err := d.Decode(au); !ok || err != nil {
			t.Fatalf("picture %d: Decode = %v, %v", n, ok, err)
		}
	}
}

// TestRefreshes: every eighth picture of 30 a second is finer, the more so the more of it
// stands still and gains from it for long.
func TestRefreshes(t *testing.T) {
	const blocks, fps = 3600, 30
	for _, c := range []struct {
		moving      int
		least, most int
	}{{blocks, 1, 4}, {blocks / 2, 3, 7}, {blocks / 10, 6, 9}} {
		r := newRate(1_500_000, fps, 1280, 720, blocks)
		same := bytes.Repeat([]byte{1}, blocks)
		clear(same[:c.moving])
		since := 0
		for n := range 10 * fps {
			r.pass(1. / fps)
			qp := r.begin(n == 0, false, same)
			bits := 1.5e6 / fps * r.work / (float64(c.moving) + blocks/16.) * scale(32) / scale(float64(qp))
			r.end(int(bits))
			since++
			if r.kind == plain {
				continue
			}
			if gain := int(r.qp+0.5) - qp; n > 5*fps && (gain < c.least || gain > c.most) {
				t.Errorf("%d of %d blocks move: picture %d finer by %d, want %d to %d", c.moving, blocks, n, gain, c.least, c.most)
			}
			if n > 0 && since != 8 {
				t.Errorf("picture %d is the first finer one for %d pictures, want 8", n, since)
			}
			since = 0
		}
	}
}

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
