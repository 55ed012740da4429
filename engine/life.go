package engine

import (
	"time"

	"sectile/engine/h264"
)

// cameraQuiet is after how long without a packet of its picture a camera is asked for a
// keyframe, to learn whether it is on: more than the second after which browsers repeat a
// screen that does not change, and long enough before cameraStale for the answer.
const cameraQuiet = 1300 * time.Millisecond

// source is what a layer was heard of last.
type source struct {
	known    bool
	ssrc     uint32
	sequence uint16
}

// hear notes a packet of a layer. A picture lives by packets that are new and not empty, and
// by nothing else: while their camera is off, browsers go on with sound, with reports on the
// source, whose counts may grow, and with packets that try out the bandwidth, which are empty
// or were sent before. It needs the lock.
func (c *camera) hear(layer int, pkt h264.Packet, now time.Duration) {
	s := &c.sources[layer]
	if len(pkt.Payload) == 0 || s.known && s.ssrc == pkt.SSRC && int16(pkt.Sequence-s.sequence) <= 0 {
		return
	}
	*s = source{true, pkt.SSRC, pkt.Sequence}
	if c.silent(now) {
		c.outdated.Store(int64(now)) // what was shown does not come back
	}
	c.heard.Store(int64(now))
}

// silent tells whether nothing came of the picture for so long that it is not shown any more.
func (c *camera) silent(now time.Duration) bool {
	return now-time.Duration(c.heard.Load()) > cameraStale
}

// probe asks a publisher of whom nothing came for a while for a keyframe, once: who has
// something to show, though it does not change, answers.
func (c *camera) probe(now time.Duration) {
	heard := c.heard.Load()
	if c.silent(now) || now-time.Duration(heard) < cameraQuiet || c.probed.Swap(heard) == heard {
		return
	}
	c.in.Lock()
	defer c.in.Unlock()
	if taken := c.layers.taken; c.shown.Load() && taken >= 0 && c.key.due(now, c.layers.all[taken].rtt) {
		c.request(taken)
	}
}

// end tells that the source of a layer ended. If no other layer is sent, the picture is not
// shown any more, until something comes again.
func (c *camera) end(layer int, ssrc uint32) {
	now := c.engine.Now()
	c.in.Lock()
	if s := &c.sources[layer]; !s.known || s.ssrc != ssrc {
		c.in.Unlock()
		return // another one has taken its place
	}
	c.layers.all[layer].seen = false
	ended := c.layers.count(now) == 0
	if ended {
		c.heard.Store(int64(now - cameraStale - 1))
	}
	c.in.Unlock()
	if ended {
		c.picture.Lock()
		c.before = inherited{}
		c.picture.Unlock()
	}
}
