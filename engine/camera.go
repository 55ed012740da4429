package engine

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"sectile/asm/yuv"
	"sectile/engine/h264"
	"sectile/engine/load"
)

const (
	// After how long a packet is missing a keyframe is asked for: after leastWait, or
	// waitTrips round trips and extraWait, which is time for three requests for it; mostWait
	// at most.
	leastWait, mostWait  = 200 * time.Millisecond, 500 * time.Millisecond
	waitTrips, extraWait = 3, 80 * time.Millisecond
	// cameraWait is how long it is waited for beside, and skipWait if a keyframe came
	// meanwhile that needs nothing from before.
	cameraWait, skipWait = time.Second, 100 * time.Millisecond
	// keyframeRetry spaces the first requests for a keyframe, and keyframeRetryMost those
	// that went unanswered for long: after the second the time doubles. It is long enough for
	// the answer of a browser, which makes no more than one keyframe in 300 ms. Where the
	// round trip is long, it is longer by it.
	keyframeRetry     = 300 * time.Millisecond
	keyframeRetryMost = 4 * time.Second
	// cameraStale is after how long without a packet of its picture a camera counts as off or
	// dead, and after how long a loss that no keyframe mended makes its picture too old.
	cameraStale = 2 * time.Second
	// cameraIdle is after how long without anybody asking for its picture a camera counts
	// as not watched: more than there is between two pictures of the slowest mosaic when the
	// machine is short of time.
	cameraIdle = load.AllPictures*time.Second + time.Second
	// keepFresh is after how long a keyframe is asked for that what is kept can begin with,
	// while nobody watches: before maxKept, so that who begins to watch need not wait for one.
	keepFresh = 3 * time.Second
	// complainEvery spaces what is logged of one publisher's bad video.
	complainEvery = 10 * time.Second
	// A layer may change its size so many times at once, and once more in each resizeEvery:
	// each change makes a new decoder.
	resizes     = 3
	resizeEvery = 2 * time.Second
)

// camera turns the video packets of one publication into its newest picture.
//
// Packets of one layer are assembled on the publisher's goroutine; whole access units wait
// in a short queue until the picture is asked for, or pool decodes them. After a loss
// nothing is decoded until a keyframe comes: the last good picture stays rather than a
// smeared one.
//
// Whether it is watched, the camera learns from being asked for its picture. If nobody
// asks, it keeps the access units since the last keyframe, as far as they are few, and
// decodes them once somebody does.
type camera struct {
	engine  *Engine
	log     *slog.Logger
	request func(layer int) // asks the publisher for a keyframe
	sound   func() (offset time.Duration, known bool)

	shown   atomic.Bool  // some room may show it
	asked   atomic.Int64 // when it was asked for its picture last
	paused  atomic.Bool  // nobody did lately: nothing is decoded
	needKey atomic.Bool  // nothing but a keyframe can be decoded

	heard    atomic.Int64 // when something new of the picture came last
	probed   atomic.Int64 // heard when a keyframe was asked for since nothing came
	damaged  atomic.Int64 // since when pictures are missing; 0: none is
	outdated atomic.Int64 // what was decoded before is not shown any more

	in         sync.Mutex // guards what follows: layers come on goroutines of their own
	layers     layers
	sources    [MaxLayers]source
	views      []*view         // of the rooms that ask for the picture
	assembler  *h264.Assembler // of the layer that is taken
	key        keyframeRequest
	dropping   bool          // packets were dropped unread
	complained time.Duration // when a refusal was logged last
	size       [2]int        // of the layer that is taken; 0×0: not known yet
	resized    time.Duration // by when all its changes of size are made up for
	keyed      time.Duration // when the newest keyframe came

	decoding // what takes access units and makes pictures of them

	picture  sync.Mutex // guards pictures and before, and is held while View reads
	pictures pictures
	before   inherited
}

// keyframeRequest spaces the requests for a keyframe of one layer.
type keyframeRequest struct {
	last  time.Duration
	times int // since the last keyframe that was whole
	begun bool
}

// due tells whether to ask now, and counts on it.
func (k *keyframeRequest) due(now, rtt time.Duration) bool {
	if k.times > 0 && now-k.last < k.wait()+rtt {
		return false
	}
	k.last, k.begun = now, false
	k.times++
	return true
}

// wait is the time from the last request to the next.
func (k *keyframeRequest) wait() time.Duration {
	return min(keyframeRetry<<min(max(k.times-2, 0), 8), keyframeRetryMost)
}

// starts tells that a keyframe begins to come. What is missing of it will be asked for, which
// takes less than another one.
func (k *keyframeRequest) starts(now time.Duration) {
	if k.times > 0 && !k.begun {
		k.last, k.begun = now, true
	}
}

// answered tells that a keyframe came. One request may still have to wait.
func (k *keyframeRequest) answered() { k.times = min(k.times, 1) }

// newAssembler makes the assembler of a layer.
func newAssembler() *h264.Assembler {
	return h264.NewAssembler(h264.Config{Wait: leastWait, Most: cameraWait, Skip: skipWait})
}

func newCamera(e *Engine, stream string, request func(layer int), sound func() (time.Duration, bool)) *camera {
	c := &camera{
		engine: e, log: e.log.With("stream", stream), request: request, sound: sound,
		assembler:  newAssembler(),
		complained: -complainEvery, keyed: e.Now(),
		decoding: decoding{pool: e.pool},
	}
	c.layers.init()
	c.needKey.Store(true)
	c.paused.Store(true)
	c.asked.Store(int64(-cameraIdle))
	return c
}

// show says whether any room may show the picture; if not, packets are dropped unread.
func (c *camera) show(shown bool) { c.shown.Store(shown) }

// watched tells whether somebody asked for the picture lately.
func (c *camera) watched(now time.Duration) bool {
	return now-time.Duration(c.asked.Load()) < cameraIdle
}

// push takes one packet of a layer. One goroutine at a time may push a layer.
func (c *camera) push(layer int, pkt h264.Packet) {
	now := c.engine.Now()
	c.in.Lock()
	defer c.in.Unlock()
	c.hear(layer, pkt, now)
	l := &c.layers.all[layer]
	starts := l.note(pkt.Payload, now)
	if !c.shown.Load() {
		c.dropping = true
		c.outdated.Store(int64(now))
		c.drop(pkt)
		return
	}
	if !c.paused.Load() && !c.watched(now) {
		c.paused.Store(true)
	}
	c.choose(now)
	switch {
	case layer == c.layers.next:
		c.pushNext(pkt, now)
		return
	case layer != c.layers.taken:
		c.drop(pkt)
		return
	}
	if c.paused.Load() && now-c.keyed >= keepFresh && c.key.due(now, l.rtt) {
		c.request(layer)
	}
	if c.paused.Load() && c.dropping && !starts {
		c.drop(pkt)
		return
	}
	if c.dropping {
		c.dropping = false
		c.assembler.Reset()
		c.needKey.Store(true)
	}
	if starts {
		c.key.starts(now)
	}
	c.assembler.SetWait(min(max(leastWait, waitTrips*l.rtt+extraWait), mostWait))
	c.assembler.Push(pkt, now)
	for n := 0; ; n++ {
		au, ok := c.assembler.Next(now)
		if !ok {
			break
		}
		if n > 0 {
			c.late()
		}
		c.take(au, now)
	}
	switch {
	case !c.needKey.Load() && !c.assembler.Overdue(now):
	case !c.paused.Load():
		if c.key.due(now, l.rtt) {
			c.request(c.layers.taken)
		}
	case pkt.Marker && c.needKey.Load():
		c.dropping = true // what comes before a keyframe is of no use to anybody later
	}
}

// drop counts a packet that is dropped unread.
func (c *camera) drop(pkt h264.Packet) {
	if pkt.Marker {
		c.engine.metrics.FramesDropped.Add(1)
	}
}

// refuse drops an access unit, and with it all up to the next keyframe.
func (c *camera) refuse() {
	c.needKey.Store(true)
	c.engine.metrics.FramesDropped.Add(1)
}

// acceptable tells whether the decoder may see a stream with that SPS.
func (c *camera) acceptable(sps *h264.SPS, now time.Duration) bool {
	err := sps.Check()
	if err == nil {
		return true
	}
	if now-c.complained >= complainEvery {
		c.complained = now
		c.log.Warn("video refused", "err", err)
	}
	c.engine.metrics.FramesRefused.Add(1)
	return false
}

// resize takes note of the size of the layer that is taken. It is false if that changes too
// often.
func (c *camera) resize(size [2]int, now time.Duration) bool {
	if c.size != size && c.size != [2]int{} {
		resized := max(c.resized, now) + resizeEvery
		if resized > now+resizes*resizeEvery {
			return false
		}
		c.resized = resized
	}
	c.size = size
	return true
}

// take puts an access unit into the decoder's queue, or drops it.
func (c *camera) take(au h264.AU, now time.Duration) {
	if au.Gap {
		c.needKey.Store(true)
	}
	if au.SPS != nil {
		if !c.acceptable(au.SPS, now) || !c.resize([2]int{au.SPS.Width, au.SPS.Height}, now) {
			c.refuse()
			return
		}
	}
	if c.needKey.Load() {
		if !au.Key || au.SPS == nil {
			c.engine.metrics.FramesDropped.Add(1)
			return
		}
		c.needKey.Store(false)
		c.damaged.Store(0)
	}
	if au.Key {
		c.keyed = now
		c.key.answered()
	}
	unit := accessUnit{key: au.Key, size: c.size, arrived: now}
	unit.captured, unit.timed = c.layers.all[c.layers.taken].clock.moment(au.SSRC, au.Timestamp)
	dropped, ok := c.enqueue(unit, au.Data, c.paused.Load())
	c.engine.metrics.FramesDropped.Add(uint64(dropped))
	switch {
	case !ok:
		c.needKey.Store(true)
	case !c.paused.Load():
		c.pool.offer(c, c.waits() > maxDue)
	}
}

// look notes that somebody asked for the picture. If nobody did for a while, what was kept
// is decoded now, or a keyframe asked for; as if nothing came for a while.
func (c *camera) look(now time.Duration) {
	c.asked.Store(int64(now))
	if !c.paused.Load() {
		c.probe(now)
		return
	}
	c.in.Lock()
	defer c.in.Unlock()
	c.paused.Store(false)
	c.resume()
	if c.needKey.Load() || c.waits() > 0 {
		c.outdated.Store(int64(now))
	}
	if c.needKey.Load() && c.layers.taken >= 0 {
		c.key = keyframeRequest{}
		if c.shown.Load() && c.key.due(now, 0) {
			c.request(c.layers.taken)
		}
	}
}

// sequence names the picture that is to be shown now, 0 for none.
func (c *camera) sequence(now time.Duration) uint64 {
	offset, known := c.sound()
	c.picture.Lock()
	defer c.picture.Unlock()
	c.pictures.advance(now, offset, known)
	shown := &c.pictures.shown
	if shown.decoder == nil {
		return c.before.sequence(now)
	}
	c.before = inherited{}
	if c.stale(now) || shown.decoded < time.Duration(c.outdated.Load()) {
		return 0
	}
	return shown.sequence
}

// stale tells whether the newest picture is too old to be shown. What does not change lives
// by being sent again, as browsers do with screens, and others when they are asked.
func (c *camera) stale(now time.Duration) bool {
	if c.silent(now) {
		return true
	}
	if !c.needKey.Load() {
		return false
	}
	if c.damaged.CompareAndSwap(0, int64(now)) {
		return false
	}
	return now-time.Duration(c.damaged.Load()) > cameraStale
}

// view is a camera as one room has it.
type view struct {
	*camera
	asked  atomic.Int64  // when the room asked for the picture last
	listed atomic.Bool   // in the camera's views; changed under its lock
	size   atomic.Uint64 // width<<32 | height at which it is shown, or cropped; 0: not said
}

const (
	// hidden is a view's size when the room does not show it.
	hidden = 1 << 63
	// cropped is a bit of the size of a view whose cell the picture fills.
	cropped = 1 << 62
)

// newView makes another view of the camera.
func (c *camera) newView() *view { return &view{camera: c} }

// Sequence implements room.Camera.
func (v *view) Sequence() uint64 {
	now := v.engine.Now()
	v.asked.Store(int64(now))
	if !v.listed.Load() {
		v.enlist()
	}
	v.look(now)
	v.decodeDue()
	return v.sequence(now)
}

// enlist makes the camera count with the view.
func (v *view) enlist() {
	v.in.Lock()
	defer v.in.Unlock()
	if !v.listed.Swap(true) {
		v.views = append(v.views, v)
		v.layers.chosen = -chooseEvery
	}
}

// Shown implements room.Camera.
func (v *view) Shown(width, height int, crop bool) {
	size := uint64(width)<<32 | uint64(height)
	switch {
	case width <= 0 || height <= 0:
		size = hidden
	case crop:
		size |= cropped
	}
	v.size.Store(size)
}

// View implements room.Camera.
func (v *view) View(f func(*yuv.Image)) {
	v.picture.Lock()
	defer v.picture.Unlock()
	switch {
	case v.pictures.shown.decoder != nil:
		f(&v.pictures.shown.image)
	case v.before.image != nil:
		f(v.before.image)
	}
}
