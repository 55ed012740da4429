package rtc

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"sectile/engine"
	"sectile/engine/h264"
	"sectile/engine/jitter"
)

// publisher is the role of a session that publishes; the engine.Publisher of its
// publication.
type publisher struct {
	*session
	keyframe chan struct{} // asks for a PLI
	ready    chan struct{} // closed when publication is set

	publication publication
	reading     [2]atomic.Bool // a track of the kind is being read: audio, video

	bytesMu sync.Mutex
	bytes   bucket
}

func newPublisher(s *session) *publisher {
	return &publisher{
		session: s, keyframe: make(chan struct{}, 1), ready: make(chan struct{}),
		bytes: newBucket(s.server.limits.Bitrate / 8),
	}
}

// connected takes the stream over. It happens only now, so that somebody who cannot
// connect does not end the session before.
func (p *publisher) connected() error {
	pub, err := p.server.engine.Publish(p.name, p)
	if err != nil {
		return err
	}
	p.publication = pub
	close(p.ready)
	return nil
}

func (p *publisher) tick()   {}
func (p *publisher) detach() {}

func (p *publisher) free() {
	if p.publication != nil {
		p.publication.Close()
	}
}

// RequestKeyframe implements engine.Publisher.
func (p *publisher) RequestKeyframe() {
	select {
	case p.keyframe <- struct{}{}:
	default:
	}
}

// Closed implements engine.Publisher.
func (p *publisher) Closed(reason error) { p.end(reason) }

// onTrack is pion's callback for a source that the client sends, in a goroutine of its
// own.
func (p *publisher) onTrack(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	if !p.begin() {
		return
	}
	defer p.wg.Done()
	select {
	case <-p.ready:
	case <-p.stop:
		return
	}
	kind := 0
	if t.Kind() == webrtc.RTPCodecTypeVideo {
		kind = 1
	}
	if !p.reading[kind].CompareAndSwap(false, true) {
		p.server.rejected.add(rejectedStream) // one source a kind
		return
	}
	defer p.reading[kind].Store(false)
	p.learn(t.Kind().String(), uint32(t.SSRC()))
	p.wg.Go(func() { p.readRTCP(r, uint32(t.SSRC()), kind == 1) })
	if kind == 1 {
		p.wg.Go(func() { p.sendPLI(uint32(t.SSRC())) })
	}
	p.readRTP(t, kind == 1)
}

// learn keeps the SSRC of a client that did not announce it: without it in the offer of an
// ICE restart, pion would stop reading it.
func (p *publisher) learn(media string, ssrc uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, section := range p.offer.used() {
		if section.media == media && section.ssrc == 0 {
			section.ssrc = ssrc
		}
	}
}

// readRTCP reads what the client's side reports of a source: its clock; and pion's receiver
// reports learn the round trip of it. It ends with the connection.
func (p *publisher) readRTCP(r *webrtc.RTPReceiver, ssrc uint32, video bool) {
	report := p.publication.ReportAudio
	if video {
		report = p.publication.ReportVideo
	}
	buf := make([]byte, 1500)
	for {
		n, _, err := r.Read(buf)
		if err != nil {
			return
		}
		packets, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			p.server.rejected.add(rejectedPacket)
			continue
		}
		for _, packet := range packets {
			if sr, ok := packet.(*rtcp.SenderReport); ok && sr.SSRC == ssrc {
				report(engine.Report{SSRC: ssrc, NTP: sr.NTPTime, RTP: sr.RTPTime})
			}
		}
	}
}

func (p *publisher) sendPLI(ssrc uint32) {
	for {
		select {
		case <-p.keyframe:
			// An error means that the connection is going down.
			_ = p.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{SenderSSRC: ssrc, MediaSSRC: ssrc}})
		case <-p.stop:
			return
		}
	}
}

func (p *publisher) readRTP(t *webrtc.TrackRemote, video bool) {
	in := inbound{publisher: p, video: video, packets: newBucket(p.server.limits.AudioPackets)}
	if video {
		in.packets = newBucket(p.server.limits.VideoPackets)
	}
	buf := make([]byte, 1600)
	for {
		n, _, err := t.Read(buf)
		switch {
		case err == nil:
			in.packet(buf[:n], time.Now())
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
	packets bucket
	header  rtp.Header
}

// packet takes one RTP packet. It allocates nothing.
func (in *inbound) packet(data []byte, now time.Time) {
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
		// Padding alone is passed on, too: its sequence number is not a loss.
		in.publication.PushVideo(h264.Packet{
			SSRC: h.SSRC, Sequence: h.SequenceNumber, Timestamp: h.Timestamp, Marker: h.Marker, Payload: payload,
		})
	case len(payload) > 0:
		in.publication.PushAudio(jitter.Packet{
			SSRC: h.SSRC, Sequence: h.SequenceNumber, Timestamp: h.Timestamp, Payload: payload,
		})
	}
}
