package client

import (
	"context"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// Raw publishes whatever RTP it is given, as a broken or hostile sender does.
type Raw struct {
	*session
	audio, video *webrtc.TrackLocalStaticRTP
}

// PublishRaw connects to /stream/whip and sends nothing by itself.
func (l Link) PublishRaw(ctx context.Context, stream string) (*Raw, error) {
	pc, err := l.newPeer()
	if err != nil {
		return nil, err
	}
	r := &Raw{}
	fail := func(err error) (*Raw, error) {
		pc.Close()
		return nil, err
	}
	if r.audio, err = webrtc.NewTrackLocalStaticRTP(opusCodec, "audio", stream); err != nil {
		return fail(err)
	}
	if r.video, err = webrtc.NewTrackLocalStaticRTP(h264Codec, "video", stream); err != nil {
		return fail(err)
	}
	for _, track := range []webrtc.TrackLocal{r.audio, r.video} {
		if _, err := pc.AddTrack(track); err != nil {
			return fail(err)
		}
	}
	if r.session, err = l.negotiate(ctx, pc, l.Server+"/"+stream+"/whip"); err != nil {
		return fail(err)
	}
	return r, nil
}

// SendAudio sends a packet as it is, but for SSRC and payload type.
func (r *Raw) SendAudio(p rtp.Packet) error { return r.audio.WriteRTP(&p) }

// SendVideo does the same for the picture.
func (r *Raw) SendVideo(p rtp.Packet) error { return r.video.WriteRTP(&p) }

// Vanish closes the connection without a word to the HTTP endpoint.
func (r *Raw) Vanish() error { return r.pc.Close() }
