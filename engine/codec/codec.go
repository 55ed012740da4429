// Package codec says what the engine needs of audio and video codecs. The engine is
// handed a Factory and knows no library by name, so it builds without cgo and can be
// embedded with other codecs.
//
// No codec here is safe for concurrent use; each has one owner, who closes it.
package codec

import (
	"time"

	"sectile/asm/yuv"
)

// AudioDecoder decodes one Opus stream to mono PCM of the rate that it was made for.
type AudioDecoder interface {
	// Decode decodes one packet into pcm and returns the number of samples.
	// A packet that does not fit or does not parse is an error and leaves the decoder usable.
	Decode(packet []byte, pcm []int16) (int, error)
	// DecodeFEC fills pcm with the frame before packet from packet's in-band redundancy
	// (RFC 6716, 2.1.7). len(pcm) must be the duration of the missing frame.
	DecodeFEC(packet []byte, pcm []int16) error
	// Conceal fills pcm with what libopus makes up for a lost frame of that duration.
	Conceal(pcm []int16) error
	Close()
}

// AudioEncoder encodes mono PCM to one Opus stream.
type AudioEncoder interface {
	// Encode encodes one frame of a legal Opus duration into packet and returns its size.
	Encode(pcm []int16, packet []byte) (int, error)
	// SetPacketLoss tells the loss to expect, 0–100 percent; above 0 in-band FEC is on.
	SetPacketLoss(percent int) error
	// Reset forgets all history, as if new.
	Reset() error
	Close()
}

// VideoDecoder decodes one H.264 stream.
type VideoDecoder interface {
	// Decode feeds one access unit in Annex B format and reports whether a new picture is
	// out. Pictures that are held stay valid meanwhile, and may be read.
	Decode(au []byte) (bool, error)
	// Hold returns the picture that Decode reported, and is called once for each. It is
	// valid until its Release or Close; its planes are memory of the library. Its Colours are
	// those that the stream says. At least 16 can be held at a time.
	Hold() yuv.Image
	// Release gives back the picture that is held for longest. It may run beside Decode.
	Release()
	Close()
}

// VideoEncoder encodes pictures of one size to one H.264 stream (constrained baseline, no
// B-frames, no delay: one picture in, one access unit out).
type VideoEncoder interface {
	// Encode encodes one picture, whose Colours are 0. pts counts in 1/90000 s and must grow.
	// key forces an IDR with SPS and PPS; the encoder may make one without being asked. The
	// access unit is empty if the picture is held back for its size, as when an IDR would be
	// due before VideoParams.KeyframeFloor. same,
	// if it is not nil, saves work: it holds 1 for each macroblock that is equal to that of
	// the picture encoded before and 0 for the others, row by row, yuv.Blocks(Width) ×
	// yuv.Blocks(Height). The access unit, Annex B, is valid until the next call.
	Encode(img *yuv.Image, pts int64, key bool, same []byte) (au []byte, isKey bool, err error)
	// SetBitrate changes the bitrate, in bit/s, from the next picture on.
	SetBitrate(bitsPerSecond int) error
	Close()
}

// AudioParams describes an Opus encoder.
type AudioParams struct {
	SampleRate int // Hz: 8000, 12000, 16000, 24000 or 48000
	Bitrate    int // bit/s
	Complexity int // 0–10
}

// VideoParams describes an H.264 encoder.
type VideoParams struct {
	Width, Height int // luma samples, even
	FPS           int
	Bitrate       int    // bit/s, also the maximum over half a second
	Preset        string // x264's name
	// KeyframeFloor is the least time from a keyframe to one that was not asked for; 0: none.
	KeyframeFloor time.Duration
}

// Factory makes codecs.
type Factory interface {
	NewAudioDecoder(sampleRate int) (AudioDecoder, error)
	NewAudioEncoder(AudioParams) (AudioEncoder, error)
	NewVideoDecoder() (VideoDecoder, error)
	NewVideoEncoder(VideoParams) (VideoEncoder, error)
}
