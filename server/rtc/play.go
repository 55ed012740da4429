package rtc

import (
	"sync"
	"sync/atomic"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"sectile/engine/room"
)

// player is the role of a session that plays; the room.Sink of its subscription.
type player struct {
	*session
	audio, video *track      // nil: not negotiated
	sound        *soundOut   // sends audio
	pictures     *pacedTrack // sends video
	out          *sender     // the same, below pion; nil: no video was negotiated

	sending atomic.Bool // connected: media is sent

	tracksMu     sync.Mutex // guards these
	tracks       room.Tracks
	subscription subscription // nil until connected
}

func newPlayer(s *session, t room.Tracks, out *sender) *player {
	return &player{session: s, tracks: t, out: out}
}

// attach adds the tracks of the sections in use to the peer connection.
func (p *player) attach(o *offer) error {
	var senders []*webrtc.RTPSender
	for _, s := range o.used() {
		kind := webrtc.NewRTPCodecType(s.media)
		t := newTrack(kind, p.sid)
		transceiver, err := p.pc.AddTransceiverFromTrack(t, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		if err != nil {
			return err
		}
		if kind == webrtc.RTPCodecTypeAudio {
			p.audio = t
			p.sound = &soundOut{track: t, socket: p.server.socket}
		} else {
			p.video = t
			p.pictures = &pacedTrack{pacer: p.server.pacer, track: t, out: p.out, count: p.count, ask: p.requestKeyframe}
		}
		senders = append(senders, transceiver.Sender())
	}
	if p.video != nil { // else there will be soundReports
		for _, sender := range senders {
			p.wg.Go(func() { p.readRTCP(sender) })
		}
	}
	return nil
}

// connected subscribes. It happens only now, so that a room does not encode for somebody
// who never connects; the first picture after a subscription is a keyframe anyway.
func (p *player) connected() error {
	if p.sound != nil {
		if err := p.sound.start(p); err != nil {
			return err
		}
	}
	ice := p.transport().ICETransport()
	ice.OnSelectedCandidatePairChange(p.follow)
	pair, err := ice.GetSelectedCandidatePair()
	if err != nil {
		return err
	}
	p.follow(pair)
	p.sending.Store(true)
	p.tick()
	p.tracksMu.Lock()
	defer p.tracksMu.Unlock()
	sub, err := p.server.engine.Subscribe(p.name, p.tracks, p)
	if err != nil {
		return err
	}
	p.subscription = sub
	if p.video == nil {
		return p.takeReports()
	}
	return nil
}

// follow takes the pair of addresses that ICE has chosen.
func (p *player) follow(pair *webrtc.ICECandidatePair) {
	if p.sound != nil {
		p.sound.follow(pair)
	}
	if p.out != nil {
		p.out.moved()
	}
}

// setTracks changes what is played. It keeps to the kinds that were negotiated, and
// returns what is played now.
func (p *player) setTracks(t room.Tracks) (room.Tracks, error) {
	if t = p.negotiated(t); t == (room.Tracks{}) {
		return t, refuse(409, rejectedUnacceptable, "none of these tracks is of a kind that the session negotiated")
	}
	p.tracksMu.Lock()
	defer p.tracksMu.Unlock()
	if p.subscription == nil {
		if err := p.server.checkTracks(p.name, t); err != nil {
			return t, err
		}
	} else if err := p.subscription.SetTracks(t); err != nil {
		return t, err
	}
	p.tracks = t
	return t, nil
}

// negotiated returns those of t whose kinds were negotiated.
func (p *player) negotiated(t room.Tracks) room.Tracks {
	if p.video == nil {
		t.Video = false
	}
	if p.audio == nil {
		t.Audio = 0
	}
	return t
}

// tick sends sender reports of both tracks for one moment, and their common name, which
// makes a player synchronize them (RFC 3550, 6.4.1 and 6.5.1).
func (p *player) tick() {
	now := p.server.engine.Now()
	var packets []rtcp.Packet
	names := &rtcp.SourceDescription{}
	for _, t := range []*track{p.audio, p.video} {
		if t == nil {
			continue
		}
		packets = append(packets, t.report(now, p.server.epoch))
		names.Chunks = append(names.Chunks, rtcp.SourceDescriptionChunk{
			Source: t.header.SSRC, Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: t.stream}},
		})
	}
	// An error means that the connection is going down.
	_ = p.pc.WriteRTCP(append(packets, names))
	p.tellBandwidth()
}

// tellBandwidth tells the room what the player can take, and has tried out what it wants to
// know.
func (p *player) tellBandwidth() {
	p.tracksMu.Lock()
	defer p.tracksMu.Unlock()
	if p.out == nil || p.subscription == nil {
		return
	}
	rate, probes := p.out.bandwidth()
	wanted := p.subscription.SetBandwidth(room.Bandwidth{Rate: rate, Probed: probes})
	if p.out.try(wanted) {
		p.pictures.wake()
	}
}

func (p *player) detach() {
	p.addresses.release()
	p.sending.Store(false)
	p.tracksMu.Lock()
	defer p.tracksMu.Unlock()
	if p.subscription != nil {
		p.subscription.Close()
	}
	if p.pictures != nil {
		p.pictures.close()
	}
}

func (p *player) free() {}

// WriteAudio implements room.Sink.
func (p *player) WriteAudio(packet []byte, timestamp uint32) {
	if p.sound == nil || !p.sending.Load() {
		return
	}
	if size := p.sound.write(packet, timestamp); size > 0 {
		p.count(1, size)
	}
}

// WriteVideo implements room.Sink.
func (p *player) WriteVideo(au *room.AccessUnit) {
	if p.video == nil || !p.sending.Load() {
		return
	}
	p.pictures.write(au.Payloads, au.Timestamp, au.Key)
}

func (p *player) count(packets, bytes int) {
	p.server.counters.packetsOut.Add(uint64(packets))
	p.server.counters.bytesOut.Add(uint64(bytes))
}

// Closed implements room.Sink.
func (p *player) Closed(reason error) { p.end(reason) }

// readRTCP reads what the player reports but transport-wide feedback. Requests for a
// keyframe, what is known of the bandwidth and reports on the sound's loss go to the room. It
// ends with the connection.
func (p *player) readRTCP(sender *webrtc.RTPSender) {
	buf := make([]byte, 1500)
	for {
		n, _, err := sender.Read(buf)
		if err != nil {
			return
		}
		packets, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			p.server.rejected.add(rejectedPacket)
			continue
		}
		for _, packet := range packets {
			switch packet := packet.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				p.requestKeyframe()
			case *rtcp.ReceiverReport:
				p.reportLoss(sender, packet.Reports)
			case *rtcp.TransportLayerNack:
				if p.out != nil {
					p.out.nack(packet)
				}
			case *rtcp.ReceiverEstimatedMaximumBitrate:
				if p.out != nil {
					p.out.told(int(packet.Bitrate))
				}
			}
		}
	}
}

// feedback takes a packet of transport-wide feedback.
func (p *player) feedback(packet []byte) {
	var fb rtcp.TransportLayerCC
	if err := fb.Unmarshal(packet); err != nil {
		p.server.rejected.add(rejectedPacket)
		return
	}
	p.out.feedback(&fb)
	p.tellBandwidth()
}

// reportLoss takes the reports (RFC 3550, 6.4.1) that came with the packets for sender, of
// which those on the sound's loss go to the room.
func (p *player) reportLoss(sender *webrtc.RTPSender, reports []rtcp.ReceptionReport) {
	for _, r := range reports {
		if p.video != nil && sender.Track() == p.video && r.SSRC == p.video.header.SSRC {
			p.out.lost(float64(r.FractionLost) / 256)
		}
	}
	p.tracksMu.Lock()
	defer p.tracksMu.Unlock()
	for _, r := range reports {
		if p.subscription != nil && p.audio != nil && sender.Track() == p.audio && r.SSRC == p.audio.header.SSRC {
			p.subscription.ReportLoss(float64(r.FractionLost) / 256)
		}
	}
}

func (p *player) requestKeyframe() {
	p.tracksMu.Lock()
	defer p.tracksMu.Unlock()
	if p.subscription != nil && p.tracks.Video {
		p.subscription.RequestKeyframe()
	}
}
