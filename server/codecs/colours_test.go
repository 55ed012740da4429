package codecs

import (
	"bytes"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/gen2brain/x264-go/x264c"

	"sectile/asm/yuv"
	"sectile/engine/h264"
)

// bars are of R'G'B'.
var bars = [][3]float64{{1, 1, 1}, {0, 0, 0}, {.5, .5, .5}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {1, 1, 0}, {.8, .55, .45}}

// sample is a bar in a matrix and range, rounded.
func sample(rgb [3]float64, c yuv.Colours) (s [3]byte) {
	kr, kb := 0.299, 0.114
	if c&yuv.BT709 != 0 {
		kr, kb = 0.2126, 0.0722
	}
	y := kr*rgb[0] + (1-kr-kb)*rgb[1] + kb*rgb[2]
	black, luma, chroma := 16.0, 219.0, 224.0
	if c&yuv.FullRange != 0 {
		black, luma, chroma = 0, 255, 255
	}
	for i, v := range []float64{black + luma*y, 128 + chroma*(rgb[2]-y)/2/(1-kb), 128 + chroma*(rgb[0]-y)/2/(1-kr)} {
		s[i] = byte(math.Round(min(max(v, 0), 255)))
	}
	return s
}

// barsAU is a keyframe of the bars, 40 luma samples wide each, by libx264 itself.
func barsAU(t *testing.T, c yuv.Colours) []byte {
	t.Helper()
	const width, height = 320, 192
	param := new(x264c.Param)
	x264c.ParamDefaultPreset(param, "veryfast", "zerolatency")
	param.ILogLevel, param.IThreads = x264c.LogNone, 1
	param.IWidth, param.IHeight, param.ICsp, param.BRepeatHeaders, param.BAnnexb = width, height, x264c.CspI420, 1, 1
	param.Rc.IRcMethod, param.Rc.FRfConstant = x264c.RcCrf, 12
	if c != 0 {
		param.Vui.BFullrange, param.Vui.IColmatrix = int32(c&yuv.FullRange), 6
		if c&yuv.BT709 != 0 {
			param.Vui.IColorprim, param.Vui.ITransfer, param.Vui.IColmatrix = 1, 1, 1
		}
	}
	x264c.ParamApplyProfile(param, "baseline")
	x := x264c.EncoderOpen(param)
	if x == nil {
		t.Fatal("EncoderOpen")
	}
	defer x264c.EncoderClose(x)
	pic, out, nals, count := new(x264c.Picture), new(x264c.Picture), make([]*x264c.Nal, 1), new(int32)
	x264c.PictureAlloc(pic, x264c.CspI420, width, height)
	defer x264c.PictureClean(pic)
	for i := range 3 {
		w, h := width/2, height/2
		if i == 0 {
			w, h = width, height
		}
		stride := int(pic.Img.IStride[i])
		plane := unsafe.Slice((*byte)(pic.Img.Plane[i]), stride*h)
		for y := range h {
			for x := range w {
				plane[y*stride+x] = sample(bars[x*len(bars)/w], c)[i]
			}
		}
	}
	size := x264c.EncoderEncode(x, nals, count, pic, out)
	if size <= 0 {
		t.Fatal("EncoderEncode")
	}
	return bytes.Clone(unsafe.Slice((*byte)(nals[0].PPayload), size))
}

// TestColours: cameras of every range and matrix show the same bars in the mosaic, copied
// and scaled.
func TestColours(t *testing.T) {
	for _, c := range []yuv.Colours{0, yuv.FullRange, yuv.BT709, yuv.FullRange | yuv.BT709} {
		for _, width := range []int{320, 240} {
			t.Run(fmt.Sprintf("colours=%d/width=%d", c, width), func(t *testing.T) {
				au := barsAU(t, c)
				synctest.Test(t, func(t *testing.T) { checkBars(t, au, width) })
			})
		}
	}
}

func checkBars(t *testing.T, au []byte, width int) {
	e, p := filmed(t, width, width*3/5, 3000)
	defer e.Close()
	s, sub := watch(t, e)
	defer s.decoder.Close()
	defer sub.Close()
	var packetizer h264.Packetizer
	payloads := packetizer.Packetize(nil, au, 1000)
	for i, payload := range payloads {
		p.PushVideo(0, h264.Packet{SSRC: 7, Sequence: uint16(i), Marker: i == len(payloads)-1, Payload: payload})
	}
	time.Sleep(1500 * time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	img := s.decoder.Hold()
	if img.Width != width {
		t.Fatalf("a mosaic of %d×%d", img.Width, img.Height)
	}
	if img.Colours != 0 {
		t.Errorf("the mosaic says that its colours are %d", img.Colours)
	}
	for i, rgb := range bars {
		// Inside of the bar, above the name.
		x, y := (2*i+1)*width/2/len(bars), img.Height/3
		want := sample(rgb, 0)
		got := [3]byte{img.Y[y*img.YStride+x], img.U[y/2*img.CStride+x/2], img.V[y/2*img.CStride+x/2]}
		for j := range got {
			if math.Abs(float64(got[j])-float64(want[j])) > 4 {
				t.Errorf("bar %v is %v, want %v", rgb, got, want)
				break
			}
		}
	}
}
