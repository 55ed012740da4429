// Package procs gives the Go runtime as many processors (GOMAXPROCS) as the load takes.
//
// Rooms wake up every 20 ms for less than a millisecond. Each time a goroutine becomes
// runnable while a processor is idle, the runtime wakes a thread to look for more work, and
// with few rooms there is none: of 40 participants in one room, this is a quarter of all CPU
// time. One processor has nobody to wake.
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
	rule
	set func(n int)
	mu  sync.Mutex // of set and rule
}

// New makes a Fitter between one processor and those that there are now. It does nothing
// if GOMAXPROCS is set in the environment, or where the CPU time of the process is unknown.
func New() *Fitter {
	all := runtime.GOMAXPROCS(0)
	if _, ok := used(); !ok || os.Getenv("GOMAXPROCS") != "" {
		all = 1 // nothing to choose from
	}
	return &Fitter{rule: rule{all: all, now: all}, set: func(n int) { runtime.GOMAXPROCS(n) }}
}

// Rouse says that there is, or soon will be, more to do: all processors for some seconds.
func (f *Fitter) Rouse() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.apply(f.rouse())
}

// Run works until ctx is done. Pictures want all processors, since libraries keep one for
// milliseconds: pictures counts them.
func (f *Fitter) Run(ctx context.Context, pictures func() uint64) {
	if f.all == 1 {
		return
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	cpu, _ := used()
	at, seen := time.Now(), pictures()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			f.Rouse() // as it was
			return
		}
		now := time.Now()
		total, _ := used()
		made := pictures()
		f.mu.Lock()
		if made != seen {
			f.apply(f.rouse())
		} else {
			f.apply(f.fit((total - cpu).Seconds() / now.Sub(at).Seconds()))
		}
		f.mu.Unlock()
		cpu, at, seen = total, now, made
	}
}

// apply sets the number if it is another one: that stops the world. It needs the lock.
func (f *Fitter) apply(n int, changed bool) {
	if changed {
		f.set(n)
	}
}

// rule chooses the number of processors.
type rule struct {
	all, now int
	fewer    int // intervals in which fewer were enough
}

// rouse chooses all.
func (r *rule) rouse() (n int, changed bool) {
	r.fewer = 0
	changed = r.now != r.all
	r.now = r.all
	return r.now, changed
}

// fit chooses for an interval in which so many cores were used: more at once, fewer after
// a while.
func (r *rule) fit(cores float64) (n int, changed bool) {
	before := r.now
	r.now = min(max(r.now, 1+int(cores/roomy)), r.all)
	if enough := min(1+int(cores/filled), r.now); enough == r.now {
		r.fewer = 0
	} else if r.fewer++; r.fewer >= calm {
		r.now, r.fewer = enough, 0
	}
	return r.now, r.now != before
}
