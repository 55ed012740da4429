// Package x264 encodes H.264 for live viewers with the system's libx264: constrained
// baseline, one picture in, one access unit out, keyframes only where they are asked for.
package x264

/*
#include <stdlib.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/gen2brain/x264-go/x264c"

	"sectile/asm/yuv"
	_ "sectile/cgo/buildtags"
	"sectile/engine/codec"
)

// Errors of an Encoder.
var (
	ErrClosed  = errors.New("x264: closed")
	ErrPicture = errors.New("x264: picture is not of the encoder's size") // or its planes are too short
	ErrPTS     = errors.New("x264: pts does not grow")
	ErrBlocks  = errors.New("x264: not a flag for each macroblock")
)

// presets are x264's names. libx264 would also take digits and, for "", ultrafast.
var presets = []string{
	"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo",
}

// maxReferences bounds the reference pictures of the slower presets: up to 16 would raise
// the level beyond what players offer, and cost latency and memory for little in a call.
const maxReferences = 4

var live atomic.Int64

// Live is the number of encoders that are made and not closed.
func Live() int { return int(live.Load()) }

// Encoder encodes pictures of one size to one stream. It is not safe for concurrent use.
type Encoder struct {
	width, height int
	x             *x264c.T // nil: closed
	started       bool
	pts           int64 // of the last picture
	au            []byte

	// Each is an object of its own, because cgo checks the whole of an object that C gets a
	// pointer into, and the encoder holds Go pointers.
	in, out *x264c.Picture
	same    []byte // a flag for each macroblock, in C memory: libx264 keeps the pointer
	nals    []*x264c.Nal
	nalsLen *int32
	rate    rate
	cuts    cuts
	floor   int64          // least time from a keyframe to one that was not asked for
	keyed   int64          // pts of the last keyframe
	holding bool           // libx264 refers to a picture that nobody got
	count   int64          // of pictures given to libx264
	planes  runtime.Pinner // of the picture during a call
}

// NewEncoder makes an encoder. Width and height must be even and at least 16.
func NewEncoder(p codec.VideoParams) (*Encoder, error) {
	if err := Check(); err != nil {
		return nil, err
	}
	param, err := params(p)
	if err != nil {
		return nil, err
	}
	x := x264c.EncoderOpen(param)
	if x == nil {
		return nil, fmt.Errorf("x264: libx264 refuses %d×%d at %d pictures/s and %d bit/s", p.Width, p.Height, p.FPS, p.Bitrate)
	}
	e := &Encoder{
		width: p.Width, height: p.Height, x: x,
		in: new(x264c.Picture), out: new(x264c.Picture), nals: make([]*x264c.Nal, 1), nalsLen: new(int32),
	}
	x264c.PictureInit(e.in)
	blocks := yuv.Blocks(p.Width) * yuv.Blocks(p.Height)
	e.same = unsafe.Slice((*byte)(C.malloc(C.size_t(blocks))), blocks)
	e.rate = newRate(p.Bitrate, p.FPS, p.Width, p.Height, blocks)
	e.cuts = newCuts(blocks)
	e.floor = int64(p.KeyframeFloor * 90000 / time.Second)
	live.Add(1)
	return e, nil
}

func params(p codec.VideoParams) (*x264c.Param, error) {
	switch {
	case !slices.Contains(presets, p.Preset):
		return nil, fmt.Errorf("x264: no preset %q", p.Preset)
	case p.Width < 16 || p.Height < 16 || p.Width > 1<<14 || p.Height > 1<<14 || (p.Width|p.Height)&1 != 0:
		return nil, fmt.Errorf("x264: size %d×%d is not even numbers of 16–16384", p.Width, p.Height)
	case p.FPS < 1 || p.FPS > 240:
		return nil, fmt.Errorf("x264: %d pictures/s is outside 1–240", p.FPS)
	}
	if err := checkBitrate(p.Bitrate); err != nil {
		return nil, err
	}
	param := new(x264c.Param)
	if x264c.ParamDefaultPreset(param, p.Preset, "zerolatency") < 0 {
		return nil, fmt.Errorf("x264: preset %s, tune zerolatency: refused by libx264", p.Preset)
	}
	param.ILogLevel = x264c.LogNone
	param.IThreads, param.ILookaheadThreads, param.BSlicedThreads = 1, 1, 0
	param.ICsp, param.IBitdepth = x264c.CspI420, 8
	param.IWidth, param.IHeight = int32(p.Width), int32(p.Height)
	param.IFpsNum, param.IFpsDen = uint32(p.FPS), 1
	param.IFrameReference = min(param.IFrameReference, maxReferences)

	param.IKeyintMax = x264c.KeyintMaxInfinite
	param.IScenecutThreshold = 0
	param.Analyse.BMbInfo = 1
	param.BRepeatHeaders, param.BAnnexb, param.BAud = 1, 1, 0

	// Each picture's quantizer comes from rate, for which libx264's own must be off: with any
	// other method it makes a half as large picture of each and searches it for motion, to
	// foresee what rate measures. The factors are how one tells it to allow all quantizers.
	param.Rc.IRcMethod = x264c.RcCqp
	param.Rc.IQpConstant, param.Rc.FIpFactor, param.Rc.FPbFactor = 31, 10, 10

	// Blocks of 4×4 inside pictures are rare, and looking for them is a fifth of the work;
	// without, the same bitrate gives 0.3 dB less. Faster motion search would lose 1 dB, for
	// another fifth. Slower presets are chosen for what they look for.
	if p.Preset == "superfast" {
		param.Analyse.Inter = 0
		// Small coefficients are worth their bits: they are texture, and what is once encoded
		// of what stands still is seen for long. With both, the same bitrate gives 0.2 dB more.
		param.Analyse.BDctDecimate = 0
		param.Analyse.ILumaDeadzone[0] = 14 // of inter blocks; 21 without being asked
	}

	// BT.601 with limited range is what most cameras send, mostly without saying so, and what
	// others are converted to.
	const smpte170m = 6 // ITU-T H.264, tables E-3 to E-5: BT.601 with 525 lines
	param.Vui.BFullrange = 0
	param.Vui.IColorprim, param.Vui.ITransfer, param.Vui.IColmatrix = smpte170m, smpte170m, smpte170m

	if x264c.ParamApplyProfile(param, "baseline") < 0 {
		return nil, errors.New("x264: profile baseline: refused by libx264")
	}
	return param, nil
}

// Encode encodes one picture of the encoder's size. pts counts in 1/90000 s and must grow.
// key forces an IDR; so does a picture of new things that would not fit the rate's buffer,
// unless the last one is newer than the parameters' KeyframeFloor: then the access unit is
// empty, and so are those of the next pictures, up to an IDR when it may be. Each IDR, the
// first picture's too, comes with SPS and PPS. The access unit is in Annex B format and valid
// until the next Encode or Close.
//
// same may be nil, or tell for each macroblock whether it is as in the picture before: 1 or
// 0, row by row. Where it is, and was encoded no worse than it would be now, libx264 skips
// it without looking at it; a better quantizer still refines it.
//
// C reads the picture's planes in place, only during the call.
func (e *Encoder) Encode(img *yuv.Image, pts int64, key bool, same []byte) (au []byte, isKey bool, err error) {
	if e.x == nil {
		return nil, false, ErrClosed
	}
	if !e.fits(img) {
		return nil, false, ErrPicture
	}
	if e.started && pts <= e.pts {
		return nil, false, ErrPTS
	}
	if same != nil && len(same) != len(e.same) {
		return nil, false, ErrBlocks
	}
	elapsed := time.Duration(0)
	if e.started {
		elapsed = time.Duration(pts-e.pts) * time.Second / 90000
	}
	e.started, e.pts = true, pts
	e.rate.pass(elapsed.Seconds())
	mayKey := key || e.count == 0 || pts-e.keyed >= e.floor
	if e.holding && !mayKey {
		return nil, false, nil
	}
	key = key || e.holding
	cut := e.cuts.step(img, same) && !mayKey
	qp := e.rate.begin(key || e.count == 0, cut, same)
	for {
		au, isKey, err = e.encode(img, qp, key, same)
		if err != nil {
			return nil, false, err
		}
		if !e.rate.again(8 * len(au)) {
			break
		}
		// libx264 takes the picture that nobody gets for sent, so that only a keyframe can
		// follow it.
		if !mayKey {
			e.holding = true
			return nil, false, nil
		}
		qp, key = e.rate.chosen, true
	}
	if isKey {
		e.keyed, e.holding = pts, false
	}
	e.rate.end(8 * len(au))
	return au, isKey, nil
}

// SetBitrate changes the bitrate, in bit/s, from the next picture on.
func (e *Encoder) SetBitrate(bitsPerSecond int) error {
	if e.x == nil {
		return ErrClosed
	}
	if err := checkBitrate(bitsPerSecond); err != nil {
		return err
	}
	e.rate.limit(bitsPerSecond)
	return nil
}

func checkBitrate(bitsPerSecond int) error {
	if bitsPerSecond < 1000 || bitsPerSecond > 1e9 {
		return fmt.Errorf("x264: bitrate %d is outside 1000–1e9", bitsPerSecond)
	}
	return nil
}

// encode has libx264 encode a picture with the given quantizer.
func (e *Encoder) encode(img *yuv.Image, qp int, key bool, same []byte) (au []byte, isKey bool, err error) {
	e.in.Prop.MbInfo = nil
	if same != nil {
		copy(e.same, same)
		e.in.Prop.MbInfo = &e.same[0]
	}
	e.in.IType = x264c.TypeAuto
	if key {
		e.in.IType = x264c.TypeIdr
	}
	e.in.IQpplus1 = int32(qp + 1)
	e.in.IPts = e.count
	e.count++
	e.in.Img = x264c.Image{
		ICsp: x264c.CspI420, IPlane: 3,
		IStride: [4]int32{int32(img.YStride), int32(img.CStride), int32(img.CStride)},
		Plane:   [4]unsafe.Pointer{unsafe.Pointer(&img.Y[0]), unsafe.Pointer(&img.U[0]), unsafe.Pointer(&img.V[0])},
	}
	for _, plane := range e.in.Img.Plane[:3] {
		e.planes.Pin(plane)
	}
	n := x264c.EncoderEncode(e.x, e.nals, e.nalsLen, e.in, e.out)
	e.planes.Unpin()
	e.in.Img = x264c.Image{} // keep nobody's picture alive
	if n < 0 {
		return nil, false, errors.New("x264: libx264 failed to encode a picture")
	}
	if n == 0 {
		return nil, false, errors.New("x264: libx264 held a picture back")
	}
	e.au = e.au[:0]
	for _, nal := range unsafe.Slice(e.nals[0], *e.nalsLen) {
		if nal.IType == x264c.NalSei { // x264's version and options, 600 bytes for nobody
			continue
		}
		e.au = append(e.au, unsafe.Slice((*byte)(nal.PPayload), nal.IPayload)...)
	}
	return e.au, e.out.BKeyframe != 0, nil
}

// fits tells whether C can read a whole picture of the encoder's size from img.
func (e *Encoder) fits(img *yuv.Image) bool {
	plane := func(p []byte, stride, w, h int) bool {
		return stride >= w && stride <= 1<<20 && len(p) >= stride*(h-1)+w
	}
	return img != nil && img.Width == e.width && img.Height == e.height &&
		plane(img.Y, img.YStride, e.width, e.height) &&
		plane(img.U, img.CStride, e.width/2, e.height/2) &&
		plane(img.V, img.CStride, e.width/2, e.height/2)
}

// Close frees the encoder. Closing again does nothing.
func (e *Encoder) Close() {
	if e.x == nil {
		return
	}
	x264c.EncoderClose(e.x)
	C.free(unsafe.Pointer(&e.same[0]))
	e.x, e.au, e.same, e.in = nil, nil, nil, nil
	live.Add(-1)
}
