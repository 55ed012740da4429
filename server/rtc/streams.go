package rtc

import (
	"io"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/transport/v5/packetio"
)

// streams makes the buffers behind the SSRCs of one session. pion makes one for each SSRC
// that the peer sends, of RTP and of RTCP, and keeps it until the session ends, so their
// number is bounded.
type streams struct {
	discard bool   // RTP is not expected, since the session only plays
	flood   func() // called when the peer uses too many SSRCs
	// fresh, if set, is called with the first packet of each SSRC. It must not block.
	fresh func(packet []byte)
	// feedback, if set, is called with transport-wide feedback. That names the SSRC of
	// whichever packet came last, which may be one whose RTCP nobody reads: a session's
	// repair stream. It must not block.
	feedback func(packet []byte)
	n        atomic.Int32
}

// buffer implements webrtc.SettingEngine.BufferFactory.
func (s *streams) buffer(kind packetio.BufferPacketType, _ uint32) io.ReadWriteCloser {
	if s.n.Add(1) > maxStreams {
		s.flood()
		return discard{}
	}
	if s.discard && kind == packetio.RTPBufferPacket {
		return discard{}
	}
	b := packetio.NewBuffer()
	b.SetLimitSize(streamBufferSize)
	buffer := &streamBuffer{b: b}
	if kind == packetio.RTPBufferPacket {
		buffer.fresh = s.fresh
	} else {
		buffer.feedback = s.feedback
	}
	return buffer
}

// streamBuffer makes a packetio.Buffer an io.ReadWriteCloser.
type streamBuffer struct {
	b        *packetio.Buffer
	fresh    func(packet []byte) // nil after the first packet
	feedback func(packet []byte)
}

func (s *streamBuffer) Read(p []byte) (int, error) {
	n, _, err := s.b.Read(p, nil)
	return n, err
}

// Write is called by one goroutine, which reads the connection.
func (s *streamBuffer) Write(p []byte) (int, error) {
	if s.feedback != nil && isTransportFeedback(p) {
		s.feedback(p)
		return len(p), nil
	}
	n, err := s.b.Write(p, nil)
	if s.fresh != nil {
		s.fresh(p)
		s.fresh = nil
	}
	return n, err
}

// isTransportFeedback tells transport-wide feedback from other RTCP
// (draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1).
func isTransportFeedback(p []byte) bool {
	return len(p) >= 4 && p[0]&0x1f == rtcp.FormatTCC && rtcp.PacketType(p[1]) == rtcp.TypeTransportSpecificFeedback
}

func (s *streamBuffer) Close() error                      { return s.b.Close() }
func (s *streamBuffer) SetReadDeadline(t time.Time) error { return s.b.SetReadDeadline(t) }

// discard takes everything and gives nothing, so that its reader ends at once.
type discard struct{}

func (discard) Read([]byte) (int, error)    { return 0, io.EOF }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Close() error                { return nil }
