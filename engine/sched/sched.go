// Package sched runs periodic ticks against absolute deadlines of a monotonic clock.
// A few workers carry any number of tasks. Waking up costs more than a small tick, so the
// deadlines lie on a few moments of the period: a few tasks share one, and no more, so
// that a thousand tasks of 20 ms do not all want to run in the same millisecond.
package sched

import (
	"container/heap"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"sectile/engine/metrics"
)

// catchUp is how many ticks in a row a late task may run before it skips the rest.
const catchUp = 3

const (
	// grain is the resolution of phases: 6 samples at 48 kHz and 1 at 8 kHz, so that every
	// deadline falls on a whole sample at all of Opus's rates.
	grain = 125 * time.Microsecond
	// phases divide a period, and share tasks of one worker have the same phase before
	// another phase is used.
	phases = 16
	share  = 3
	// gather bounds how long the ticks of one wake-up go on before After is called.
	gather = 2 * time.Millisecond
)

// Tick is called at each deadline with the deadline itself, in nanoseconds of the
// scheduler's clock, not with the time of the call. It returns whether to go on.
type Tick func(deadline time.Duration) (again bool)

// Scheduler runs tasks. All methods may be called from any goroutine, also from a Tick.
type Scheduler struct {
	clock   func() time.Duration
	metrics *metrics.Engine // nil: not measured

	around atomic.Pointer[around]

	mu      sync.Mutex
	workers []*worker
	added   int
	wg      sync.WaitGroup
}

// around is what runs before and after the ticks of a wake-up.
type around struct{ before, after func() }

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

	s.workers[n%len(s.workers)].add(&task{period: period, tick: tick})
}

// Around has before called whenever ticks are due, on the goroutine that runs them, and
// after once they have run: what they take in and give out can be moved in bulk. Several
// workers may call at the same time. If ticks take long, after is called between them.
func (s *Scheduler) Around(before, after func()) { s.around.Store(&around{before, after}) }

// Close ends all tasks and waits for the running ones.
func (s *Scheduler) Close() {
	for _, w := range s.workers {
		w.close()
	}
	s.wg.Wait()
}

type task struct {
	period time.Duration
	phase  int
	next   time.Duration
	tick   Tick
}

// worker owns its tasks' heap; only the hand-over of new ones takes the lock.
type worker struct {
	scheduler *Scheduler
	wake      chan struct{}
	tasks     taskHeap
	perPhase  [phases]int // tasks

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
			w.start(t)
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
		w.runAll()
	}
}

// start gives a task its phase and its first deadline.
func (w *worker) start(t *task) {
	t.phase = w.choose()
	w.perPhase[t.phase]++
	at := t.period * time.Duration(t.phase) / phases
	now := w.scheduler.clock()
	t.next = now - now%t.period + at
	t.next -= t.next % grain
	for t.next <= now {
		t.next += t.period
	}
	heap.Push(&w.tasks, t)
}

// choose finds the phase for another task. The order of phases is that of their bits
// reversed, so that those in use are always spread over the period.
func (w *worker) choose() int {
	best := 0
	for i := range phases {
		phase := int(bits.Reverse8(uint8(i)) >> (8 - 4)) // 2⁴ phases
		if w.perPhase[phase] < share {
			return phase
		}
		if w.perPhase[phase] < w.perPhase[best] {
			best = phase
		}
	}
	return best
}

// runAll runs the ticks that are due, the most urgent first.
func (w *worker) runAll() {
	s := w.scheduler
	hooks := s.around.Load()
	if hooks != nil {
		hooks.before()
	}
	start := s.clock()
	for len(w.tasks) > 0 && w.tasks[0].next <= s.clock() {
		if t := w.tasks[0]; w.runDue(t) {
			heap.Fix(&w.tasks, 0)
		} else {
			heap.Pop(&w.tasks)
			w.perPhase[t.phase]--
		}
		if s.clock()-start > gather {
			break // the next round is at once
		}
	}
	if hooks != nil {
		hooks.after()
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
