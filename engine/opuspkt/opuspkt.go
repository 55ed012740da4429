// Package opuspkt reads the structure of Opus packets without decoding them (RFC 6716,
// section 3), so that garbage is refused before a C library sees it.
package opuspkt

import (
	"errors"
	"fmt"
)

// Rate is the sample rate in which durations are counted, in Hz.
const Rate = 48000

// MaxSamples is the longest duration of a packet, 120 ms, in samples at Rate.
const MaxSamples = Rate * 120 / 1000

// maxFrame is the greatest size of one frame in bytes (RFC 6716, 3.4, R2).
const maxFrame = 1275

// ErrMalformed means that a packet breaks a rule of RFC 6716, 3.4.
var ErrMalformed = errors.New("malformed Opus packet")

// Mode is the coding mode of a packet.
type Mode uint8

// The modes (RFC 6716, 3.1).
const (
	SILK Mode = iota
	Hybrid
	CELT
)

// Info is what the structure of a packet tells.
type Info struct {
	Mode         Mode
	Channels     int // 1 or 2
	Frames       int // 1 to 48
	FrameSamples int // of one frame, at Rate
	DTX          bool
	first        []byte // the first frame's data
}

// Samples is the packet's duration in samples at Rate.
func (i Info) Samples() int { return i.Frames * i.FrameSamples }

// Parse reads a packet. The error wraps ErrMalformed. It allocates only for an error.
func Parse(packet []byte) (Info, error) {
	if len(packet) == 0 { // R1
		return Info{}, fmt.Errorf("%w: empty", ErrMalformed)
	}
	toc, rest := packet[0], packet[1:]
	info := Info{Channels: 1 + int(toc>>2&1)}
	switch config := toc >> 3; {
	case config < 12:
		info.Mode, info.FrameSamples = SILK, [4]int{480, 960, 1920, 2880}[config&3]
	case config < 16:
		info.Mode, info.FrameSamples = Hybrid, [2]int{480, 960}[config&1]
	default:
		info.Mode, info.FrameSamples = CELT, 120<<(config&3)
	}
	// An encoder with DTX sends the TOC alone, or with one byte, while there is silence.
	info.DTX = len(packet) <= 2

	var ok bool
	switch toc & 3 {
	case 0:
		info.Frames, info.first, ok = 1, rest, len(rest) <= maxFrame
	case 1: // R3
		info.Frames, info.first, ok = 2, rest[:len(rest)/2], len(rest)%2 == 0 && len(rest)/2 <= maxFrame
	case 2: // R4
		info.Frames = 2
		var size int
		size, rest, ok = frameSize(rest)
		if ok = ok && size <= len(rest) && len(rest)-size <= maxFrame; ok {
			info.first = rest[:size]
		}
	case 3:
		ok = info.parseCounted(rest)
	}
	switch {
	case !ok:
		return Info{}, fmt.Errorf("%w: code %d, %d bytes", ErrMalformed, toc&3, len(packet))
	case info.Samples() > MaxSamples: // R5
		return Info{}, fmt.Errorf("%w: %d samples, at most %d", ErrMalformed, info.Samples(), MaxSamples)
	}
	return info, nil
}

// parseCounted reads what follows the TOC of code 3 (RFC 6716, 3.2.5; R5 to R7).
func (info *Info) parseCounted(rest []byte) (ok bool) {
	if len(rest) == 0 {
		return false
	}
	vbr, padded := rest[0]&0x80 != 0, rest[0]&0x40 != 0
	info.Frames = int(rest[0] & 0x3f)
	rest = rest[1:]
	if info.Frames == 0 || info.Samples() > MaxSamples {
		return false
	}
	if padded {
		padding := 0
		for more := true; more; {
			if len(rest) == 0 {
				return false
			}
			n := int(rest[0])
			rest = rest[1:]
			if more = n == 255; more {
				n = 254
			}
			padding += n
		}
		if padding > len(rest) {
			return false
		}
		rest = rest[:len(rest)-padding]
	}
	if !vbr {
		size := len(rest) / info.Frames
		info.first = rest[:size]
		return len(rest)%info.Frames == 0 && size <= maxFrame
	}
	total, first := 0, 0
	for i := range info.Frames - 1 {
		var size int
		if size, rest, ok = frameSize(rest); !ok {
			return false
		}
		if i == 0 {
			first = size
		}
		total += size
	}
	if total > len(rest) || len(rest)-total > maxFrame {
		return false
	}
	if info.Frames == 1 {
		first = len(rest)
	}
	info.first = rest[:first]
	return true
}

// frameSize reads a frame's length (RFC 6716, 3.2.1).
func frameSize(data []byte) (size int, rest []byte, ok bool) {
	switch {
	case len(data) > 0 && data[0] < 252:
		return int(data[0]), data[1:], true
	case len(data) > 1:
		return int(data[0]) + 4*int(data[1]), data[2:], true
	}
	return 0, nil, false
}

// HasLBRR tells whether the packet carries a redundant copy of the frame before it, from
// which DecodeFEC works. In SILK's data the LBRR flag of each channel comes after its
// flags of voice activity, one for each 20 ms (RFC 6716, 4.2.3 and 4.2.4). The first bits
// of the range coder have a probability of one half each, so they are the bits themselves.
func HasLBRR(packet []byte) bool {
	info, err := Parse(packet)
	if err != nil || info.Mode == CELT || len(info.first) == 0 {
		return false
	}
	silkFrames := max(1, info.FrameSamples/960)
	bit := func(n int) bool { return info.first[0]>>(7-n)&1 != 0 }
	if bit(silkFrames) {
		return true
	}
	return info.Channels == 2 && bit(2*silkFrames+1)
}
