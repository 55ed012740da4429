package engine

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"sectile/asm/yuv"
	"sectile/engine/codec"
)

// busyCodecs are fakeCodecs whose calls take time, and which count how many of a kind run
// at once.
type busyCodecs struct {
	fakeCodecs
	sound, encode, decode gauge // of Opus, and H.264
}

type gauge struct{ now, most, calls atomic.Int32 }

func (g *gauge) during(d time.Duration) {
	g.calls.Add(1)
	now := g.now.Add(1)
	for most := g.most.Load(); now > most && !g.most.CompareAndSwap(most, now); most = g.most.Load() {
	}
	time.Sleep(d)
	g.now.Add(-1)
}

type busyAudioDecoder struct {
	codec.AudioDecoder
	g *gauge
}

func (d busyAudioDecoder) Decode(p []byte, pcm []int16) (int, error) {
	d.g.during(time.Millisecond / 10)
	return d.AudioDecoder.Decode(p, pcm)
}

type busyAudioEncoder struct {
	codec.AudioEncoder
	g *gauge
}

func (e busyAudioEncoder) Encode(pcm []int16, p []byte) (int, error) {
	e.g.during(time.Millisecond / 5)
	return e.AudioEncoder.Encode(pcm, p)
}

type busyVideoDecoder struct {
	codec.VideoDecoder
	g *gauge
}

func (d busyVideoDecoder) Decode(au []byte) (bool, error) {
	d.g.during(5 * time.Millisecond)
	return d.VideoDecoder.Decode(au)
}

type busyVideoEncoder struct {
	codec.VideoEncoder
	g *gauge
}

func (e busyVideoEncoder) Encode(img *yuv.Image, pts int64, key bool, same []byte) ([]byte, bool, error) {
	e.g.during(10 * time.Millisecond)
	return e.VideoEncoder.Encode(img, pts, key, same)
}

func (c *busyCodecs) NewAudioDecoder(rate int) (codec.AudioDecoder, error) {
	d, err := c.fakeCodecs.NewAudioDecoder(rate)
	return busyAudioDecoder{d, &c.sound}, err
}

func (c *busyCodecs) NewAudioEncoder(p codec.AudioParams) (codec.AudioEncoder, error) {
	e, err := c.fakeCodecs.NewAudioEncoder(p)
	return busyAudioEncoder{e, &c.sound}, err
}

func (c *busyCodecs) NewVideoDecoder() (codec.VideoDecoder, error) {
	d, err := c.fakeCodecs.NewVideoDecoder()
	return busyVideoDecoder{d, &c.decode}, err
}

func (c *busyCodecs) NewVideoEncoder(p codec.VideoParams) (codec.VideoEncoder, error) {
	e, err := c.fakeCodecs.NewVideoEncoder(p)
	return busyVideoEncoder{e, &c.encode}, err
}

// TestCodecCallsAreBounded: however many rooms and cameras there are, no more codecs of a
// kind work at once than there are CPUs. More cannot, and each would cost a thread.
func TestCodecCallsAreBounded(t *testing.T) {
	codecs := &busyCodecs{}
	// Not in virtual time, which stands still while a room is waited for.
	t.Run("busy", func(t *testing.T) {
		e := New(Config{Codecs: codecs})
		t.Cleanup(e.Close)
		for i := range 12 {
			name := fmt.Sprintf("r%d", i)
			addVideoRoom(t, e, name, 128, 64)
			track := addStream(t, e, name, name+"s")
			addStream(t, e, name, name+"t")
			simulcast(t, e, name+"s", [][2]int{{320, 180}}, func(_, n int, payloads [][]byte) [][]byte {
				payloads[len(payloads)-1][1] = byte(n) // moves
				return payloads
			})
			talk(t, e, name+"t", 5000)
			watch(t, e, name, track)
		}
		enough := func(g *gauge) bool { return g.calls.Load() >= 200 }
		for end := time.Now().Add(20 * time.Second); !enough(&codecs.sound) || !enough(&codecs.decode) || !enough(&codecs.encode); {
			if time.Now().After(end) {
				t.Fatalf("calls: %d of Opus, %d and %d of H.264", codecs.sound.calls.Load(), codecs.decode.calls.Load(), codecs.encode.calls.Load())
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
	for kind, g := range map[string]*gauge{"Opus": &codecs.sound, "H.264 decoder": &codecs.decode, "H.264 encoder": &codecs.encode} {
		if most := int(g.most.Load()); most > runtime.GOMAXPROCS(0) {
			t.Errorf("%d calls of %s at once, with %d CPUs", most, kind, runtime.GOMAXPROCS(0))
		}
	}
	if n := codecs.Open(); n != 0 {
		t.Errorf("%d codecs left open", n)
	}
}
