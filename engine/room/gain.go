package room

import (
	"fmt"

	"sectile/engine/mix"
)

// The gains that an input can have, in dB.
const (
	MinGain = -60
	MaxGain = 20
)

// CheckGain tells whether an input can have a gain of so many dB.
func CheckGain(dB float64) error {
	if !(dB >= MinGain && dB <= MaxGain) { // nor NaN
		return fmt.Errorf("gain %v dB is not accepted, only %d to %d", dB, MinGain, MaxGain)
	}
	return nil
}

// SetGain makes a stream louder or quieter in the mixes of the room by so many dB, within a
// frame of sound; 0 leaves it as it comes. Whether the stream talks does not depend on it.
func (r *Room) SetGain(stream string, dB float64) (track int, err error) {
	if err := CheckGain(dB); err != nil {
		return 0, fmt.Errorf("room %s: stream %s: %w", r.name, stream, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	in := r.input(stream)
	if in == nil {
		return 0, fmt.Errorf("room %s: stream %s: %w", r.name, stream, ErrNotFound)
	}
	in.setGain(dB)
	return in.track, nil
}

// setGain needs the room's lock.
func (in *Input) setGain(dB float64) { in.dB, in.gain = dB, mix.Gain(dB) }
