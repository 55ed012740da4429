package congestion

import (
	"slices"
	"time"

	"github.com/pion/rtcp"
)

const (
	// rateWindow is over what time of arrivals the received rate is taken.
	rateWindow = 500 * time.Millisecond
	// arrivalStep is the time within which arrivals count as one.
	arrivalStep = time.Millisecond
	// keep is the share of the received rate that is estimated when a queue grows.
	keep = 0.85
	// grow is by how much the estimate grows in a second while it is far from where a queue
	// grew last, and near the share of that from which it is near.
	grow, near = 1.08, 0.85
	// ahead bounds the estimate: no more of it is known than so many times what arrived.
	ahead, aheadLeast = 1.5, 10_000
	// What grows while less than this part of the estimate is sent is no queue of this sender.
	idle = 8
	// Loss beyond lossLimit is taken for that of a link that is too narrow, though no queue
	// tells of it. Less than that is what retransmission is for: links that lose packets
	// whatever the rate do not get better by sending less.
	lossLimit   = 0.25
	lossPackets = 60 // are looked at together
	// again bounds how much of the estimate is left by a further reduction within a second.
	again = 0.7
	// reaction is how long the effect of a reduction is waited for, beside the round trip.
	reaction = 100 * time.Millisecond
)

// Config bounds an Estimator's estimates, in bit/s.
type Config struct {
	First, Least, Most int
}

// Estimator estimates the rate for one receiver. It is not safe for concurrent use.
type Estimator struct {
	config  Config
	history history
	trend   trend
	queue   standing

	target   float64 // bit/s
	ceiling  float64 // where a queue grew last; 0: unknown
	changed  time.Duration
	reduced  time.Duration    // when the target was reduced last
	unqueued float64          // the target before a queue stood
	moved    time.Duration    // when the way changed last
	rtt      time.Duration    // of the newest feedback
	rtts     [8]time.Duration // of the newest ones
	answers  int              // how many there were
	hold     bool             // a queue drains, or was just noticed
	arrivals arrivals
	left     arrivals // of packets at the sender, while there is no feedback

	lossSent, lossLost int

	probing probe
}

// NewEstimator makes an Estimator.
func NewEstimator(c Config) *Estimator {
	return &Estimator{config: c, target: float64(c.First), history: newHistory(c.Most), trend: newTrend()}
}

// Sent takes a packet of so many bytes that is sent now, and returns the transport-wide
// number that it must carry. The probe's packets are sent beside the media.
func (e *Estimator) Sent(size int, probe bool, now time.Duration) (number uint16) {
	if !e.history.started {
		e.left.add(now, size)
	}
	if probe {
		e.probing.sent += size
		e.probing.count++
	}
	return e.history.add(size, probe, now)
}

// Rate is the estimate in bit/s.
func (e *Estimator) Rate() int { return int(e.target) }

// Queued tells whether packets were seen to wait in a queue that stands: what is sent faster
// than the estimate overflows it.
func (e *Estimator) Queued() bool { return e.queue.stands() }

// RTT is the round-trip time, the least of some feedback: most of that waits at the receiver
// for more packets to tell of. 0: none yet.
func (e *Estimator) RTT() time.Duration {
	if e.answers == 0 {
		return 0
	}
	return slices.Min(e.rtts[:min(e.answers, len(e.rtts))])
}

// Feedback takes what the receiver reports. Feedback that makes no sense changes nothing.
func (e *Estimator) Feedback(fb *rtcp.TransportLayerCC, now time.Duration) {
	answered := false
	e.history.each(fb, func(p *packet, arrived bool, at time.Duration) {
		if !arrived {
			p.state = lost
			e.lossSent++
			e.lossLost++
			e.queue.miss()
			return
		}
		if p.state == sent {
			e.lossSent++
		} else {
			e.queue.find()
		}
		p.state = received
		e.rtt, answered = now-p.left, true
		e.arrivals.add(at, p.size)
		if p.probe && p.left >= e.probing.began {
			e.probing.arrived(p.size, at)
		}
		if p.left >= e.moved {
			e.trend.add(p.left, at, now)
			e.queue.add(p.left, at)
		}
	})
	if answered {
		e.rtts[e.answers%len(e.rtts)] = e.rtt
		e.answers++
	}
	e.control(now)
}

// Moved tells that packets go another way from now on: how long they took before says nothing
// any more.
func (e *Estimator) Moved(now time.Duration) {
	e.queue, e.trend, e.moved = standing{}, newTrend(), now
}

// Told takes an estimate that the receiver has made (REMB, draft-alvestrand-rmcat-remb). It
// counts while there is no feedback on each packet.
func (e *Estimator) Told(bitsPerSecond int) {
	if !e.history.started {
		e.target = e.bounded(float64(bitsPerSecond))
	}
}

// Lost takes the share of packets that were lost lately, from 0 to 1, by a receiver report
// (RFC 3550, 6.4.1). It counts while there is no feedback on each packet.
func (e *Estimator) Lost(fraction float64, now time.Duration) {
	switch {
	case e.history.started:
		return
	case fraction > lossLimit:
		e.reduce(0.95*(1-fraction)*e.left.rate(), now)
	case fraction < lossLimit/2:
		e.target += e.target * (grow - 1) * min(now-e.changed, time.Second).Seconds()
	}
	e.changed = now
	e.target = e.bounded(e.target)
}

func (e *Estimator) bounded(rate float64) float64 {
	return min(max(rate, float64(e.config.Least)), float64(e.config.Most))
}

// control moves the target.
func (e *Estimator) control(now time.Duration) {
	got := e.arrivals.rate()
	stood := e.queue.stands()
	grows := e.queue.step(now) || e.trend.usage == over
	switch {
	case e.queue.longer(now): // nothing had to be reduced for it
		e.target, e.ceiling = max(e.target, e.unqueued), 0
		grows, e.hold = false, false
	case !stood && e.queue.stands():
		e.unqueued = e.target
	}
	switch {
	case grows && got < e.target/idle:
		e.hold = true
	case grows:
		// Before the queue stood, more arrived.
		e.reduce(keep*min(got, e.arrivals.over(rateWindow/2)), now)
	case e.trend.usage == under:
		e.hold = true
	case e.hold:
		e.hold = false
	default:
		e.increase(got, now)
	}
	if !grows && got > e.target && now-e.reduced > rateWindow+e.rtt {
		e.target = got // the link carries it
	}
	e.changed = now
	if e.lossSent >= lossPackets {
		if float64(e.lossLost) > lossLimit*float64(e.lossSent) {
			e.reduce(0.95*got, now)
		}
		e.lossSent, e.lossLost = 0, 0
	}
	if rate, ok := e.probing.result(now); ok && !grows {
		e.target = max(e.target, rate)
		e.ceiling = 0
	}
	e.target = e.bounded(e.target)
}

// reduce takes a lower target, but no two for what was sent before the first took effect.
func (e *Estimator) reduce(to float64, now time.Duration) {
	e.probing.fail()
	e.hold = true
	if to <= 0 || to >= e.target || e.reduced > 0 && now-e.reduced < reaction+e.rtt/2 {
		return
	}
	e.ceiling = to / keep
	if e.reduced > 0 && now-e.reduced < time.Second {
		to = max(to, again*e.target) // what is sent may just have become less
	}
	e.target, e.reduced = to, now
}

func (e *Estimator) increase(got float64, now time.Duration) {
	dt := min(now-e.changed, time.Second).Seconds()
	most := ahead*got + aheadLeast
	if e.target >= most {
		return
	}
	if e.ceiling > 0 && got > 1.1*e.ceiling {
		e.ceiling = 0
	}
	if e.ceiling > 0 && e.target > near*e.ceiling {
		const packet = 8 * 1200
		e.target += packet * dt / (reaction + e.rtt).Seconds()
	} else {
		e.target += e.target * (grow - 1) * dt
	}
	e.target = min(e.target, most)
}

// arrivals measure the rate of what arrives. Packets that come within arrivalStep count as
// one, so that there is room for the window's whatever the rate is.
type arrivals struct {
	ring  [512]arrival
	begin int
	n     int
}

type arrival struct {
	at   time.Duration
	size int
}

func (a *arrivals) add(at time.Duration, size int) {
	if a.n > 0 {
		newest := a.ring[(a.begin+a.n-1)%len(a.ring)].at
		if at < newest-2*rateWindow || at > newest+10*time.Second { // another clock
			a.n = 0
		}
		at = max(at, newest)
	}
	if a.n > 1 { // a rate is between two
		if newest := &a.ring[(a.begin+a.n-1)%len(a.ring)]; at-newest.at < arrivalStep {
			newest.size += size
			return
		}
	}
	for a.n > 0 && (a.n == len(a.ring) || a.ring[a.begin].at < at-rateWindow) {
		a.begin = (a.begin + 1) % len(a.ring)
		a.n--
	}
	a.ring[(a.begin+a.n)%len(a.ring)] = arrival{at, size}
	a.n++
}

// rate is in bit/s.
func (a *arrivals) rate() float64 { return a.over(rateWindow) }

// over is the rate in bit/s over the newest so much time, and half of that at least.
func (a *arrivals) over(d time.Duration) float64 {
	if a.n < 2 {
		return 0
	}
	newest := a.ring[(a.begin+a.n-1)%len(a.ring)]
	bytes, span := 0, time.Duration(0)
	for i := a.n - 1; i > 0; i-- {
		p := &a.ring[(a.begin+i)%len(a.ring)]
		if newest.at-p.at > d {
			break
		}
		bytes += p.size
		span = newest.at - a.ring[(a.begin+i-1)%len(a.ring)].at
	}
	return 8 * float64(bytes) / max(span, d/2).Seconds()
}
