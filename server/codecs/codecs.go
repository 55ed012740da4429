// Package codecs gives the engine the codecs of the C libraries.
package codecs

import (
	"errors"

	"sectile/cgo/h264dec"
	"sectile/cgo/opus"
	"sectile/cgo/x264"
	"sectile/engine/codec"
)

// Factory makes codecs of libopus, libx264 and libavcodec. It implements codec.Factory.
type Factory struct{}

// NewAudioDecoder implements codec.Factory.
func (Factory) NewAudioDecoder(sampleRate int) (codec.AudioDecoder, error) {
	return opus.NewDecoder(sampleRate)
}

// NewAudioEncoder implements codec.Factory.
func (Factory) NewAudioEncoder(p codec.AudioParams) (codec.AudioEncoder, error) {
	return opus.NewEncoder(p.SampleRate, p.Bitrate, p.Complexity)
}

// NewVideoDecoder implements codec.Factory.
func (Factory) NewVideoDecoder() (codec.VideoDecoder, error) { return h264dec.NewDecoder() }

// NewVideoEncoder implements codec.Factory.
func (Factory) NewVideoEncoder(p codec.VideoParams) (codec.VideoEncoder, error) {
	return x264.NewEncoder(p)
}

// Version is that of one library.
type Version struct{ Name, Version string }

// Versions are those of the libraries that are linked.
func Versions() []Version {
	return []Version{{"libopus", opus.Version()}, {"libx264", x264.Version()}, {"libavcodec", h264dec.Version()}}
}

// Check tells whether the libraries are the ones that the program was built for.
func Check() error { return errors.Join(x264.Check(), h264dec.Check()) }
