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

// The errors of Parse. They are made beforehand: whoever sends garbage costs no memory.
var (
	errEmpty   = fmt.Errorf("%w: empty", ErrMalformed)
	errTooLong = fmt.Errorf("%w: longer than 120 ms", ErrMalformed)
	errLayout  = [4]error{
		fmt.Errorf("%w: one frame that is too long", ErrMalformed),
		fmt.Errorf("%w: two equal frames that do not fit", ErrMalformed),
		fmt.Errorf("%w: two frames that do not fit", ErrMalformed),
		fmt.Errorf("%w: counted frames that do not fit", ErrMalformed),
	}
)

// Mode is the coding mode of a packet.
type Mode uint8

// The modes (RFC 6716, 3.1).
const (
	SILK Mode = iota
	Hybrid
	CELT
)

// Bandwidth is the audio bandwidth of a packet.
type Bandwidth uint8

// The bandwidths (RFC 6716, 2), up to 4, 6, 8, 12 and 20 kHz.
const (
	Narrow Bandwidth = iota
	Medium
	Wide
	SuperWide
	Full
)

// Info is what the structure of a packet tells.
type Info struct {
	Mode         Mode
	Bandwidth    Bandwidth
	Channels     int  // 1 or 2
	Frames       int  // 1 to 48
	FrameSamples int  // of one frame, at Rate
	DTX          bool // nothing but the sign that the sender is silent
	LBRR         bool // see HasLBRR
}

// Samples is the packet's duration in samples at Rate.
func (i Info) Samples() int { return i.Frames * i.FrameSamples }

// Parse reads a packet. The error wraps ErrMalformed. It allocates nothing and keeps no
// reference to the packet.
func Parse(packet []byte) (Info, error) {
	info, first, err := parse(packet)
	info.LBRR = err == nil && info.hasLBRR(first)
	return info, err
}

// parse reads all but LBRR, and returns the first frame's data.
func parse(packet []byte) (info Info, first []byte, err error) {
	if len(packet) == 0 { // R1
		return Info{}, nil, errEmpty
	}
	toc, rest := packet[0], packet[1:]
	info.Channels = 1 + int(toc>>2&1)
	switch config := toc >> 3; { // RFC 6716, 3.1, table 2
	case config < 12:
		info.Mode, info.FrameSamples = SILK, [4]int{480, 960, 1920, 2880}[config&3]
		info.Bandwidth = Narrow + Bandwidth(config>>2)
	case config < 16:
		info.Mode, info.FrameSamples = Hybrid, [2]int{480, 960}[config&1]
		info.Bandwidth = SuperWide + Bandwidth(config>>1&1)
	default:
		info.Mode, info.FrameSamples = CELT, 120<<(config&3)
		info.Bandwidth = [4]Bandwidth{Narrow, Wide, SuperWide, Full}[config>>2&3]
	}
	// An encoder with DTX sends the TOC alone, or with one byte, while there is silence.
	info.DTX = len(packet) <= 2

	var ok bool
	switch toc & 3 {
	case 0: // R2
		info.Frames, first, ok = 1, rest, len(rest) <= maxFrame
	case 1: // R3
		info.Frames, first, ok = 2, rest[:len(rest)/2], len(rest)%2 == 0 && len(rest)/2 <= maxFrame
	case 2: // R4
		info.Frames = 2
		var size int
		size, rest, ok = frameSize(rest)
		if ok = ok && size <= len(rest) && len(rest)-size <= maxFrame; ok {
			first = rest[:size]
		}
	case 3:
		if len(rest) > 0 {
			if info.Frames = int(rest[0] & 0x3f); info.Samples() > MaxSamples { // R5
				return Info{}, nil, errTooLong
			}
			first, ok = counted(rest[0], rest[1:])
		}
	}
	if !ok {
		return Info{}, nil, errLayout[toc&3]
	}
	return info, first, nil
}

// counted reads what follows the frame count byte of code 3 (RFC 6716, 3.2.5; R6, R7) and
// returns the first frame's data.
func counted(count byte, rest []byte) (first []byte, ok bool) {
	vbr, padded, frames := count&0x80 != 0, count&0x40 != 0, int(count&0x3f)
	if frames == 0 {
		return nil, false
	}
	if padded {
		padding := 0
		for more := true; more; {
			if len(rest) == 0 {
				return nil, false
			}
			n := int(rest[0])
			rest = rest[1:]
			if more = n == 255; more {
				n = 254
			}
			padding += n
		}
		if padding > len(rest) {
			return nil, false
		}
		rest = rest[:len(rest)-padding]
	}
	if !vbr {
		size := len(rest) / frames
		return rest[:size], len(rest)%frames == 0 && size <= maxFrame
	}
	total, firstSize := 0, 0
	for i := range frames - 1 {
		var size int
		if size, rest, ok = frameSize(rest); !ok {
			return nil, false
		}
		if i == 0 {
			firstSize = size
		}
		total += size
	}
	if total > len(rest) || len(rest)-total > maxFrame {
		return nil, false
	}
	if frames == 1 {
		firstSize = len(rest)
	}
	return rest[:firstSize], true
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
// which DecodeFEC works; false for what is no packet.
func HasLBRR(packet []byte) bool {
	info, err := Parse(packet)
	return err == nil && info.LBRR
}

// hasLBRR reads the flags at the start of SILK's data, where the LBRR flag of each channel
// comes after its flags of voice activity, one for each 20 ms (RFC 6716, 4.2.3 and 4.2.4).
// The first bits of the range coder have a probability of one half each, so they are the
// bits themselves.
func (i Info) hasLBRR(first []byte) bool {
	if i.Mode == CELT || len(first) == 0 {
		return false
	}
	vad := max(1, i.FrameSamples/960)
	bit := func(n int) bool { return first[0]>>(7-n)&1 != 0 }
	return bit(vad) || i.Channels == 2 && bit(2*vad+1)
}
