package main

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"
)

// usage is the CPU time that was used until a moment, of all programs and of this one.
type usage struct{ all, idle, own time.Duration }

func measureUsage(t *testing.T) usage {
	t.Helper()
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		t.Fatal(err)
	}
	var user, nice, system, idle, wait, irq, soft, steal int64
	if _, err := fmt.Fscan(bytes.NewReader(bytes.TrimPrefix(stat, []byte("cpu"))), &user, &nice, &system, &idle, &wait, &irq, &soft, &steal); err != nil {
		t.Fatal(err)
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100 on all that Go runs on
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		t.Fatal(err)
	}
	return usage{
		all:  tick * time.Duration(user+nice+system+idle+wait+irq+soft+steal),
		idle: tick * time.Duration(idle+wait),
		own:  time.Duration(own.Utime.Nano() + own.Stime.Nano()),
	}
}

// others is the share of the machine that other programs have used since before.
func (u usage) others(before usage) float64 {
	return float64(u.all-before.all-(u.idle-before.idle)-(u.own-before.own)) / float64(u.all-before.all)
}

// failed reports what failed in real time, unless other programs kept the machine too busy
// even for the server's sound: then the test tells nothing.
func (ts *testServer) failed(format string, args ...any) {
	ts.t.Helper()
	const much = 0.25
	skipped, others := ts.srv.engine.Metrics().TicksSkipped.Load(), measureUsage(ts.t).others(ts.begin)
	if skipped > 10 && others > much {
		ts.t.Skipf("other programs use %.0f %% of the machine, and %d ticks of sound were left out; "+format, append([]any{100 * others, skipped}, args...)...)
	}
	ts.t.Errorf(format, args...)
}
