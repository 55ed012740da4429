package client

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
	"gopkg.in/hraban/opus.v2"

	"sectile/asm/yuv"
	"sectile/cgo/x264"
	"sectile/engine/codec"
)

// Colour is a colour in limited-range YUV.
type Colour struct{ Y, U, V byte }

// Media is what a Publisher sends.
type Media struct {
	Tone     float64       // Hz; 0 sends no sound
	Level    float64       // of the tone's peak, dBFS; 0 is −12
	Noise    float64       // white, beside the tone: its mean power in dBFS; 0 is none
	Packet   time.Duration // of sound: 10, 20, 40 or 60 ms; 0 is 20 ms
	Channels int           // of sound; 0 is 1

	Width, Height int // of the picture, luma samples; 0 sends no picture
	Colour        Colour
	Moving        int // pictures a second of a moving picture (LookAt); 0: it stands still
	Bitrate       int // of the picture, bit/s; 0 is 300000
}

const pictureRate = 15 // a second, when it stands still

var (
	opusCodec = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
	h264Codec = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: 90000,
		SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"}
)

// Publisher publishes one stream.
type Publisher struct {
	*session
	cancel context.CancelFunc
	wg     sync.WaitGroup

	forceKey atomic.Bool  // the server asked for a keyframe
	asked    atomic.Int64 // how often
	nacked   atomic.Int64 // packets that the server asked for again
	silent   atomic.Bool
	picture  atomic.Pointer[yuv.Image]
}

// Publish publishes to /stream/whip until Close.
func (l Link) Publish(ctx context.Context, stream string, m Media) (*Publisher, error) {
	pc, err := l.newPeer()
	if err != nil {
		return nil, err
	}
	p := &Publisher{}
	run, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	fail := func(err error) (*Publisher, error) {
		cancel()
		pc.Close()
		p.wg.Wait()
		return nil, err
	}
	var start []func()
	if m.Tone > 0 {
		track, err := webrtc.NewTrackLocalStaticSample(opusCodec, "audio", stream)
		if err != nil {
			return fail(err)
		}
		if _, err := pc.AddTrack(track); err != nil {
			return fail(err)
		}
		send, err := p.tone(m, track)
		if err != nil {
			return fail(err)
		}
		start = append(start, func() { every(run, cmp.Or(m.Packet, 20*time.Millisecond), send) })
	}
	if m.Width > 0 {
		track, err := webrtc.NewTrackLocalStaticSample(h264Codec, "video", stream)
		if err != nil {
			return fail(err)
		}
		sender, err := pc.AddTrack(track)
		if err != nil {
			return fail(err)
		}
		p.SetPicture(m.Width, m.Height, m.Colour)
		p.wg.Go(func() { p.readRTCP(sender) })
		start = append(start, func() { p.camera(run, track, m) })
	}
	if p.session, err = l.negotiate(ctx, pc, l.Server+"/"+stream+"/whip"); err != nil {
		return fail(err)
	}
	for _, f := range start {
		p.wg.Go(f)
	}
	return p, nil
}

// Impair changes what happens to the packets of the connection from now on.
func (p *Publisher) Impair(up, down Impairment) { p.pc.link.impair(up, down) }

// Close ends the publication.
func (p *Publisher) Close() error {
	p.cancel()
	err := p.session.Close()
	p.wg.Wait()
	return err
}

// Asked is how many times the server asked for a keyframe, and for a packet again.
func (p *Publisher) Asked() (keyframes, packets int) {
	return int(p.asked.Load()), int(p.nacked.Load())
}

// SetPicture changes the picture that is sent, also its size.
func (p *Publisher) SetPicture(w, h int, c Colour) {
	img := yuv.NewImage(w, h)
	yuv.Fill(img, c.Y, c.U, c.V)
	p.picture.Store(img)
}

// SetSilent stops sending sound, or goes on with it, as a microphone with DTX does.
func (p *Publisher) SetSilent(silent bool) { p.silent.Store(silent) }

// tone prepares the sending of one packet of the tone after the other.
func (p *Publisher) tone(m Media, track *webrtc.TrackLocalStaticSample) (send func(), err error) {
	channels := cmp.Or(m.Channels, 1)
	encoder, err := opus.NewEncoder(48000, channels, opus.AppAudio)
	if err != nil {
		return nil, err
	}
	if err := encoder.SetBitrate(64000); err != nil {
		return nil, err
	}
	duration := cmp.Or(m.Packet, 20*time.Millisecond)
	samples := int(duration * 48000 / time.Second)
	amplitude := 32767 * math.Pow(10, cmp.Or(m.Level, -12)/20)
	noise := 0.0
	if m.Noise < 0 {
		noise = 32767 * math.Pow(10, m.Noise/20)
	}
	rng := rand.New(rand.NewPCG(1, uint64(m.Tone)))
	pcm, packet, n := make([]int16, samples*channels), make([]byte, 1500), 0
	return func() {
		for i := range samples {
			v := int16(amplitude*math.Sin(2*math.Pi*m.Tone*float64(n)/48000) + noise*rng.NormFloat64())
			for c := range channels {
				pcm[i*channels+c] = v
			}
			n++
		}
		size, err := encoder.Encode(pcm, packet)
		if err != nil || p.silent.Load() {
			return
		}
		// An error means that the connection is going down, which Close tells.
		_ = track.WriteSample(media.Sample{Data: packet[:size], Duration: duration})
	}, nil
}

// camera sends the picture until ctx is done.
func (p *Publisher) camera(ctx context.Context, track *webrtc.TrackLocalStaticSample, m Media) {
	var encoder *x264.Encoder
	var width, height, n int
	fps := cmp.Or(m.Moving, pictureRate)
	noise := rand.New(rand.NewPCG(uint64(m.Colour.Y), uint64(m.Colour.U)))
	defer func() {
		if encoder != nil {
			encoder.Close()
		}
	}()
	every(ctx, time.Second/time.Duration(fps), func() {
		img := p.picture.Load()
		if img.Width != width || img.Height != height {
			if encoder != nil {
				encoder.Close()
			}
			var err error
			encoder, err = x264.NewEncoder(codec.VideoParams{Width: img.Width, Height: img.Height, FPS: fps, Bitrate: cmp.Or(m.Bitrate, 300000), Preset: "ultrafast"})
			if err != nil {
				panic(err) // a caller's bug: a size that x264 refuses
			}
			width, height = img.Width, img.Height
		}
		n++
		if m.Moving > 0 {
			drawMoving(img, m.Colour, n, noise)
		}
		au, _, err := encoder.Encode(img, int64(n)*90000/int64(fps), p.forceKey.Swap(false), nil)
		if err != nil {
			return
		}
		_ = track.WriteSample(media.Sample{Data: au, Duration: time.Second / time.Duration(fps)})
	})
}

func (p *Publisher) readRTCP(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, packet := range packets {
			switch packet := packet.(type) {
			case *rtcp.PictureLossIndication:
				p.asked.Add(1)
				p.forceKey.Store(true)
			case *rtcp.TransportLayerNack:
				for _, pair := range packet.Nacks {
					p.nacked.Add(int64(len(pair.PacketList())))
				}
			}
		}
	}
}

// every calls f at absolute times, period apart, until ctx is done.
func every(ctx context.Context, period time.Duration, f func()) {
	next := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		f()
		next = next.Add(period)
		timer.Reset(time.Until(next))
	}
}
