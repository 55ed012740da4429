package client

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// Voice is the sound, and the picture if there is one, of a participant made for load: it
// sends what was encoded before, and looks at the headers of what comes only, unless it is
// told to keep the sound's payloads. It sends no RTCP, unless the link has feedback or it
// sends a picture.
type Voice struct {
	pc       *peer
	conn     *impaired
	end      func() error // ends the session at the server; nil: none
	track    *webrtc.TrackLocalStaticRTP
	header   rtp.Header
	intake   *intake
	pictures []*pictureTrack // layers of the picture that is sent

	feedback bool
	keeping  atomic.Bool

	mu   sync.Mutex
	kept []Packet
	wg   sync.WaitGroup
}

// Packet is a packet that a Voice kept.
type Packet struct {
	At        time.Time // of its arrival at the socket
	Sequence  uint16
	Timestamp uint32 // 1/48000 s
	Payload   []byte
}

// PublishVoice publishes to /stream/whip.
func (l Link) PublishVoice(ctx context.Context, stream string) (*Voice, error) {
	return l.voiceSession(ctx, plan{direction: webrtc.RTPTransceiverDirectionSendonly}, l.Server+"/"+stream+"/whip")
}

// PublishFilm publishes sound and a picture of so many layers to /stream/whip.
func (l Link) PublishFilm(ctx context.Context, stream string, layers int) (*Voice, error) {
	return l.voiceSession(ctx, plan{webrtc.RTPTransceiverDirectionSendonly, layers}, l.Server+"/"+stream+"/whip")
}

// PlayVoice plays tracks such as "a3" or "v1a3" of /room/whep.
func (l Link) PlayVoice(ctx context.Context, room, tracks string) (*Voice, error) {
	p := plan{direction: webrtc.RTPTransceiverDirectionRecvonly}
	if strings.Contains(tracks, "v") {
		p.layers = 1
	}
	return l.voiceSession(ctx, p, l.Server+"/"+room+"/whep?filter.tracks="+tracks)
}

// plan is what a Voice sends or receives.
type plan struct {
	direction webrtc.RTPTransceiverDirection
	layers    int // of the picture; 0: there is none
}

func (l Link) voiceSession(ctx context.Context, p plan, endpoint string) (*Voice, error) {
	var s *session
	v, err := l.voice(ctx, p, func(ctx context.Context, offer string) (answer string, err error) {
		if s, err = l.post(ctx, endpoint, offer); err != nil {
			return "", err
		}
		return s.Answer, nil
	})
	if err != nil {
		return nil, err
	}
	v.end = s.remove
	return v, nil
}

// certificate is shared by all, since none of them is a secret.
var certificate = sync.OnceValues(func() (*webrtc.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return webrtc.GenerateCertificate(key)
})

// Voice connects by any signalling, without a picture.
func (l Link) Voice(ctx context.Context, direction webrtc.RTPTransceiverDirection, signal Signal) (*Voice, error) {
	return l.voice(ctx, plan{direction: direction}, signal)
}

func (l Link) voice(ctx context.Context, p plan, signal Signal) (*Voice, error) {
	media := &webrtc.MediaEngine{}
	if err := media.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1",
	}, PayloadType: opusPayload}, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, err
	}
	registry := &interceptor.Registry{}
	sendsPicture := p.layers > 0 && p.direction != webrtc.RTPTransceiverDirectionRecvonly
	if p.layers > 0 {
		if err := registerPicture(media, registry, sendsPicture); err != nil {
			return nil, err
		}
	}
	if l.Feedback {
		if err := webrtc.ConfigureRTCPReports(registry); err != nil {
			return nil, err
		}
	}
	conn, err := l.listen()
	if err != nil {
		return nil, err
	}
	v := &Voice{conn: conn, intake: &intake{packetConn: conn}}
	v.feedback = l.Feedback || sendsPicture // requests for keyframes are RTCP, too
	v.intake.open.Store(v.feedback)
	if v.pc, err = newPeerOn(v.intake, media, registry); err != nil {
		return nil, err
	}
	if err := v.connect(ctx, p, signal); err != nil {
		return nil, errors.Join(err, v.Close())
	}
	return v, nil
}

func (v *Voice) connect(ctx context.Context, p plan, signal Signal) (err error) {
	v.pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		if track.Kind() == webrtc.RTPCodecTypeAudio {
			v.wg.Go(func() { v.keep(track) })
		}
	})
	init := webrtc.RTPTransceiverInit{Direction: p.direction}
	if p.direction == webrtc.RTPTransceiverDirectionRecvonly {
		_, err = v.pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio, init)
	} else {
		if v.track, err = webrtc.NewTrackLocalStaticRTP(opusCodec, "audio", "audio"); err != nil {
			return err
		}
		_, err = v.pc.AddTransceiverFromTrack(v.track, init)
	}
	if err != nil {
		return err
	}
	if p.layers > 0 {
		if err := v.addPicture(p); err != nil {
			return err
		}
	}
	if err := v.pc.connect(ctx, signal); err != nil {
		return err
	}
	return v.startPictures()
}

// Close ends the session and the connection.
func (v *Voice) Close() (err error) {
	if v.end != nil {
		err = v.end()
	}
	err = errors.Join(err, v.pc.Close())
	v.wg.Wait()
	return err
}

// Send sends a packet. An error means that the connection is going down.
func (v *Voice) Send(payload []byte, timestamp uint32, marker bool) error {
	v.header.Version, v.header.Timestamp, v.header.Marker = 2, timestamp, marker
	v.header.SequenceNumber++
	return v.track.WriteRTP(&rtp.Packet{Header: v.header, Payload: payload})
}

// Impair changes what happens to the packets of the connection from now on.
func (v *Voice) Impair(up, down Impairment) { v.conn.impair(up, down) }

// Flow is what is known of the sound's RTP stream so far.
func (v *Voice) Flow() Flow { return v.intake.flow() }

// Record starts to remember arrivals, or returns those since it was started and stops.
func (v *Voice) Record(on bool) Arrivals { return v.intake.record(on) }

// Keep starts to keep packets, or returns those since it was started and stops.
func (v *Voice) Keep(on bool) []Packet {
	v.keeping.Store(on)
	v.intake.open.Store(on || v.feedback)
	if on {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	kept := v.kept
	v.kept = nil
	return kept
}

func (v *Voice) keep(track *webrtc.TrackRemote) {
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		if !v.keeping.Load() {
			continue
		}
		p := Packet{v.intake.arrival(packet.SequenceNumber), packet.SequenceNumber, packet.Timestamp, packet.Payload}
		v.mu.Lock()
		v.kept = append(v.kept, p)
		v.mu.Unlock()
	}
}
