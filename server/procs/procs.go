// Package procs gives the Go runtime few processors (GOMAXPROCS) while there is little to do,
// and many otherwise.
//
// Rooms wake up every 20 ms for less than a millisecond. Each time a goroutine becomes
// runnable while a processor is idle, the runtime wakes a thread to look for more work, and
// with few rooms there is none: of 40 participants in one room, this is a quarter of all CPU
// time. One processor has nobody to wake.
//
// With more to do there are more of them than the machine has. A codec that works on a
// picture keeps its processor for up to 10 ms, although the kernel could well run a tick of
// sound instead, which it prefers; and a tick that is due must not wait for a processor of
// somebody whom the kernel keeps waiting.
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
	// little and much are the shares of a core that one processor is enough for: to have
	// only one, and to keep only one. The rest is for ticks to be in time.
	little, much = 0.3, 0.4
	// calm is for how many intervals there must have been little to do.
	calm = 3
)

// Fitter fits GOMAXPROCS to the load. Its methods may be called from any goroutine.
type Fitter struct {
	machine int
	fixed   bool
	set     func(n int)

	mu sync.Mutex // of what follows, and of set
	rule
}

// machine is GOMAXPROCS before any Fitter has changed it.
var machine = sync.OnceValue(func() int { return runtime.GOMAXPROCS(0) })

// New makes a Fitter. It does nothing if GOMAXPROCS is set in the environment, or where the
// CPU time of the process is unknown.
func New() *Fitter {
	_, known := used()
	return &Fitter{
		machine: machine(), fixed: !known || os.Getenv("GOMAXPROCS") != "",
		set: func(n int) { runtime.GOMAXPROCS(n) },
	}
}

// Machine is how many processors the machine has, or GOMAXPROCS in the environment.
func (f *Fitter) Machine() int { return f.machine }

// CPUTime is the user and system time of the process, or 0 where that is unknown.
func (*Fitter) CPUTime() time.Duration {
	t, _ := used()
	return t
}

// Rouse says that there soon will be more to do.
func (f *Fitter) Rouse() { f.step(true, true) }

// Run works until ctx is done. busy tells, of the time since it was asked last, whether
// there was much to do whatever the CPU time says.
func (f *Fitter) Run(ctx context.Context, busy func() bool) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	cpu, at := f.CPUTime(), time.Now()
	if !f.fixed {
		indulge()
	}
	f.Rouse()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			f.restore()
			return
		}
		cpuNow, now, is := f.CPUTime(), time.Now(), busy()
		cores := (cpuNow - cpu).Seconds() / now.Sub(at).Seconds()
		f.step(is || cores > little, is || cores > much)
		cpu, at = cpuNow, now
	}
}

// restore sets what was before.
func (f *Fitter) restore() {
	if f.fixed {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.set(f.machine)
}

// step sets what the rule says.
func (f *Fitter) step(some, much bool) {
	if f.fixed {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.rule.step(some, much) {
		return
	}
	n := 1
	if f.many {
		n = 2*f.machine + 4 // pictures in codecs, decoded and encoded, and places for sound
	}
	f.set(n) // which stops the world
}

// rule chooses between one processor and many: many at once, one after a while.
type rule struct {
	many bool
	few  int // intervals in which one was enough
}

// step chooses after an interval in which there was some or even much to do. It returns
// whether the choice has changed.
func (r *rule) step(some, much bool) (changed bool) {
	before := r.many
	r.many = r.many || much
	r.few++
	if some || !r.many {
		r.few = 0
	}
	if r.few >= calm {
		r.many = false
	}
	return r.many != before
}
