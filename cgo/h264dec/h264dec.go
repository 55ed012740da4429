// Package h264dec decodes H.264 with libavcodec, one thread a stream and without delay.
// Only whole pictures come out: one of which a part had to be concealed is an error, so
// that the caller can keep the last good one and ask for a keyframe. Pictures that refer to
// one that was damaged, or never came at all, are for the caller to hold back until that
// keyframe: libavcodec puts the picture before in its place and says nothing.
package h264dec

/*
#cgo pkg-config: libavcodec libavutil
#include "decoder.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"sync/atomic"
	"unsafe"

	"sectile/asm/yuv"
)

// Errors of a Decoder. Others come from libavcodec. After any of the stream the decoder goes
// on with the next keyframe that brings its SPS and PPS.
var (
	ErrClosed  = errors.New("h264dec: closed")
	ErrDamaged = errors.New("h264dec: picture is damaged")
	ErrFormat  = errors.New("h264dec: picture is not 4:2:0 of 8 bits")

	errNoDecoder = errors.New("h264dec: this libavcodec has no H.264 decoder")
	errEmpty     = errors.New("h264dec: empty access unit")
	errTooBig    = errors.New("h264dec: access unit of more than 16 MiB")
)

const maxAU = 16 << 20 // bytes; C counts in int

var live atomic.Int64

// Live is the number of decoders that are made and not closed.
func Live() int { return int(live.Load()) }

// Version is the version of libavcodec that runs.
func Version() string {
	v := uint(C.avcodec_version())
	return fmt.Sprintf("%d.%d.%d", v>>16, v>>8&0xff, v&0xff)
}

// Check tells whether this libavcodec can be used.
func Check() error {
	if v := uint(C.avcodec_version()) >> 16; v != C.LIBAVCODEC_VERSION_MAJOR {
		return fmt.Errorf("h264dec: built for libavcodec %d, but %d is installed", C.LIBAVCODEC_VERSION_MAJOR, v)
	}
	if C.avcodec_find_decoder(C.AV_CODEC_ID_H264) == nil {
		return errNoDecoder
	}
	return nil
}

// MaxHeld is how many pictures can be held at a time.
const MaxHeld = C.DECODER_HELD

// Decoder decodes one stream. It is not safe for concurrent use, except that pictures that
// are held may be read and released while Decode runs.
type Decoder struct {
	d             *C.decoder // nil: closed
	oldest, count int        // of the ring of what is held
	newest        yuv.Image  // of what is held
}

// NewDecoder makes a decoder. It silences libavcodec's log for the whole process.
func NewDecoder() (*Decoder, error) {
	d := C.decoder_new()
	if d == nil {
		if err := Check(); err != nil {
			return nil, err
		}
		return nil, errors.New("h264dec: no memory for a decoder")
	}
	live.Add(1)
	return &Decoder{d: d}, nil
}

// Decode feeds one access unit in Annex B format and reports whether a new picture is
// out. Without an error and without a picture, there was none in it, or the stream
// reorders pictures. The size of pictures may change at any keyframe.
func (d *Decoder) Decode(au []byte) (bool, error) {
	switch {
	case d.d == nil:
		return false, ErrClosed
	case len(au) == 0: // means the end of the stream to libavcodec
		return false, errEmpty
	case len(au) > maxAU:
		return false, errTooBig
	}
	switch ret := C.decoder_decode(d.d, (*C.uint8_t)(unsafe.SliceData(au)), C.int(len(au))); {
	case ret == C.DECODER_DAMAGED:
		return false, ErrDamaged
	case ret == C.DECODER_FORMAT:
		return false, ErrFormat
	case ret < 0:
		return false, avError(ret)
	default:
		return ret > 0, nil
	}
}

// Hold returns the picture of the last Decode that reported one, once: it is empty when
// there is none, or when it was held or taken already. The planes are libavcodec's memory,
// valid until Release or Close, and may be read while Decode runs. A caller that holds
// MaxHeld pictures and asks for another one panics.
func (d *Decoder) Hold() yuv.Image {
	if d.d == nil {
		return yuv.Image{}
	}
	if d.count == MaxHeld {
		panic("h264dec: too many pictures are held")
	}
	f := C.decoder_hold(d.d, C.int((d.oldest+d.count)%MaxHeld))
	if f == nil {
		return yuv.Image{}
	}
	d.count++
	w, h := int(f.width), int(f.height)
	ys, cs := int(f.linesize[0]), int(f.linesize[1])
	cw, ch := (w+1)/2, (h+1)/2
	d.newest = yuv.Image{
		Y:       unsafe.Slice((*byte)(f.data[0]), ys*(h-1)+w),
		U:       unsafe.Slice((*byte)(f.data[1]), cs*(ch-1)+cw),
		V:       unsafe.Slice((*byte)(f.data[2]), cs*(ch-1)+cw),
		YStride: ys, CStride: cs, Width: w, Height: h, Colours: colours(f),
	}
	return d.newest
}

// colours are what the stream says of them (ITU-T H.264, E.2.1). Of one that says nothing it
// is assumed that they are as most cameras have them.
func colours(f *C.AVFrame) (c yuv.Colours) {
	if f.color_range == C.AVCOL_RANGE_JPEG {
		c |= yuv.FullRange
	}
	if f.colorspace == C.AVCOL_SPC_BT709 {
		c |= yuv.BT709
	}
	return c
}

// Release gives back the picture that is held for longest. It may run beside Decode, but
// not beside Hold or Take.
func (d *Decoder) Release() {
	if d.d == nil || d.count == 0 {
		return
	}
	C.decoder_release(d.d, C.int(d.oldest))
	d.oldest, d.count = (d.oldest+1)%MaxHeld, d.count-1
	if d.count == 0 {
		d.newest = yuv.Image{}
	}
}

// Take returns the newest picture, or an empty Image if there never was one. It releases
// all that was held or taken before, unless that still is the newest.
func (d *Decoder) Take() yuv.Image {
	if img := d.Hold(); img.Width > 0 {
		for d.count > 1 {
			d.Release()
		}
	}
	return d.newest
}

// Close frees the decoder and its pictures. Closing again does nothing.
func (d *Decoder) Close() {
	if d.d == nil {
		return
	}
	C.decoder_free(d.d)
	d.d, d.newest = nil, yuv.Image{}
	live.Add(-1)
}

func avError(code C.int) error {
	var text [C.AV_ERROR_MAX_STRING_SIZE]C.char
	C.av_strerror(code, &text[0], C.AV_ERROR_MAX_STRING_SIZE)
	return fmt.Errorf("h264dec: %s", C.GoString(&text[0]))
}
