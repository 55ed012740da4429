package x264

import (
	"fmt"

	"github.com/gen2brain/x264-go/x264c"
)

// SetBitrate changes the bitrate, in bit/s, from the next picture on.
func (e *Encoder) SetBitrate(bitsPerSecond int) error {
	if e.x == nil {
		return ErrClosed
	}
	if bitsPerSecond < 1000 || bitsPerSecond > 1e9 {
		return fmt.Errorf("x264: bitrate %d is outside 1000–1e9", bitsPerSecond)
	}
	param := new(x264c.Param)
	x264c.EncoderParameters(e.x, param)
	limit(param, bitsPerSecond)
	if x264c.EncoderReconfig(e.x, param) < 0 {
		return fmt.Errorf("x264: libx264 refuses to change to %d bit/s", bitsPerSecond)
	}
	return nil
}

// limit bounds the bitrate. Half a second also bounds a keyframe: it may cost that much at
// most, about a dozen usual pictures, and is squeezed when its predecessors have used the
// buffer up. Below four pictures a second two pictures' worth, so that a keyframe can still
// be bigger than its neighbours.
func limit(param *x264c.Param, bitsPerSecond int) {
	kbit := int32(bitsPerSecond / 1000)
	param.Rc.IVbvMaxBitrate = kbit
	param.Rc.IVbvBufferSize = max(kbit/2, 2*kbit/int32(param.IFpsNum))
}
