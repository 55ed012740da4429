package procs

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// The number rises at once and falls after a while of calm.
func TestRule(t *testing.T) {
	r := rule{now: 4}
	next := func(least, enough, want int) {
		t.Helper()
		if r.next(least, enough); r.now != want {
			t.Fatalf("at least %d, %d are enough: %d, want %d", least, enough, r.now, want)
		}
	}
	for range calm - 1 {
		next(1, 1, 4)
	}
	next(1, 1, 1)
	next(1, 2, 1)
	next(2, 2, 2)
	next(4, 4, 4)
	for range calm - 1 {
		next(1, 2, 4)
	}
	next(1, 4, 4) // the count begins anew
	for range calm - 1 {
		next(1, 2, 4)
	}
	next(1, 2, 2)
}

// Run leaves one processor to an idle process, more than the machine has to pictures.
func TestRun(t *testing.T) {
	if _, ok := used(); !ok {
		t.Skip("the CPU time of the process is unknown on this system")
	}
	synctest.Test(t, func(t *testing.T) {
		var got []int
		f := &Fitter{machine: 3, rule: rule{now: 3}, set: func(n int) { got = append(got, n) }}
		ctx, cancel := context.WithCancel(t.Context())
		var pictures atomic.Uint64
		done := make(chan struct{})
		go func() { f.Run(ctx, pictures.Load); close(done) }()
		last := func(want int) {
			t.Helper()
			f.mu.Lock()
			defer f.mu.Unlock()
			if len(got) == 0 || got[len(got)-1] != want {
				t.Fatalf("set: %v, want %d at last", got, want)
			}
		}
		// Seconds of virtual time: what this test uses of real time is nothing beside them.
		time.Sleep(calm*interval + interval/2)
		last(1)
		pictures.Add(1)
		time.Sleep(interval)
		last(10)
		time.Sleep(calm * interval)
		last(1)
		f.Rouse()
		last(3)
		time.Sleep((calm + 1) * interval)
		last(1)
		cancel()
		<-done
	})
}

// What the environment says holds.
func TestEnvironment(t *testing.T) {
	t.Setenv("GOMAXPROCS", "7")
	before := runtime.GOMAXPROCS(0)
	f := New()
	f.Run(t.Context(), func() uint64 { t.Error("asked"); return 0 }) // returns at once
	f.Rouse()
	if n := runtime.GOMAXPROCS(0); n != before {
		t.Errorf("%d processors, before %d", n, before)
	}
}
