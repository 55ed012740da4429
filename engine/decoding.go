package engine

import (
	"slices"
	"sync"
	"time"

	"sectile/asm/yuv"
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

// blocks is how many macroblocks its picture has.
func (au *accessUnit) blocks() int { return yuv.Blocks(au.size[0]) * yuv.Blocks(au.size[1]) }

// decoding is the queue of a camera's access units, and its decoder.
type decoding struct {
	pool   *pool
	listed bool // in the pool, whose lock guards it

	mu     sync.Mutex
	queue  []accessUnit
	bytes  int      // in queue
	blocks int      // macroblocks of its pictures,
	owed   int      // and how many of them count as pending
	spare  [][]byte // buffers of decoded access units
	kept   bool     // nobody watches: nothing is decoded
	behind int      // how many more than usual may be in queue, for they came late or were kept
	closed bool

	work    sync.Mutex // held while decoding; guards what follows
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
	if d.closed {
		return 1, false
	}
	defer d.settle()
	d.kept = keep
	full := len(d.queue) >= maxUnits+d.behind || d.behind > 0 && d.bytes > 2*maxKeptBytes
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
	d.blocks += au.blocks()
	return dropped, true
}

// settle tells the pool how much waits. It needs the lock.
func (d *decoding) settle() {
	owed := d.blocks
	if d.kept || d.closed {
		owed = 0
	}
	d.pool.pending.Add(int64(owed - d.owed))
	d.owed = owed
}

// waits tells how many access units wait to be decoded.
func (d *decoding) waits() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.kept || d.closed {
		return 0
	}
	return len(d.queue)
}

// clear empties the queue. It needs the lock.
func (d *decoding) clear() {
	for i := range d.queue {
		d.recycle(d.queue[i].data)
		d.queue[i] = accessUnit{}
	}
	d.queue, d.bytes, d.blocks = d.queue[:0], 0, 0
}

// recycle keeps a buffer for later access units, if there are not enough of them. It needs
// the lock.
func (d *decoding) recycle(buf []byte) {
	if len(d.spare) < maxUnits {
		d.spare = append(d.spare, buf)
	}
}

// resume has what was kept decoded.
func (d *decoding) resume() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kept, d.behind = false, len(d.queue)
	d.settle()
}

// late tells that an access unit came that had to wait for one before it, with which it comes
// at once.
func (d *decoding) late() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.behind++
}

// close ends the camera.
func (c *camera) close() {
	c.mu.Lock()
	c.closed = true
	c.settle()
	c.mu.Unlock()
	c.pool.forget(c)
	c.engine.cameras.Go(c.free)
}

// next takes the oldest access unit out of the queue.
func (d *decoding) next() (au accessUnit, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.kept || d.closed || len(d.queue) == 0 {
		d.behind = 0
		return accessUnit{}, false
	}
	au = d.queue[0]
	d.behind = max(d.behind-1, 0)
	d.queue = slices.Delete(d.queue, 0, 1)
	d.bytes -= len(au.data)
	d.blocks -= au.blocks()
	d.settle()
	return au, true
}

// decodeDue decodes what waits, on the tick that wants to draw it, or leaves it to the pool
// if it is much.
func (c *camera) decodeDue() {
	if c.waits() > maxDue {
		c.pool.offer(c, true)
		return
	}
	c.drain()
}

// drain decodes all that waits, and waits for who decodes it already.
func (c *camera) drain() {
	c.work.Lock()
	defer c.work.Unlock()
	for {
		au, ok := c.next()
		if !ok {
			return
		}
		c.engine.decodes <- struct{}{}
		c.decode(au)
		<-c.engine.decodes

		c.mu.Lock()
		c.recycle(au.data)
		c.mu.Unlock()
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
	ok, err := c.decoder.Decode(au.data)
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

// free frees the decoder once nobody decodes.
func (c *camera) free() {
	c.work.Lock()
	defer c.work.Unlock()
	c.picture.Lock()
	defer c.picture.Unlock()
	c.pictures.clear()
	if c.decoder != nil {
		c.decoder.retire()
	}
}
