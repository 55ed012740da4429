package jitter

import (
	"math"
	"time"
)

const (
	minTarget   = 20 * time.Millisecond
	maxTarget   = 200 * time.Millisecond
	startTarget = 60 * time.Millisecond

	window   = 500 * time.Millisecond // of one observation of the greatest delay
	windows  = 4                      // over which the least and the greatest transit time are sought
	binWidth = 20 * time.Millisecond
	bins     = 26 // the last one has all that is longer
	quantile = 0.95

	forget        = 0.983  // a window
	forgetReorder = 0.9993 // a packet
	lossCost      = 20 * time.Millisecond
)

// arrival kinds, for the estimator.
type arrivalKind uint8

const (
	inOrder   arrivalKind = iota
	overtaken             // it came after a later packet, in time to be played or not
	afterward             // of silence or the first after it: its time says little about the network
)

// estimator finds how long packets must be kept for nearly all of them to be there in
// time: NetEQ's delay model. A packet's relative delay d is its transit time (arrival less
// media time) beyond the least one of the last 2 s.
type estimator struct {
	base  time.Duration // the least transit time lately
	known bool          // base is of something that arrived lately

	end    time.Duration // of the current window
	recent [windows]transits
	peak   time.Duration // the greatest d of the last 2 s

	delays  histogram // the greatest d of each window
	order   histogram // d of packets that were overtaken, 0 of all others
	arrived [bins]float64
	packets int // in arrived, of the current window

	limit  time.Duration // of target
	target time.Duration

	anchored         bool
	anchor, anchorAt time.Duration // base once, and when
	drift            float64
}

// transits are the bounds of the transit times of one window.
type transits struct {
	seen        bool
	least, most time.Duration
	late        time.Duration // the greatest d, as it was known at the window's end
}

// histogram is of delays in steps of binWidth, forgetting.
type histogram struct {
	weights [bins]float64
	total   float64
}

func (h *histogram) decay(by float64) {
	for i := range h.weights {
		h.weights[i] *= by
	}
	h.total *= by
}

func (h *histogram) add(bin int, weight float64) {
	h.weights[bin] += weight
	h.total += weight
}

func bin(d time.Duration) int { return min(max(0, int(d/binWidth)), bins-1) }

func (e *estimator) reset() { *e = estimator{target: startTarget, limit: maxTarget} }

// observe takes the transit time of a packet that arrived at now.
func (e *estimator) observe(now, transit time.Duration, kind arrivalKind) {
	e.advance(now)
	if !e.known {
		e.known, e.base = true, transit
	}
	if kind == afterward {
		return
	}
	e.base = min(e.base, transit)
	e.packets++
	if kind == overtaken {
		// Waiting for the few that are overtaken is a bargain of its own.
		e.arrived[bin(transit-e.base)]++
		return
	}
	e.arrived[0]++
	w := &e.recent[0]
	if !w.seen {
		*w = transits{seen: true, least: transit, most: transit}
	}
	w.least, w.most = min(w.least, transit), max(w.most, transit)
	e.peak = max(e.peak, transit-e.base)
}

// advance closes the windows that have ended.
func (e *estimator) advance(now time.Duration) {
	if e.end == 0 {
		e.end = now + window
	}
	if now-e.end > windows*window { // a long pause: nothing lately
		e.close()
		e.recent = [windows]transits{}
		e.end = now
	}
	for now >= e.end {
		e.close()
		e.end += window
	}
}

// close ends one window.
func (e *estimator) close() {
	if w := &e.recent[0]; w.seen {
		w.late = w.most - e.base
		e.delays.decay(forget)
		e.delays.add(bin(w.late), 1)
	}
	if e.packets > 0 {
		e.order.decay(math.Pow(forgetReorder, float64(e.packets)))
		for i, n := range e.arrived {
			e.order.add(i, n)
		}
		e.arrived, e.packets = [bins]float64{}, 0
	}
	e.target = e.find()

	copy(e.recent[1:], e.recent[:windows-1])
	e.recent[0] = transits{}
	e.known, e.peak = false, 0
	for _, w := range e.recent {
		if !w.seen {
			continue
		}
		if !e.known || w.least < e.base {
			e.known, e.base = true, w.least
		}
	}
	if !e.known {
		return
	}
	for _, w := range e.recent {
		// That packets have come earlier since then does not make it later.
		if w.seen {
			e.peak = max(e.peak, min(w.late, w.most-e.base))
		}
	}
	if !e.recent[windows-1].seen {
		return
	}
	if !e.anchored {
		e.anchored, e.anchor, e.anchorAt = true, e.base, e.end
	} else if elapsed := e.end - e.anchorAt; elapsed > 0 {
		e.drift = float64(e.base-e.anchor) / float64(elapsed)
	}
}

// find finds the target.
func (e *estimator) find() time.Duration {
	target := startTarget
	if e.delays.total > 0 {
		sum := 0.0
		for i, w := range e.delays.weights {
			if sum += w; sum >= quantile*e.delays.total {
				target = time.Duration(i+1) * binWidth
				break
			}
		}
	}
	// A packet that is overtaken by more than the delay is lost: wait longer as long as
	// each percent less of that costs no more than lossCost.
	if e.order.total > 0 {
		lost, least, best := 1.0, math.Inf(1), time.Duration(0)
		for i := range int(maxTarget / binWidth) {
			lost -= e.order.weights[i] / e.order.total
			wait := time.Duration(i) * binWidth
			if cost := float64(max(0, wait-target)) + 100*max(0, lost)*float64(lossCost); cost < least-1 {
				least, best = cost, wait+binWidth
			}
		}
		target = max(target, best)
	}
	return max(minTarget, min(target, e.limit))
}

// delay is how long after the earliest possible moment media of that time is, at now.
func (e *estimator) delay(now, media time.Duration) time.Duration { return now - media - e.base }
