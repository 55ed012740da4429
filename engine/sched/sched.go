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
	// grain is the resolution of phases: 6 samples at 48 kHz, the rate of Opus's timestamps.
	grain = 125 * time.Microsecond
	// phases divide a period. Tasks of one worker have the same phase as long as they take
	// no longer than share together; guess is what a task is taken to need at first. Among more
	// than many, it is also the least that a task may come to need, however little it does now.
	phases = 16
	many   = 8
	share  = 500 * time.Microsecond
	guess  = 100 * time.Microsecond
	// early is half of the resolution of the runtime's timers: it waits for whole
	// milliseconds, and what is left then takes another wait, and another wake-up.
	early = time.Millisecond / 2
	// slack has a wait end after the last of its milliseconds, not right before.
	slack = 40 * time.Microsecond
	// A packed scheduler uses another worker when those in use are busy for this share of
	// their time, and takes tasks from a worker above the second one.
	packed, crowded = 0.25, 0.35
	// A worker of an urgent scheduler that is busy for more than pressed of its time is
	// urgent, and so is one that is up very late several times in each second and often in
	// all, because of other programs. It ends when all has been well, and the worker less than
	// relaxed of its time busy, for some seconds.
	pressed, relaxed = 0.25, 0.15
	veryLate         = 5 * time.Millisecond
	several, often   = 3, 10
	wellFor          = 10 // settle
	// settle is how long a worker's busy time is measured.
	settle = time.Second
	// nap is the longest sleep of an urgent worker, which nothing ends: for so long a task
	// that is handed to it may have to wait.
	nap = 3 * time.Millisecond

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
	packed bool
	urgent atomic.Int32        // workers that are
	rivals atomic.Bool         // others take much of the machine, as Rivals was told
	early  time.Duration       // by how much ticks may come before their deadlines
	sleep  func(time.Duration) // of urgent workers; nil: none is

	mu      sync.Mutex
	workers []*worker
	added   int
	wg      sync.WaitGroup
}

// around is what runs before and after the ticks of a wake-up.
type around struct{ before, after func() }

// New starts a scheduler with so many workers, for ticks that take long and may be late.
// clock is monotonic. With metrics, the lateness and duration of ticks and the skipped ones
// are counted there.
func New(workers int, clock func() time.Duration, m *metrics.Engine) *Scheduler {
	return start(&Scheduler{clock: clock, metrics: m}, workers)
}

// NewPacked is like New, but for short ticks, in time, with few wake-ups: tasks share a
// worker as long as it has time for them, and come up to half a millisecond before their
// deadlines.
func NewPacked(workers int, clock func() time.Duration, m *metrics.Engine) *Scheduler {
	return start(&Scheduler{clock: clock, metrics: m, packed: true, early: early}, workers)
}

// NewUrgent is like NewPacked, but workers with much to do, or which were late, are urgent:
// they have a thread each, of real-time priority if the process may ask for that, and wait
// in the kernel for their deadlines, on real time whatever the clock says.
func NewUrgent(workers int, clock func() time.Duration, m *metrics.Engine) *Scheduler {
	return start(&Scheduler{clock: clock, metrics: m, packed: true, early: early, sleep: sleep}, workers)
}

func start(s *Scheduler, workers int) *Scheduler {
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
	defer s.mu.Unlock()
	w := s.workers[s.added%len(s.workers)]
	s.added++
	if s.packed {
		w = s.choose()
	}
	w.promised.Add(int64(guess * 1e6 / period))
	w.add(&task{period: period, tick: tick, cost: guess})
}

// choose finds the worker for another task: the first with time to spare, or else the
// least busy one.
func (s *Scheduler) choose() *worker {
	best := s.workers[0]
	for _, w := range s.workers {
		if w.load() < packed {
			return w
		}
		if w.load() < best.load() {
			best = w
		}
	}
	return best
}

// Around has before called whenever ticks are due, on the goroutine that runs them, and
// after once they have run: what they take in and give out can be moved in bulk. Several
// workers may call at the same time. If ticks take long, after is called between them.
func (s *Scheduler) Around(before, after func()) { s.around.Store(&around{before, after}) }

// Worked appends to list for how long each worker has been at work since the start.
func (s *Scheduler) Worked(list []time.Duration) []time.Duration {
	for _, w := range s.workers {
		list = append(list, time.Duration(w.total.Load()))
	}
	return list
}

// Urgent tells whether workers of an urgent scheduler have much to do or rivals, or lately
// were late. They then are threads of real-time priority, and do best if the Go runtime has a
// processor for each to spare (GOMAXPROCS).
func (s *Scheduler) Urgent() bool { return s.urgent.Load() > 0 }

// Rivals tells whether other work of the program takes much of the machine. The kernel then
// lets a thread wait for as long as it lets others run, a few milliseconds, unless the thread
// is of real-time priority, so that all workers of an urgent scheduler are urgent.
func (s *Scheduler) Rivals(are bool) { s.rivals.Store(are) }

// Close ends all tasks and waits for the running ones.
func (s *Scheduler) Close() {
	for _, w := range s.workers {
		w.close()
	}
	s.wg.Wait()
}

type task struct {
	period time.Duration
	placed bool // has a phase
	phase  int
	next   time.Duration
	tick   Tick
	cost   time.Duration // of a tick, averaged
}

// worker owns its tasks' heap; only the hand-over of new ones takes the lock.
type worker struct {
	scheduler *Scheduler
	wake      chan struct{}
	tasks     taskHeap
	urgent    bool
	late      int           // wake-ups that were very late, in this measurement
	lates     int           // the same in this and those before, as long as there are several in each
	well      int           // measurements in which all was well
	since     time.Duration // when the measurement of worked began
	worked    time.Duration

	busy, promised atomic.Int64 // millionths of its time: measured, and of tasks added since
	total          atomic.Int64 // nanoseconds at work since the start

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
	if !w.scheduler.packed {
		background()
	}
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
		if wait > w.scheduler.early {
			w.wait(timer, wait)
			continue
		}
		w.runAll()
	}
}

// wait waits until d has passed, or something is to do before.
func (w *worker) wait(timer *time.Timer, d time.Duration) {
	if len(w.tasks) == 0 {
		w.rest()
	}
	if w.urgent {
		w.scheduler.sleep(min(d, nap))
		return
	}
	if w.scheduler.early > 0 {
		d = max(d.Round(time.Millisecond), time.Millisecond) + slack
	}
	timer.Reset(d)
	select {
	case <-timer.C:
	case <-w.wake:
	}
}

// rest is when there are no tasks: what was measured says nothing of those that may come.
func (w *worker) rest() {
	w.calm()
	w.busy.Store(0)
	w.since, w.worked = w.scheduler.clock(), 0
}

// hurry makes the worker urgent, or ends that: then it keeps a thread for itself, which the
// kernel runs before all others. With little to do on a machine that has time, changing to
// that thread and back would cost more than it is worth.
func (w *worker) hurry() {
	load, late := w.load(), w.late >= several
	if w.lates += w.late; !late {
		w.lates = 0
	}
	w.late = 0
	rivals := w.scheduler.rivals.Load()
	if w.well++; load > relaxed || late || rivals {
		w.well = 0
	}
	switch s := w.scheduler; {
	case s.sleep == nil:
	case !w.urgent && (load > pressed || w.lates >= often || rivals):
		w.urgent = true
		s.urgent.Add(1)
		urge()
	case w.urgent && w.well >= wellFor:
		w.calm()
	}
}

// calm ends that the worker is urgent, if it is.
func (w *worker) calm() {
	if w.urgent {
		w.urgent, w.late, w.lates, w.well = false, 0, 0, 0
		w.scheduler.urgent.Add(-1)
		relax()
	}
}

// start gives a task its phase and its first deadline.
func (w *worker) start(t *task) {
	if t.placed { // comes from another worker
		heap.Push(&w.tasks, t)
		return
	}
	t.phase, t.placed = w.choose(), true
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
	cost, best := w.costs(), 0
	for i := range phases {
		phase := int(bits.Reverse8(uint8(i)) >> (8 - 4)) // 2⁴ phases
		if cost[phase]+guess <= share {
			return phase
		}
		if cost[phase] < cost[best] {
			best = phase
		}
	}
	return best
}

// costs are those of the tasks of each phase.
func (w *worker) costs() (cost [phases]time.Duration) {
	least := time.Duration(0)
	if len(w.tasks) > many {
		least = guess
	}
	for _, t := range w.tasks {
		cost[t.phase] += max(t.cost, least)
	}
	return cost
}

// load is the share of its time that the worker is busy.
func (w *worker) load() float64 { return float64(w.busy.Load()+w.promised.Load()) / 1e6 }

// measure takes down how busy the worker was, from time to time, and hands tasks over if
// another worker has more time.
func (w *worker) measure(now time.Duration) {
	elapsed := now - w.since
	if elapsed < settle {
		return
	}
	w.busy.Store(int64(w.worked) * 1e6 / int64(elapsed))
	w.promised.Store(0)
	w.since, w.worked = now, 0
	w.hurry()
	if w.load() < crowded || len(w.tasks) < 2 {
		return
	}
	s := w.scheduler
	s.mu.Lock()
	defer s.mu.Unlock()
	idlest := w
	for _, other := range s.workers {
		if other.load() < idlest.load() {
			idlest = other
		}
	}
	// A worker is busy with more than ticks, so what it does for each is more than their cost.
	var ticks float64
	for _, t := range w.tasks {
		ticks += t.share()
	}
	scale := w.load() / ticks
	for spare := (w.load() - idlest.load()) / 2; len(w.tasks) > 1; {
		i := w.fullest(spare / scale)
		if i < 0 {
			return
		}
		t := w.tasks[i]
		spare -= t.share() * scale
		heap.Remove(&w.tasks, i)
		idlest.promised.Add(int64(1e6 * t.share() * scale))
		idlest.add(t)
	}
}

// share is the share of a worker's time that the ticks take.
func (t *task) share() float64 { return float64(t.cost) / float64(t.period) }

// fullest finds a task of at most that share, in the phase in which most is to be done; -1 if
// there is none. What takes more stays, and what would wait for it goes.
func (w *worker) fullest(most float64) int {
	cost, best := w.costs(), -1
	for i, t := range w.tasks {
		if t.share() <= most && (best < 0 || cost[t.phase] > cost[w.tasks[best].phase]) {
			best = i
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
	if len(w.tasks) > 0 && start-w.tasks[0].next > veryLate {
		w.late++
	}
	for now := start; len(w.tasks) > 0 && w.tasks[0].next <= now+s.early; {
		t := w.tasks[0]
		again := w.runDue(t)
		if again {
			heap.Fix(&w.tasks, 0)
		} else {
			heap.Pop(&w.tasks)
		}
		now = s.clock()
		if now-start > gather {
			break // the next round is at once
		}
	}
	if hooks != nil {
		hooks.after()
	}
	now := s.clock()
	w.worked += now - start
	w.total.Add(int64(now - start))
	w.measure(now)
}

// runDue runs the ticks of t that are due and moves its deadline to the next one.
func (w *worker) runDue(t *task) (again bool) {
	clock, m := w.scheduler.clock, w.scheduler.metrics
	for range catchUp {
		start := clock()
		if start+w.scheduler.early < t.next {
			return true
		}
		again := t.tick(t.next)
		took := clock() - start
		t.cost += (took - t.cost) / 16
		if m != nil {
			m.TickLateness.Observe(max(start-t.next, 0))
			m.TickDuration.Observe(took)
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
