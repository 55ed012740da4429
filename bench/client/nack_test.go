package client

import (
	"slices"
	"testing"
	"time"
)

// TestLosses: a lost packet is asked for at once, again after a while, and no more once it
// came.
func TestLosses(t *testing.T) {
	var l losses
	now := time.Now()
	for _, test := range []struct {
		sequence uint16
		after    time.Duration
		want     []uint16
	}{
		{65533, 0, nil},
		{65534, 0, nil},
		{1, 0, []uint16{65535, 0}},
		{2, 10 * time.Millisecond, nil},
		{65535, 10 * time.Millisecond, nil},
		{3, 40 * time.Millisecond, []uint16{0}},
		{6, 10 * time.Millisecond, []uint16{4, 5}},
		{0, 10 * time.Millisecond, nil},
		{7, 40 * time.Millisecond, []uint16{4, 5}},
		{2000, 10 * time.Millisecond, nil},
	} {
		now = now.Add(test.after)
		if got := l.add(test.sequence, now); !slices.Equal(got, test.want) {
			t.Errorf("after %d: asks for %v, want %v", test.sequence, got, test.want)
		}
	}
	asked := 0
	for n := range uint16(100) {
		now = now.Add(nackAgain)
		asked += len(l.add(2002+n, now))
	}
	if asked != nackMost {
		t.Errorf("one packet is asked for %d times", asked)
	}
}
