package media

import (
	"testing"
	"time"

	"sectile/bench/client"
)

// TestDelay: the delay of packets that were delayed by a known time on their way through
// nothing, and through another encoder.
func TestDelay(t *testing.T) {
	b, err := Burst()
	if err != nil {
		t.Fatal(err)
	}
	twice, err := CodecDelay(b)
	if err != nil {
		t.Fatal(err)
	}
	// libopus looks 6.5 ms ahead, and the detector needs a part of a period of 1 ms.
	if twice < 12*time.Millisecond || twice > 15*time.Millisecond {
		t.Errorf("delay of two encoders: %v", twice)
	}
	const delay = 77 * time.Millisecond
	var sent []time.Time
	var heard []client.Packet
	start := time.Now()
	for i := range 5 * len(b) {
		at := start.Add(length(i * samples))
		if i%len(b) == 0 {
			sent = append(sent, at)
		}
		heard = append(heard, client.Packet{At: at.Add(delay), Payload: b[i%len(b)]})
	}
	got, err := Delays(sent, heard, twice/2)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) < 4 {
		t.Fatalf("%d of 5 bursts found", len(got))
	}
	for _, d := range got {
		if d := d.Added; d < delay-time.Millisecond || d > delay+time.Millisecond {
			t.Errorf("delay %v, want %v", d, delay)
		}
	}
}
