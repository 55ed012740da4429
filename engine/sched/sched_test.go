package sched

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"sectile/engine/metrics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is the bubble's virtual clock as a duration since its start.
func clock() func() time.Duration {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}

func TestDeadlinesAreAbsolute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(1, clock(), metrics.New())
		var got []time.Duration
		s.Add(20*time.Millisecond, func(deadline time.Duration) bool {
			got = append(got, deadline)
			time.Sleep(7 * time.Millisecond) // work does not move the next deadline
			return len(got) < 50
		})
		time.Sleep(2 * time.Second)
		s.Close()
		if len(got) != 50 {
			t.Fatalf("%d ticks, want 50", len(got))
		}
		for i := range got[1:] {
			if d := got[i+1] - got[i]; d != 20*time.Millisecond {
				t.Fatalf("deadlines %d and %d are %v apart", i, i+1, d)
			}
		}
		if got[0]%grain != 0 {
			t.Fatalf("first deadline %v is not on the grain", got[0])
		}
	})
}

func TestLateTicksCatchUpThenSkip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := metrics.New()
		now := clock()
		s := New(1, now, m)
		var deadlines, starts []time.Duration
		s.Add(20*time.Millisecond, func(deadline time.Duration) bool {
			deadlines, starts = append(deadlines, deadline), append(starts, now())
			if len(deadlines) == 1 {
				time.Sleep(205 * time.Millisecond) // ten deadlines pass
			}
			return len(deadlines) < 10
		})
		time.Sleep(time.Second)
		s.Close()
		// The first stalls, two more run at once, seven are skipped, and then all is on time.
		if starts[1] != starts[2] {
			t.Errorf("late ticks ran at %v and %v, want at once", starts[1], starts[2])
		}
		skipped := (deadlines[3]-deadlines[2])/(20*time.Millisecond) - 1
		if skipped != 7 || m.TicksSkipped.Load() != 7 {
			t.Errorf("skipped %d ticks, counted %d, want 7", skipped, m.TicksSkipped.Load())
		}
		for i := 4; i < 10; i++ {
			if late := starts[i] - deadlines[i]; late > early || late < -early {
				t.Errorf("tick %d started %v late", i, late)
			}
		}
	})
}

func TestPhasesAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Second) // not a multiple of the period since the clock's zero
		s := New(2, clock(), metrics.New())
		const tasks, period = 1600, 20 * time.Millisecond
		var mu sync.Mutex
		var perPhase [16]int
		for range tasks {
			s.Add(period, func(deadline time.Duration) bool {
				mu.Lock()
				perPhase[deadline%period*16/period]++
				mu.Unlock()
				return false
			})
		}
		time.Sleep(time.Second)
		s.Close()
		for phase, n := range perPhase {
			if n != tasks/16 {
				t.Errorf("%d ticks in phase %d, want %d", n, phase, tasks/16)
			}
		}
	})
}

// Few tasks share moments, and those who come after others have ended take their places.
func TestPhasesAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(1, clock(), nil)
		defer s.Close()
		const period = 20 * time.Millisecond
		var mu sync.Mutex
		moments := map[time.Duration]int{}
		stop := false
		tick := func(deadline time.Duration) bool {
			mu.Lock()
			defer mu.Unlock()
			moments[deadline%period]++
			return !stop
		}
		for range 2 {
			for range 7 {
				s.Add(period, tick)
			}
			time.Sleep(time.Second)
			mu.Lock()
			if len(moments) != 2 {
				t.Errorf("7 tasks run at %d moments of the period, want 2", len(moments))
			}
			clear(moments)
			stop = true
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			clear(moments)
			stop = false
			mu.Unlock()
		}
	})
}

// What is around ticks runs once for those of one moment, and between ticks that take long.
func TestAround(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, work := range []time.Duration{0, 3 * time.Millisecond} {
			s := New(1, clock(), nil)
			var log []byte
			s.Around(func() { log = append(log, '(') }, func() { log = append(log, ')') })
			for range 3 {
				s.Add(20*time.Millisecond, func(time.Duration) bool {
					log = append(log, '.')
					time.Sleep(work)
					return true
				})
			}
			time.Sleep(75 * time.Millisecond) // ticks at 20, 40 and 60 ms
			s.Close()
			want := "(...)(...)(...)"
			if work > gather {
				want = "(.)(.)(.)(.)(.)(.)(.)(.)(.)"
			}
			if string(log) != want {
				t.Errorf("ticks of %v: %s, want %s", work, log, want)
			}
		}
	})
}

func TestAddFromTickAndClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(1, clock(), nil)
		var second int
		s.Add(time.Millisecond, func(time.Duration) bool {
			s.Add(time.Millisecond, func(time.Duration) bool { second++; return true })
			return false
		})
		time.Sleep(100 * time.Millisecond)
		s.Close()
		if second < 90 {
			t.Errorf("task added in a tick ran %d times in 100 ms", second)
		}
		ran := second
		time.Sleep(100 * time.Millisecond)
		if second != ran {
			t.Error("ticks after Close")
		}
	})
}

// A packed scheduler uses one worker for what it has time for, and others for the rest,
// also when tasks come to need more than they did.
func TestPacked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(&Scheduler{clock: clock(), packed: true, early: early, sleep: time.Sleep}, 3) // virtual, too
		defer s.Close()
		var work atomic.Int64
		for range 10 {
			s.Add(20*time.Millisecond, func(time.Duration) bool {
				time.Sleep(time.Duration(work.Load()))
				return true
			})
		}
		used := func() (n int) {
			for _, w := range s.workers {
				if w.busy.Load() > 0 {
					n++
				}
			}
			return n
		}
		work.Store(int64(400 * time.Microsecond)) // a fifth of one worker's time
		time.Sleep(5 * time.Second)
		if n := used(); n != 1 {
			t.Errorf("%d workers are used for what one can do, want 1", n)
		}
		work.Store(int64(3 * time.Millisecond)) // one and a half
		time.Sleep(5 * time.Second)
		for i, w := range s.workers {
			if load := w.load(); load > 0.61 {
				t.Errorf("worker %d is busy for %.2f of its time", i, load)
			}
		}
	})
}

// work is a tick that takes as long as takes says.
func work(takes *atomic.Int64) Tick {
	return func(time.Duration) bool {
		time.Sleep(time.Duration(takes.Load()))
		return true
	}
}

// timed is tick with latest being how late it was at most.
func timed(now func() time.Duration, latest *atomic.Int64, tick Tick) Tick {
	return func(deadline time.Duration) bool {
		for late := int64(now() - deadline); ; {
			if last := latest.Load(); late <= last || latest.CompareAndSwap(last, late) {
				return tick(deadline)
			}
		}
	}
}

// Many tasks are spread, so that they are in time when all come to need more than at first.
func TestManyAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := clock()
		s := start(&Scheduler{clock: now, packed: true, early: early, sleep: time.Sleep}, 2)
		defer s.Close()
		var takes, latest atomic.Int64
		takes.Store(int64(20 * time.Microsecond))
		for range 100 {
			s.Add(20*time.Millisecond, timed(now, &latest, work(&takes)))
			time.Sleep(500 * time.Millisecond) // by when it is seen how little it needs
		}
		takes.Store(int64(180 * time.Microsecond)) // in all nine tenths of a worker's time
		time.Sleep(5 * time.Second)
		latest.Store(0)
		time.Sleep(5 * time.Second)
		if late := time.Duration(latest.Load()); late > 2*time.Millisecond {
			t.Errorf("ticks are up to %v late", late)
		}
	})
}

// When one task comes to need more than what another worker can take, the small ones go.
func TestSmallTasksLeaveBigOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := clock()
		s := start(&Scheduler{clock: now, packed: true, early: early, sleep: time.Sleep}, 2)
		defer s.Close()
		var big, small, latest atomic.Int64
		big.Store(int64(50 * time.Microsecond))
		small.Store(int64(300 * time.Microsecond))
		s.Add(20*time.Millisecond, work(&big))
		for range 12 {
			s.Add(20*time.Millisecond, timed(now, &latest, work(&small)))
		}
		time.Sleep(3 * time.Second)
		big.Store(int64(10 * time.Millisecond))
		time.Sleep(10 * time.Second)
		latest.Store(0)
		time.Sleep(10 * time.Second)
		if late := time.Duration(latest.Load()); late > 2*time.Millisecond {
			t.Errorf("small ticks are up to %v late", late)
		}
	})
}

// A worker all of whose tasks have ended is free for others.
func TestLoadEndsWithTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(&Scheduler{clock: clock(), packed: true, early: early, sleep: time.Sleep}, 2)
		defer s.Close()
		var stop atomic.Bool
		s.Add(20*time.Millisecond, func(time.Duration) bool {
			time.Sleep(18 * time.Millisecond)
			return !stop.Load()
		})
		time.Sleep(5 * time.Second)
		w := s.workers[0]
		if w.load() < 0.8 {
			t.Fatalf("the worker is busy for %.2f of its time, want 0.9", w.load())
		}
		stop.Store(true)
		time.Sleep(time.Second)
		if w.load() > 0 {
			t.Errorf("without tasks the worker is busy for %.2f of its time", w.load())
		}
	})
}

// What is handed to an urgent worker is in time, however long that would have slept.
func TestHandOverToUrgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := metrics.New()
		s := start(&Scheduler{clock: clock(), metrics: m, packed: true, early: early, sleep: time.Sleep}, 2)
		defer s.Close()
		var heavy, light atomic.Int64
		heavy.Store(int64(20 * time.Millisecond))
		s.workers[1].add(&task{period: 60 * time.Millisecond, cost: guess, tick: work(&heavy)})
		time.Sleep(5 * time.Second)
		heavy.Store(int64(6 * time.Millisecond))
		light.Store(int64(100 * time.Microsecond))
		for range 8 {
			s.workers[0].add(&task{period: 2500 * time.Microsecond, cost: guess, tick: work(&light)})
		}
		time.Sleep(2500 * time.Millisecond)
		if !s.workers[1].urgent {
			t.Fatal("the worker is not urgent")
		}
		light.Store(int64(200 * time.Microsecond))
		time.Sleep(5 * time.Second)
		s.mu.Lock()
		moved := len(s.workers[1].tasks) - 1
		s.mu.Unlock()
		if moved < 1 || m.TicksSkipped.Load() > 0 {
			t.Errorf("%d tasks were handed over, %d ticks skipped", moved, m.TicksSkipped.Load())
		}
	})
}

// A worker is urgent while it has much to do, or is late, and not for longer.
func TestUrgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(&Scheduler{clock: clock(), packed: true, early: early, sleep: time.Sleep}, 1)
		defer s.Close()
		var work, tick atomic.Int64
		var ended atomic.Bool
		add := func() {
			ended.Store(false)
			s.Add(20*time.Millisecond, func(time.Duration) bool {
				if tick.Add(1)%10 == 0 {
					time.Sleep(time.Duration(work.Load()))
				}
				return !ended.Load()
			})
		}
		expect := func(after time.Duration, want bool) {
			t.Helper()
			time.Sleep(after)
			if got := s.Urgent(); got != want {
				t.Fatalf("urgent: %v", got)
			}
		}
		add()
		expect(3*time.Second, false)
		s.Rivals(true)
		expect(1500*time.Millisecond, true)
		expect(20*time.Second, true)
		s.Rivals(false)
		expect(12*time.Second, false)
		work.Store(int64(100 * time.Millisecond)) // half of its time
		expect(3*time.Second, true)
		work.Store(0)
		expect(5*time.Second, true)
		expect(8*time.Second, false)
		var wakes int
		s.Around(func() {
			if wakes++; wakes%10 == 0 {
				time.Sleep(10 * time.Millisecond) // as if the kernel had others to run
			}
		}, func() {})
		expect(1500*time.Millisecond, false) // once is nothing
		expect(4*time.Second, true)
		ended.Store(true) // nothing is left to be in time for
		expect(time.Second, false)
		add()
		expect(5*time.Second, true)
	})
}
