package mix

import "time"

const (
	noisePart   = 200 * time.Millisecond
	noiseSmooth = 80 * time.Millisecond

	noiseParts  = 6   // of which the least is that of the noise: speech has gaps
	steadyParts = 3   // which tell that there is nothing but noise
	steadyRange = 2.0 // between the least and the greatest of a steady sound, 3 dB
	noteRange   = 1.5
	longestNote = 10 * time.Second // what has a pitch and never changes is a hum
)

// noiseFloor follows the power of what is noise in a sound. It is the least smoothed power
// of the last second or so, as in minimum statistics (Martin, 2001), unless that has a
// pitch; so a note that is held does not become the noise. It is known as soon as there was
// nothing else for a while.
type noiseFloor struct {
	smooth    float64
	low, high float64       // of the part that has not passed
	age       time.Duration // of that
	parts     [noiseParts]noiseOfPart
	passed    int
	level     float64 // 0 while it is not known: whoever starts with a word is heard

	reference float64       // power of a sound that does not change,
	unchanged time.Duration // and since when it does not
}

type noiseOfPart struct {
	low, high float64 // of the smoothed power
	noise     bool    // it has no pitch
}

// step takes the mean power of a duration, and tells whether a part has passed, which judge
// is to be told more of.
func (n *noiseFloor) step(power float64, d time.Duration) (passed bool) {
	switch {
	case n.passed == 0 && n.age == 0:
		n.smooth, n.low, n.high = power, power, power
	default:
		n.smooth += (power - n.smooth) * min(1, float64(d)/float64(noiseSmooth))
	}
	n.low, n.high = min(n.low, n.smooth), max(n.high, n.smooth)
	n.age += d
	return n.age >= noisePart
}

// judge ends a part, given whether it may be noise. It tells whether there was nothing but
// noise for a while.
func (n *noiseFloor) judge(noise bool) (alone bool) {
	if n.low*noteRange < n.reference || n.high > n.reference*noteRange {
		n.reference, n.unchanged = n.smooth, 0
	}
	n.unchanged += noisePart
	noise = noise || n.unchanged > longestNote

	n.parts[n.passed%noiseParts] = noiseOfPart{n.low, n.high, noise}
	n.passed++
	least, steadyLow, steadyHigh := n.low, n.low, n.high
	alone = n.passed >= steadyParts
	for i := range min(n.passed, noiseParts) {
		p := n.parts[(n.passed-1-i)%noiseParts]
		least = min(least, p.low)
		if i < steadyParts {
			steadyLow, steadyHigh = min(steadyLow, p.low), max(steadyHigh, p.high)
			alone = alone && p.noise
		}
	}
	alone = alone && steadyHigh < steadyLow*steadyRange
	switch {
	case alone:
		n.level = steadyLow
	case noise && n.passed >= noiseParts:
		n.level = least
	default:
		n.level = min(n.level, n.low)
	}
	n.low, n.high, n.age = n.smooth, n.smooth, n.age-noisePart
	return alone
}

// floor is the power of the noise, at most.
func (n *noiseFloor) floor() float64 { return min(n.level, n.low) }

const (
	// longestComfort is how long the noise is heard that a sender with discontinuous
	// transmission lets hear: a packet (RFC 6716, 2.1.9: every 400 ms), and its fade-out.
	longestComfort = 200 * time.Millisecond
	// comfortLasts is for how long what follows it is compared with it: by then noiseFloor
	// knows better.
	comfortLasts = noiseParts * noisePart
)

// comfort is the noise of a sender with discontinuous transmission, who is heard only for
// moments while there is nothing but noise: too seldom for noiseFloor. It is the lesser of
// the last two, lest a click is taken for one.
type comfort struct {
	length  time.Duration // of the sound since silence
	loudest float64       // power in it
	last    [2]float64
}

// step takes the power of a duration.
func (c *comfort) step(power float64, d time.Duration) {
	c.length += d
	c.loudest = max(c.loudest, power)
}

// end tells that nothing is sent.
func (c *comfort) end() {
	if c.length > 0 && c.length <= longestComfort && c.loudest < marginRatio*mostNoise {
		c.last = [2]float64{c.last[1], c.loudest}
	}
	c.length, c.loudest = 0, 0
}

// floor is the power of the noise, at most, 0 if it is not known.
func (c *comfort) floor() float64 {
	if c.length > comfortLasts {
		return 0
	}
	return min(c.last[0], c.last[1])
}
