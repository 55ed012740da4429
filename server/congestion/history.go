package congestion

import (
	"time"

	"github.com/pion/rtcp"
)

// Packets for which feedback may come are known for rememberedTime, if they are large; a power
// of two of them, and so many at least and at most.
const (
	rememberedTime  = 300 * time.Millisecond
	rememberedLeast = 1 << 10
	rememberedMost  = 1 << 14
)

// state of a packet that was sent.
type state uint8

const (
	unknown state = iota
	sent
	lost     // so far, as the receiver says
	received // and counted
)

type packet struct {
	number uint16
	state  state
	probe  bool
	size   int           // bytes
	left   time.Duration // when it was sent
}

// history are the packets sent lately, and the receiver's clock.
type history struct {
	packets []packet // the number, modulo the length, is the index
	next    uint16
	epoch   int64 // reference time of the last feedback, unwrapped, in 64 ms
	started bool  // there was one
}

// newHistory makes a history of packets sent at a rate, in bit/s, at most.
func newHistory(rate int) history {
	n := rememberedLeast
	for n < rememberedMost && float64(n*8*1200) < float64(rate)*rememberedTime.Seconds() {
		n *= 2
	}
	return history{packets: make([]packet, n)}
}

// at is where a packet of a number is.
func (h *history) at(number uint16) *packet { return &h.packets[int(number)%len(h.packets)] }

// add takes a packet and gives it the next transport-wide number.
func (h *history) add(size int, probe bool, now time.Duration) (number uint16) {
	number = h.next
	h.next++
	*h.at(number) = packet{number, sent, probe, size, now}
	return number
}

// each calls f with each packet that a feedback speaks of for the first time, or for the
// first time as received, and its time of arrival by the receiver's clock.
func (h *history) each(fb *rtcp.TransportLayerCC, f func(p *packet, arrived bool, at time.Duration)) {
	// The reference time has 24 bits; the nearest epoch is meant.
	reference := int64(fb.ReferenceTime & 0xffffff)
	if h.started {
		reference = h.epoch + (reference-h.epoch+1<<23)&0xffffff - 1<<23
	}
	h.started, h.epoch = true, reference
	at := time.Duration(reference) * 64 * time.Millisecond
	number, left, deltas := fb.BaseSequenceNumber, int(fb.PacketStatusCount), fb.RecvDeltas
	// It tells with false that there are more statuses than times.
	status := func(symbol uint16) bool {
		arrived := symbol == rtcp.TypeTCCPacketReceivedSmallDelta || symbol == rtcp.TypeTCCPacketReceivedLargeDelta
		if arrived {
			if len(deltas) == 0 {
				return false
			}
			at += time.Duration(deltas[0].Delta) * time.Microsecond
			deltas = deltas[1:]
		}
		p := h.at(number)
		if p.number == number && (p.state == sent || p.state == lost && arrived) {
			f(p, arrived, at)
		}
		number++
		left--
		return true
	}
	for _, chunk := range fb.PacketChunks {
		switch chunk := chunk.(type) {
		case *rtcp.RunLengthChunk:
			for range min(int(chunk.RunLength), left) {
				if !status(chunk.PacketStatusSymbol) {
					return
				}
			}
		case *rtcp.StatusVectorChunk:
			for _, symbol := range chunk.SymbolList[:min(len(chunk.SymbolList), left)] {
				if !status(symbol) {
					return
				}
			}
		}
	}
}
