package mix

import (
	"slices"
	"testing"

	"sectile/engine/codec"
)

// told is an encoder that keeps which losses it was told.
type told struct {
	discard
	percents *[]int
}

func (e told) SetPacketLoss(percent int) error {
	*e.percents = append(*e.percents, percent)
	return nil
}

// TestExpect: an encoder is told of a loss when it changes by much, and no more often.
func TestExpect(t *testing.T) {
	var percents []int
	v := NewVoice(&Format{Samples: 1, Frame: LookAhead, NewEncoder: func() (codec.AudioEncoder, error) {
		return told{percents: &percents}, nil
	}})
	past := NewHistory(1, LookAhead)
	tick := uint64(0)
	for _, step := range []struct {
		loss float64
		told []int
	}{
		{0, nil}, {0.029, nil}, {0.04, []int{5}}, {0.09, nil}, {0.025, nil}, {0.02, []int{0}},
		{0.15, []int{10}}, {0.08, nil}, {0.19, nil}, {1, []int{20}}, {0.16, nil}, {0.14, []int{10}}, {0, []int{0}},
	} {
		percents = nil
		v.Expect(step.loss)
		for range 3 {
			tick++
			if _, _, err := v.Encode(tick, []int16{1}, past); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(percents, step.told) {
			t.Errorf("at a loss of %v told %v, want %v", step.loss, percents, step.told)
		}
	}
	// A new encoder is told, too.
	v.Expect(0.1)
	v.Close()
	percents = nil
	if _, _, err := v.Encode(tick+1, []int16{1}, past); err != nil || !slices.Equal(percents, []int{10}) {
		t.Errorf("a new encoder was told %v, %v", percents, err)
	}
}
