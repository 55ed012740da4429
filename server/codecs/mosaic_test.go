package codecs

import (
	"bytes"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sectile/asm/yuv"
	"sectile/engine"
	"sectile/engine/codec"
	"sectile/engine/h264"
	"sectile/engine/room"
)

// spectator decodes what it is given of the mosaic.
type spectator struct {
	t         *testing.T
	assembler *h264.Assembler
	decoder   codec.VideoDecoder
	mu        sync.Mutex
	sequence  uint16
	first     time.Time
	decoded   int
	width     int
	height    int
}

func (s *spectator) WriteAudio([]byte, uint32) {}
func (s *spectator) Closed(error)              {}

func (s *spectator) WriteVideo(au *room.AccessUnit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first.IsZero() {
		s.first = time.Now()
	}
	for i, payload := range au.Payloads {
		s.assembler.Push(h264.Packet{
			SSRC: 1, Sequence: s.sequence, Timestamp: au.Timestamp, Marker: i == len(au.Payloads)-1, Payload: bytes.Clone(payload),
		}, 0)
		s.sequence++
	}
	for {
		unit, ok := s.assembler.Next(0)
		if !ok {
			return
		}
		if unit.SPS != nil {
			s.width, s.height = unit.SPS.Width, unit.SPS.Height
		}
		if ok, err := s.decoder.Decode(unit.Data); !ok || err != nil || unit.Gap {
			s.t.Errorf("picture %d: %v, %v, gap %v", s.decoded, ok, err, unit.Gap)
		}
		s.decoded++
	}
}

func (s *spectator) seen() (decoded, width, height int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.decoded, s.width, s.height
}

type camera struct{}

func (camera) RequestKeyframe(int) {}
func (camera) Closed(error)        {}

// filmed is an engine with a room "r" of one stream, which somebody publishes.
func filmed(t *testing.T, width, height, bitrate int) (*engine.Engine, *engine.Publication) {
	t.Helper()
	e := engine.New(engine.Config{Codecs: factory})
	opts := room.DefaultOptions()
	opts.DisableVideo, opts.Width, opts.Height, opts.VideoBitrate = false, width, height, bitrate
	if err := e.AddRoom("r", opts); err != nil {
		t.Fatal(err)
	}
	if _, err := e.AddStream("r", "s"); err != nil {
		t.Fatal(err)
	}
	p, err := e.Publish("s", camera{})
	if err != nil {
		t.Fatal(err)
	}
	return e, p
}

// watch plays the mosaic of filmed to a spectator, whose decoder is to be closed.
func watch(t *testing.T, e *engine.Engine) (*spectator, *room.Subscription) {
	t.Helper()
	decoder, err := factory.NewVideoDecoder()
	if err != nil {
		t.Fatal(err)
	}
	s := &spectator{t: t, assembler: h264.NewAssembler(h264.Config{}), decoder: decoder}
	sub, err := e.Subscribe("r", room.Tracks{Video: true}, s)
	if err != nil {
		t.Fatal(err)
	}
	return s, sub
}

// TestMosaicJoins plays a moving mosaic to players who come one after the other: each can
// decode all that it is given, from its first picture on, also when it is moved to the half
// size and back.
func TestMosaicJoins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, p := filmed(t, 320, 180, 300)
		defer e.Close()
		const pictures = 200
		go func() {
			source, err := factory.NewVideoEncoder(video)
			if err != nil {
				t.Error(err)
				return
			}
			defer source.Close()
			var packetizer h264.Packetizer
			img := yuv.NewImage(video.Width, video.Height)
			pkt := h264.Packet{SSRC: 7}
			for n := range pictures {
				for i := range img.Y {
					img.Y[i] = byte(i*i>>6 + n*3)
				}
				au, _, err := source.Encode(img, int64(n)*3600, false, nil)
				if err != nil {
					t.Error(err)
					return
				}
				payloads := packetizer.Packetize(nil, au, 1000)
				for i, payload := range payloads {
					pkt.Payload, pkt.Marker, pkt.Timestamp = payload, i == len(payloads)-1, uint32(n*3600)
					p.PushVideo(0, pkt)
					pkt.Sequence++
				}
				time.Sleep(40 * time.Millisecond)
			}
		}()
		var players []*spectator
		var joined []time.Time
		var subscriptions []*room.Subscription
		for range 12 {
			s, sub := watch(t, e)
			players, joined, subscriptions = append(players, s), append(joined, time.Now()), append(subscriptions, sub)
			time.Sleep(130 * time.Millisecond)
		}
		if n := e.Metrics().Replays.Load(); n < 8 {
			t.Errorf("%d players were started by a replay", n)
		}
		for range 6 {
			subscriptions[3].SetBandwidth(room.Bandwidth{Rate: 1000})
			time.Sleep(500 * time.Millisecond)
		}
		if _, w, h := players[3].seen(); w != 160 || h != 90 {
			t.Errorf("plays %d×%d, want the half size", w, h)
		}
		for range 6 {
			subscriptions[3].SetBandwidth(room.Bandwidth{Rate: 10_000_000})
			time.Sleep(500 * time.Millisecond)
		}
		for i, s := range players {
			n, w, h := s.seen()
			if w != 320 || h != 180 || n < 100 {
				t.Errorf("player %d: %d pictures, the last of %d×%d", i, n, w, h)
			}
			if wait := s.first.Sub(joined[i]); wait > 200*time.Millisecond {
				t.Errorf("player %d waits %v", i, wait)
			}
			subscriptions[i].Close()
			s.decoder.Close()
		}
		time.Sleep(pictures * 40 * time.Millisecond) // the camera ends
	})
}
