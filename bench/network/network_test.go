package main

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"sectile/bench/client"
	"sectile/bench/media"
)

// TestRig: on good links the right tones are heard; the numbers depend on the machine.
func TestRig(t *testing.T) {
	program := filepath.Join(t.TempDir(), "sectile")
	if output, err := exec.Command("go", "build", "-o", program, "sectile/server").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	r, err := options{Sectile: program}.start(media.ToneWithFEC)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	}()
	time.Sleep(2 * time.Second)
	lossy := client.Impairment{Loss: 0.1}
	r.impair(lossy, client.Impairment{})
	seen, err := r.observe(3 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	l, err := seen.look(row{up: lossy})
	if err != nil {
		t.Fatal(err)
	}
	if l.right != len(tones) {
		t.Errorf("%d of %d mixes are right: others' tones from %.0f to %.0f dBFS, own %.0f dBFS", l.right, len(tones), l.quietest, l.loudest, l.own)
	}
	if l.concealed <= 0 || l.lost == 0 || l.jitterDelay <= 0 || len(l.added) == 0 {
		t.Errorf("something was not measured: %+v", l)
	}
}

// TestHeardFrom: the moment from which all others are heard.
func TestHeardFrom(t *testing.T) {
	const frame = media.Rate / 50
	start := time.Now()
	// Talkers 1, 2 and 3; 2 is not there for frames 50 to 69.
	var pcm []int16
	var packets []client.Packet
	var sum [200 * frame]float64
	for i, hz := range tones[1:] {
		tone, err := media.Tone(hz, level)
		if err != nil {
			t.Fatal(err)
		}
		var heard []client.Packet
		for _, p := range tone {
			heard = append(heard, client.Packet{Payload: p})
		}
		one, err := media.Decode(heard)
		if err != nil {
			t.Fatal(err)
		}
		for n := range sum {
			if f := n / frame; i != 1 || f < 50 || f >= 70 {
				sum[n] += float64(one[n])
			}
		}
	}
	for n := range sum {
		pcm = append(pcm, int16(sum[n]))
		if n%frame == 0 {
			packets = append(packets, client.Packet{At: start.Add(time.Duration(n/frame) * 20 * time.Millisecond)})
		}
	}
	for _, test := range []struct{ from, want int }{{10, 0}, {50, 20}, {60, 10}, {100, 0}} {
		got, ok := heardFrom(pcm, 0, packets, packets[test.from].At)
		if want := time.Duration(test.want) * 20 * time.Millisecond; !ok || got != want {
			t.Errorf("from frame %d: after %v, %v, want %v", test.from, got, ok, want)
		}
	}
	if got, ok := heardFrom(pcm, 1, packets, packets[10].At); ok {
		t.Errorf("talker 0, who is silent, is heard after %v", got)
	}
}
