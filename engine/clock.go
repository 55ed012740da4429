package engine

import (
	"sync"
	"time"
)

// Clocks of RTP timestamps, in Hz (RFC 7587, 4.1; RFC 6184, 8.2.1).
const (
	audioClock = 48000
	videoClock = 90000
)

// Report is what an RTCP sender report tells of the clocks of one source: a moment both as
// RTP timestamp and in the 64 bits of NTP (RFC 3550, 6.4.1).
type Report struct {
	SSRC uint32
	NTP  uint64
	RTP  uint32
}

// sourceClock converts RTP timestamps of one source to the clock of the publisher, which
// is common to all its sources.
type sourceClock struct {
	rate int64 // Hz

	mu    sync.Mutex
	known bool
	ssrc  uint32
	rtp   uint32        // the newest report's moment,
	ntp   time.Duration // and on the publisher's clock
}

func (c *sourceClock) report(r Report) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known, c.ssrc, c.rtp = true, r.SSRC, r.RTP
	c.ntp = time.Duration(r.NTP>>32)*time.Second + time.Duration(r.NTP&(1<<32-1)*uint64(time.Second)>>32)
}

// moment is when a sample was captured, on the publisher's clock. It is false while no
// report of the source came.
func (c *sourceClock) moment(ssrc, timestamp uint32) (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	since := int64(int32(timestamp - c.rtp))
	return c.ntp + time.Duration(since*int64(time.Second)/c.rate), c.known && c.ssrc == ssrc
}
