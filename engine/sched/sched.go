// Package sched runs periodic ticks against absolute deadlines of a monotonic clock.
// A few workers carry any number of tasks; their phases are spread over the period, so
// that a thousand tasks of 20 ms do not all wake in the same millisecond.
package sched

import (
	"container/heap"
	"sync"
	"time"

	"sectile/engine/metrics"
)

// catchUp is how many ticks in a row a late task may run before it skips the rest.
const catchUp = 3

// grain is the resolution of phases: 6 samples at 48 kHz and 1 at 8 kHz, so that every
// deadline falls on a whole sample at all of Opus's rates.
const grain = 125 * time.Microsecond

// Tick is called at each deadline with the deadline itself, in nanoseconds of the
// scheduler's clock, not with the time of the call. It returns whether to go on.
type Tick func(deadline time.Duration) (again bool)

// Scheduler runs tasks. All methods may be called from any goroutine, also from a Tick.
type Scheduler struct {
	clock   func() time.Duration
	metrics *metrics.Engine // nil: not measured

	mu      sync.Mutex
	workers []*worker
	added   int
	wg      sync.WaitGroup
}

// New starts a scheduler with so many workers. clock is monotonic. With metrics, the
// lateness and duration of ticks and the skipped ones are counted there.
func New(workers int, clock func() time.Duration, m *metrics.Engine) *Scheduler {
	s := &Scheduler{clock: clock, metrics: m}
	for range max(workers, 1) {
		w := &worker{scheduler: s, wake: make(chan struct{}, 1)}
		s.workers = append(s.workers, w)
		s.wg.Go(w.run)
	}
	return s
}

// Add runs tick every period from now on, until it returns false.
// The period must be positive.
func (s *Scheduler) Add(period time.Duration, tick Tick) {
	s.mu.Lock()
	n := s.added
	s.added++
	s.mu.Unlock()

	// The golden ratio spreads any number of phases evenly (Weyl's sequence).
	const golden = 0.6180339887498949
	turn := float64(n) * golden
	phase := time.Duration((turn - float64(int(turn))) * float64(period))
	first := s.clock() + phase
	first += grain - first%grain
	s.workers[n%len(s.workers)].add(&task{period: period, next: first, tick: tick})
}

// Close ends all tasks and waits for the running ones.
func (s *Scheduler) Close() {
	for _, w := range s.workers {
		w.close()
	}
	s.wg.Wait()
}

type task struct {
	period time.Duration
	next   time.Duration
	tick   Tick
}

// worker owns its tasks' heap; only the hand-over of new ones takes the lock.
type worker struct {
	scheduler *Scheduler
	wake      chan struct{}
	tasks     taskHeap

	mu     sync.Mutex
	added  []*task
	closed bool
}

func (w *worker) add(t *task) {
	w.mu.Lock()
	w.added = append(w.added, t)
	w.mu.Unlock()
	w.signal()
}

func (w *worker) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.signal()
}

func (w *worker) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *worker) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		w.mu.Lock()
		closed := w.closed
		for _, t := range w.added {
			heap.Push(&w.tasks, t)
		}
		w.added = w.added[:0]
		w.mu.Unlock()
		if closed {
			return
		}

		wait := time.Hour
		if len(w.tasks) > 0 {
			wait = w.tasks[0].next - w.scheduler.clock()
		}
		if wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-w.wake:
			}
			continue
		}
		t := w.tasks[0]
		if w.runDue(t) {
			heap.Fix(&w.tasks, 0)
		} else {
			heap.Pop(&w.tasks)
		}
	}
}

// runDue runs the ticks of t that are due and moves its deadline to the next one.
func (w *worker) runDue(t *task) (again bool) {
	clock, m := w.scheduler.clock, w.scheduler.metrics
	for range catchUp {
		start := clock()
		if start < t.next {
			return true
		}
		again := t.tick(t.next)
		if m != nil {
			m.TickLateness.Observe(start - t.next)
			m.TickDuration.Observe(clock() - start)
		}
		t.next += t.period
		if !again {
			return false
		}
	}
	if behind := clock() - t.next; behind >= t.period {
		skip := behind / t.period
		t.next += skip * t.period
		if m != nil {
			m.TicksSkipped.Add(uint64(skip))
		}
	}
	return true
}

type taskHeap []*task

func (h taskHeap) Len() int           { return len(h) }
func (h taskHeap) Less(i, j int) bool { return h[i].next < h[j].next }
func (h taskHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *taskHeap) Push(x any)        { *h = append(*h, x.(*task)) }
func (h *taskHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return t
}
