package x264

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"sectile/asm/yuv"
	"sectile/engine/codec"
	"sectile/engine/h264"
)

func params360() codec.VideoParams {
	return codec.VideoParams{Width: 640, Height: 360, FPS: 25, Bitrate: 800_000, Preset: "superfast"}
}

func newEncoder(t testing.TB, p codec.VideoParams) *Encoder {
	t.Helper()
	e, err := NewEncoder(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// moving draws the nth picture of a gradient that moves, with some noise.
func moving(img *yuv.Image, n int) {
	rng := rand.New(rand.NewPCG(uint64(n), 1))
	for y := range img.Height {
		row := img.Y[y*img.YStride:][:img.Width]
		for x := range row {
			row[x] = byte(x+y+3*n)&0x7f + 40 + byte(rng.Uint32()&7)
		}
	}
	for y := range img.Height / 2 {
		for x := range img.Width / 2 {
			img.U[y*img.CStride+x], img.V[y*img.CStride+x] = byte(90+n%60), byte(x&0x3f+100)
		}
	}
}

// types lists the NAL unit types of an access unit in Annex B format.
func types(au []byte) (list []int) {
	for _, nal := range bytes.Split(au, []byte{0, 0, 1})[1:] {
		list = append(list, int(nal[0]&0x1f))
	}
	return list
}

// sps finds the SPS of an access unit.
func sps(t *testing.T, au []byte) (h264.SPS, []byte) {
	t.Helper()
	for _, nal := range bytes.Split(au, []byte{0, 0, 1})[1:] {
		if nal[0]&0x1f == 7 {
			nal = bytes.TrimRight(nal, "\x00")
			s, err := h264.ParseSPS(nal)
			if err != nil {
				t.Fatal(err)
			}
			return s, nal
		}
	}
	t.Fatal("no SPS")
	return h264.SPS{}, nil
}

func TestKeyframesOnlyOnRequest(t *testing.T) {
	e := newEncoder(t, params360())
	img := yuv.NewImage(640, 360)
	for n := range 250 {
		if n%100 == 50 {
			yuv.Fill(img, byte(n), byte(n), 128) // a cut, which x264 would like to be a keyframe
		} else if n < 120 {
			moving(img, n)
		}
		forced := n == 7 || n == 8 || n == 200
		au, key, err := e.Encode(img, int64(n)*3600, forced, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := []int{1}
		if forced || n == 0 {
			want = []int{7, 8, 5}
		}
		if got := types(au); !slices.Equal(got, want) || key != (len(want) == 3) {
			t.Fatalf("picture %d: NAL units %v, key %v; want %v", n, got, key, want)
		}
		if !bytes.HasPrefix(au, []byte{0, 0, 0, 1}) {
			t.Fatalf("picture %d starts with %x", n, au[:4])
		}
	}
}

func TestStreamIsConstrainedBaseline(t *testing.T) {
	for _, preset := range presets {
		if preset == "placebo" {
			continue // slow, and no different
		}
		p := params360()
		p.Preset = preset
		e := newEncoder(t, p)
		img := yuv.NewImage(640, 360)
		moving(img, 0)
		au, _, err := e.Encode(img, 0, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		s, _ := sps(t, au)
		if s.Profile != 66 || s.Constraints&0x40 == 0 {
			t.Errorf("%s: profile %d, constraints %#x", preset, s.Profile, s.Constraints)
		}
		if s.Width != 640 || s.Height != 360 || s.Check() != nil {
			t.Errorf("%s: SPS %+v: %v", preset, s, s.Check())
		}
	}
}

func TestLevel(t *testing.T) {
	for _, c := range []struct{ w, h, fps, bitrate, level int }{
		{320, 180, 25, 300_000, 12},
		{640, 360, 25, 800_000, 30}, // 920 macroblocks × 25 = 23000/s
		{1280, 720, 25, 1_500_000, 31},
		{1280, 720, 30, 1_500_000, 31},
		{1280, 720, 60, 3_000_000, 32},
		{1920, 1080, 30, 4_000_000, 40},
	} {
		e := newEncoder(t, codec.VideoParams{Width: c.w, Height: c.h, FPS: c.fps, Bitrate: c.bitrate, Preset: "ultrafast"})
		au, _, err := e.Encode(yuv.NewImage(c.w, c.h), 0, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		if s, _ := sps(t, au); s.Level > c.level {
			t.Errorf("%d×%d at %d: level %d, want at most %d", c.w, c.h, c.fps, s.Level, c.level)
		}
	}
}

// TestBitrate encodes what does not compress well: each half second must stay within
// its share, keyframes included, and a keyframe within the buffer.
func TestBitrate(t *testing.T) {
	p := params360()
	e := newEncoder(t, p)
	img := yuv.NewImage(640, 360)
	const pictures = 150
	var sizes []int
	for n := range pictures {
		moving(img, n)
		au, _, err := e.Encode(img, int64(n)*3600, n%50 == 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(au))
	}
	half := p.Bitrate / 8 / 2
	sum := 0
	for n, size := range sizes {
		sum += size
		if n >= 13 {
			sum -= sizes[n-13]
		}
		if n >= 50 && sum > 2*half {
			t.Errorf("half a second up to picture %d takes %d bytes, twice its share is %d", n, sum, 2*half)
		}
		if n%50 == 0 && size > half {
			t.Errorf("the keyframe %d takes %d bytes, the buffer %d", n, size, half)
		}
	}
	total := 0
	for _, size := range sizes[50:] {
		total += size
	}
	if rate := total * 8 * p.FPS / (pictures - 50); rate > p.Bitrate*115/100 {
		t.Errorf("%d bit/s, want %d", rate, p.Bitrate)
	}
}

// TestEncodeView encodes a part of a larger picture: the strides count, not the widths.
func TestEncodeView(t *testing.T) {
	p := params360()
	whole := yuv.NewImage(1000, 500)
	moving(whole, 3)
	view := whole.Sub(100, 50, 640, 360)
	plain := yuv.NewImage(640, 360)
	yuv.Copy(plain, &view)
	a, b := newEncoder(t, p), newEncoder(t, p)
	got, _, err := a.Encode(&view, 0, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	want, _, err := b.Encode(plain, 0, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("a view and its copy are encoded differently")
	}
}

func TestEncodeRefuses(t *testing.T) {
	e := newEncoder(t, params360())
	good := yuv.NewImage(640, 360)
	short := *good
	short.V = short.V[:len(short.V)-short.CStride]
	narrow := *good
	narrow.YStride = 639
	for name, img := range map[string]*yuv.Image{"nil": nil, "another size": yuv.NewImage(360, 640), "short plane": &short, "stride": &narrow} {
		if _, _, err := e.Encode(img, 1, false, nil); !errors.Is(err, ErrPicture) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := e.Encode(good, 100, false, nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := e.Encode(good, 100, false, nil); !errors.Is(err, ErrPTS) {
		t.Errorf("the same pts again: %v", err)
	}
	if _, _, err := e.Encode(good, 101, false, nil); err != nil {
		t.Errorf("after refusals: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	before := Live()
	for name, change := range map[string]func(*codec.VideoParams){
		"no preset":      func(p *codec.VideoParams) { p.Preset = "" },
		"numbered":       func(p *codec.VideoParams) { p.Preset = "1" },
		"unknown preset": func(p *codec.VideoParams) { p.Preset = "warp" },
		"odd width":      func(p *codec.VideoParams) { p.Width = 641 },
		"odd height":     func(p *codec.VideoParams) { p.Height = 361 },
		"tiny":           func(p *codec.VideoParams) { p.Width = 2 },
		"negative":       func(p *codec.VideoParams) { p.Height = -360 },
		"huge":           func(p *codec.VideoParams) { p.Width = 1 << 20 },
		"no fps":         func(p *codec.VideoParams) { p.FPS = 0 },
		"no bitrate":     func(p *codec.VideoParams) { p.Bitrate = 0 },
	} {
		p := params360()
		change(&p)
		if e, err := NewEncoder(p); err == nil {
			t.Errorf("%s: accepted", name)
			e.Close()
		}
	}
	if n := Live(); n != before {
		t.Errorf("%d encoders live, before %d", n, before)
	}
}

func TestCheck(t *testing.T) {
	if err := Check(); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(Version(), "0.164.") {
		t.Errorf("Version() = %q", Version())
	}
	if err := check(165, 0, 0); err == nil || !strings.Contains(err.Error(), "165") {
		t.Errorf("X264_BUILD 165: %v", err)
	}
	if check(layout, 8, 8) == nil {
		t.Error("structs of other sizes were accepted")
	}
}

// TestAssembly finds builds without the tags of scripts/env.sh: x264c then compiles its
// bundled C without assembly, which takes three times as long.
func TestAssembly(t *testing.T) {
	param, err := params(params360())
	if err != nil {
		t.Fatal(err)
	}
	if param.Cpu == 0 && (runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64") {
		t.Error("libx264 runs without assembly")
	}
}

func TestAllocs(t *testing.T) {
	e := newEncoder(t, params360())
	img := yuv.NewImage(640, 360)
	moving(img, 0)
	pts := int64(0)
	encode := func() {
		pts += 3600
		if _, _, err := e.Encode(img, pts, pts%36000 == 0, nil); err != nil {
			t.Fatal(err)
		}
	}
	for range 30 {
		encode() // the access unit's buffer grows to the largest
	}
	if n := testing.AllocsPerRun(50, encode); n != 0 {
		t.Errorf("%v allocations a picture", n)
	}
}

func BenchmarkEncode720p(b *testing.B) {
	e := newEncoder(b, codec.VideoParams{Width: 1280, Height: 720, FPS: 25, Bitrate: 1_500_000, Preset: "superfast"})
	var imgs []*yuv.Image
	for n := range 8 {
		img := yuv.NewImage(1280, 720)
		for y := range 720 {
			for x := range 1280 {
				img.Y[y*img.YStride+x] = byte((x+y+3*n)/4)&0x7f + 40
			}
		}
		imgs = append(imgs, img)
	}
	pts := int64(0)
	for b.Loop() {
		if _, _, err := e.Encode(imgs[pts%8], pts, false, nil); err != nil {
			b.Fatal(err)
		}
		pts++
	}
}

// TestSame: what is told to be the same is not encoded again, once it is as good as it gets,
// and what differs still is.
func TestSame(t *testing.T) {
	e := newEncoder(t, params360())
	img := yuv.NewImage(640, 360)
	moving(img, 0)
	same := bytes.Repeat([]byte{1}, 40*23)
	sizes := make([]int, 0, 60)
	encode := func(same []byte) {
		t.Helper()
		au, _, err := e.Encode(img, int64(len(sizes))*3600, false, same)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(au))
	}
	for range 50 {
		encode(same)
	}
	if last := sizes[49]; last > 100 {
		t.Errorf("a picture that stays takes %d bytes after two seconds", last)
	}
	part := img.Sub(320, 160, 64, 32)
	yuv.Fill(&part, 200, 90, 160)
	clear(same[10*40+20 : 10*40+24])
	clear(same[11*40+20 : 11*40+24])
	encode(same)
	if last := sizes[50]; last < 60 {
		t.Errorf("a new part takes %d bytes", last)
	}
	if _, _, err := e.Encode(img, 1e9, false, same[1:]); !errors.Is(err, ErrBlocks) {
		t.Errorf("too few flags: %v", err)
	}
}

// BenchmarkEncodeSame is the encoder's part of a picture of which nothing changed, told and
// not told.
func BenchmarkEncodeSame(b *testing.B) {
	img := yuv.NewImage(1280, 720)
	moving(img, 0)
	for _, told := range []bool{false, true} {
		b.Run(fmt.Sprintf("told=%v", told), func(b *testing.B) {
			e := newEncoder(b, codec.VideoParams{Width: 1280, Height: 720, FPS: 25, Bitrate: 1_500_000, Preset: "superfast"})
			var same []byte
			if told {
				same = bytes.Repeat([]byte{1}, 80*45)
			}
			for pts := int64(0); b.Loop(); pts++ {
				if _, _, err := e.Encode(img, pts, false, same); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
