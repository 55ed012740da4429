package media

import (
	"testing"

	"sectile/engine/opuspkt"
)

// TestToneWithFEC: most packets hold the one before.
func TestToneWithFEC(t *testing.T) {
	c, err := ToneWithFEC(523, -20)
	if err != nil {
		t.Fatal(err)
	}
	with := 0
	for _, p := range c {
		if opuspkt.HasLBRR(p) {
			with++
		}
	}
	if with < len(c)*3/4 {
		t.Errorf("%d of %d packets hold the one before", with, len(c))
	}
}
