package engine

import (
	"slices"
	"sync"
	"sync/atomic"

	"sectile/engine/sched"
)

const (
	// batch is how many macroblocks wait, over all cameras, before a worker of the pool is
	// woken, and each further one: some 4 ms of decoding.
	batch = 10_000
	// maxDue is how many access units of a camera a tick decodes at most. More wait when the
	// picture was not watched, the mosaic is slow or the machine is short of time.
	maxDue = 3
)

// pool decodes what ticks of mosaics leave.
//
// To wake somebody for an access unit of a small picture would cost a fifth of decoding it.
// So it waits for the next tick that asks for the picture, which decodes it and draws it
// while it is in the cache. Where much waits, the pool's workers are woken, and go from
// camera to camera as long as any waits: no tick is held up for long, and all processors
// have a part.
type pool struct {
	workers int
	pending atomic.Int64 // macroblocks that wait
	wake    chan struct{}

	mu      sync.Mutex
	waiting []*camera // that have, or had, something to decode; each once
	active  int       // workers that are woken
	closed  bool
}

func newPool(workers int) *pool {
	return &pool{workers: workers, wake: make(chan struct{}, workers)}
}

// offer lists a camera that has something to decode, and wakes a worker if there is enough
// to do, or much of this camera.
func (p *pool) offer(c *camera, much bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	if !c.listed {
		c.listed = true
		p.waiting = append(p.waiting, c)
	}
	if p.active < p.workers && (much && p.active == 0 || p.pending.Load() >= int64(p.active+1)*batch) {
		p.active++
		p.wake <- struct{}{} // has room for all of them
	}
}

// next returns the camera that waits for longest, or nil if none does; then the worker is
// no longer active.
func (p *pool) next() *camera {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) == 0 {
		p.active--
		return nil
	}
	c := p.waiting[0]
	p.waiting = slices.Delete(p.waiting, 0, 1)
	c.listed = false
	return c
}

// forget drops a camera that is closed.
func (p *pool) forget(c *camera) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = slices.DeleteFunc(p.waiting, func(other *camera) bool { return other == c })
}

// run is a worker.
func (p *pool) run() {
	work := func() {
		for c := p.next(); c != nil; c = p.next() {
			c.drain()
		}
	}
	for range p.wake {
		sched.Background(work)
	}
}

// close ends the workers.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	close(p.wake)
}
