package rtc

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"sectile/engine"
)

// soundIn is the sound of a publisher: a route of the socket. Its packets come on the
// socket's goroutine.
type soundIn struct {
	publisher *publisher
	payload   uint8 // type
	opener    *opener
	in        inbound
	ssrc      uint32
	known     bool // ssrc is
	sources   int  // SSRCs there were
	reception reception
}

// start takes the packets from now on.
func (s *soundIn) start() error {
	config, err := keys(s.publisher.pc, s.publisher.transport())
	if err != nil {
		return err
	}
	if s.opener, err = newOpener(config); err != nil {
		return err
	}
	s.publisher.addresses.take(s)
	return nil
}

// receive takes the packets of sound, and looks into those of RTCP, which pion reads, too, if
// there are pictures. It returns whether the packet is dealt with.
func (s *soundIn) receive(packet []byte, from netip.AddrPort, arrival time.Duration) bool {
	if isControl(packet) {
		if plain, err := s.opener.openControl(packet); err == nil {
			s.publisher.addresses.heard(from)
			s.control(plain, arrival)
		}
		return !s.publisher.pictures
	}
	if !isRTP(packet) || packet[1]&0x7f != s.payload {
		return false
	}
	select {
	case <-s.publisher.ready:
	default:
		return true // nobody takes it yet
	}
	server := s.publisher.server
	plain, err := s.opener.open(packet)
	if err != nil { // forged, repeated, or of another association
		server.rejected.add(rejectedPacket)
		return true
	}
	s.publisher.addresses.heard(from)
	if ssrc := s.opener.header.SSRC; !s.known || ssrc != s.ssrc {
		// A client may begin a new source, when it changes its microphone for example. The
		// number is bounded since the SRTP context remembers each.
		if s.sources++; s.sources > maxSources {
			server.rejected.add(rejectedStream)
			s.publisher.end(errFlood)
			return true
		}
		s.ssrc, s.known = ssrc, true
		s.reception.reset(ssrc)
	}
	s.reception.packet(s.opener.header.SequenceNumber, s.opener.header.Timestamp, arrival)
	s.in.packet(plain, false, arrival)
	return true
}

// control reads the sender reports of a compound packet (RFC 3550, 6.4.1).
func (s *soundIn) control(packet []byte, arrival time.Duration) {
	eachControl(packet, func(kind rtcp.PacketType, packet []byte) {
		var report rtcp.SenderReport
		if kind == rtcp.TypeSenderReport && report.Unmarshal(packet) == nil && s.known && report.SSRC == s.ssrc {
			s.reception.senderReport(report.NTPTime, arrival)
			s.publisher.publication.ReportAudio(engine.Report{SSRC: s.ssrc, NTP: report.NTPTime, RTP: report.RTPTime})
		}
	})
}

// soundOut sends the sound of a player. One tick at a time writes.
type soundOut struct {
	track  *track
	socket *socket
	sealer *sealer
	to     atomic.Pointer[netip.AddrPort] // nil: not known yet
}

// start takes the keys of the session.
func (s *soundOut) start(p *player) error {
	config, err := keys(p.pc, p.transport())
	if err != nil {
		return err
	}
	s.sealer, err = newSealer(config)
	return err
}

// follow sends to wherever ICE says.
func (s *soundOut) follow(pair *webrtc.ICECandidatePair) {
	if to, ok := remoteAddress(pair); ok {
		s.to.Store(&to)
	}
}

// write sends one packet when the socket is flushed next, and returns its size.
func (s *soundOut) write(payload []byte, timestamp uint32) (size int) {
	to := s.to.Load()
	if to == nil {
		return 0
	}
	packet, err := s.sealer.seal(s.track.next(timestamp, !s.track.sent), payload)
	if err != nil { // after 2⁴⁸ packets (RFC 3711, 9.2)
		return 0
	}
	s.socket.queue(packet, *to)
	return s.track.count(payload)
}

// transport is the one of all that a session carries.
func (s *session) transport() *webrtc.DTLSTransport {
	for _, t := range s.pc.GetTransceivers() {
		if sender := t.Sender(); sender != nil {
			return sender.Transport()
		}
		if receiver := t.Receiver(); receiver != nil {
			return receiver.Transport()
		}
	}
	return nil
}

// remoteAddress is where the packets of a session go to: the other side's address in the
// pair of candidates that ICE selected.
func remoteAddress(pair *webrtc.ICECandidatePair) (netip.AddrPort, bool) {
	if pair == nil || pair.Remote == nil {
		return netip.AddrPort{}, false
	}
	ip, err := netip.ParseAddr(pair.Remote.Address)
	return netip.AddrPortFrom(ip.Unmap().WithZone(""), pair.Remote.Port), err == nil
}
