package engine

import (
	"encoding/hex"
	"errors"
	"slices"
	"sync"
	"testing"

	"sectile/asm/yuv"
	"sectile/engine/codec"
	"sectile/engine/h264"
	"sectile/engine/room"
)

// SPS of libx264, baseline, with what is after the start code.
var fakeSPS = map[[2]int]string{
	{1280, 720}: "6742c01fda014016e9a8303032000003000200000300651e306540",
	{640, 360}:  "6742c01eda0280bfe59a83030320000003002000000651e2c5d4",
	{320, 180}:  "6742c014da05067e79a8303032000003000200000300651e285540",
}

// fakeAU is an access unit of the fake codec: its picture is of one luma value.
func fakeAU(width, height int, value byte, key bool) (payloads [][]byte) {
	if !key {
		return [][]byte{{0x41, value}}
	}
	sps, err := hex.DecodeString(fakeSPS[[2]int{width, height}])
	if err != nil {
		panic(err)
	}
	return [][]byte{sps, {0x68, 1}, {0x65, value}}
}

// fakeVideoDecoder decodes what fakeAU makes, and refuses whatever does not follow a
// keyframe.
type fakeVideoDecoder struct {
	codecs *fakeCodecs
	size   [2]int
	fresh  *yuv.Image
	mu     sync.Mutex
	held   []*yuv.Image
	closed bool
}

func (f *fakeCodecs) NewVideoDecoder() (codec.VideoDecoder, error) {
	f.made()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.videoDecoders++
	return &fakeVideoDecoder{codecs: f}, nil
}

func (d *fakeVideoDecoder) Decode(au []byte) (bool, error) {
	if d.closed {
		return false, errors.New("closed")
	}
	value, found := byte(0), false
	for len(au) > 4 {
		nal := au[4:]
		au = nil
		for i := range nal {
			if i+4 <= len(nal) && slices.Equal(nal[i:i+4], []byte{0, 0, 0, 1}) {
				nal, au = nal[:i], nal[i:]
				break
			}
		}
		switch nal[0] & 31 {
		case 7:
			sps, err := h264.ParseSPS(nal)
			if err != nil {
				return false, err
			}
			d.size = [2]int{sps.Width, sps.Height}
		case 1, 5:
			value, found = nal[1], true
		}
	}
	if d.size == [2]int{} || !found {
		return false, errors.New("no keyframe yet")
	}
	d.fresh = yuv.NewImage(d.size[0]/5&^1, d.size[1]/5&^1) // small, for the time that it takes
	yuv.Fill(d.fresh, value, 128, 128)
	return true, nil
}

func (d *fakeVideoDecoder) Hold() yuv.Image {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held = append(d.held, d.fresh)
	return *d.fresh
}

// Release spoils the picture, so that whoever reads it yet is found out.
func (d *fakeVideoDecoder) Release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	yuv.Fill(d.held[0], 1, 1, 1)
	d.held = d.held[1:]
}

func (d *fakeVideoDecoder) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, img := range d.held {
		yuv.Fill(img, 1, 1, 1)
	}
	d.closed = true
	d.codecs.count(-1)
}

// fakeVideoEncoder encodes the luma in the middle of the picture.
type fakeVideoEncoder struct {
	codecs  *fakeCodecs
	started bool
}

func (f *fakeCodecs) NewVideoEncoder(codec.VideoParams) (codec.VideoEncoder, error) {
	f.made()
	return &fakeVideoEncoder{codecs: f}, nil
}

func (e *fakeVideoEncoder) SetBitrate(int) error { return nil }

func (e *fakeVideoEncoder) Encode(img *yuv.Image, _ int64, key bool, _ []byte) ([]byte, bool, error) {
	key = key || !e.started
	e.started = true
	header := byte(0x41)
	if key {
		header = 0x65
	}
	return []byte{0, 0, 0, 1, header, img.Y[img.Height/2*img.YStride+img.Width/2]}, key, nil
}

func (e *fakeVideoEncoder) Close() { e.codecs.count(-1) }

// eye is a sink that keeps what it hears and sees.
type eye struct {
	ear
	seen []sight
	sub  *room.Subscription
}

type sight struct {
	value     byte
	timestamp uint32
}

func (e *eye) WriteVideo(au *room.AccessUnit) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen = append(e.seen, sight{au.Payloads[0][1], au.Timestamp})
}

// newest is the value seen last, 0 for none.
func (e *eye) newest() byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.seen) == 0 {
		return 0
	}
	return e.seen[len(e.seen)-1].value
}

var videoTracks = room.Tracks{Video: true, Audio: 1}

func watch(t *testing.T, e *Engine, roomName string, track int) *eye {
	t.Helper()
	sink := &eye{}
	var err error
	if sink.sub, err = e.Subscribe(roomName, room.Tracks{Video: true, Audio: track}, sink); err != nil {
		t.Fatal(err)
	}
	return sink
}

// addVideoRoom adds a room with a mosaic.
func addVideoRoom(t *testing.T, e *Engine, name string, width, height int) {
	t.Helper()
	o := room.DefaultOptions()
	o.DisableVideo, o.Width, o.Height = false, width, height
	if err := e.AddRoom(name, o); err != nil {
		t.Fatal(err)
	}
}
