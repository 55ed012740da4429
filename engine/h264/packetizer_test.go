package h264

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// annexB joins NAL units to a byte stream.
func annexB(nals ...[]byte) (au []byte) {
	for _, nal := range nals {
		au = append(append(au, startCode...), nal...)
	}
	return au
}

// slice is a NAL unit of n bytes without anything in it that looks like a start code.
func slice(rng *rand.Rand, header byte, n int) []byte {
	nal := make([]byte, n)
	for i := range nal {
		nal[i] = byte(1 + rng.IntN(255))
	}
	nal[0] = header
	return nal
}

var pps = []byte{0x68, 0xce, 0x3c, 0x80}

func equal(t *testing.T, got [][]byte, want ...[]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d payloads, want %d", len(got), len(want))
	}
	for i := range got {
		if !bytes.Equal(got[i], want[i]) {
			t.Errorf("payload %d:\n got %x\nwant %x", i, got[i], want[i])
		}
	}
}

func TestPacketize(t *testing.T) {
	var p Packetizer
	idr := []byte{0x65, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}
	small := []byte{0x41, 0xaa, 0xbb}
	sps := []byte{0x27, 9, 9, 9} // nal_ref_idc 1, the PPS has 3

	equal(t, p.Packetize(nil, annexB(small), 16), small)
	equal(t, p.Packetize(nil, append([]byte{0, 0, 1, 0x41, 0xaa, 0xbb, 0, 0}, annexB(pps)...), 16), small, pps)
	equal(t, p.Packetize(nil, annexB(sps, pps, small), 100),
		append(append([]byte{0x78, 0, 4}, sps...), append([]byte{0, 4}, pps...)...), small)
	equal(t, p.Packetize(nil, annexB(sps, pps, pps), 16), // two fit in
		append(append([]byte{0x78, 0, 4}, sps...), append([]byte{0, 4}, pps...)...), pps)
	equal(t, p.Packetize(nil, annexB(idr), 16),
		append([]byte{0x7c, 0x85}, idr[1:11]...), append([]byte{0x7c, 0x45}, idr[11:]...))
	equal(t, p.Packetize(nil, nil, 16))
	equal(t, p.Packetize(nil, []byte("no start code in here"), 16))
	equal(t, p.Packetize(nil, []byte{0, 0, 1, 0, 0, 1, 0, 0, 0, 1}, 16))
	equal(t, p.Packetize([][]byte{{1}}, annexB(small), 16), []byte{1}, small)
}

func TestPacketizeSizes(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var p Packetizer
	for size := 1; size < 400; size++ {
		for _, mtu := range []int{16, 17, 100} {
			nal := slice(rng, 0x65, size)
			payloads := p.Packetize(nil, annexB(nal), mtu)
			var got []byte
			for i, payload := range payloads {
				if len(payload) > mtu || cap(payload) != len(payload) {
					t.Fatalf("NAL unit of %d: payload of %d (capacity %d) bytes, MTU %d", size, len(payload), cap(payload), mtu)
				}
				if size <= mtu {
					got = payload
					continue
				}
				if i == 0 {
					got = []byte{payload[0]&nriMask | payload[1]&typeMask}
				}
				if start, end := payload[1]&fuStart != 0, payload[1]&fuEnd != 0; start != (i == 0) || end != (i == len(payloads)-1) {
					t.Fatalf("fragment %d of %d: FU header %#x", i, len(payloads), payload[1])
				}
				got = append(got, payload[2:]...)
			}
			if !bytes.Equal(got, nal) {
				t.Fatalf("NAL unit of %d, MTU %d: comes out wrong", size, mtu)
			}
		}
	}
}

func TestPacketizeAllocs(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	au := annexB(unhex(t, sps720), pps, slice(rng, 0x65, 30000), slice(rng, 0x65, 500))
	var p Packetizer
	payloads := p.Packetize(nil, au, 1160)
	if n := testing.AllocsPerRun(50, func() { payloads = p.Packetize(payloads[:0], au, 1160) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
