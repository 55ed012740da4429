package client

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"sectile/asm/yuv"
	"sectile/cgo/x264"
	"sectile/engine/codec"
	"sectile/engine/h264"
)

// Layer is one encoding of what a Layers publishes. To tell which one is shown, each has a
// colour of its own.
type Layer struct {
	RID           string
	Width, Height int
	Colour        Colour
}

// Layers publishes one picture in several layers (simulcast), and no sound.
type Layers struct {
	*session
	layers []*layer
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

type layer struct {
	Layer
	track    *webrtc.TrackLocalStaticRTP
	off      atomic.Bool
	forceKey atomic.Bool
	keys     atomic.Int64
}

// PublishLayers publishes to /stream/whip until Close.
func (l Link) PublishLayers(ctx context.Context, stream string, list ...Layer) (*Layers, error) {
	pc, err := l.newPeer()
	if err != nil {
		return nil, err
	}
	p := &Layers{}
	run, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	fail := func(err error) (*Layers, error) {
		cancel()
		pc.Close()
		p.wg.Wait()
		return nil, err
	}
	var sender *webrtc.RTPSender
	for _, one := range list {
		track, err := webrtc.NewTrackLocalStaticRTP(h264Codec, "video", stream, webrtc.WithRTPStreamID(one.RID))
		if err != nil {
			return fail(err)
		}
		if sender == nil {
			sender, err = pc.AddTrack(track)
		} else {
			err = sender.AddEncoding(track)
		}
		if err != nil {
			return fail(err)
		}
		p.layers = append(p.layers, &layer{Layer: one, track: track})
	}
	if p.session, err = l.negotiate(ctx, pc, l.Server+"/"+stream+"/whip"); err != nil {
		return fail(err)
	}
	extensions := map[string]uint8{}
	for _, e := range sender.GetParameters().HeaderExtensions {
		extensions[e.URI] = uint8(e.ID)
	}
	mid := ""
	for _, t := range pc.GetTransceivers() {
		mid = t.Mid()
	}
	for _, one := range p.layers {
		p.wg.Go(func() { one.readRTCP(sender) })
		p.wg.Go(func() { one.send(run, extensions[sdp.SDESMidURI], mid, extensions[sdp.SDESRTPStreamIDURI]) })
	}
	return p, nil
}

// Close ends the publication.
func (p *Layers) Close() error {
	p.cancel()
	err := p.session.Close()
	p.wg.Wait()
	return err
}

// SetSending stops sending a layer, or goes on with it, as browsers do when their uplink
// changes.
func (p *Layers) SetSending(rid string, sending bool) {
	for _, l := range p.layers {
		if l.RID == rid {
			l.off.Store(!sending)
			l.forceKey.Store(true)
		}
	}
}

// Keyframes is how many keyframes the server asked for of a layer.
func (p *Layers) Keyframes(rid string) (n int) {
	for _, l := range p.layers {
		if l.RID == rid {
			n = int(l.keys.Load())
		}
	}
	return n
}

func (l *layer) readRTCP(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadSimulcastRTCP(l.RID)
		if err != nil {
			return
		}
		for _, packet := range packets {
			if _, ok := packet.(*rtcp.PictureLossIndication); ok {
				l.keys.Add(1)
				l.forceKey.Store(true)
			}
		}
	}
}

// send sends the layer until ctx is done, with the header extensions that name it.
func (l *layer) send(ctx context.Context, midID uint8, mid string, ridID uint8) {
	encoder, err := x264.NewEncoder(codec.VideoParams{Width: l.Width, Height: l.Height, FPS: pictureRate, Bitrate: 300000, Preset: "ultrafast"})
	if err != nil {
		panic(err) // a caller's bug: a size that x264 refuses
	}
	defer encoder.Close()
	img := yuv.NewImage(l.Width, l.Height)
	yuv.Fill(img, l.Colour.Y, l.Colour.U, l.Colour.V)
	var packetizer h264.Packetizer
	var payloads [][]byte
	header := rtp.Header{Version: 2}
	for id, value := range map[uint8]string{midID: mid, ridID: l.RID} {
		if err := header.SetExtension(id, []byte(value)); err != nil {
			return // the server did not take the extension, and so does not take layers
		}
	}
	every(ctx, time.Second/pictureRate, func() {
		header.Timestamp += 90000 / pictureRate
		if l.off.Load() {
			return
		}
		au, _, err := encoder.Encode(img, int64(header.Timestamp), l.forceKey.Swap(false), nil)
		if err != nil {
			return
		}
		payloads = packetizer.Packetize(payloads[:0], au, 1100)
		for i, payload := range payloads {
			header.SequenceNumber++
			header.Marker = i == len(payloads)-1
			// An error means that the connection is going down, which Close tells.
			_ = l.track.WriteRTP(&rtp.Packet{Header: header, Payload: payload})
		}
	})
}
