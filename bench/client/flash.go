package client

import (
	"context"
	"math"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"sectile/asm/yuv"
	"sectile/cgo/opus"
	"sectile/cgo/x264"
	"sectile/engine/codec"
)

// What a Flasher sends: a tone and a white picture in every other second, silence and a
// black one between.
const (
	FlashTone  = 907 // Hz
	flashLevel = 8000
	flashRate  = 25 // pictures a second
)

// Flasher publishes sound and picture that change at the same moments.
type Flasher struct {
	*session
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// PublishFlashes publishes flashes to /stream/whip until Close. The packets of sound are
// late by up to twice the jitter, at random.
func (l Link) PublishFlashes(ctx context.Context, stream string, jitter time.Duration) (*Flasher, error) {
	socket, err := l.listen()
	if err != nil {
		return nil, err
	}
	conn := net.PacketConn(socket)
	if jitter > 0 {
		conn = &lateSound{PacketConn: conn, most: 2 * jitter, rng: rand.New(rand.NewPCG(1, 1))}
	}
	pc, err := newPeer(conn)
	if err != nil {
		return nil, err
	}
	f := &Flasher{}
	run, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	fail := func(err error) (*Flasher, error) {
		cancel()
		pc.Close()
		return nil, err
	}
	var tracks [2]*webrtc.TrackLocalStaticSample
	for i, c := range []webrtc.RTPCodecCapability{opusCodec, h264Codec} {
		if tracks[i], err = webrtc.NewTrackLocalStaticSample(c, c.MimeType[:5], stream); err != nil {
			return fail(err)
		}
		if _, err := pc.AddTrack(tracks[i]); err != nil {
			return fail(err)
		}
	}
	if f.session, err = l.negotiate(ctx, pc, l.Server+"/"+stream+"/whip"); err != nil {
		return fail(err)
	}
	f.wg.Go(func() { flashSound(run, tracks[0]) })
	f.wg.Go(func() { flashPicture(run, tracks[1]) })
	return f, nil
}

// Close ends the publication.
func (f *Flasher) Close() error {
	f.cancel()
	err := f.session.Close()
	f.wg.Wait()
	return err
}

func flashSound(ctx context.Context, track *webrtc.TrackLocalStaticSample) {
	encoder, err := opus.NewEncoder(Rate, 64000, 5)
	if err != nil {
		panic(err) // libopus accepts that
	}
	defer encoder.Close()
	pcm, packet, n := make([]int16, Rate/50), make([]byte, 1500), 0
	every(ctx, 20*time.Millisecond, func() {
		for i := range pcm {
			pcm[i] = 0
			if n/Rate%2 == 1 {
				pcm[i] = int16(flashLevel * math.Sin(2*math.Pi*FlashTone*float64(n)/Rate))
			}
			n++
		}
		if size, err := encoder.Encode(pcm, packet); err == nil {
			// An error means that the connection is going down, which Close tells.
			_ = track.WriteSample(media.Sample{Data: packet[:size], Duration: 20 * time.Millisecond})
		}
	})
}

func flashPicture(ctx context.Context, track *webrtc.TrackLocalStaticSample) {
	const width, height = 320, 180
	encoder, err := x264.NewEncoder(codec.VideoParams{Width: width, Height: height, FPS: flashRate, Bitrate: 300000, Preset: "ultrafast"})
	if err != nil {
		panic(err) // libx264 accepts that
	}
	defer encoder.Close()
	img, n := yuv.NewImage(width, height), 0
	every(ctx, time.Second/flashRate, func() {
		yuv.Fill(img, 16+219*byte(n/flashRate%2), 128, 128)
		au, _, err := encoder.Encode(img, int64(n)*90000/flashRate, n%flashRate == 0, nil)
		n++
		if err == nil {
			_ = track.WriteSample(media.Sample{Data: au, Duration: time.Second / flashRate})
		}
	})
}

// lateSound delays the packets of sound at random, so that they overtake each other.
type lateSound struct {
	net.PacketConn
	most time.Duration
	mu   sync.Mutex
	rng  *rand.Rand
}

// opusPayload is pion's payload type of Opus, and that of a Voice. SRTP leaves headers as they
// are.
const opusPayload = 111

func (c *lateSound) WriteTo(p []byte, addr net.Addr) (int, error) {
	if len(p) < 12 || p[0]>>6 != 2 || p[1]&0x7f != opusPayload {
		return c.PacketConn.WriteTo(p, addr)
	}
	c.mu.Lock()
	wait := time.Duration(c.rng.Float64() * float64(c.most))
	c.mu.Unlock()
	late := append([]byte(nil), p...)
	// Nobody waits for what is late when the connection is closed.
	time.AfterFunc(wait, func() { _, _ = c.PacketConn.WriteTo(late, addr) })
	return len(p), nil
}
