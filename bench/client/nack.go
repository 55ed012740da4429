package client

import (
	"slices"
	"time"

	"github.com/pion/rtcp"
)

const (
	// nackAgain is when a lost packet is asked for again, and nackMost how often at most: as
	// libwebrtc does while it does not know the round trip better.
	nackAgain = 50 * time.Millisecond
	nackMost  = 10
	// nackWindow is how many packets may be missing.
	nackWindow = 500
)

// losses are the packets that a Player asks for. pion's generator does not do: it does not
// notice what came by RTX, and asks for that for ever.
type losses struct {
	started bool
	highest uint16
	missing []loss
}

type loss struct {
	sequence uint16
	asked    time.Time
	times    int
}

// add takes a packet that came, by whatever way, and returns those to ask for now.
func (l *losses) add(sequence uint16, now time.Time) (ask []uint16) {
	if !l.started {
		l.started, l.highest = true, sequence
	}
	l.missing = slices.DeleteFunc(l.missing, func(m loss) bool { return m.sequence == sequence || m.times >= nackMost })
	if ahead := int16(sequence - l.highest); ahead > 0 {
		if int(ahead) > nackWindow {
			l.missing, l.highest = l.missing[:0], sequence-1
		}
		for n := l.highest + 1; n != sequence; n++ {
			l.missing = append(l.missing, loss{sequence: n})
		}
		l.highest = sequence
	}
	for i := range l.missing {
		if m := &l.missing[i]; now.Sub(m.asked) >= nackAgain {
			m.asked = now
			m.times++
			ask = append(ask, m.sequence)
		}
	}
	return ask
}

// nack asks for packets of an SSRC.
func nack(ssrc uint32, sequences []uint16) *rtcp.TransportLayerNack {
	return &rtcp.TransportLayerNack{MediaSSRC: ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(sequences)}
}
