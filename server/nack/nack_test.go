package nack

import (
	"slices"
	"testing"
	"time"
)

const ms = time.Millisecond

// TestLosses: a lost packet is asked for at once, again after a while, and no more once it
// came.
func TestLosses(t *testing.T) {
	var l Losses
	now := time.Duration(0)
	for _, test := range []struct {
		sequence uint16
		after    time.Duration
		want     []uint16
	}{
		{65533, 0, nil},
		{65534, 0, nil},
		{1, 0, []uint16{65535, 0}},
		{2, 10 * ms, nil},
		{65535, 10 * ms, nil},
		{3, 30 * ms, []uint16{0}},
		{6, 10 * ms, []uint16{4, 5}},
		{0, 10 * ms, nil},
		{0, 0, nil}, // twice
		{7, 40 * ms, []uint16{4, 5}},
		{2000, 10 * ms, nil}, // far too many
		{2002, 10 * ms, []uint16{2001}},
		{100, 10 * ms, nil}, // another stream
		{102, 10 * ms, []uint16{101}},
	} {
		now += test.after
		if got := l.Add(test.sequence, false, now); !slices.Equal(got, test.want) {
			t.Errorf("after %d: asks for %v, want %v", test.sequence, got, test.want)
		}
	}
	asked := 1
	for n := range uint16(100) {
		now += 2 * again
		asked += len(l.Add(103+n, false, now))
	}
	if asked != most {
		t.Errorf("one packet is asked for %d times", asked)
	}
}

// TestAllocs: what comes in order allocates nothing.
func TestAllocs(t *testing.T) {
	var l Losses
	n := uint16(0)
	if allocs := testing.AllocsPerRun(1000, func() {
		l.Add(n, false, 0)
		n++
	}); allocs != 0 {
		t.Errorf("%v allocations a packet", allocs)
	}
}

// FuzzLosses: whatever comes, no packet is asked for that came, and none too often.
func FuzzLosses(f *testing.F) {
	f.Add([]byte{1, 2, 5, 3, 4, 200, 6, 0, 1, 1})
	f.Fuzz(func(t *testing.T, steps []byte) {
		var l Losses
		sequence, now := uint16(65000), time.Duration(0)
		for _, step := range steps {
			sequence += uint16(int8(step))
			now += 7 * ms
			for _, ask := range l.Add(sequence, step%2 == 0, now) {
				if ask == sequence || int16(ask-l.highest) >= 0 {
					t.Fatalf("asks for %d after %d", ask, sequence)
				}
			}
			if len(l.missing) > window {
				t.Fatalf("%d are missing", len(l.missing))
			}
		}
	})
}
