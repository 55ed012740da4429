package mix

import (
	"math"
	"time"

	"sectile/asm/pcm"
)

// Talk detects whether an input talks: loud enough now, or a moment ago.
type Talk struct{ hang time.Duration }

const (
	talkLevel    = -45.0 // dBFS, mean over a frame
	talkHangover = 500 * time.Millisecond
)

var talkPower = math.Pow(10, talkLevel/10) * 32768 * 32768

// Step takes one frame of an input, nil for silence, and returns whether it talks.
func (t *Talk) Step(samples []int16, frame time.Duration) bool {
	if len(samples) > 0 && float64(pcm.Energy(samples)) > talkPower*float64(len(samples)) {
		t.hang = talkHangover
		return true
	}
	t.hang = max(0, t.hang-frame)
	return t.hang > 0
}
