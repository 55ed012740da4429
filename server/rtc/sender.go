package rtc

import (
	"encoding/binary"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"

	"sectile/server/congestion"
)

const (
	// keptTime is for how long packets of video are kept for retransmission, if they are
	// large; a power of two of them, and so many at least and at most.
	keptTime            = time.Second
	keptLeast, keptMost = 1 << 9, 1 << 14
	// resendMargin is how much longer than a round trip a packet that was sent again is not
	// sent once more, and resendLeast the least of that: of one that is on its way players
	// ask again.
	resendMargin, resendLeast = 5 * time.Millisecond, 20 * time.Millisecond
	// resendShare is how much of the estimate, in percent, goes to what is sent again, and
	// resendBurst how much of that may be saved up.
	resendShare, resendBurst = 50, 500 * time.Millisecond
	// queuedBurst is the same while a queue stands, which a burst would overflow again.
	queuedBurst = 50 * time.Millisecond
	// padBurst bounds how many packets of a probe are sent in one step of the pacer, if those of
	// two steps are not more.
	padBurst = 4
)

// sender is what a session that plays video sends its packets through: an interceptor of
// pion's that numbers them for congestion control, keeps them, and sends them again when
// the player asks, by RTX (RFC 4588) where that was negotiated.
//
// It does so in place of pion's interceptors. Their responder does not know that nothing
// from before a keyframe need be sent again, and their estimator did not come back up after
// the queue of a link of limited rate was full.
type sender struct {
	interceptor.NoOp
	now     func() time.Duration
	buffers *sync.Pool     // of *[maxPayload]byte
	resent  *atomic.Uint64 // counts what is sent again

	mu        sync.Mutex
	estimator *congestion.Estimator
	closed    bool
	writer    interceptor.RTPWriter // nil until bound
	extension uint8                 // of the transport-wide number; 0: the player does not report on packets
	again     rtp.Header            // of what is sent again
	rtx       bool                  // it goes by RTX
	number    [2]byte               // the extension's content
	ssrc      uint32
	kept      []keptPacket // the sequence number, modulo the length, is the index
	newest    uint16       // sequence number
	any       bool         // there was a packet
	first     uint16       // sequence number from which on packets are of use
	payload   [maxPayload + 2]byte

	credit   float64 // bytes that may be sent again
	credited time.Duration

	padded time.Duration // when the probe was brought up to date
	debt   float64       // bytes that the probe still has to send
	pad    uint16        // sequence number of what it sent last
}

// keptPacket is one that may be sent again.
type keptPacket struct {
	buffer    *[maxPayload]byte // nil: none
	size      int
	sequence  uint16
	marker    bool
	timestamp uint32
	again     time.Duration // when it was sent again last; 0: never
}

// newSender makes a sender of pictures that take bitrate bit/s.
func newSender(now func() time.Duration, buffers *sync.Pool, resent *atomic.Uint64, bitrate int) *sender {
	n := keptLeast
	for n < keptMost && n*8*largePayload < int(float64(bitrate)*keptTime.Seconds()) {
		n *= 2
	}
	return &sender{now: now, buffers: buffers, resent: resent, estimator: congestion.NewEstimator(estimates(bitrate)), kept: make([]keptPacket, n)}
}

// keeps is where a packet is kept that may be sent again.
func (s *sender) keeps(sequence uint16) *keptPacket { return &s.kept[int(sequence)%len(s.kept)] }

// BindLocalStream implements interceptor.Interceptor.
func (s *sender) BindLocalStream(info *interceptor.StreamInfo, w interceptor.RTPWriter) interceptor.RTPWriter {
	if !strings.HasPrefix(strings.ToLower(info.MimeType), "video/") {
		return w
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writer, s.ssrc = w, info.SSRC
	for _, e := range info.RTPHeaderExtensions {
		if e.URI == sdp.TransportCCURI {
			s.extension = uint8(e.ID)
		}
	}
	s.again = rtp.Header{Version: 2, SSRC: info.SSRC, PayloadType: info.PayloadType}
	if s.rtx = info.SSRCRetransmission != 0 && info.PayloadTypeRetransmission != 0; s.rtx {
		s.again.SSRC, s.again.PayloadType = info.SSRCRetransmission, info.PayloadTypeRetransmission
	}
	return interceptor.RTPWriterFunc(s.write)
}

// write sends a packet of the picture and keeps it.
func (s *sender) write(h *rtp.Header, payload []byte, _ interceptor.Attributes) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(payload) <= maxPayload && !s.closed {
		k := s.keeps(h.SequenceNumber)
		if k.buffer == nil {
			k.buffer = s.buffers.Get().(*[maxPayload]byte)
		}
		*k = keptPacket{buffer: k.buffer, size: copy(k.buffer[:], payload), sequence: h.SequenceNumber, marker: h.Marker, timestamp: h.Timestamp}
		s.newest = h.SequenceNumber
		if !s.any {
			s.any, s.first = true, h.SequenceNumber
		}
		if older := uint16(len(s.kept)); s.newest-s.first >= older { // or it would come to look newer one day
			s.first = s.newest - older + 1
		}
	}
	return s.send(h, payload)
}

// send numbers a packet and sends it. It needs the lock.
func (s *sender) send(h *rtp.Header, payload []byte) (int, error) {
	now := s.now()
	rate := s.estimator.Probe(0, now)
	size := h.MarshalSize() + len(payload)
	binary.BigEndian.PutUint16(s.number[:], s.estimator.Sent(size, rate > 0, now))
	s.debt -= float64(size)
	if s.extension > 0 {
		if err := h.SetExtension(s.extension, s.number[:]); err != nil {
			return 0, err
		}
	}
	return s.writer.Write(h, payload, nil)
}

// restart tells that what was sent before a packet is of no use any more.
func (s *sender) restart(sequence uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.first = sequence
}

// nack sends again what the player asks for (RFC 4585, 6.2.1).
func (s *sender) nack(n *rtcp.TransportLayerNack) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writer == nil || s.closed || n.MediaSSRC != s.ssrc {
		return
	}
	now := s.now()
	rate := float64(s.estimator.Rate()) * resendShare / 100 / 8
	burst := resendBurst
	if s.estimator.Queued() {
		burst = queuedBurst
	}
	s.credit = min(s.credit+rate*(now-s.credited).Seconds(), max(rate*burst.Seconds(), maxPayload))
	s.credited = now
	pause := max(s.estimator.RTT()+resendMargin, resendLeast)
	for _, pair := range n.Nacks {
		for i := range uint16(17) {
			sequence := pair.PacketID + i
			if i > 0 && pair.LostPackets>>(i-1)&1 == 0 || int16(sequence-s.first) < 0 {
				continue
			}
			k := s.keeps(sequence)
			if k.buffer == nil || k.sequence != sequence || k.again > 0 && now-k.again < pause {
				continue
			}
			if s.credit < float64(k.size) {
				return // it will be asked for again
			}
			s.credit -= float64(k.size)
			k.again = now
			s.repeat(k)
			s.resent.Add(1)
		}
	}
}

// repeat sends a packet again. It needs the lock. Errors mean that the connection is down,
// which its state tells.
func (s *sender) repeat(k *keptPacket) {
	h := &s.again
	h.Timestamp, h.Marker = k.timestamp, k.marker
	if !s.rtx {
		h.SequenceNumber = k.sequence
		_, _ = s.send(h, k.buffer[:k.size])
		return
	}
	h.SequenceNumber++
	binary.BigEndian.PutUint16(s.payload[:], k.sequence)
	n := copy(s.payload[2:], k.buffer[:k.size])
	_, _ = s.send(h, s.payload[:2+n])
}

// feedback takes what the player reports of the arrival of each packet.
func (s *sender) feedback(fb *rtcp.TransportLayerCC) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.estimator.Feedback(fb, s.now())
}

// moved tells that packets go another way from now on.
func (s *sender) moved() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.estimator.Moved(s.now())
}

// lost takes the share of packets that a receiver report says were lost.
func (s *sender) lost(fraction float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.estimator.Lost(fraction, s.now())
}

// told takes an estimate that the player made.
func (s *sender) told(bitsPerSecond int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.estimator.Told(bitsPerSecond)
}

// bandwidth is what is estimated, and whether more than is sent can be tried out: by RTX of
// what the player has.
func (s *sender) bandwidth() (rate int, probes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.estimator.Rate(), s.extension > 0 && s.rtx
}

// try has a rate tried out; 0: none. It tells whether a probe is on, and step is to be
// called by the pacer.
func (s *sender) try(wanted int) (probing bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.extension == 0 || !s.rtx {
		return false
	}
	now := s.now()
	if s.estimator.Probe(0, now) > 0 {
		return true
	}
	s.padded, s.debt = now, 0
	return s.estimator.Probe(wanted, now) > 0
}

// step sends what a probe has to send beside the media by now, and tells whether it goes on.
func (s *sender) step() (more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	rate := s.estimator.Probe(0, now)
	if rate == 0 || s.closed {
		return false
	}
	most := max(padBurst, int(2*float64(rate)/8*paceStep.Seconds()/maxPayload))
	s.debt = min(s.debt+float64(rate)/8*(now-s.padded).Seconds(), float64(most*maxPayload))
	s.padded = now
	for range most {
		// Once more what was sent last, and what was sent before that.
		s.pad--
		if !s.any || int16(s.pad-s.first) < 0 || int(s.newest-s.pad) >= len(s.kept) {
			s.pad = s.newest
		}
		k := s.keeps(s.pad)
		if s.debt < float64(k.size) || k.buffer == nil || k.sequence != s.pad {
			break
		}
		s.repeat(k)
	}
	return true
}

// pace is at which rate packets are to be sent at most, in byte/s, and whether all are to be
// paced, since what is sent faster would be lost in a queue that stands.
func (s *sender) pace() (rate float64, all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rate = float64(s.estimator.Rate()) / 8
	if s.estimator.Queued() {
		return queuedFactor * rate, true
	}
	return paceFactor * rate, false
}

// Close implements interceptor.Interceptor.
func (s *sender) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for i := range s.kept {
		if s.kept[i].buffer != nil {
			s.buffers.Put(s.kept[i].buffer)
			s.kept[i].buffer = nil
		}
	}
	return nil
}

// NewInterceptor implements interceptor.Factory: a sender is of one session.
func (s *sender) NewInterceptor(string) (interceptor.Interceptor, error) { return s, nil }
