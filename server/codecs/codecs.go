// Package codecs makes the codecs of the C libraries that the server is built with.
package codecs

import (
	"sectile/cgo/h264dec"
	"sectile/cgo/opus"
	"sectile/cgo/x264"
	"sectile/engine/codec"
)

// Factory implements codec.Factory.
type Factory struct{}

// NewAudioDecoder makes a decoder of libopus.
func (Factory) NewAudioDecoder(sampleRate int) (codec.AudioDecoder, error) {
	c, err := opus.NewDecoder(sampleRate)
	if err != nil {
		return nil, err // not c: a nil pointer in an interface is not nil
	}
	return c, nil
}

// NewAudioEncoder makes an encoder of libopus.
func (Factory) NewAudioEncoder(p codec.AudioParams) (codec.AudioEncoder, error) {
	c, err := opus.NewEncoder(p.SampleRate, p.Bitrate, p.Complexity)
	if err != nil {
		return nil, err // not c: a nil pointer in an interface is not nil
	}
	return c, nil
}

// NewVideoDecoder makes a decoder of libavcodec.
func (Factory) NewVideoDecoder() (codec.VideoDecoder, error) {
	c, err := h264dec.NewDecoder()
	if err != nil {
		return nil, err // not c: a nil pointer in an interface is not nil
	}
	return c, nil
}

// NewVideoEncoder makes an encoder of libx264.
func (Factory) NewVideoEncoder(p codec.VideoParams) (codec.VideoEncoder, error) {
	c, err := x264.NewEncoder(p)
	if err != nil {
		return nil, err // not c: a nil pointer in an interface is not nil
	}
	return c, nil
}

// Check tells whether the libraries can be used. The program must not start otherwise.
func Check() error {
	if err := x264.Check(); err != nil {
		return err
	}
	return h264dec.Check()
}

// Version is the version of one library.
type Version struct{ Name, Version string }

// Versions lists the libraries.
func Versions() []Version {
	return []Version{
		{"libopus", opus.Version()},
		{"libx264", x264.Version()},
		{"libavcodec", h264dec.Version()},
	}
}
