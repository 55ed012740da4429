package jitter

import "time"

const (
	minTarget   = 20 * time.Millisecond
	maxTarget   = 200 * time.Millisecond
	startTarget = 60 * time.Millisecond

	window      = 500 * time.Millisecond // of one observation of the greatest delay
	minWindows  = 4                      // over which the least transit time is sought
	binWidth    = 20 * time.Millisecond
	bins        = 26 // the last one has all that is longer
	forget      = 0.983
	quantile    = 0.95
	reorderCost = 20 * time.Millisecond // for each percent of packets out of order
	reorderOver = 128                   // packets over which reordering is averaged
)

// estimator finds how long packets must be kept for nearly all of them to be there in
// time: NetEQ's delay model. A packet's relative delay is its transit time (arrival less
// media time) beyond the least one of the last 2 s.
type estimator struct {
	known bool          // base is of something that arrived lately
	base  time.Duration // the least transit time lately

	end   time.Duration // of the current window
	least [minWindows]transit
	most  transit // of the current window
	peak  time.Duration

	histogram [bins]float64
	weight    float64
	reordered float64 // share of packets

	target time.Duration
}

type transit struct {
	seen bool
	time time.Duration
}

func (e *estimator) reset() { *e = estimator{target: startTarget} }

// observe takes the transit time of a packet that arrived at now. Those that do not count
// (silence, the first after silence) tell the base if nothing else does.
func (e *estimator) observe(now, t time.Duration, counts bool) {
	e.advance(now)
	if !e.known {
		e.known, e.base = true, t
	}
	if !counts {
		return
	}
	if l := &e.least[0]; !l.seen || t < l.time {
		*l = transit{true, t}
	}
	if !e.most.seen || t > e.most.time {
		e.most = transit{true, t}
	}
	e.base = min(e.base, t)
}

// order takes whether a packet came out of order.
func (e *estimator) order(reordered bool) {
	share := 0.0
	if reordered {
		share = 1
	}
	e.reordered += (share - e.reordered) / reorderOver
}

// advance closes the windows that have ended.
func (e *estimator) advance(now time.Duration) {
	if e.end == 0 {
		e.end = now + window
	}
	for now >= e.end {
		if now-e.end > minWindows*window {
			e.end = now - now%window // a long pause: nothing of the past is left anyway
			e.least = [minWindows]transit{}
		}
		e.close()
		e.end += window
	}
}

// close ends one window.
func (e *estimator) close() {
	if e.most.seen {
		e.peak = e.most.time - e.base
		for i := range e.histogram {
			e.histogram[i] *= forget
		}
		e.histogram[min(max(0, int(e.peak/binWidth)), bins-1)]++
		e.weight = e.weight*forget + 1
	}
	e.most = transit{}
	copy(e.least[1:], e.least[:minWindows-1])
	e.least[0] = transit{}

	e.known = false
	for _, l := range e.least {
		if l.seen && (!e.known || l.time < e.base) {
			e.known, e.base = true, l.time
		}
	}
	e.target = e.quantile()
}

func (e *estimator) quantile() time.Duration {
	target := startTarget
	if e.weight > 0 {
		sum := 0.0
		for i, w := range e.histogram {
			if sum += w; sum >= quantile*e.weight {
				target = time.Duration(i+1) * binWidth
				break
			}
		}
	}
	target += time.Duration(e.reordered * 100 * float64(reorderCost))
	return min(max(target, minTarget), maxTarget)
}

// delay is how long after the earliest possible moment media of that time is, at now.
func (e *estimator) delay(now, media time.Duration) time.Duration { return now - media - e.base }

// high is the delay beyond which there is too much in the buffer.
func (e *estimator) high() time.Duration { return e.target + e.peak + 20*time.Millisecond }
