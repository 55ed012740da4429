package h264

import "fmt"

// Packetizer cuts access units into RTP payloads in packetization mode 1 (RFC 6184, 6.3):
// parameter sets that follow each other together (STAP-A), what does not fit in
// fragments (FU-A), all else as it is. The zero value is ready.
type Packetizer struct {
	buf []byte
}

const (
	stapHeader = 1 // and 2 bytes a NAL unit
	fuHeader   = 2
	fuStart    = 0x80
	fuEnd      = 0x40
	minMTU     = 16
)

// Packetize appends the payloads of one access unit, given in Annex B format, to dst and
// returns it. No payload is longer than mtu bytes. They are valid until the next call and
// share nothing with au. The last one belongs into the packet with the marker. It panics
// if mtu is less than 16.
func (p *Packetizer) Packetize(dst [][]byte, au []byte, mtu int) [][]byte {
	if mtu < minMTU {
		panic(fmt.Sprintf("h264: packets of %d bytes", mtu))
	}
	p.buf = p.buf[:0]
	nal, rest := nextNAL(au)
	for len(nal) > 0 {
		if isParameters(nal) {
			// As many as fit; the first that does not is looked at again.
			if n, after := p.aggregate(nal, rest, mtu); n > 0 {
				dst = append(dst, p.tail(n))
				nal, rest = nextNAL(after)
				continue
			}
		}
		if len(nal) <= mtu {
			p.buf = append(p.buf, nal...)
			dst = append(dst, p.tail(len(nal)))
		} else {
			dst = p.fragment(dst, nal, mtu)
		}
		nal, rest = nextNAL(rest)
	}
	return dst
}

// tail is the last n bytes of the buffer, which stay where they are when it grows.
func (p *Packetizer) tail(n int) []byte { return p.buf[len(p.buf)-n : len(p.buf) : len(p.buf)] }

func isParameters(nal []byte) bool {
	t := nal[0] & typeMask
	return t == typeSPS || t == typePPS
}

// aggregate appends a STAP-A (5.7.1) of nal and the parameter sets after it, and returns
// its size and what follows it. The size is 0 if fewer than two fit in.
func (p *Packetizer) aggregate(nal, rest []byte, mtu int) (size int, after []byte) {
	start := len(p.buf)
	size, count := stapHeader, 0
	p.buf = append(p.buf, typeSTAPA)
	for len(nal) > 0 && isParameters(nal) && size+2+len(nal) <= mtu {
		header := &p.buf[start]
		*header = max(*header&nriMask, nal[0]&nriMask) | typeSTAPA
		p.buf = append(p.buf, byte(len(nal)>>8), byte(len(nal)))
		p.buf = append(p.buf, nal...)
		size += 2 + len(nal)
		count++
		after = rest
		nal, rest = nextNAL(rest)
	}
	if count < 2 {
		p.buf = p.buf[:start]
		return 0, nil
	}
	return size, after
}

// fragment appends FU-As (5.8) of about equal size, which lose less to a burst than a
// run of full ones and a tiny rest.
func (p *Packetizer) fragment(dst [][]byte, nal []byte, mtu int) [][]byte {
	indicator, header := nal[0]&(forbid|nriMask)|typeFUA, nal[0]&typeMask
	data := nal[1:]
	count := (len(data) + mtu - fuHeader - 1) / (mtu - fuHeader)
	for i := range count {
		part := data[i*len(data)/count : (i+1)*len(data)/count]
		h := header
		if i == 0 {
			h |= fuStart
		}
		if i == count-1 {
			h |= fuEnd
		}
		p.buf = append(p.buf, indicator, h)
		p.buf = append(p.buf, part...)
		dst = append(dst, p.tail(fuHeader+len(part)))
	}
	return dst
}
