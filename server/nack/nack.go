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
	// again is after how long a lost packet is asked for again while the round trip is not
	// known, and most how often at most.
	again = 40 * time.Millisecond
	most  = 10
	// margin is the least that is added to the round trip, or its marginShare: senders do not
	// send a packet again within the round trip that they know, a mean mostly, so that a
	// request too early is in vain. leastPause is the least sum.
	margin, marginShare, leastPause = 10 * time.Millisecond, 4, 20 * time.Millisecond
	// samples is how many packets the round trip is learnt from, of which the third-quickest
	// counts: some came by chance, such as by a sender's probe, some only when they were
	// asked for again.
	samples, quickest = 8, 3
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

	took    [samples]time.Duration // from the first request to the packet
	answers int                    // how many there were
	rtt     time.Duration          // 0: not known
}

type loss struct {
	sequence     uint16
	times        int
	first, asked time.Duration // when it was asked for, first and last
}

// Add takes the number of a packet that came at a moment of any clock, and returns those to
// ask for now, valid until the next call. resent tells that it came because it was asked
// for, by RTX for example, rather than late.
func (l *Losses) Add(sequence uint16, resent bool, now time.Duration) (ask []uint16) {
	if !l.started {
		l.started, l.highest = true, sequence
	}
	ahead := int16(sequence - l.highest)
	if ahead == 1 && len(l.missing) == 0 {
		l.highest = sequence
		return nil
	}
	l.missing = slices.DeleteFunc(l.missing, func(m loss) bool {
		if m.sequence == sequence && resent && m.times > 0 {
			l.answered(now - m.first)
		}
		return m.sequence == sequence
	})
	if int(ahead)+len(l.missing) > window || ahead < -window {
		l.missing, l.highest, ahead = l.missing[:0], sequence, 0
	}
	for ; ahead > 0; ahead-- {
		l.highest++
		if l.highest != sequence {
			l.missing = append(l.missing, loss{sequence: l.highest})
		}
	}
	return l.Due(now)
}

// Due returns the packets to ask for now, valid until the next call. It is to be called from
// time to time while packets are missing, for none may come that has Add called.
func (l *Losses) Due(now time.Duration) (ask []uint16) {
	l.ask = l.ask[:0]
	l.missing = slices.DeleteFunc(l.missing, func(m loss) bool { return m.times == most && now-m.asked >= l.pause(m.times) })
	for i := range l.missing {
		m := &l.missing[i]
		if m.times == most || m.times > 0 && now-m.asked < l.pause(m.times) {
			continue
		}
		if m.times == 0 {
			m.first = now
		}
		m.asked = now
		m.times++
		l.ask = append(l.ask, m.sequence)
	}
	return l.ask
}

// Missing tells whether any packet is waited for.
func (l *Losses) Missing() bool { return len(l.missing) > 0 }

// RTT is the time from a request to its answer; 0: not known yet.
func (l *Losses) RTT() time.Duration { return l.rtt }

// pause is how long after a packet was asked for so many times it is asked for again. It
// grows, slowly at first, for the round trip may be longer than it seems.
func (l *Losses) pause(times int) time.Duration {
	pause := again
	if l.rtt > 0 {
		pause = max(l.rtt+max(margin, l.rtt/marginShare), leastPause)
	}
	return pause + pause*time.Duration((times-1)*(times-1))/16
}

// answered learns the round trip. What it counts from is the first request, not the last
// one, to which it may be no answer.
func (l *Losses) answered(took time.Duration) {
	l.took[l.answers%samples] = took
	l.answers++
	sorted := l.took
	n := min(l.answers, samples)
	slices.Sort(sorted[:n])
	l.rtt = max(sorted[(n-1)*quickest/samples], 1)
}

// Packet asks for packets of the SSRC media on behalf of the SSRC sender.
func Packet(sender, media uint32, sequences []uint16) *rtcp.TransportLayerNack {
	return &rtcp.TransportLayerNack{SenderSSRC: sender, MediaSSRC: media, Nacks: rtcp.NackPairsFromSequenceNumbers(sequences)}
}
