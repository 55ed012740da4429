package rtc

import (
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"sectile/engine"
	"sectile/engine/h264"
	"sectile/engine/jitter"
	"sectile/server/nack"
)

// publisher is the role of a session that publishes; the engine.Publisher of its
// publication.
type publisher struct {
	*session
	ready   chan struct{} // closed when publication is set
	asked   atomic.Uint32 // bit n: a keyframe of layer n
	asking  chan struct{} // asked changed
	changes chan source   // sources that the client did not announce

	publication publication
	sound       *soundIn                  // nil: not negotiated
	video       [engine.MaxLayers]current // none if not negotiated

	pictures bool // negotiated
	limits   bool // the client takes limits of its bit rate
	limit    int  // the last one, bit/s of video; 0: none. Of tick's goroutine, as the next
	limited  bool // there was one

	bytesMu sync.Mutex
	bytes   bucket
}

const (
	// probeTime is how long pion is left alone with a new source. Its packets are kept.
	probeTime = 100 * time.Millisecond
	// limitStep is how small a change is not told: 1/8.
	limitStep = 8
	// soundAllowance is what the limit, which is for all media, allows for sound, bit/s.
	soundAllowance = 100_000
	// headroom of what is accepted is never asked for: headers and what is sent again count
	// there, too. 1/8.
	headroom = 8
)

// source is a stream that the client sends.
type source struct {
	pt   uint8
	ssrc uint32
}

// current is the source of a layer of the picture. A client may replace it by another one
// at any time.
type current struct {
	number atomic.Uint32 // counts the sources there were
	ssrc   atomic.Uint32
}

func newPublisher(s *session) *publisher {
	p := &publisher{
		session: s, ready: make(chan struct{}), asking: make(chan struct{}, 1),
		changes: make(chan source, maxStreams), bytes: newBucket(s.server.limits.Bitrate / 8),
	}
	return p
}

// attach prepares for the sections in use.
func (p *publisher) attach(o *offer) {
	for _, s := range o.used() {
		switch s.media {
		case "audio":
			p.sound = &soundIn{publisher: p, payload: uint8(s.codec.params.PayloadType)}
			p.sound.in = inbound{publisher: p, packets: newBucket(p.server.limits.AudioPackets)}
		case "video":
			p.pictures = true
			p.limits = slices.Contains(s.codec.params.RTCPFeedback, webrtc.RTCPFeedback{Type: "goog-remb"})
		}
	}
}

// connected takes the stream over. It happens only now, so that somebody who cannot
// connect does not end the session before.
func (p *publisher) connected() error {
	if p.sound != nil {
		if err := p.sound.start(); err != nil {
			return err
		}
	}
	pub, err := p.server.engine.Publish(p.name, p)
	if err != nil {
		return err
	}
	p.publication = pub
	if p.pictures {
		p.wg.Go(p.follow)
		p.wg.Go(p.sendPLI)
	}
	close(p.ready)
	return nil
}

// receiverSSRC is this side's to a publisher, to whom it sends no RTP: as libwebrtc has it. It
// must not be the publisher's own (RFC 3550, 8.2).
const receiverSSRC = 1

// tick reports how the sound comes; pion reports the pictures.
func (p *publisher) tick() {
	if p.sound != nil {
		if block, ok := p.sound.reception.block(p.server.engine.Now()); ok {
			// An error means that the connection is going down.
			_ = p.pc.WriteRTCP([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: receiverSSRC, Reports: []rtcp.ReceptionReport{block}}})
		}
	}
	if p.limits {
		p.tellLimit()
	}
}

// tellLimit asks for the bit rate that the picture is worth at the moment, with a limit that
// clients apply to what they find out by themselves (draft-alvestrand-rmcat-remb). It is
// repeated, since it may be lost.
func (p *publisher) tellLimit() {
	target := p.publication.VideoTarget()
	if d := target - p.limit; d > p.limit/limitStep || -d > p.limit/limitStep {
		p.limit = target
	}
	limit := p.server.limits.Bitrate - p.server.limits.Bitrate/headroom
	switch {
	case p.limit > 0:
		p.limited = true
		limit = min(limit, p.limit+soundAllowance)
	case !p.limited:
		return
	}
	message := &rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: receiverSSRC, Bitrate: float32(limit)}
	for i := range p.video {
		if ssrc := p.video[i].ssrc.Load(); ssrc != 0 {
			message.SSRCs = append(message.SSRCs, ssrc)
		}
	}
	if len(message.SSRCs) > 0 {
		// An error means that the connection is going down.
		_ = p.pc.WriteRTCP([]rtcp.Packet{message})
	}
}

func (p *publisher) detach() { p.addresses.release() }

func (p *publisher) free() {
	if p.publication != nil {
		p.publication.Close()
	}
}

// RequestKeyframe implements engine.Publisher.
func (p *publisher) RequestKeyframe(layer int) {
	p.asked.Or(1 << layer)
	select {
	case p.asking <- struct{}{}:
	default:
	}
}

// Closed implements engine.Publisher.
func (p *publisher) Closed(reason error) { p.end(reason) }

// onTrack is pion's callback for a source that the client sends, in a goroutine of its
// own.
func (p *publisher) onTrack(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	if t.Kind() == webrtc.RTPCodecTypeAudio || !p.begin() {
		return // sound has its own way
	}
	defer p.wg.Done()
	select {
	case <-p.ready:
	case <-p.stop:
		return
	}
	now, layer, ok := p.place(t)
	if !ok {
		p.server.rejected.add(rejectedStream)
		return
	}
	ssrc := uint32(t.SSRC())
	number := now.number.Add(1)
	now.ssrc.Store(ssrc)
	p.wg.Go(func() { p.readRTCP(r, t.RID(), ssrc, layer) })
	in := inbound{publisher: p, video: true, layer: layer, packets: newBucket(p.server.limits.VideoPackets)}
	p.readRTP(t, in, func() bool { return now.number.Load() != number })
}

// place finds what a source is of. It is false for what is not wanted, such as
// retransmissions that were not announced.
func (p *publisher) place(t *webrtc.TrackRemote) (now *current, layer int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, section := range p.offer.used() {
		if section.media != "video" || section.codec.params.PayloadType != t.Codec().PayloadType {
			continue
		}
		if t.RID() != "" {
			layer = slices.Index(section.rids, t.RID())
		} else {
			section.learn(t)
		}
		if layer < 0 {
			return nil, 0, false
		}
		return &p.video[layer], layer, true
	}
	return nil, 0, false
}

// learn keeps the SSRC of a client that did not announce it: without it in the offer of an
// ICE restart, pion would stop reading it.
func (s *section) learn(t *webrtc.TrackRemote) { s.ssrc = uint32(t.SSRC()) }

// fresh is called with the first packet of each source.
func (p *publisher) fresh(packet []byte) {
	if len(packet) < 12 {
		return
	}
	select {
	case p.changes <- source{packet[1] & 0x7f, binary.BigEndian.Uint32(packet[8:])}:
	default: // there are too many sources anyway
	}
}

// follow has the sources read that take the place of those that were announced. pion reads
// only what the offer names, so it gets an offer with the new name.
func (p *publisher) follow() {
	for {
		select {
		case s := <-p.changes:
			// pion looks at the first packet, too, to find out that it does not know the source.
			select {
			case <-time.After(probeTime):
			case <-p.stop:
				return
			}
			if err := p.replace(s); err != nil {
				p.log.Debug("new source", "err", err)
			}
		case <-p.stop:
			return
		}
	}
}

func (p *publisher) replace(s source) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := *p.offer
	o.sections = slices.Clone(o.sections)
	for i, section := range o.sections {
		changed := *section
		switch {
		case !section.use || section.media != "video" || section.ssrc == 0 || !section.announced || section.ssrc == s.ssrc || section.rtxSSRC == s.ssrc:
			continue
		case uint8(section.codec.params.PayloadType) == s.pt:
			changed.ssrc = s.ssrc
		case section.codec.rtx != 0 && section.codec.rtx == s.pt && section.rtxSSRC != 0:
			changed.rtxSSRC = s.ssrc
		default:
			continue
		}
		o.sections[i] = &changed
		if _, err := negotiate(p.pc, &o, p.play); err != nil {
			return err
		}
		p.offer = &o
		return nil
	}
	return nil
}

// readRTCP reads what the client's side reports of a source of pictures: its clock, and that it
// ends (RFC 3550, 6.6); and pion's receiver reports learn the round trip of it. It ends with
// the connection.
func (p *publisher) readRTCP(r *webrtc.RTPReceiver, rid string, ssrc uint32, layer int) {
	read := r.Read
	if rid != "" {
		read = func(b []byte) (int, interceptor.Attributes, error) { return r.ReadSimulcast(b, rid) }
	}
	buf := make([]byte, 1500)
	for {
		n, _, err := read(buf)
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
			case *rtcp.SenderReport:
				if packet.SSRC == ssrc {
					p.publication.ReportVideo(layer, engine.Report{SSRC: ssrc, NTP: packet.NTPTime, RTP: packet.RTPTime})
				}
			case *rtcp.Goodbye:
				if slices.Contains(packet.Sources, ssrc) {
					p.publication.EndVideo(layer, ssrc)
				}
			}
		}
	}
}

func (p *publisher) sendPLI() {
	for {
		select {
		case <-p.asking:
			var packets []rtcp.Packet
			for layer, asked := 0, p.asked.Swap(0); layer < len(p.video); layer++ {
				if ssrc := p.video[layer].ssrc.Load(); ssrc != 0 && asked>>layer&1 != 0 {
					packets = append(packets, &rtcp.PictureLossIndication{SenderSSRC: receiverSSRC, MediaSSRC: ssrc})
				}
			}
			if len(packets) > 0 {
				// An error means that the connection is going down.
				_ = p.pc.WriteRTCP(packets)
			}
		case <-p.stop:
			return
		}
	}
}

// readRTP reads a source until another one has replaced it.
func (p *publisher) readRTP(t *webrtc.TrackRemote, in inbound, replaced func() bool) {
	buf := make([]byte, 1600)
	r := nack.Reader{Track: t}
	for {
		n, resent, err := r.Read(buf, in.losses.Missing())
		switch {
		case err == nil:
			in.packet(buf[:n], resent, p.server.engine.Now())
			if replaced() {
				return
			}
		case nack.Waited(err) && !p.ended():
			in.ask(uint32(t.SSRC()), in.losses.Due(p.server.engine.Now()))
		case n == 0 && !errors.Is(err, io.ErrShortBuffer) || p.ended():
			return
		default: // too long, or a payload type that was not negotiated
			p.server.rejected.add(rejectedPacket)
		}
	}
}

// inbound is one source of a publisher.
type inbound struct {
	*publisher
	video   bool
	layer   int // of the picture
	losses  nack.Losses
	rtt     time.Duration // that the engine was told
	packets bucket
	header  rtp.Header
}

// ask asks the client for packets of a picture's source, if any.
func (in *inbound) ask(ssrc uint32, sequences []uint16) {
	if len(sequences) > 0 {
		// An error means that the connection is going down.
		_ = in.pc.WriteRTCP([]rtcp.Packet{nack.Packet(receiverSSRC, ssrc, sequences)})
	}
}

// packet takes one RTP packet, which arrived at now; resent is for nack.Losses. It allocates
// nothing.
func (in *inbound) packet(data []byte, resent bool, now time.Duration) {
	server := in.server
	server.counters.packetsIn.Add(1)
	server.counters.bytesIn.Add(uint64(len(data)))
	if !in.packets.take(1, now) {
		server.rejected.add(rejectedPacketRate)
		return
	}
	in.bytesMu.Lock()
	ok := in.bytes.take(len(data), now)
	in.bytesMu.Unlock()
	if !ok {
		server.rejected.add(rejectedBitrate)
		return
	}
	n, err := in.header.Unmarshal(data)
	if err != nil {
		server.rejected.add(rejectedPacket)
		return
	}
	end := len(data)
	if in.header.Padding {
		if end -= int(data[end-1]); end < n || data[len(data)-1] == 0 {
			server.rejected.add(rejectedPacket)
			return
		}
	}
	payload := data[n:end]
	h := &in.header
	switch {
	case in.video:
		in.ask(h.SSRC, in.losses.Add(h.SequenceNumber, resent, now))
		if rtt := in.losses.RTT(); rtt != in.rtt {
			in.rtt = rtt
			in.publication.SetVideoRTT(in.layer, rtt)
		}
		// Padding alone is passed on, too: its sequence number is not a loss.
		in.publication.PushVideo(in.layer, h264.Packet{
			SSRC: h.SSRC, Sequence: h.SequenceNumber, Timestamp: h.Timestamp, Marker: h.Marker, Payload: payload,
		})
	case len(payload) > 0:
		in.publication.PushAudio(jitter.Packet{
			SSRC: h.SSRC, Sequence: h.SequenceNumber, Timestamp: h.Timestamp, Payload: payload,
		}, now)
	}
}
