package client

import (
	"fmt"
	"sync/atomic"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// pictureTrack is one layer of a Voice's picture.
type pictureTrack struct {
	track  *webrtc.TrackLocalStaticRTP
	sender *webrtc.RTPSender
	header rtp.Header
	asked  atomic.Bool // for a keyframe
}

// registerPicture makes a peer connection take H.264, and who sends it answer NACKs and
// send layers.
func registerPicture(media *webrtc.MediaEngine, registry *interceptor.Registry, sends bool) error {
	feedback := []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}}
	codec := h264Codec
	codec.RTCPFeedback = feedback
	err := media.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: codec, PayloadType: 102}, webrtc.RTPCodecTypeVideo)
	if err != nil || !sends {
		return err
	}
	if err := webrtc.ConfigureNack(media, registry); err != nil {
		return err
	}
	return webrtc.ConfigureSimulcastExtensionHeaders(media)
}

// addPicture adds what is sent or received of pictures to the offer.
func (v *Voice) addPicture(p plan) error {
	if p.direction == webrtc.RTPTransceiverDirectionRecvonly {
		_, err := v.pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: p.direction})
		return err
	}
	for i := range p.layers {
		var options []func(*webrtc.TrackLocalStaticRTP)
		if p.layers > 1 {
			options = append(options, webrtc.WithRTPStreamID(fmt.Sprintf("layer%d", i)))
		}
		track, err := webrtc.NewTrackLocalStaticRTP(h264Codec, "video", "video", options...)
		if err != nil {
			return err
		}
		layer := &pictureTrack{track: track, header: rtp.Header{Version: 2}}
		if i == 0 {
			t, err := v.pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: p.direction})
			if err != nil {
				return err
			}
			layer.sender = t.Sender()
		} else {
			layer.sender = v.pictures[0].sender
			if err := layer.sender.AddEncoding(track); err != nil {
				return err
			}
		}
		v.pictures = append(v.pictures, layer)
	}
	return nil
}

// startPictures names the layers in their packets (RFC 8852) and listens for requests. It is
// for a connection that is there.
func (v *Voice) startPictures() error {
	for _, layer := range v.pictures {
		v.wg.Go(func() { layer.listen(len(v.pictures) > 1) })
	}
	if len(v.pictures) < 2 {
		return nil
	}
	ids := map[string]uint8{}
	for _, e := range v.pictures[0].sender.GetParameters().HeaderExtensions {
		ids[e.URI] = uint8(e.ID)
	}
	mid := ""
	for _, t := range v.pc.GetTransceivers() {
		if t.Sender() == v.pictures[0].sender {
			mid = t.Mid()
		}
	}
	for _, layer := range v.pictures {
		for id, value := range map[uint8]string{ids[sdp.SDESMidURI]: mid, ids[sdp.SDESRTPStreamIDURI]: layer.track.RID()} {
			if err := layer.header.SetExtension(id, []byte(value)); err != nil {
				return fmt.Errorf("the server takes no layers: %w", err)
			}
		}
	}
	return nil
}

// listen reads what the server asks for until the connection ends.
func (t *pictureTrack) listen(layered bool) {
	read := t.sender.ReadRTCP
	if layered {
		read = func() ([]rtcp.Packet, interceptor.Attributes, error) {
			return t.sender.ReadSimulcastRTCP(t.track.RID())
		}
	}
	for {
		packets, _, err := read()
		if err != nil {
			return
		}
		for _, packet := range packets {
			if _, ok := packet.(*rtcp.PictureLossIndication); ok {
				t.asked.Store(true)
			}
		}
	}
}

// Asked tells whether the server asked for a keyframe of a layer since the last call.
func (v *Voice) Asked(layer int) bool { return v.pictures[layer].asked.Swap(false) }

// SendPicture sends the payloads of one picture of a layer. An error means that the
// connection is going down.
func (v *Voice) SendPicture(layer int, payloads [][]byte, timestamp uint32) error {
	t := v.pictures[layer]
	t.header.Timestamp = timestamp
	for i, payload := range payloads {
		t.header.SequenceNumber++
		t.header.Marker = i == len(payloads)-1
		if err := t.track.WriteRTP(&rtp.Packet{Header: t.header, Payload: payload}); err != nil {
			return err
		}
	}
	return nil
}
