// Package opus wraps libopus for mono streams. It adds no policy, only rules: buffers are
// the caller's and used by their length, and a closed codec answers with ErrClosed.
//
// No codec here is safe for concurrent use.
package opus

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	libopus "gopkg.in/hraban/opus.v2"

	_ "sectile/cgo/buildtags"
)

// ErrClosed is the answer of a codec after Close.
var ErrClosed = errors.New("opus: closed")

var errBuffer = errors.New("opus: empty buffer")

var live atomic.Int64

// Live is the number of encoders and decoders that are made and not closed.
func Live() int { return int(live.Load()) }

// Version is the version of libopus that runs.
func Version() string { return strings.TrimPrefix(libopus.Version(), "libopus ") }

// Encoder encodes mono PCM to one Opus stream, for any kind of sound
// (OPUS_APPLICATION_AUDIO).
type Encoder struct {
	enc *libopus.Encoder // nil: closed
}

// NewEncoder makes an encoder. rate is in Hz, one of 8000, 12000, 16000, 24000 and 48000;
// bitrate in bit/s, 500–512000; complexity 0–10.
func NewEncoder(rate, bitrate, complexity int) (*Encoder, error) {
	// libopus clamps a bitrate out of range and takes some negative ones for constants.
	if bitrate < 500 || bitrate > 512000 {
		return nil, fmt.Errorf("opus: bitrate %d is outside 500–512000", bitrate)
	}
	enc, err := libopus.NewEncoder(rate, 1, libopus.AppAudio)
	if err != nil {
		return nil, fmt.Errorf("opus: encoder of %d Hz: %w", rate, err)
	}
	if err := enc.SetBitrate(bitrate); err != nil {
		return nil, fmt.Errorf("opus: bitrate %d: %w", bitrate, err)
	}
	if err := enc.SetComplexity(complexity); err != nil {
		return nil, fmt.Errorf("opus: complexity %d: %w", complexity, err)
	}
	live.Add(1)
	return &Encoder{enc}, nil
}

// Encode encodes one frame into packet and returns its size. len(pcm) must be a legal
// duration: 2.5, 5, 10, 20, 40, 60, 80, 100 or 120 ms. The packet is never longer than
// len(packet); libopus lowers the quality to fit it in, and fails if even that is too much.
func (e *Encoder) Encode(pcm []int16, packet []byte) (int, error) {
	if e.enc == nil {
		return 0, ErrClosed
	}
	if len(pcm) == 0 || len(packet) == 0 {
		return 0, errBuffer
	}
	return e.enc.Encode(pcm, packet[:len(packet):len(packet)]) // the library goes by cap
}

// SetPacketLoss tells the loss to expect, 0–100 percent. Above 0 the encoder may add
// in-band FEC (RFC 6716, 2.1.7): it does so in SILK and hybrid frames, which it prefers to
// CELT for any sound from about 6 % on.
func (e *Encoder) SetPacketLoss(percent int) error {
	if e.enc == nil {
		return ErrClosed
	}
	if err := e.enc.SetPacketLossPerc(percent); err != nil {
		return fmt.Errorf("opus: packet loss of %d %%: %w", percent, err)
	}
	if err := e.enc.SetInBandFEC(percent > 0); err != nil {
		return fmt.Errorf("opus: in-band FEC: %w", err)
	}
	return nil
}

// Reset forgets all history and keeps all settings.
func (e *Encoder) Reset() error {
	if e.enc == nil {
		return ErrClosed
	}
	return e.enc.Reset()
}

// Close ends the encoder. Closing again does nothing.
func (e *Encoder) Close() {
	if e.enc != nil {
		e.enc = nil
		live.Add(-1)
	}
}

// Decoder decodes one Opus stream, mono or stereo, to mono PCM.
type Decoder struct {
	dec *libopus.Decoder // nil: closed
}

// NewDecoder makes a decoder. rate is in Hz, one of 8000, 12000, 16000, 24000 and 48000;
// it need not be the encoder's.
func NewDecoder(rate int) (*Decoder, error) {
	dec, err := libopus.NewDecoder(rate, 1)
	if err != nil {
		return nil, fmt.Errorf("opus: decoder of %d Hz: %w", rate, err)
	}
	live.Add(1)
	return &Decoder{dec}, nil
}

// Decode decodes one packet into pcm and returns the number of samples. A packet that
// does not parse or is longer than pcm is an error and leaves the decoder usable.
func (d *Decoder) Decode(packet []byte, pcm []int16) (int, error) {
	if d.dec == nil {
		return 0, ErrClosed
	}
	if len(packet) == 0 || len(pcm) == 0 {
		return 0, errBuffer
	}
	return d.dec.Decode(packet, pcm[:len(pcm):len(pcm)]) // the library goes by cap
}

// DecodeFEC fills pcm with the frame before packet, from packet's in-band redundancy, or
// with what Conceal would make where packet has none. len(pcm) must be the duration of
// the missing frame, a multiple of 2.5 ms.
func (d *Decoder) DecodeFEC(packet []byte, pcm []int16) error {
	if d.dec == nil {
		return ErrClosed
	}
	if len(packet) == 0 || len(pcm) == 0 {
		return errBuffer
	}
	return d.dec.DecodeFEC(packet, pcm[:len(pcm):len(pcm)])
}

// Conceal fills pcm with what libopus makes up for lost sound. len(pcm) must be the lost
// duration, a multiple of 2.5 ms.
func (d *Decoder) Conceal(pcm []int16) error {
	if d.dec == nil {
		return ErrClosed
	}
	if len(pcm) == 0 {
		return errBuffer
	}
	return d.dec.DecodePLC(pcm[:len(pcm):len(pcm)])
}

// Close ends the decoder. Closing again does nothing.
func (d *Decoder) Close() {
	if d.dec != nil {
		d.dec = nil
		live.Add(-1)
	}
}
