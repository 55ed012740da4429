package rtc

import (
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// track sends RTP of one kind to one player. Its packets are written by one goroutine at
// a time; any may make reports.
type track struct {
	id, stream string
	kind       webrtc.RTPCodecType
	mime       string
	clock      uint32 // Hz
	offset     uint32 // added to the engine's timestamps

	writer webrtc.TrackLocalWriter // set by Bind, before anything is sent
	header rtp.Header              // of the packet before
	sent   bool

	packets, octets atomic.Uint32 // of payload, for reports (RFC 3550, 6.4.1)
}

func newTrack(kind webrtc.RTPCodecType, stream string) *track {
	t := &track{id: kind.String(), stream: stream, kind: kind, offset: rand.Uint32()}
	switch kind {
	case webrtc.RTPCodecTypeAudio:
		t.mime, t.clock = webrtc.MimeTypeOpus, 48000
	case webrtc.RTPCodecTypeVideo:
		t.mime, t.clock = webrtc.MimeTypeH264, 90000
	}
	// Of 15 bits: a player that misses the first packets must not miss a wrap (RFC 3711, 3.3.1).
	t.header = rtp.Header{Version: 2, SequenceNumber: uint16(rand.Uint32N(1 << 15))}
	return t
}

// next is the header of the next packet, valid until the one after.
func (t *track) next(timestamp uint32, marker bool) *rtp.Header {
	t.header.SequenceNumber++
	t.header.Timestamp = timestamp + t.offset
	t.header.Marker = marker
	t.sent = true
	return &t.header
}

// count counts a packet that was sent, and returns its size.
func (t *track) count(payload []byte) (size int) {
	t.packets.Add(1)
	t.octets.Add(uint32(len(payload)))
	return len(payload) + 12
}

// write sends one packet by pion and returns its size. Errors mean that the connection is
// down, which its state tells.
func (t *track) write(payload []byte, timestamp uint32, marker bool) (size int) {
	if _, err := t.writer.WriteRTP(t.next(timestamp, marker), payload); err != nil {
		return 0
	}
	return t.count(payload)
}

// report makes a sender report for the moment now of the engine's clock, whose zero was
// at epoch (RFC 3550, 6.4.1). Reports of all tracks of a session for the same moment let
// the player put sound and picture on one clock.
func (t *track) report(now time.Duration, epoch time.Time) *rtcp.SenderReport {
	return &rtcp.SenderReport{
		SSRC:        t.header.SSRC,
		NTPTime:     ntp(epoch.Add(now)),
		RTPTime:     timestamp(now, t.clock) + t.offset,
		PacketCount: t.packets.Load(),
		OctetCount:  t.octets.Load(),
	}
}

// timestamp is a moment of the engine's clock in units of an RTP clock, modulo 2³².
func timestamp(now time.Duration, clock uint32) uint32 {
	seconds, rest := now/time.Second, now%time.Second
	return uint32(uint64(seconds)*uint64(clock) + uint64(rest)*uint64(clock)/uint64(time.Second))
}

// ntp is a time in the 64 bits of NTP: seconds since 1900 and their fraction.
func ntp(t time.Time) uint64 {
	const since1900 = 2208988800
	return uint64(t.Unix()+since1900)<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}

// Bind implements webrtc.TrackLocal.
func (t *track) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	for _, p := range c.CodecParameters() {
		if strings.EqualFold(p.MimeType, t.mime) {
			t.writer = c.WriteStream()
			t.header.SSRC, t.header.PayloadType = uint32(c.SSRC()), uint8(p.PayloadType)
			return p, nil
		}
	}
	return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
}

// Unbind implements webrtc.TrackLocal.
func (t *track) Unbind(webrtc.TrackLocalContext) error { return nil }

// ID implements webrtc.TrackLocal.
func (t *track) ID() string { return t.id }

// RID implements webrtc.TrackLocal.
func (t *track) RID() string { return "" }

// StreamID implements webrtc.TrackLocal. pion also makes it the CNAME.
func (t *track) StreamID() string { return t.stream }

// Kind implements webrtc.TrackLocal.
func (t *track) Kind() webrtc.RTPCodecType { return t.kind }
