package codecs

import (
	"errors"
	"math/rand/v2"
	"regexp"
	"testing"

	"sectile/asm/yuv"
	"sectile/cgo/h264dec"
	"sectile/cgo/opus"
	"sectile/cgo/x264"
	"sectile/engine/codec"
)

var factory codec.Factory = Factory{}

var audio = codec.AudioParams{SampleRate: 48000, Bitrate: 64000, Complexity: 5}
var video = codec.VideoParams{Width: 320, Height: 240, FPS: 25, Bitrate: 500_000, Preset: "superfast"}

const frame = 960

// closer is what all codecs have in common.
type closer interface{ Close() }

// contract is what a codec of any kind must do.
type contract struct {
	make func() (closer, error)
	live func() int // codecs of the package that are open

	// calls are all methods with good arguments; each must work on a new codec, in this
	// order, and fail with closed on one that is closed.
	calls  map[string]func(c closer) error
	order  []string
	closed error

	// bad are calls that must fail, and leave the codec so that all of calls work.
	bad map[string]func(c closer) error
	// noise feeds the codec random bytes, as it may come from anybody. An error or not, it
	// must survive.
	noise func(c closer, rng *rand.Rand)
	// refused are makers that must fail and leave nothing open.
	refused map[string]func() error
}

func packet(t testing.TB) []byte {
	t.Helper()
	enc, err := factory.NewAudioEncoder(audio)
	if err != nil {
		t.Fatal(err)
	}
	defer enc.Close()
	p := make([]byte, 1275)
	n, err := enc.Encode(make([]int16, frame), p)
	if err != nil {
		t.Fatal(err)
	}
	return p[:n]
}

func accessUnit(t testing.TB) []byte {
	t.Helper()
	enc, err := factory.NewVideoEncoder(video)
	if err != nil {
		t.Fatal(err)
	}
	defer enc.Close()
	au, _, err := enc.Encode(yuv.NewImage(video.Width, video.Height), 0, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte(nil), au...)
}

func contracts(t testing.TB) map[string]contract {
	good, au := packet(t), accessUnit(t)
	pcm, out := make([]int16, frame), make([]byte, 1275)
	img, pts := yuv.NewImage(video.Width, video.Height), int64(0)
	random := func(rng *rand.Rand, n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	}
	decode := func(p []byte, pcm []int16) func(closer) error {
		return func(c closer) error { _, err := c.(codec.AudioDecoder).Decode(p, pcm); return err }
	}
	encode := func(pcm []int16, p []byte) func(closer) error {
		return func(c closer) error { _, err := c.(codec.AudioEncoder).Encode(pcm, p); return err }
	}
	picture := func(img *yuv.Image, step int64) func(closer) error {
		return func(c closer) error {
			pts += step
			_, _, err := c.(codec.VideoEncoder).Encode(img, pts, false, nil)
			return err
		}
	}
	return map[string]contract{
		"audio decoder": {
			make:   func() (closer, error) { return factory.NewAudioDecoder(48000) },
			live:   opus.Live,
			closed: opus.ErrClosed,
			order:  []string{"Decode", "DecodeFEC", "Conceal"},
			calls: map[string]func(closer) error{
				"Decode":    decode(good, pcm),
				"DecodeFEC": func(c closer) error { return c.(codec.AudioDecoder).DecodeFEC(good, pcm) },
				"Conceal":   func(c closer) error { return c.(codec.AudioDecoder).Conceal(pcm) },
			},
			bad: map[string]func(closer) error{
				"empty packet":          decode(nil, pcm),
				"no room":               decode(good, nil),
				"too little room":       decode(good, pcm[:frame/2]),
				"no frame in packet":    decode([]byte{3}, pcm),        // code 3 without its count
				"odd length of code 1":  decode([]byte{1, 7}, pcm),     // RFC 6716, 3.2.3: R3
				"more than 120 ms":      decode([]byte{0x1b, 49}, pcm), // 49 frames of 60 ms: R5
				"FEC of nothing":        func(c closer) error { return c.(codec.AudioDecoder).DecodeFEC(nil, pcm) },
				"FEC into nothing":      func(c closer) error { return c.(codec.AudioDecoder).DecodeFEC(good, nil) },
				"FEC of odd duration":   func(c closer) error { return c.(codec.AudioDecoder).DecodeFEC(good, pcm[:7]) },
				"conceal nothing":       func(c closer) error { return c.(codec.AudioDecoder).Conceal(nil) },
				"conceal odd durations": func(c closer) error { return c.(codec.AudioDecoder).Conceal(pcm[:7]) },
			},
			noise: func(c closer, rng *rand.Rand) {
				p := random(rng, 1+rng.IntN(200))
				c.(codec.AudioDecoder).Decode(p, pcm)
				c.(codec.AudioDecoder).DecodeFEC(p, pcm)
			},
			refused: map[string]func() error{
				"44100 Hz": func() error { _, err := factory.NewAudioDecoder(44100); return err },
			},
		},
		"audio encoder": {
			make:   func() (closer, error) { return factory.NewAudioEncoder(audio) },
			live:   opus.Live,
			closed: opus.ErrClosed,
			order:  []string{"Encode", "SetPacketLoss", "Reset"},
			calls: map[string]func(closer) error{
				"Encode":        encode(pcm, out),
				"SetPacketLoss": func(c closer) error { return c.(codec.AudioEncoder).SetPacketLoss(10) },
				"Reset":         func(c closer) error { return c.(codec.AudioEncoder).Reset() },
			},
			bad: map[string]func(closer) error{
				"no samples":   encode(nil, out),
				"no room":      encode(pcm, nil),
				"odd duration": encode(pcm[:100], out),
				"loss of -1":   func(c closer) error { return c.(codec.AudioEncoder).SetPacketLoss(-1) },
				"loss of 101":  func(c closer) error { return c.(codec.AudioEncoder).SetPacketLoss(101) },
			},
			noise: func(c closer, rng *rand.Rand) {
				loud := make([]int16, frame)
				for i := range loud {
					loud[i] = int16(rng.Uint32())
				}
				c.(codec.AudioEncoder).Encode(loud, out[:1+rng.IntN(len(out))])
			},
			refused: map[string]func() error{
				"no rate": func() error { _, err := factory.NewAudioEncoder(codec.AudioParams{Bitrate: 64000}); return err },
				"no bitrate": func() error {
					_, err := factory.NewAudioEncoder(codec.AudioParams{SampleRate: 48000})
					return err
				},
			},
		},
		"video decoder": {
			make:   func() (closer, error) { return factory.NewVideoDecoder() },
			live:   h264dec.Live,
			closed: h264dec.ErrClosed,
			order:  []string{"Decode"},
			calls: map[string]func(closer) error{
				"Decode": func(c closer) error {
					ok, err := c.(codec.VideoDecoder).Decode(au)
					if err == nil && !ok {
						return errors.New("no picture")
					}
					defer c.(codec.VideoDecoder).Release()
					if img := c.(codec.VideoDecoder).Hold(); err == nil && (img.Width != video.Width || img.Height != video.Height) {
						return errors.New("picture of another size")
					}
					return err
				},
			},
			bad: map[string]func(closer) error{
				"empty":     func(c closer) error { _, err := c.(codec.VideoDecoder).Decode(nil); return err },
				"one byte":  func(c closer) error { _, err := c.(codec.VideoDecoder).Decode([]byte{0}); return err },
				"cut short": func(c closer) error { _, err := c.(codec.VideoDecoder).Decode(au[:len(au)-4]); return err },
				"no code":   func(c closer) error { _, err := c.(codec.VideoDecoder).Decode([]byte("garbage")); return err },
			},
			noise: func(c closer, rng *rand.Rand) {
				p := append([]byte{0, 0, 0, 1}, random(rng, 1+rng.IntN(200))...)
				c.(codec.VideoDecoder).Decode(p)
				c.(codec.VideoDecoder).Hold()
				c.(codec.VideoDecoder).Release()
			},
		},
		"video encoder": {
			make:   func() (closer, error) { return factory.NewVideoEncoder(video) },
			live:   x264.Live,
			closed: x264.ErrClosed,
			order:  []string{"Encode"},
			calls:  map[string]func(closer) error{"Encode": picture(img, 3600)},
			bad: map[string]func(closer) error{
				"no picture":   picture(nil, 3600),
				"another size": picture(yuv.NewImage(64, 64), 3600),
				"past":         func(c closer) error { picture(img, 1)(c); return picture(img, 0)(c) },
			},
			noise: func(c closer, rng *rand.Rand) {
				noisy := yuv.NewImage(video.Width, video.Height)
				copy(noisy.Y, random(rng, len(noisy.Y)))
				picture(noisy, 3600)(c)
			},
			refused: map[string]func() error{
				"odd": func() error {
					p := video
					p.Width++
					_, err := factory.NewVideoEncoder(p)
					return err
				},
				"preset": func() error {
					p := video
					p.Preset = "slowest"
					_, err := factory.NewVideoEncoder(p)
					return err
				},
			},
		},
	}
}

func TestContract(t *testing.T) {
	for kind, k := range contracts(t) {
		t.Run(kind, func(t *testing.T) {
			before := k.live()
			work := func(c closer, when string) {
				t.Helper()
				for _, name := range k.order {
					if err := k.calls[name](c); err != nil {
						t.Errorf("%s %s: %v", name, when, err)
					}
				}
			}
			c, err := k.make()
			if err != nil {
				t.Fatal(err)
			}
			if n := k.live(); n != before+1 {
				t.Errorf("%d live after one was made, before %d", n, before)
			}
			work(c, "on a new one")
			for name, call := range k.bad {
				if call(c) == nil {
					t.Errorf("%s: no error", name)
				}
				work(c, "after "+name)
			}
			rng := rand.New(rand.NewPCG(3, 4))
			for range 100 {
				k.noise(c, rng)
			}
			work(c, "after noise")

			other, err := k.make()
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
			c.Close()
			if n := k.live(); n != before+1 {
				t.Errorf("%d live after one of two was closed twice, before %d", n, before)
			}
			for name, call := range k.calls {
				if err := call(c); !errors.Is(err, k.closed) {
					t.Errorf("%s after Close: %v", name, err)
				}
			}
			work(other, "after another was closed")
			other.Close()
			for name, refused := range k.refused {
				if refused() == nil {
					t.Errorf("%s: accepted", name)
				}
			}
			if n := k.live(); n != before {
				t.Errorf("%d live at the end, before %d", n, before)
			}
		})
	}
}

// TestErrorsAreNil: no codec comes with an error, not even a nil pointer of some type.
func TestErrorsAreNil(t *testing.T) {
	if c, err := factory.NewAudioDecoder(1); err == nil || c != nil {
		t.Errorf("NewAudioDecoder = %v, %v", c, err)
	}
	if c, err := factory.NewAudioEncoder(codec.AudioParams{}); err == nil || c != nil {
		t.Errorf("NewAudioEncoder = %v, %v", c, err)
	}
	if c, err := factory.NewVideoEncoder(codec.VideoParams{}); err == nil || c != nil {
		t.Errorf("NewVideoEncoder = %v, %v", c, err)
	}
}

func TestVersions(t *testing.T) {
	if err := Check(); err != nil {
		t.Error(err)
	}
	form := regexp.MustCompile(`^\d+\.\d+(\.\d+)?[-\w. ]*$`)
	for i, name := range []string{"libopus", "libx264", "libavcodec"} {
		if v := Versions()[i]; v.Name != name || !form.MatchString(v.Version) {
			t.Errorf("%s: %+v", name, v)
		}
	}
}
