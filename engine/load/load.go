// Package load tells how busy a mixing engine is, and what to do about it: leave out
// pictures first, then take nobody new, so that sound goes on. All of it are steps of about
// a second with time as an argument.
package load

import (
	"math"
	"time"
)

// LateAfter is how late a tick of sound is that counts as late: half a frame, which the
// jitter buffers of players still cover.
const LateAfter = 10 * time.Millisecond

const (
	// smoothing is the time constant of a Meter: a burst of joins is not overload.
	smoothing = 3 * time.Second
	// mostLate is the share of late ticks at which sound begins to suffer: a load of one.
	mostLate = 0.05
	// worst bounds what one step can say: a second in which all is late, such as that in
	// which the first room starts, is not overload yet; three are.
	worst = 1.5
)

// Sample is what an engine has done until a moment.
type Sample struct {
	At          time.Duration   // of any monotonic clock
	CPU         time.Duration   // user and system time of the process; 0 if not known
	Cores       int             // that the process may use
	Worked      []time.Duration // time that each worker of sound was at work
	Ticks, Late uint64          // of sound: all that were due, and those that were late or skipped
}

// Meter measures load over the last seconds. The zero Meter has seen none.
type Meter struct {
	started         bool
	last            Sample
	worked          []time.Duration // of last
	cpu, busy, late float64
}

// Step takes a sample and returns the load, where one is all that can be done: the greatest
// of the share of its cores that the process uses, the share of its time that the busiest
// worker of sound is at work, and the share of ticks that are late, of which 5 % are one.
// The number of workers stays the same. It keeps no reference to s.Worked.
func (m *Meter) Step(s Sample) float64 {
	before, elapsed := m.last, s.At-m.last.At
	if m.started && elapsed <= 0 {
		return m.load()
	}
	if m.started {
		busiest := time.Duration(0)
		for i, w := range s.Worked {
			busiest = max(busiest, w-m.worked[i])
		}
		late := 0.0
		if ticks := s.Ticks - before.Ticks; ticks > 0 {
			late = min(float64(s.Late-before.Late)/float64(ticks)/mostLate, worst)
		}
		share := 1 - math.Exp(-float64(elapsed)/float64(smoothing))
		smooth := func(v *float64, now float64) { *v += (now - *v) * share }
		smooth(&m.cpu, float64(s.CPU-before.CPU)/float64(elapsed)/float64(max(1, s.Cores)))
		smooth(&m.busy, float64(busiest)/float64(elapsed))
		smooth(&m.late, late)
	}
	m.worked = append(m.worked[:0], s.Worked...)
	m.last, m.started = s, true
	m.last.Worked = nil
	return m.load()
}

func (m *Meter) load() float64 { return max(m.cpu, m.busy, m.late) }

// relief is which share of Limit.Max the load falls to before it is no longer over it.
const relief = 0.9

// Limit is a bound of load, with hysteresis.
type Limit struct {
	Max  float64
	over bool
}

// Step takes the load and returns whether it is over the limit, or has not fallen well below
// it since, and whether that has changed.
func (l *Limit) Step(load float64) (over, changed bool) {
	before := l.over
	switch {
	case load >= l.Max:
		l.over = true
	case load < relief*l.Max:
		l.over = false
	}
	return l.over, l.over != before
}

const (
	// shedAbove is the load above which pictures are left out, below the one at which an
	// engine should refuse work.
	shedAbove = 0.8
	// calm is how many steps go by before one more picture is made.
	calm = 3
)

// AllPictures is what Shed returns when no picture is to be left out.
const AllPictures = 4

// Shed decides how many pictures to make. The zero Shed makes all.
type Shed struct {
	left  int // out, of AllPictures
	steps int // since that many could be too many
}

// Step takes the load and returns how many of AllPictures pictures to make, at least one.
// It makes one less as long as the load is high, and one more when the load stays low enough
// for it even if pictures are all that costs.
func (s *Shed) Step(load float64) (make int) {
	made := AllPictures - s.left
	switch {
	case load >= shedAbove:
		s.steps = 0
		s.left = min(s.left+1, AllPictures-1)
	case s.left == 0 || load*float64(made+1)/float64(made) >= shedAbove:
		s.steps = 0
	default:
		if s.steps++; s.steps == calm {
			s.steps = 0
			s.left--
		}
	}
	return AllPictures - s.left
}
