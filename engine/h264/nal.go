// Package h264 carries H.264 over RTP: it cuts access units into payloads, assembles
// payloads to access units, and reads of a stream what must be known before a decoder
// may see it. It decodes nothing.
package h264

import "bytes"

// NAL unit types (ITU-T H.264, table 7-1; RFC 6184, 5.2 for those from 24 on).
const (
	typeSlice = 1
	typeIDR   = 5
	typeSPS   = 7
	typePPS   = 8
	typeAUD   = 9
	typeSTAPA = 24
	typeFUA   = 28

	typeMask = 0x1f
	nriMask  = 0x60
	forbid   = 0x80 // forbidden_zero_bit: the NAL unit has errors
)

var (
	startCode  = []byte{0, 0, 0, 1}
	codePrefix = startCode[1:]
)

// nextNAL splits the first NAL unit off a byte stream in Annex B format. nal is without
// start code and trailing zeros; it is empty only if nothing more is in b.
func nextNAL(b []byte) (nal, rest []byte) {
	for {
		i := bytes.Index(b, codePrefix)
		if i < 0 {
			return nil, nil
		}
		nal, rest = b[i+len(codePrefix):], nil
		if n := bytes.Index(nal, codePrefix); n >= 0 {
			nal, rest = nal[:n], nal[n:]
		}
		for len(nal) > 0 && nal[len(nal)-1] == 0 {
			nal = nal[:len(nal)-1]
		}
		if len(nal) > 0 {
			return nal, rest
		}
		b = rest
	}
}

// FirstSPS returns the SPS that an RTP payload begins with, after an access unit delimiter
// if there is one, or nil. It shares the payload's memory. Encoders put it right before
// an IDR picture, in a packet of its own or with other short NAL units (RFC 6184, 5.7.1).
func FirstSPS(payload []byte) []byte {
	if len(payload) == 0 {
		return nil
	}
	switch payload[0] & typeMask {
	case typeSPS:
		return payload
	case typeSTAPA:
		for rest := payload[stapHeader:]; len(rest) > 2; {
			n := int(rest[0])<<8 | int(rest[1])
			if n == 0 || n > len(rest)-2 {
				return nil
			}
			nal := rest[2 : 2+n]
			switch nal[0] & typeMask {
			case typeSPS:
				return nal
			case typeAUD:
				rest = rest[2+n:]
			default:
				return nil
			}
		}
	}
	return nil
}
