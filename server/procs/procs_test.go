package procs

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Many come at once, and go after a while of calm.
func TestRule(t *testing.T) {
	var r rule
	step := func(some, much, want bool) {
		t.Helper()
		before := r.many
		if changed := r.step(some, much); r.many != want || changed != (want != before) {
			t.Fatalf("some %v, much %v: many %v, changed %v, want %v", some, much, r.many, changed, want)
		}
	}
	step(false, false, false)
	step(true, false, false)
	step(true, true, true)
	for range 2 * calm {
		step(true, false, true)
	}
	for range calm - 1 {
		step(false, false, true)
	}
	step(true, false, true) // the count begins anew
	for range calm - 1 {
		step(false, false, true)
	}
	step(false, false, false)
	step(true, true, true)
}

// Run leaves one processor to an idle process, more than the machine has to pictures.
func TestRun(t *testing.T) {
	if _, ok := used(); !ok {
		t.Skip("the CPU time of the process is unknown on this system")
	}
	synctest.Test(t, func(t *testing.T) {
		var got []int
		f := &Fitter{machine: 3, set: func(n int) { got = append(got, n) }}
		ctx, cancel := context.WithCancel(t.Context())
		var pictures atomic.Bool
		done := make(chan struct{})
		go func() { f.Run(ctx, func() bool { return pictures.Swap(false) }); close(done) }()
		last := func(want int) {
			t.Helper()
			f.mu.Lock()
			defer f.mu.Unlock()
			if len(got) == 0 || got[len(got)-1] != want {
				t.Fatalf("set: %v, want %d at last", got, want)
			}
		}
		// Seconds of virtual time: what this test uses of real time is nothing beside them.
		time.Sleep(interval / 2)
		last(10)
		time.Sleep(calm * interval)
		last(1)
		pictures.Store(true)
		time.Sleep(interval)
		last(10)
		time.Sleep(calm * interval)
		last(1)
		f.Rouse()
		last(10)
		time.Sleep(calm * interval)
		last(1)
		cancel()
		<-done
		last(3) // as before
	})
}

// What the environment says holds.
func TestEnvironment(t *testing.T) {
	t.Setenv("GOMAXPROCS", "7")
	before := runtime.GOMAXPROCS(0)
	f := New()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f.Run(ctx, func() bool { return false })
	f.Rouse()
	if n := runtime.GOMAXPROCS(0); n != before {
		t.Errorf("%d processors, before %d", n, before)
	}
}
