package rtc

import (
	"testing"
	"time"
)

// The numbers of RFC 3550, appendix A, for streams whose losses are known.
func TestReception(t *testing.T) {
	const frame = 20 * time.Millisecond
	for _, tt := range []struct {
		name     string
		sequence []uint16
		fraction uint8
		total    uint32
		highest  uint32
	}{
		{"all there", []uint16{5, 6, 7, 8}, 0, 0, 8},
		{"one of four lost", []uint16{5, 6, 8}, 64, 1, 8},
		{"first overtaken", []uint16{6, 5, 7, 8}, 0, 0, 8},
		{"reordered", []uint16{5, 7, 6, 8}, 0, 0, 8},
		{"repeated", []uint16{5, 6, 6, 7}, 0, 0, 7},
		{"wrapped, half lost", []uint16{65532, 65534, 0, 2, 3}, 96, 3, 1<<16 + 3},
		{"one", []uint16{9}, 0, 0, 9},
	} {
		var r reception
		r.reset(7)
		for i, n := range tt.sequence {
			r.packet(n, uint32(i*960), time.Duration(i)*frame)
		}
		b, ok := r.block(time.Second)
		if !ok || b.SSRC != 7 || b.FractionLost != tt.fraction || b.TotalLost != tt.total || b.LastSequenceNumber != tt.highest {
			t.Errorf("%s: %+v", tt.name, b)
		}
		if b.Jitter != 0 || b.Delay != 0 || b.LastSenderReport != 0 {
			t.Errorf("%s: jitter or sender report without one: %+v", tt.name, b)
		}
		if b, _ := r.block(time.Second); b.FractionLost != 0 || b.TotalLost != tt.total {
			t.Errorf("%s: nothing came since, but %+v", tt.name, b)
		}
	}
}

func TestReceptionOfNothing(t *testing.T) {
	var r reception
	r.reset(1)
	if _, ok := r.block(0); ok {
		t.Error("a report of no packet")
	}
}

// Packets alternately on time and 10 ms late differ by 480 units, which is what the
// jitter tends to (RFC 3550, 6.4.1).
func TestReceptionJitter(t *testing.T) {
	var r reception
	r.reset(1)
	for i := range 500 {
		arrival := time.Duration(i) * 20 * time.Millisecond
		if i%2 == 1 {
			arrival += 10 * time.Millisecond
		}
		r.packet(uint16(i), uint32(i*960), arrival)
	}
	if b, _ := r.block(0); b.Jitter < 470 || b.Jitter > 480 {
		t.Errorf("jitter is %d, want about 480", b.Jitter)
	}
}

func TestReceptionSenderReport(t *testing.T) {
	var r reception
	r.reset(1)
	r.packet(1, 0, 0)
	r.senderReport(0x1122334455667788, time.Second)
	if b, _ := r.block(1500 * time.Millisecond); b.LastSenderReport != 0x33445566 || b.Delay != 32768 {
		t.Errorf("%+v", b)
	}
	r.reset(2)
	r.packet(1, 0, 0)
	if b, _ := r.block(time.Second); b.LastSenderReport != 0 {
		t.Error("a new source has the old one's sender report")
	}
}
