// Package metrics holds the engine's counters. They are plain atomics that the engine
// adds to and somebody else reads at their leisure: the engine knows no metrics library.
package metrics

import (
	"sync/atomic"
	"time"

	"sectile/engine/jitter"
)

// KeyframeReason says why the mosaic was encoded as a keyframe.
type KeyframeReason uint8

const (
	KeyframeStart   KeyframeReason = iota // the encoder's first picture
	KeyframeJoin                          // a player joined
	KeyframeRequest                       // a player asked (PLI or FIR)
	KeyframeMove                          // a player moved to another rendition
	KeyframeCut                           // the picture was new, and too large otherwise
	KeyframeReasons                       // their number
)

func (r KeyframeReason) String() string {
	return [...]string{"start", "join", "request", "move", "cut"}[r]
}

// Engine are all counters of one engine. All of it may be used from any goroutine.
type Engine struct {
	TickLateness *Histogram // from a tick's deadline to its start
	TickDuration *Histogram // from its start to its end
	TicksSkipped atomic.Uint64

	EncodesShared  atomic.Uint64 // Opus encodes heard by more than one track
	EncodesPrivate atomic.Uint64
	EncodesWarm    atomic.Uint64 // of the past, by encoders that begin; heard by nobody
	SilencePackets atomic.Uint64 // in place of an encode
	PacketsLeftOut atomic.Uint64 // for too many began to talk in one tick
	// Limited is the time, over all mixes and in nanoseconds, in which a limiter turned the
	// mix down.
	Limited atomic.Int64

	Jitter      jitter.Counters
	JitterDelay *Histogram // playout delay, once a second and input

	FramesDecoded  atomic.Uint64
	FramesComposed atomic.Uint64
	FramesEncoded  atomic.Uint64
	FramesDropped  atomic.Uint64 // access units that were not decoded or pictures not encoded
	FramesRefused  atomic.Uint64 // access units dropped since they exceed the limits
	Keyframes      [KeyframeReasons]atomic.Uint64
	Replays        atomic.Uint64 // players started with what was encoded before, without a keyframe
}

// New makes counters at zero.
func New() *Engine {
	return &Engine{
		TickLateness: NewHistogram(100*time.Microsecond, 250*time.Microsecond, 500*time.Microsecond, time.Millisecond,
			2*time.Millisecond, 5*time.Millisecond, 10*time.Millisecond, 20*time.Millisecond, 50*time.Millisecond, 100*time.Millisecond),
		TickDuration: NewHistogram(50*time.Microsecond, 100*time.Microsecond, 250*time.Microsecond, 500*time.Microsecond,
			time.Millisecond, 2*time.Millisecond, 5*time.Millisecond, 10*time.Millisecond, 20*time.Millisecond, 50*time.Millisecond),
		JitterDelay: NewHistogram(20*time.Millisecond, 40*time.Millisecond, 60*time.Millisecond, 80*time.Millisecond,
			100*time.Millisecond, 150*time.Millisecond, 200*time.Millisecond, 300*time.Millisecond, 500*time.Millisecond),
	}
}

// Histogram counts durations in buckets. Observe costs two atomic additions.
type Histogram struct {
	bounds []time.Duration
	counts []atomic.Uint64 // counts[i] is of (bounds[i-1], bounds[i]]; the last has no bound
	sum    atomic.Int64    // nanoseconds
}

// NewHistogram makes a histogram with these upper bounds, which must ascend.
func NewHistogram(bounds ...time.Duration) *Histogram {
	return &Histogram{bounds: bounds, counts: make([]atomic.Uint64, len(bounds)+1)}
}

// Observe counts one duration.
func (h *Histogram) Observe(d time.Duration) {
	i := 0
	for i < len(h.bounds) && d > h.bounds[i] {
		i++
	}
	h.counts[i].Add(1)
	h.sum.Add(int64(d))
}

// Snapshot returns the number of observations, their sum in seconds, and for each bound
// in seconds how many were at most that.
func (h *Histogram) Snapshot() (count uint64, sum float64, buckets map[float64]uint64) {
	buckets = make(map[float64]uint64, len(h.bounds))
	for i, bound := range h.bounds {
		count += h.counts[i].Load()
		buckets[bound.Seconds()] = count
	}
	count += h.counts[len(h.bounds)].Load()
	return count, time.Duration(h.sum.Load()).Seconds(), buckets
}
