// Package nack finds out which packets of an RTP stream to ask for again (RFC 4585, 6.2.1).
// pion's generator does not do: it does not notice what came by RTX, and asks for that again
// and again.
package nack

import (
	"slices"
	"time"

	"github.com/pion/rtcp"
)

const (
	// again is after how long a lost packet is asked for again, and most how often at most.
	again = 40 * time.Millisecond
	most  = 10
	// window is how many packets may be missing: after more the stream begins anew.
	window = 256
)

// Losses are the packets of one stream that are missing. The zero value is ready; it is not
// safe for concurrent use. Only losses allocate.
type Losses struct {
	started bool
	highest uint16
	missing []loss
	ask     []uint16
}

type loss struct {
	sequence uint16
	times    int
	asked    time.Duration // last
}

// Add takes the number of a packet that came, by RTX or not, at a moment of any clock, and
// returns those to ask for now, valid until the next call.
func (l *Losses) Add(sequence uint16, now time.Duration) (ask []uint16) {
	if !l.started {
		l.started, l.highest = true, sequence
	}
	ahead := int16(sequence - l.highest)
	if ahead == 1 && len(l.missing) == 0 {
		l.highest = sequence
		return nil
	}
	l.missing = slices.DeleteFunc(l.missing, func(m loss) bool { return m.sequence == sequence || m.times == most })
	if int(ahead)+len(l.missing) > window || ahead < -window {
		l.missing, l.highest, ahead = l.missing[:0], sequence, 0
	}
	for ; ahead > 0; ahead-- {
		l.highest++
		if l.highest != sequence {
			l.missing = append(l.missing, loss{sequence: l.highest})
		}
	}
	l.ask = l.ask[:0]
	for i := range l.missing {
		if m := &l.missing[i]; m.times == 0 || now-m.asked >= again {
			m.asked = now
			m.times++
			l.ask = append(l.ask, m.sequence)
		}
	}
	return l.ask
}

// Packet asks for packets of an SSRC.
func Packet(ssrc uint32, sequences []uint16) *rtcp.TransportLayerNack {
	return &rtcp.TransportLayerNack{SenderSSRC: ssrc, MediaSSRC: ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(sequences)}
}
