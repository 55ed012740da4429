package engine

import (
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sectile/asm/yuv"
	"sectile/engine/h264"
)

const (
	// cameraQueue is how many access units wait for the decoder at most. More means that
	// the machine is short; the picture then freezes until the next keyframe.
	cameraQueue = 8
	// keyframeRetry spaces the requests for a keyframe while one is needed.
	keyframeRetry = 500 * time.Millisecond
	// cameraStale is after how long without a picture a camera counts as dead.
	cameraStale = 2 * time.Second
	// complainEvery spaces what is logged of one publisher's bad video.
	complainEvery = 10 * time.Second
)

// camera turns the video packets of one publication into its newest picture.
//
// Packets are assembled on the publisher's goroutine; whole access units go through a
// short queue to a goroutine that decodes them. After a loss nothing is decoded until a
// keyframe comes: the last good picture stays rather than a smeared one.
type camera struct {
	engine  *Engine
	log     *slog.Logger
	request func() // asks the publisher for a keyframe

	shown   atomic.Bool // some room shows it
	needKey atomic.Bool // nothing but a keyframe can be decoded

	// Of the publisher's goroutine.
	assembler  *h264.Assembler
	requested  time.Duration // when a keyframe was asked for last
	complained time.Duration // when a refusal was logged last
	dropping   bool          // packets came while nobody showed them

	mu     sync.Mutex
	queue  []accessUnit
	spare  [][]byte // buffers of decoded access units
	closed bool
	wake   chan struct{}

	clock sourceClock
	sound func() (offset time.Duration, known bool) // see Publication.sound

	// Of run's goroutine.
	decoder *decoder
	broken  bool // it failed and waits for a keyframe

	picture  sync.Mutex // guards pictures, and is held while View reads
	pictures pictures
}

type accessUnit struct {
	data      []byte
	key       bool
	ssrc      uint32
	timestamp uint32
}

func newCamera(e *Engine, stream string, request func(), sound func() (time.Duration, bool)) *camera {
	c := &camera{
		engine: e, log: e.log.With("stream", stream), request: request,
		clock: sourceClock{rate: videoClock}, sound: sound,
		assembler: h264.NewAssembler(h264.Config{}), requested: -keyframeRetry, complained: -complainEvery,
		wake: make(chan struct{}, 1),
	}
	c.needKey.Store(true)
	e.cameras.Go(c.run)
	return c
}

// show says whether any room shows the picture; if not, packets are dropped unread.
func (c *camera) show(shown bool) { c.shown.Store(shown) }

// push takes one packet, on the publisher's goroutine.
func (c *camera) push(pkt h264.Packet) {
	if !c.shown.Load() {
		c.dropping = true
		if pkt.Marker {
			c.engine.metrics.FramesDropped.Add(1)
		}
		return
	}
	if c.dropping {
		c.dropping = false
		c.assembler.Reset()
		c.needKey.Store(true)
	}
	now := c.engine.Now()
	c.assembler.Push(pkt, now)
	for {
		au, ok := c.assembler.Next(now)
		if !ok {
			break
		}
		c.take(au)
	}
	if c.needKey.Load() && now-c.requested >= keyframeRetry {
		c.requested = now
		c.request()
	}
}

// take puts an access unit into the decoder's queue, or drops it.
func (c *camera) take(au h264.AU) {
	if au.Gap {
		c.needKey.Store(true)
	}
	if au.SPS != nil {
		if err := au.SPS.Check(); err != nil {
			if now := c.engine.Now(); now-c.complained >= complainEvery {
				c.complained = now
				c.log.Warn("video refused", "err", err)
			}
			c.needKey.Store(true)
			c.engine.metrics.FramesDropped.Add(1)
			c.engine.metrics.FramesRefused.Add(1)
			return
		}
	}
	if c.needKey.Load() {
		if !au.Key || au.SPS == nil {
			c.engine.metrics.FramesDropped.Add(1)
			return
		}
		c.needKey.Store(false)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == cameraQueue {
		c.engine.metrics.FramesDropped.Add(uint64(len(c.queue)) + 1)
		for _, waiting := range c.queue {
			c.spare = append(c.spare, waiting.data)
		}
		c.queue = c.queue[:0]
		c.needKey.Store(true)
		return
	}
	var buf []byte
	if n := len(c.spare); n > 0 {
		buf, c.spare = c.spare[n-1], c.spare[:n-1]
	}
	c.queue = append(c.queue, accessUnit{append(buf[:0], au.Data...), au.Key, au.SSRC, au.Timestamp})
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// close ends the camera; its goroutine frees the decoder.
func (c *camera) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *camera) run() {
	defer c.free()
	for range c.wake {
		for {
			c.mu.Lock()
			if c.closed {
				c.mu.Unlock()
				return
			}
			if len(c.queue) == 0 {
				c.mu.Unlock()
				break
			}
			au := c.queue[0]
			c.queue = slices.Delete(c.queue, 0, 1)
			c.mu.Unlock()

			c.engine.decodes <- struct{}{}
			c.decode(au)
			<-c.engine.decodes

			c.mu.Lock()
			c.spare = append(c.spare, au.data)
			c.mu.Unlock()
		}
	}
}

func (c *camera) decode(au accessUnit) {
	if c.decoder == nil {
		made, err := c.engine.codecs.NewVideoDecoder()
		if err != nil {
			c.log.Error("no H.264 decoder", "err", err)
			return
		}
		c.decoder = &decoder{VideoDecoder: made}
	}
	if c.broken && !au.key {
		c.engine.metrics.FramesDropped.Add(1)
		return
	}
	ok, err := c.decoder.Decode(au.data)
	c.broken = err != nil
	if err != nil {
		c.log.Debug("video decode", "err", err)
		c.engine.metrics.FramesDropped.Add(1)
		c.needKey.Store(true)
		return
	}
	if !ok {
		return
	}
	c.engine.metrics.FramesDecoded.Add(1)
	f := frame{decoder: c.decoder, sequence: c.engine.pictures.Add(1), decoded: c.engine.Now()}
	f.captured, f.timed = c.clock.moment(au.ssrc, au.timestamp)
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

// Sequence implements room.Camera.
func (c *camera) Sequence() uint64 {
	offset, known := c.sound()
	now := c.engine.Now()
	c.picture.Lock()
	defer c.picture.Unlock()
	c.pictures.advance(now, offset, known)
	if now-c.pictures.shown.decoded > cameraStale {
		return 0
	}
	return c.pictures.shown.sequence
}

// View implements room.Camera.
func (c *camera) View(f func(*yuv.Image)) {
	c.picture.Lock()
	defer c.picture.Unlock()
	if c.pictures.shown.decoder != nil {
		f(&c.pictures.shown.image)
	}
}
