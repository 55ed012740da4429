package engine

import (
	"slices"
	"sync"
	"time"

	"sectile/engine/sched"
)

const (
	// maxUnits is how many access units wait for the decoder at most. More means that the
	// machine is short; the picture then freezes until the next keyframe.
	maxUnits = 8
	// What is kept of a stream that nobody watches: the access units since a keyframe, if
	// they are of at most that time and size.
	maxKept      = 4 * time.Second
	maxKeptBytes = 1 << 20
)

// accessUnit is what the decoder is given.
type accessUnit struct {
	data     []byte
	key      bool
	size     [2]int // of the picture
	arrived  time.Duration
	timed    bool
	captured time.Duration // on the publisher's clock
}

// decoding is the queue of a camera's access units, and its decoder.
type decoding struct {
	mu     sync.Mutex
	queue  []accessUnit
	bytes  int      // in queue
	spare  [][]byte // buffers of decoded access units
	behind bool     // the queue is longer than usual, since it was kept while nobody watched
	closed bool
	wake   chan struct{}

	// Of run's goroutine.
	decoder *decoder
	decoded [2]int // size of the stream that it decodes
	broken  bool   // it failed and waits for a keyframe
}

// enqueue appends an access unit, of which it copies the data. What is kept is not decoded
// before resume, and dropped at the next keyframe. Without room for it, it and all before
// are dropped; then only a keyframe helps.
func (d *decoding) enqueue(au accessUnit, data []byte, keep bool) (dropped int, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	full := len(d.queue) >= maxUnits && (!d.behind || d.bytes > 2*maxKeptBytes)
	if keep {
		if au.key {
			dropped = len(d.queue)
			d.clear()
		}
		full = d.bytes+len(data) > maxKeptBytes || len(d.queue) > 0 && au.arrived-d.queue[0].arrived > maxKept
	}
	if full {
		dropped += len(d.queue) + 1
		d.clear()
		return dropped, false
	}
	var buf []byte
	if n := len(d.spare); n > 0 {
		buf, d.spare = d.spare[n-1], d.spare[:n-1]
	}
	au.data = append(buf[:0], data...)
	d.queue = append(d.queue, au)
	d.bytes += len(data)
	if !keep {
		d.signal()
	}
	return dropped, true
}

// clear empties the queue. It needs the lock.
func (d *decoding) clear() {
	for i := range d.queue {
		d.recycle(d.queue[i].data)
		d.queue[i] = accessUnit{}
	}
	d.queue, d.bytes = d.queue[:0], 0
}

// recycle keeps a buffer for later access units, if there are not enough of them. It needs
// the lock.
func (d *decoding) recycle(buf []byte) {
	if len(d.spare) < maxUnits {
		d.spare = append(d.spare, buf)
	}
}

func (d *decoding) signal() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// resume has decoded what was kept.
func (d *decoding) resume() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.behind = len(d.queue) > 0
	d.signal()
}

// close ends the camera; its goroutine frees the decoder.
func (d *decoding) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	d.signal()
}

// next takes the oldest access unit out of the queue.
func (d *decoding) next() (au accessUnit, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || len(d.queue) == 0 {
		d.behind = false
		return accessUnit{}, false
	}
	au = d.queue[0]
	d.queue = slices.Delete(d.queue, 0, 1)
	d.bytes -= len(au.data)
	return au, true
}

// run decodes until the camera is closed.
func (c *camera) run() {
	defer c.free()
	for range c.wake {
		for {
			if c.paused.Load() {
				break
			}
			au, ok := c.next()
			if !ok {
				break
			}
			c.engine.decodes <- struct{}{}
			c.decode(au)
			<-c.engine.decodes

			c.mu.Lock()
			c.recycle(au.data)
			c.mu.Unlock()
		}
		c.mu.Lock()
		closed := c.closed
		c.mu.Unlock()
		if closed {
			return
		}
	}
}

func (c *camera) decode(au accessUnit) {
	if c.broken && !au.key {
		c.engine.metrics.FramesDropped.Add(1)
		return
	}
	if c.decoder != nil && au.key && au.size != c.decoded {
		c.picture.Lock()
		c.decoder.retire()
		c.picture.Unlock()
		c.decoder = nil
	}
	if c.decoder == nil {
		made, err := c.engine.codecs.NewVideoDecoder()
		if err != nil {
			c.log.Error("no H.264 decoder", "err", err)
			return
		}
		c.decoder, c.decoded = &decoder{VideoDecoder: made}, au.size
	}
	var ok bool
	var err error
	sched.Background(func() { ok, err = c.decoder.Decode(au.data) })
	c.broken = err != nil
	if err != nil {
		c.log.Debug("video decode", "err", err)
		c.refuse()
		return
	}
	if !ok {
		return
	}
	c.engine.metrics.FramesDecoded.Add(1)
	f := frame{
		decoder: c.decoder, sequence: c.engine.pictures.Add(1), decoded: c.engine.Now(),
		timed: au.timed, captured: au.captured,
	}
	c.picture.Lock()
	defer c.picture.Unlock()
	f.image = c.decoder.Hold()
	c.pictures.push(f)
}

func (c *camera) free() {
	c.picture.Lock()
	defer c.picture.Unlock()
	c.pictures.clear()
	if c.decoder != nil {
		c.decoder.retire()
	}
}
