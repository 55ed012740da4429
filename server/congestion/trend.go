package congestion

import "time"

const (
	// Packets that were sent, or came, so close together are one group.
	groupTime = 5 * time.Millisecond
	// mostGroup bounds a group whose packets come closer together than they were sent.
	mostGroup = 100 * time.Millisecond
	// trendGroups is over how many groups the trend is taken.
	trendGroups = 20
	smoothing   = 0.9
	gain        = 4
	mostDeltas  = 60
	// overuseTime is how long a delay must grow, and overuseGroups over how many groups.
	overuseTime   = 10 * time.Millisecond
	overuseGroups = 2
	// The threshold adapts: fast upwards, so that flows that fill queues do not starve this one.
	firstThreshold, leastThreshold, mostThreshold = 12.5, 6, 600 // ms
	thresholdUp, thresholdDown                    = 0.0087, 0.039
	thresholdOutlier                              = 15 // ms
)

// usage is what the delay says of the link.
type usage uint8

const (
	normal usage = iota
	under        // a queue drains
	over         // a queue grows
)

// trend watches the one-way delay.
type trend struct {
	group, before     group
	groups            int // that were compared
	delay, smoothed   float64
	first             time.Duration
	points            [trendGroups]point
	slope             float64 // of smoothed
	threshold         float64 // ms
	adapted           time.Duration
	growing           time.Duration
	growingGroups     int
	previous          float64
	usage             usage
	collecting, ready bool // there is a group, and one before it
}

type group struct {
	firstLeft, left       time.Duration // of its first and last packet
	firstArrival, arrival time.Duration
}

type point struct{ x, y float64 } // ms: when, and the smoothed delay

func newTrend() trend { return trend{threshold: firstThreshold} }

// add takes a packet that arrived, in the order of the numbers.
func (t *trend) add(left, arrival, now time.Duration) {
	g := &t.group
	switch {
	case !t.collecting:
		t.collecting = true
		*g = group{left, left, arrival, arrival}
	case left < g.firstLeft:
		// Reordered: of a group that is over.
	case t.belongs(left, arrival):
		g.left, g.arrival = max(g.left, left), max(g.arrival, arrival)
	default:
		if t.ready {
			t.compare(now)
		}
		t.before, t.ready = *g, true
		*g = group{left, left, arrival, arrival}
	}
}

// belongs tells whether a packet is of the group: sent in one burst, or come in one after
// something held them up.
func (t *trend) belongs(left, arrival time.Duration) bool {
	g := &t.group
	if left-g.firstLeft <= groupTime {
		return true
	}
	gap := arrival - g.arrival
	return gap <= groupTime && gap < left-g.left && arrival-g.firstArrival < mostGroup
}

// compare takes the difference in delay of the last two groups.
func (t *trend) compare(now time.Duration) {
	sentDelta, arrivalDelta := t.group.left-t.before.left, t.group.arrival-t.before.arrival
	if arrivalDelta < 0 {
		return // reordered
	}
	if arrivalDelta > 3*time.Second+sentDelta || t.groups == 0 {
		*t = trend{group: t.group, before: t.before, collecting: true, ready: true, threshold: t.threshold, adapted: t.adapted}
		t.first = t.group.arrival
	}
	t.groups++
	t.delay += milliseconds(arrivalDelta - sentDelta)
	t.smoothed = smoothing*t.smoothed + (1-smoothing)*t.delay
	t.points[t.groups%trendGroups] = point{milliseconds(t.group.arrival - t.first), t.smoothed}
	if t.groups >= trendGroups {
		t.fit()
	}
	t.detect(sentDelta, now)
}

// fit fits a line to the points.
func (t *trend) fit() {
	var mx, my float64
	for _, p := range t.points {
		mx, my = mx+p.x/trendGroups, my+p.y/trendGroups
	}
	var num, den float64
	for _, p := range t.points {
		num += (p.x - mx) * (p.y - my)
		den += (p.x - mx) * (p.x - mx)
	}
	if den > 0 {
		t.slope = num / den
	}
}

// detect compares the slope with the threshold.
func (t *trend) detect(sentDelta, now time.Duration) {
	modified := float64(min(t.groups, mostDeltas)) * t.slope * gain
	switch {
	case modified > t.threshold:
		if t.growingGroups == 0 {
			t.growing = sentDelta / 2
		} else {
			t.growing += sentDelta
		}
		t.growingGroups++
		if t.growing > overuseTime && t.growingGroups >= overuseGroups && t.slope >= t.previous {
			t.growing, t.growingGroups = 0, 0
			t.usage = over
		}
	case modified < -t.threshold:
		t.growing, t.growingGroups, t.usage = 0, 0, under
	default:
		t.growing, t.growingGroups, t.usage = 0, 0, normal
	}
	t.previous = t.slope
	size := max(modified, -modified)
	if size <= t.threshold+thresholdOutlier {
		k := thresholdDown
		if size > t.threshold {
			k = thresholdUp
		}
		dt := min(milliseconds(now-t.adapted), 100)
		t.threshold = min(max(t.threshold+k*(size-t.threshold)*dt, leastThreshold), mostThreshold)
	}
	t.adapted = now
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
