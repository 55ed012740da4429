package rtc

import (
	"sync"
	"time"

	"github.com/pion/rtcp"
)

// soundClock is the RTP clock of Opus in Hz (RFC 7587, 4.1).
const soundClock = 48000

// reception is what a receiver report tells of one source (RFC 3550, 6.4.1 and appendices
// A.1, A.3 and A.8). Senders adapt their redundancy to it.
type reception struct {
	mu       sync.Mutex
	ssrc     uint32
	packets  uint32 // received, duplicates too, as the RFC wants it
	first    uint32 // extended sequence number
	highest  uint32 // the same
	transit  uint32 // of the packet before, in clock units
	jitter   float64
	report   uint64 // NTP time of the newest sender report
	reported time.Duration

	expectedBefore, packetsBefore uint32 // at the report before
}

// reset begins a new source.
func (r *reception) reset(ssrc uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ssrc, r.packets, r.jitter, r.report = ssrc, 0, 0, 0
	r.expectedBefore, r.packetsBefore = 0, 0
}

// packet counts one packet, which arrived at a moment of the engine's clock.
func (r *reception) packet(sequence uint16, rtpTime uint32, arrival time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	transit := timestamp(arrival, soundClock) - rtpTime
	if r.packets == 0 {
		// One cycle above zero, for packets that the first one has overtaken.
		r.first = 1<<16 | uint32(sequence)
		r.highest = r.first
	} else {
		d := float64(int32(transit - r.transit))
		r.jitter += (max(d, -d) - r.jitter) / 16
		r.highest = max(r.highest, r.highest+uint32(int32(int16(sequence-uint16(r.highest)))))
	}
	r.transit = transit
	r.packets++
}

// senderReport keeps what a report of the sender needs to learn the round trip.
func (r *reception) senderReport(ntp uint64, arrival time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report, r.reported = ntp, arrival
}

// block is the report block for the time since the one before; ok is false before the
// first packet.
func (r *reception) block(now time.Duration) (block rtcp.ReceptionReport, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.packets == 0 {
		return block, false
	}
	expected := r.highest - r.first + 1
	lost := int64(expected) - int64(r.packets)
	block = rtcp.ReceptionReport{
		SSRC: r.ssrc, LastSequenceNumber: r.highest - 1<<16, Jitter: uint32(r.jitter),
		TotalLost: uint32(min(max(lost, 0), 1<<23-1)), // the packet's 24 bits are signed
	}
	expectedNow, packetsNow := expected-r.expectedBefore, r.packets-r.packetsBefore
	r.expectedBefore, r.packetsBefore = expected, r.packets
	if expectedNow > packetsNow {
		block.FractionLost = uint8(min((expectedNow-packetsNow)<<8/expectedNow, 255))
	}
	if r.report != 0 {
		block.LastSenderReport = uint32(r.report >> 16)
		block.Delay = uint32((now - r.reported) * 65536 / time.Second)
	}
	return block, true
}
