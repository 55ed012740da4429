package h264dec

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/gen2brain/x264-go/x264c"

	"sectile/asm/yuv"
	"sectile/cgo/x264"
	"sectile/engine/codec"
)

func newDecoder(t testing.TB) *Decoder {
	t.Helper()
	d, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// scene draws the nth picture: a square that moves over two colours.
func scene(w, h, n int) *yuv.Image {
	img := yuv.NewImage(w, h)
	yuv.Fill(img, 81, 90, 240) // red in BT.601
	lower := img.Sub(0, h/4*2, w, h-h/4*2)
	yuv.Fill(&lower, 41, 240, 110) // blue
	square := img.Sub(n*4%(w-32)&^1, h/8*2, 32, 32)
	yuv.Fill(&square, 235, 128, 128)
	return img
}

// stream encodes pictures of one size, the first a keyframe.
func stream(t testing.TB, w, h, pictures int) (units [][]byte) {
	t.Helper()
	e, err := x264.NewEncoder(codec.VideoParams{Width: w, Height: h, FPS: 25, Bitrate: 1_000_000, Preset: "veryfast"})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for n := range pictures {
		au, _, err := e.Encode(scene(w, h, n), int64(n)*3600, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		units = append(units, bytes.Clone(au))
	}
	return units
}

// sliced encodes pictures of some slices each and of some quality, with x264c itself.
func sliced(t *testing.T, w, h, pictures int, parts int32, quality float32) (units [][]byte) {
	t.Helper()
	param := new(x264c.Param)
	x264c.ParamDefaultPreset(param, "veryfast", "zerolatency")
	param.ILogLevel, param.IThreads, param.BSlicedThreads, param.ISliceCount = x264c.LogNone, 1, 0, parts
	param.Rc.IRcMethod, param.Rc.FRfConstant = x264c.RcCrf, quality
	param.IWidth, param.IHeight, param.ICsp, param.BRepeatHeaders, param.BAnnexb = int32(w), int32(h), x264c.CspI420, 1, 1
	x264c.ParamApplyProfile(param, "baseline")
	x := x264c.EncoderOpen(param)
	if x == nil {
		t.Fatal("EncoderOpen")
	}
	defer x264c.EncoderClose(x)
	pic, out, nals, count := new(x264c.Picture), new(x264c.Picture), make([]*x264c.Nal, 1), new(int32)
	x264c.PictureAlloc(pic, x264c.CspI420, int32(w), int32(h))
	defer x264c.PictureClean(pic)
	for n := range pictures {
		img := scene(w, h, n)
		for i, plane := range [][]byte{img.Y, img.U, img.V} {
			stride, pw, ph := img.CStride, w/2, h/2
			if i == 0 {
				stride, pw, ph = img.YStride, w, h
			}
			dst := unsafe.Slice((*byte)(pic.Img.Plane[i]), int(pic.Img.IStride[i])*ph)
			for y := range ph {
				copy(dst[y*int(pic.Img.IStride[i]):][:pw], plane[y*stride:])
			}
		}
		pic.IPts = int64(n)
		size := x264c.EncoderEncode(x, nals, count, pic, out)
		units = append(units, bytes.Clone(unsafe.Slice((*byte)(nals[0].PPayload), size)))
	}
	return units
}

// split cuts an access unit into its NAL units, each with its start code.
func split(au []byte) (nals [][]byte) {
	for _, nal := range bytes.Split(au, []byte{0, 0, 1})[1:] {
		nals = append(nals, append([]byte{0, 0, 1}, bytes.TrimRight(nal, "\x00")...))
	}
	return nals
}

func mustDecode(t testing.TB, d *Decoder, au []byte) {
	t.Helper()
	if ok, err := d.Decode(au); !ok || err != nil {
		t.Fatalf("Decode = %v, %v", ok, err)
	}
}

// mean is the mean of a w×h corner of a plane.
func mean(p []byte, stride, w, h int) float64 {
	sum := 0
	for y := range h {
		for _, v := range p[y*stride:][:w] {
			sum += int(v)
		}
	}
	return float64(sum) / float64(w*h)
}

func checkScene(t *testing.T, img *yuv.Image, w, h, n int) {
	t.Helper()
	if img.Width != w || img.Height != h {
		t.Fatalf("picture of %d×%d, want %d×%d", img.Width, img.Height, w, h)
	}
	want := scene(w, h, n)
	for i, p := range [][2][]byte{{img.Y, want.Y}, {img.U, want.U}, {img.V, want.V}} {
		gotStride, wantStride, pw, ph := img.CStride, want.CStride, w/2, h/2
		if i == 0 {
			gotStride, wantStride, pw, ph = img.YStride, want.YStride, w, h
		}
		got, want := mean(p[0], gotStride, pw, ph), mean(p[1], wantStride, pw, ph)
		if got < want-1.5 || got > want+1.5 {
			t.Errorf("picture %d: mean of plane %d is %.1f, want %.1f", n, i, got, want)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	d := newDecoder(t)
	for n, au := range stream(t, 640, 360, 20) {
		mustDecode(t, d, au)
		img := d.Take()
		checkScene(t, &img, 640, 360, n)
	}
}

// TestTakenStays reads a picture while and after others are decoded.
func TestTakenStays(t *testing.T) {
	d := newDecoder(t)
	units := stream(t, 320, 240, 30)
	mustDecode(t, d, units[0])
	img := d.Take()
	before := bytes.Clone(img.Y)
	done := make(chan bool)
	go func() {
		same := true
		for range 200 {
			same = same && bytes.Equal(img.Y, before)
		}
		done <- same
	}()
	for _, au := range units[1:] {
		mustDecode(t, d, au)
	}
	if !<-done || !bytes.Equal(img.Y, before) {
		t.Error("a picture that is taken changed while others were decoded")
	}
	img = d.Take()
	checkScene(t, &img, 320, 240, 29)
}

func TestTakeAgain(t *testing.T) {
	d := newDecoder(t)
	if img := d.Take(); img.Width != 0 || img.Y != nil {
		t.Errorf("before any picture: %d×%d", img.Width, img.Height)
	}
	mustDecode(t, d, stream(t, 320, 240, 1)[0])
	first, second := d.Take(), d.Take()
	if &first.Y[0] != &second.Y[0] {
		t.Error("Take without a new picture gives another one")
	}
	checkScene(t, &second, 320, 240, 0)
}

func TestSizeChanges(t *testing.T) {
	d := newDecoder(t)
	for _, size := range [][2]int{{640, 360}, {360, 640}, {128, 96}, {1280, 720}, {642, 362}} {
		units := stream(t, size[0], size[1], 3)
		for n, au := range units {
			mustDecode(t, d, au)
			img := d.Take()
			checkScene(t, &img, size[0], size[1], n)
		}
	}
}

// TestDamage feeds a stream with something missing, and then the whole stream.
func TestDamage(t *testing.T) {
	whole := stream(t, 320, 240, 8)
	parts := sliced(t, 320, 240, 8, 4, 23)
	if n := len(split(parts[5])); n != 4 {
		t.Fatalf("%d slices, want 4", n)
	}
	without := func(au []byte, i int) []byte { return bytes.Join(slices.Delete(split(au), i, i+1), nil) }
	for name, c := range map[string]struct {
		good [][]byte
		bad  []byte
	}{
		"no keyframe":             {nil, whole[1]},
		"keyframe without SPS":    {nil, bytes.Join(split(whole[0])[2:], nil)},
		"the first slice missing": {parts[:5], without(parts[5], 0)},
		"a slice missing":         {parts[:5], without(parts[5], 2)},
		"the last slice missing":  {parts[:5], without(parts[5], 3)},
		"a keyframe's slice missing": {nil, func() []byte {
			return without(parts[0], len(split(parts[0]))-2)
		}()},
		"cut short": {nil, whole[0][:len(whole[0])*2/3]},
		"garbage":   {whole[:2], []byte("neither start code nor NAL unit")},
		"a slice of garbage": {whole[:2], []byte{0, 0, 0, 1, 0x41, 0x9a, 0x5a, 0xa5, 0x33, 0xcc, 0x71,
			0x17, 0x31, 0x13, 0x42, 0x24, 0x99, 0x66}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDecoder(t)
			for _, au := range c.good {
				mustDecode(t, d, au)
			}
			before := d.Take()
			if ok, err := d.Decode(c.bad); ok || err == nil {
				t.Errorf("Decode = %v, %v", ok, err)
			}
			if after := d.Take(); unsafe.SliceData(after.Y) != unsafe.SliceData(before.Y) {
				t.Error("the last good picture is gone")
			}
			for n, au := range whole { // starts with a keyframe
				mustDecode(t, d, au)
				img := d.Take()
				checkScene(t, &img, 320, 240, n)
			}
		})
	}
}

// TestCutShort cuts keyframes of all qualities at all places: what stays in the decoder must
// not show in the pictures after.
func TestCutShort(t *testing.T) {
	for quality := float32(16); quality <= 30; quality += 2 {
		units := sliced(t, 160, 120, 2, 1, quality)
		undamaged := newDecoder(t)
		mustDecode(t, undamaged, units[0])
		want := undamaged.Take()
		for size := len(units[0]) / 3; size < len(units[0])-2; size += 7 {
			d := newDecoder(t)
			if ok, err := d.Decode(units[0][:size]); ok || err == nil {
				t.Fatalf("quality %v, %d bytes: Decode = %v, %v", quality, size, ok, err)
			}
			mustDecode(t, d, units[0])
			got := d.Take()
			if !samePicture(&got, &want) {
				t.Fatalf("quality %v: after a keyframe of %d bytes of %d the next one is another picture", quality, size, len(units[0]))
			}
			d.Close()
		}
	}
}

func samePicture(a, b *yuv.Image) bool {
	for y := range a.Height {
		if !bytes.Equal(a.Y[y*a.YStride:][:a.Width], b.Y[y*b.YStride:][:b.Width]) {
			return false
		}
	}
	for y := range a.Height / 2 {
		if !bytes.Equal(a.U[y*a.CStride:][:a.Width/2], b.U[y*b.CStride:][:b.Width/2]) ||
			!bytes.Equal(a.V[y*a.CStride:][:a.Width/2], b.V[y*b.CStride:][:b.Width/2]) {
			return false
		}
	}
	return true
}

// TestNoise damages bytes at random. Whatever comes of it, the decoder must live on.
func TestNoise(t *testing.T) {
	d := newDecoder(t)
	units := stream(t, 320, 240, 6)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		au := bytes.Clone(units[rng.IntN(len(units))])
		for range 1 + rng.IntN(8) {
			au[rng.IntN(len(au))] = byte(rng.Uint32())
		}
		if ok, _ := d.Decode(au[:1+rng.IntN(len(au))]); ok {
			img := d.Take()
			for _, p := range [][]byte{img.Y, img.U, img.V} {
				_ = p[len(p)-1]
			}
		}
	}
	for _, au := range units { // this may still find fault with what is left of the noise
		_, _ = d.Decode(au)
	}
	for n, au := range units {
		mustDecode(t, d, au)
		img := d.Take()
		checkScene(t, &img, 320, 240, n)
	}
}

func TestEmpty(t *testing.T) {
	d := newDecoder(t)
	units := stream(t, 320, 240, 2)
	mustDecode(t, d, units[0])
	for _, au := range [][]byte{nil, {}} {
		if ok, err := d.Decode(au); ok || !errors.Is(err, errEmpty) {
			t.Errorf("Decode of nothing = %v, %v", ok, err)
		}
	}
	mustDecode(t, d, units[1]) // that was not the end of the stream
}

func TestCheck(t *testing.T) {
	if err := Check(); err != nil {
		t.Error(err)
	}
	if v := Version(); len(v) < 5 {
		t.Errorf("Version() = %q", v)
	}
}

func TestAllocs(t *testing.T) {
	d := newDecoder(t)
	units := stream(t, 320, 240, 60)
	n := 0
	if allocs := testing.AllocsPerRun(len(units)-1, func() {
		mustDecode(t, d, units[n])
		img := d.Take()
		if img.Width != 320 {
			t.Fatal(img.Width)
		}
		n++
	}); allocs != 0 {
		t.Errorf("%v allocations a picture", allocs)
	}
}

func BenchmarkDecode360p(b *testing.B) {
	d := newDecoder(b)
	units := stream(b, 640, 360, 25)
	n := 0
	for b.Loop() {
		mustDecode(b, d, units[n])
		d.Take()
		n = (n + 1) % len(units)
	}
}

// TestHold holds as many pictures as can be, reads them all, and releases them in order.
func TestHold(t *testing.T) {
	d := newDecoder(t)
	units := stream(t, 320, 240, 3*MaxHeld)
	var held []yuv.Image
	first := 0
	for n, au := range units {
		if len(held) == MaxHeld {
			d.Release()
			held, first = held[1:], first+1
		}
		mustDecode(t, d, au)
		held = append(held, d.Hold())
		if len(held) < MaxHeld {
			if again := d.Hold(); again.Width != 0 {
				t.Fatal("a picture is held twice")
			}
		}
		for i := range held {
			checkScene(t, &held[i], 320, 240, first+i)
		}
		if first+len(held) != n+1 {
			t.Fatalf("%d pictures held from %d on after %d", len(held), first, n+1)
		}
	}
	for range held {
		d.Release()
	}
	d.Release() // nothing is held any more
	if img := d.Take(); img.Width != 0 {
		t.Error("a released picture is taken")
	}
	mustDecode(t, d, units[0])
	img := d.Take()
	checkScene(t, &img, 320, 240, 0)
}
