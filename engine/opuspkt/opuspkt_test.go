package opuspkt

import (
	"bytes"
	"errors"
	"testing"
)

// packet makes a packet of a TOC and n bytes, after what comes between.
func packet(config, stereo, code byte, between []byte, n int) []byte {
	return append(append([]byte{config<<3 | stereo<<2 | code}, between...), bytes.Repeat([]byte{0x55}, n)...)
}

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		packet   []byte
		mode     Mode
		channels int
		samples  int
		first    int // size of the first frame
	}{
		"SILK 60 ms":              {packet(3, 0, 0, nil, 40), SILK, 1, 2880, 40},
		"SILK 10 ms stereo":       {packet(8, 1, 0, nil, 9), SILK, 2, 480, 9},
		"hybrid 20 ms":            {packet(15, 0, 0, nil, 60), Hybrid, 1, 960, 60},
		"CELT 2.5 ms":             {packet(28, 0, 0, nil, 20), CELT, 1, 120, 20},
		"CELT 20 ms":              {packet(31, 1, 0, nil, 1275), CELT, 2, 960, 1275},
		"two equal":               {packet(31, 0, 1, nil, 100), CELT, 1, 1920, 50},
		"two, first of 30":        {packet(31, 0, 2, []byte{30}, 100), CELT, 1, 1920, 30},
		"two, first of 252+4":     {packet(31, 0, 2, []byte{252, 1}, 300), CELT, 1, 1920, 256},
		"6 × 20 ms CBR":           {packet(31, 0, 3, []byte{6}, 60), CELT, 1, 5760, 10},
		"48 × 2.5 ms":             {packet(28, 0, 3, []byte{48}, 48), CELT, 1, 5760, 1},
		"3 VBR":                   {packet(31, 0, 3, []byte{0x83, 10, 20}, 60), CELT, 1, 2880, 10},
		"1 VBR":                   {packet(31, 0, 3, []byte{0x81}, 60), CELT, 1, 960, 60},
		"CBR with 5 of padding":   {packet(31, 0, 3, []byte{0x42, 5}, 25), CELT, 1, 1920, 10},
		"CBR with 256 of padding": {packet(31, 0, 3, []byte{0x42, 255, 2}, 276), CELT, 1, 1920, 10},
		"TOC alone":               {packet(1, 0, 0, nil, 0), SILK, 1, 960, 0},
	} {
		info, first, err := parse(c.packet)
		if err != nil || info.Mode != c.mode || info.Channels != c.channels || info.Samples() != c.samples || len(first) != c.first {
			t.Errorf("%s: %+v with a first frame of %d bytes, %v", name, info, len(first), err)
		}
		if info.DTX != (len(c.packet) <= 2) {
			t.Errorf("%s: DTX %v", name, info.DTX)
		}
	}
}

func TestConfigurations(t *testing.T) {
	ms := func(f ...float64) (samples []int) {
		for _, v := range f {
			samples = append(samples, int(v*48))
		}
		return samples
	}
	config := byte(0)
	for _, row := range []struct { // RFC 6716, 3.1, table 2
		mode      Mode
		bandwidth Bandwidth
		samples   []int
	}{
		{SILK, Narrow, ms(10, 20, 40, 60)}, {SILK, Medium, ms(10, 20, 40, 60)}, {SILK, Wide, ms(10, 20, 40, 60)},
		{Hybrid, SuperWide, ms(10, 20)}, {Hybrid, Full, ms(10, 20)},
		{CELT, Narrow, ms(2.5, 5, 10, 20)}, {CELT, Wide, ms(2.5, 5, 10, 20)},
		{CELT, SuperWide, ms(2.5, 5, 10, 20)}, {CELT, Full, ms(2.5, 5, 10, 20)},
	} {
		for _, samples := range row.samples {
			info, err := Parse(packet(config, 0, 0, nil, 10))
			if err != nil || info.Mode != row.mode || info.Bandwidth != row.bandwidth || info.FrameSamples != samples {
				t.Errorf("configuration %d: %+v, %v; want %+v and %d samples", config, info, err, row, samples)
			}
			config++
		}
	}
	if config != 32 {
		t.Errorf("%d configurations", config)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, p := range map[string][]byte{
		"empty":                    nil,
		"frame of 1276 bytes":      packet(31, 0, 0, nil, 1276),
		"two equal of odd size":    packet(31, 0, 1, nil, 101),
		"two without a size":       packet(31, 0, 2, nil, 0),
		"two with half a size":     packet(31, 0, 2, []byte{252}, 0),
		"two, first too long":      packet(31, 0, 2, []byte{50}, 49),
		"code 3 without count":     packet(31, 0, 3, nil, 0),
		"no frames":                packet(31, 0, 3, []byte{0}, 10),
		"140 ms":                   packet(31, 0, 3, []byte{7}, 70),
		"CBR of uneven sizes":      packet(31, 0, 3, []byte{3}, 31),
		"VBR sizes too long":       packet(31, 0, 3, []byte{0x83, 40, 40}, 60),
		"VBR without sizes":        packet(31, 0, 3, []byte{0x83}, 0),
		"padding without size":     packet(31, 0, 3, []byte{0x41}, 0),
		"more padding than packet": packet(31, 0, 3, []byte{0x41, 200}, 100),
		"unending padding size":    packet(31, 0, 3, []byte{0x41, 255, 255}, 0),
		"two equal of 1276":        packet(31, 0, 1, nil, 2*1276),
		"two, second of 1276":      packet(31, 0, 2, []byte{4}, 4+1276),
		"CBR of 1276":              packet(31, 0, 3, []byte{2}, 2*1276),
		"180 ms of SILK":           packet(3, 0, 3, []byte{3}, 30),
		"CBR, padding eats a byte": packet(31, 0, 3, []byte{0x42, 1}, 20),
		"last VBR frame of 1276":   packet(31, 0, 3, []byte{0x82, 1}, 1277),
	} {
		if info, err := Parse(p); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
	}
}

func TestHasLBRR(t *testing.T) {
	silk := func(config, stereo, bits byte) []byte { return []byte{config<<3 | stereo<<2, bits, 0, 0} }
	for name, c := range map[string]struct {
		packet []byte
		want   bool
	}{
		"20 ms, VAD only":           {silk(1, 0, 0b1000_0000), false},
		"20 ms, LBRR":               {silk(1, 0, 0b0100_0000), true},
		"40 ms, VAD only":           {silk(2, 0, 0b1100_0000), false},
		"40 ms, LBRR":               {silk(2, 0, 0b0010_0000), true},
		"60 ms, LBRR":               {silk(3, 0, 0b0001_0000), true},
		"stereo, side channel only": {silk(1, 1, 0b0001_0000), true},
		"stereo, none":              {silk(1, 1, 0b1010_0000), false},
		"stereo 40 ms, side":        {silk(2, 1, 0b0000_0100), true},
		"stereo 60 ms, side":        {silk(3, 1, 0b0000_0001), true},
		"stereo 60 ms, VAD only":    {silk(3, 1, 0b1110_1110), false},
		"10 ms, LBRR":               {silk(0, 0, 0b0100_0000), true},
		"second frame of two":       {[]byte{1<<3 | 1, 0b1000_0000, 0b0100_0000}, false},
		"first frame of two":        {[]byte{1<<3 | 1, 0b0100_0000, 0b1000_0000}, true},
		"first frame is empty":      {[]byte{1<<3 | 2, 0, 0b0100_0000}, false},
		"counted":                   {[]byte{1<<3 | 3, 0x83, 1, 1, 0b0100_0000, 0, 0}, true},
		"hybrid":                    {silk(15, 0, 0b0100_0000), true},
		"CELT":                      {silk(31, 0, 0b0100_0000), false},
		"TOC alone":                 {[]byte{1 << 3}, false},
		"garbage":                   {nil, false},
	} {
		if got := HasLBRR(c.packet); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestParseDoesNotAllocate(t *testing.T) {
	p := packet(31, 0, 3, []byte{0x83, 10, 20}, 60)
	garbage := packet(31, 0, 3, []byte{7}, 70)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := Parse(p); err != nil {
			t.Fatal(err)
		}
		HasLBRR(p)
		if _, err := Parse(garbage); err == nil {
			t.Fatal("garbage is taken")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(packet(31, 0, 3, []byte{0xc3, 3, 10, 20}, 60))
	f.Add(packet(1, 1, 2, []byte{252, 1}, 300))
	f.Fuzz(func(t *testing.T, p []byte) {
		info, first, err := parse(p)
		switch {
		case err != nil && (!errors.Is(err, ErrMalformed) || info != Info{} || HasLBRR(p)):
			t.Errorf("% x: %+v, %v", p, info, err)
		case err == nil && (info.Samples() < 120 || info.Samples() > MaxSamples || len(first) > maxFrame):
			t.Errorf("% x: %+v with a first frame of %d bytes", p, info, len(first))
		}
	})
}
