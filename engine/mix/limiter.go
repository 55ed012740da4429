package mix

import (
	"math"
	"time"

	"sectile/asm/pcm"
)

// LookAhead is by how much a Limiter delays its mix: the shortest frame of Opus, of which
// all others are multiples.
const LookAhead = 2500 * time.Microsecond

// ceiling is the largest magnitude that a limiter lets out, -1 dBFS: what a decoder makes
// of an Opus packet has higher peaks than what was encoded.
const ceiling = 29204

const (
	limiterHold    = 20 * time.Millisecond // a period of 50 Hz: the gain must not follow a wave
	limiterRelease = 150 * time.Millisecond
)

var limiterRise = float32(1 - math.Exp(-float64(LookAhead)/float64(limiterRelease)))

// Limiter narrows one mix from 32 to 16 bits. Where the mix is louder than the ceiling it
// is turned down beforehand and up again slowly, so that it never exceeds the ceiling and
// is never clipped. The gain is a chain of straight lines, one for each block of LookAhead;
// it starts to fall one block before the one that needs it. While there is no need, the mix
// passes unchanged.
type Limiter struct {
	buf     []int32 // a block that is yet to come out, then the newest frame
	block   int     // samples of LookAhead
	gain    float32 // at the start of buf
	allowed float32 // the most that the first block of buf bears
	hold    int     // blocks until the gain may rise
	zero    bool    // the frame before had nothing but zeros
}

// NewLimiter makes a limiter of frames of so many samples and such a duration, a multiple
// of LookAhead.
func NewLimiter(samples int, frame time.Duration) *Limiter {
	block := samples / int(frame/LookAhead)
	l := &Limiter{buf: make([]int32, block+samples), block: block}
	l.Reset()
	return l
}

// Reset forgets what is yet to come out.
func (l *Limiter) Reset() {
	clear(l.buf)
	l.gain, l.allowed, l.hold, l.zero = 1, 1, 0, true
}

// Take makes the limiter go on where another one of the same frames is.
func (l *Limiter) Take(from *Limiter) {
	copy(l.buf[:l.block], from.buf[:l.block])
	l.gain, l.allowed, l.hold, l.zero = from.gain, from.allowed, from.hold, from.zero
}

// Agrees tells whether the limiter and another one turn down by the same, to 0.01 dB. If
// from now on both get the same frames, they agree sooner or later.
func (l *Limiter) Agrees(with *Limiter) bool {
	return math.Abs(float64(l.gain-with.gain)) < 1.0/1024
}

// next is where the next frame goes.
func (l *Limiter) next() []int32 { return l.buf[l.block:] }

// Limit lets out a frame: the end of the one before, and the next one but for its own end.
// It returns for how long the gain was below one, and whether the frame is known to be
// nothing but zeros.
func (l *Limiter) Limit(dst []int16) (active time.Duration, silent bool) {
	peak := pcm.PeakTotal(l.next())
	silent = l.zero && peak == 0
	l.zero = peak == 0
	if l.gain == 1 && l.allowed == 1 && peak <= ceiling {
		pcm.Saturate(dst, l.buf[:len(dst)])
	} else {
		for i := 0; i < len(dst); i += l.block {
			active += l.limitBlock(dst[i:i+l.block], l.buf[i:i+2*l.block])
		}
	}
	copy(l.buf, l.buf[len(dst):])
	return active, silent
}

// limitBlock lets out the first one of two blocks.
func (l *Limiter) limitBlock(dst []int16, two []int32) (active time.Duration) {
	begin, allowed := l.gain, float32(1)
	if peak := pcm.PeakTotal(two[l.block:]); peak > ceiling {
		allowed = ceiling / float32(peak)
	}
	end := begin
	switch {
	case l.hold > 0:
		l.hold--
	default:
		if end += (1 - begin) * limiterRise; end > 1-1.0/1024 {
			end = 1
		}
	}
	if most := min(l.allowed, allowed); end >= most && most < 1 {
		end, l.hold = most, int(limiterHold/LookAhead)
	}
	pcm.Ramp(dst, two[:l.block], begin, end)
	l.gain, l.allowed = end, allowed
	if min(begin, end) < 1 {
		return LookAhead
	}
	return 0
}
