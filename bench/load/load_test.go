package main

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"sectile/bench/client"
	"sectile/bench/media"
	"sectile/bench/target"
)

// TestLoad puts a small load on a server that is built and started for it. How much it
// costs depends on the machine; what is heard does not.
func TestLoad(t *testing.T) {
	program := filepath.Join(t.TempDir(), "sectile")
	if output, err := exec.Command("go", "build", "-o", program, "sectile/server").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	server, err := target.StartSectileHere(program)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}()
	o := options{
		Peer: "sectile", Server: server.URL, PID: server.PID, Rooms: 2, Participants: 4, Talkers: 2, Bursts: true,
		Warmup: time.Second, Duration: 2 * time.Second,
	}
	r, err := o.run()
	if err != nil {
		t.Fatal(err)
	}
	if r.Checked != 8 || r.WrongMixes != 0 {
		t.Errorf("%d mixes checked, want 8; wrong: %q", r.Checked, r.Wrong)
	}
	if r.CPU <= 0 || r.Cores <= 0 || r.LoadCores <= 0 || r.RSS <= 0 || r.WorstRate <= 0 || r.InterArrivalP99 <= 0 {
		t.Errorf("something was not measured: %+v", r)
	}
	if r.Bursts == 0 || r.DelayP50 <= 0 {
		t.Errorf("delay of %d bursts: %v s", r.Bursts, r.DelayP50)
	}
	if r.Tick == nil || r.Tick.P50 <= 0 {
		t.Errorf("lateness of ticks: %+v", r.Tick)
	}
}

func packetsOf(c media.Clip) (packets []client.Packet) {
	for _, p := range c {
		packets = append(packets, client.Packet{Payload: p})
	}
	return packets
}

// TestWrong: a participant who hears themself or misses a talker is found.
func TestWrong(t *testing.T) {
	m, err := options{Participants: 4, Talkers: 3}.sounds()
	if err != nil {
		t.Fatal(err)
	}
	// Each listens for the others' three or two tones; talker 1 must not be among them.
	for number, want := range map[int]int{0: 1, 1: 3, 2: 1, 3: 2} {
		// What is heard is talker 1's tone alone.
		p := &participant{number: number}
		if got := m.wrong(p, packetsOf(m.tones[1])); len(got) != want {
			t.Errorf("participant %d: %q, want %d faults", number, got, want)
		}
	}
}
