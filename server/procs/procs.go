// Package procs gives the Go runtime as many processors (GOMAXPROCS) as the load takes.
//
// Rooms wake up every 20 ms for less than a millisecond. Each time a goroutine becomes
// runnable while a processor is idle, the runtime wakes a thread to look for more work, and
// with few rooms there is none: of 40 participants in one room, this is a quarter of all CPU
// time. One processor has nobody to wake.
//
// Pictures want more of them than the machine has: a codec that works on one keeps its
// processor for up to 10 ms, although the kernel could well run a tick of sound instead,
// which it prefers. So does much sound.
package procs

import (
	"context"
	"os"
	"runtime"
	"sync"
	"time"
)

const (
	interval = time.Second
	// roomy and filled are the share of a core that a processor is left with at most: when
	// one is added, and when one is taken away. The rest is for ticks to be in time.
	roomy, filled = 0.35, 0.25
	// calm is for how many intervals there must have been too many before they are fewer.
	calm = 5
)

// Fitter fits GOMAXPROCS to the load. Its methods may be called from any goroutine.
type Fitter struct {
	machine int
	fixed   bool
	set     func(n int)

	mu sync.Mutex // of what follows, and of set
	rule
}

// New makes a Fitter. Until it runs there are as many processors as the machine has. It
// does nothing if GOMAXPROCS is set in the environment, or where the CPU time of the process
// is unknown.
func New() *Fitter {
	machine := runtime.GOMAXPROCS(0)
	_, known := used()
	return &Fitter{
		machine: machine, fixed: !known || os.Getenv("GOMAXPROCS") != "",
		set: func(n int) { runtime.GOMAXPROCS(n) }, rule: rule{now: machine},
	}
}

// Machine is how many processors the machine has, or GOMAXPROCS in the environment.
func (f *Fitter) Machine() int { return f.machine }

// CPUTime is the user and system time of the process, or 0 where that is unknown.
func (*Fitter) CPUTime() time.Duration {
	t, _ := used()
	return t
}

// Rouse says that there is, or soon will be, more to do: all of the machine for some seconds.
func (f *Fitter) Rouse() {
	if f.fixed {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.apply(f.machine, f.machine)
}

// Run works until ctx is done. pictures counts those that are decoded or encoded.
func (f *Fitter) Run(ctx context.Context, pictures func() uint64) {
	if f.fixed {
		return
	}
	most := 2*f.machine + 4 // what decodes and encodes at once, and places for sound
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	cpu, _ := used()
	at, seen := time.Now(), pictures()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		now := time.Now()
		total, _ := used()
		made := pictures()
		cores := (total - cpu).Seconds() / now.Sub(at).Seconds()
		f.mu.Lock()
		if made != seen {
			f.apply(most, most)
		} else {
			f.apply(min(1+int(cores/roomy), most), min(1+int(cores/filled), most))
		}
		f.mu.Unlock()
		cpu, at, seen = total, now, made
	}
}

// apply sets what the rule says. It needs the lock.
func (f *Fitter) apply(least, enough int) {
	before := f.now
	if f.next(least, enough); f.now != before {
		f.set(f.now) // which stops the world
	}
}

// rule chooses the number of processors: more at once, fewer after a while.
type rule struct {
	now   int
	fewer int // intervals in which fewer were enough
}

// next chooses for an interval in which there had to be least, and more than enough were
// too many.
func (r *rule) next(least, enough int) {
	r.now = max(r.now, least)
	if enough >= r.now {
		r.fewer = 0
	} else if r.fewer++; r.fewer >= calm {
		r.now, r.fewer = enough, 0
	}
}
