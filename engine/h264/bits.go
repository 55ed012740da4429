package h264

// bits reads an RBSP out of a NAL unit, leaving out emulation prevention bytes (ITU-T
// H.264, 7.4.1). Reading past the end yields zeros and sets overrun.
type bits struct {
	data    []byte
	zeros   int // zero bytes just read
	current byte
	left    uint // bits of current
	overrun bool
}

func (b *bits) bit() uint32 {
	if b.left == 0 {
		if b.zeros >= 2 && len(b.data) > 0 && b.data[0] == 3 {
			b.data, b.zeros = b.data[1:], 0
		}
		if len(b.data) == 0 {
			b.overrun = true
			return 0
		}
		b.current, b.data, b.left = b.data[0], b.data[1:], 8
		if b.current == 0 {
			b.zeros++
		} else {
			b.zeros = 0
		}
	}
	b.left--
	return uint32(b.current>>b.left) & 1
}

func (b *bits) flag() bool { return b.bit() == 1 }

// u reads n ≤ 32 bits.
func (b *bits) u(n int) (v uint32) {
	for range n {
		v = v<<1 | b.bit()
	}
	return v
}

// ue reads an unsigned Exp-Golomb number (9.1).
func (b *bits) ue() uint32 {
	n := 0
	for b.bit() == 0 {
		n++
		if n > 31 || b.overrun {
			b.overrun = true
			return 0
		}
	}
	return 1<<n - 1 + b.u(n)
}

// se reads a signed Exp-Golomb number (9.1.1).
func (b *bits) se() int32 {
	v := b.ue()
	if v&1 == 1 {
		return int32(v/2) + 1
	}
	return -int32(v / 2)
}
