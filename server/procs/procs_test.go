package procs

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// The number follows the load up at once and down slowly, and stays within its bounds.
func TestRule(t *testing.T) {
	r := rule{all: 4, now: 4}
	fit := func(cores float64, want int) {
		t.Helper()
		if n, _ := r.fit(cores); n != want {
			t.Fatalf("%.2f cores: %d processors, want %d", cores, n, want)
		}
	}
	for range calm - 1 {
		fit(0.1, 4)
	}
	fit(0.1, 1) // calm for long enough
	fit(0.3, 1) // too much to take one away, too little to add one
	fit(0.4, 2) // at once
	fit(1.2, 4)
	fit(9, 4) // there are no more
	for range calm - 1 {
		fit(0.3, 4)
	}
	fit(2, 4) // not calm any more: the count begins anew
	for range calm - 1 {
		fit(0.3, 4)
	}
	fit(0.3, 2)
	if n, changed := r.rouse(); n != 4 || !changed {
		t.Fatalf("roused: %d, %v", n, changed)
	}
	if n, changed := r.rouse(); n != 4 || changed {
		t.Fatalf("roused again: %d, %v", n, changed)
	}
}

// Run leaves one processor to an idle process, all to pictures, and all when it ends.
func TestRun(t *testing.T) {
	if _, ok := used(); !ok {
		t.Skip("the CPU time of the process is unknown on this system")
	}
	synctest.Test(t, func(t *testing.T) {
		var got []int
		f := &Fitter{rule: rule{all: 3, now: 3}, set: func(n int) { got = append(got, n) }}
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
		// Hours of virtual time: what this test uses of real time is nothing beside them.
		time.Sleep(calm*interval + interval/2)
		last(1)
		pictures.Add(1)
		time.Sleep(interval)
		last(3)
		time.Sleep(calm * interval)
		last(1)
		f.Rouse()
		last(3)
		time.Sleep((calm + 1) * interval)
		last(1)
		cancel()
		<-done
		last(3)
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
