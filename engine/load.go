package engine

import (
	"math"
	"sync/atomic"
	"time"

	"sectile/engine/load"
)

const (
	// loadEvery spaces the measurements of load.
	loadEvery = time.Second
	// rivals is how much of a processor pictures take that sound must not wait for.
	rivals = 0.1
)

// loadMeter measures how busy an engine is, and has rooms leave out pictures.
type loadMeter struct {
	value atomic.Uint64 // float64
	made  atomic.Int32  // pictures of load.AllPictures
}

// start measures from now on, until the engine is closed. cpu may be nil.
func (l *loadMeter) start(e *Engine, cores int, cpu func() time.Duration) {
	l.made.Store(load.AllPictures)
	var meter load.Meter
	var shed load.Shed
	var worked, pictures []time.Duration
	var drawn, drawnAt time.Duration
	measure := func(time.Duration) bool {
		pictures = e.video.Worked(pictures[:0])
		last, lastAt := drawn, drawnAt
		drawn, drawnAt = 0, e.Now()
		for _, d := range pictures {
			drawn += d
		}
		e.audio.Rivals(float64(drawn-last) > rivals*float64(drawnAt-lastAt))
		worked = e.audio.Worked(worked[:0])
		s := load.Sample{At: e.Now(), Cores: cores, Worked: worked}
		if cpu != nil {
			s.CPU = cpu()
		}
		skipped := e.metrics.TicksSkipped.Load()
		ticks, _, buckets := e.metrics.TickLateness.Snapshot()
		s.Ticks, s.Late = ticks+skipped, ticks-buckets[load.LateAfter.Seconds()]+skipped
		now := meter.Step(s)
		l.value.Store(math.Float64bits(now))
		l.made.Store(int32(shed.Step(now)))
		return true
	}
	measure(0)
	e.video.Add(loadEvery, measure)
}

// Urgent tells whether sound needs all that there is: there is much of it, there are pictures
// beside it, or the machine made it late. The Go runtime then does well to have more
// processors (GOMAXPROCS) than the machine, so that a tick that is due never waits for one.
func (e *Engine) Urgent() bool { return e.audio.Urgent() }

// pictures is how many of load.AllPictures pictures rooms are to make.
func (l *loadMeter) pictures() int { return int(l.made.Load()) }

// Load tells how busy the engine was in the last seconds; near 1, sound begins to suffer.
// It is the greatest of the share of the CPUs in use, the share of its time that the
// busiest worker of sound is at work, and a measure of late ticks. From 0.8 on rooms leave
// out pictures. Whoever embeds the engine should take nobody new well below 1.
func (e *Engine) Load() float64 { return math.Float64frombits(e.load.value.Load()) }
