package congestion

import "time"

const (
	// probeTime is how long a probe lasts, and probeFactor what it is of the estimate: so
	// little more that even on a link with nothing to spare its queue is short.
	probeTime   = 200 * time.Millisecond
	probeFactor = 1.5
	// probeWait is how long its feedback is waited for at most.
	probeWait = 500 * time.Millisecond
	// probeShare is how much of its rate must arrive.
	probeShare = 0.85
	// leastProbe is how many packets tell anything.
	leastProbe = 5
	// Probes that fail become rare.
	firstProbe, lastProbe = time.Second, 5 * time.Second
)

// probe is an attempt to send more than the media needs, to learn whether it arrives.
type probe struct {
	rate     float64       // bit/s of media and probe together; 0: there is none
	began    time.Duration // when it was sent
	next     time.Duration // not before
	patience time.Duration
	failed   bool
	sent     int // bytes
	count    int // packets that were sent

	first, last time.Duration // arrival of its packets
	bytes       int           // all but the first's
	packets     int           // that arrived
}

// Probe says how many bit/s the packets of a probe and the media are to make together from
// now on; 0: no probe is on. wanted is the rate that would be of use, in bit/s, 0: none.
func (e *Estimator) Probe(wanted int, now time.Duration) (rate int) {
	p := &e.probing
	switch {
	case p.rate > 0:
		if now-p.began < probeTime && !p.failed {
			return int(p.rate)
		}
	case wanted > e.Rate() && now >= p.next && !e.hold && e.arrivals.n > 0:
		*p = probe{rate: min(probeFactor*e.target, 1.1*float64(wanted)), began: now, next: p.next, patience: p.patience}
		return int(p.rate)
	}
	return 0
}

// arrived takes one of its packets, whose bytes stand for the media's between them too.
func (p *probe) arrived(size int, at time.Duration) {
	if p.packets == 0 {
		p.first = at
	} else {
		p.bytes += size
	}
	p.last = max(p.last, at)
	p.packets++
}

// fail tells that a queue grows.
func (p *probe) fail() { p.failed = true }

// result ends a probe whose feedback is there, and tells the rate that it has shown, if any.
func (p *probe) result(now time.Duration) (rate float64, ok bool) {
	age := now - p.began
	whole := p.packets >= p.count && age >= probeTime
	if p.rate == 0 || !whole && !p.failed && age < probeTime+probeWait {
		return 0, false
	}
	if span := p.last - p.first; span > 0 {
		rate = 8 * float64(p.bytes) / max(span, probeTime/2).Seconds()
	}
	sent := 8 * float64(p.sent) / probeTime.Seconds()
	ok = !p.failed && p.packets >= leastProbe && rate >= probeShare*min(sent, p.rate)
	switch {
	case ok:
		p.patience, p.next = 0, now
	case !p.failed && sent < probeShare*p.rate:
		p.next = now + firstProbe // it tells nothing
	default:
		p.patience = min(max(2*p.patience, firstProbe), lastProbe)
		p.next = now + p.patience
	}
	rate, p.rate = min(rate, p.rate), 0
	return rate, ok
}
