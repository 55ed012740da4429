package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sectile/asm/yuv"
	"sectile/bench/client"
	"sectile/bench/media"
	"sectile/bench/target"
	"sectile/engine/compose"
)

// startServer builds a server and starts it for the test.
func startServer(t *testing.T) *target.Server {
	t.Helper()
	program := filepath.Join(t.TempDir(), "sectile")
	if output, err := exec.Command("go", "build", "-o", program, "sectile/server").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	server, err := target.StartSectileHere(program)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// TestLoad puts a small load on a server that is built and started for it. How much it
// costs depends on the machine; what is heard does not.
func TestLoad(t *testing.T) {
	server := startServer(t)
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

// TestCameras: nine participants with a camera of two layers each are seen and heard.
func TestCameras(t *testing.T) {
	server := startServer(t)
	o := options{
		Peer: "sectile", Server: server.URL, PID: server.PID, Rooms: 1, Participants: 9, Talkers: 2,
		Cameras: []size{{160, 90}, {320, 180}}, FPS: 15, Mosaic: size{640, 360}, Warmup: 2 * time.Second, Duration: time.Second,
	}
	r, err := o.run()
	if err != nil {
		t.Fatal(err)
	}
	if r.Checked != 9 || r.WrongMixes != 0 {
		t.Errorf("%d mixes checked, want 9; wrong: %q", r.Checked, r.Wrong)
	}
	p := r.Picture
	if p.Cells != 9 || p.WrongCells != 0 {
		t.Errorf("%d cells checked, want 9; wrong: %q", p.Cells, p.Wrong)
	}
	if p.Sent != 2*9*15 || p.Decoded <= 0 || p.Composed <= 0 || p.Worst <= 0 || p.GapP99 <= 0 {
		t.Errorf("something was not measured: %+v", p)
	}
}

// TestWrongCells: a cell of another camera's colour is found.
func TestWrongCells(t *testing.T) {
	img := yuv.NewImage(640, 360)
	yuv.Fill(img, 120, 128, 128)
	for i, r := range compose.Grid(4, 640, 360) {
		c := colour(i)
		cell := img.Sub(r.X, r.Y, r.W, r.H)
		yuv.Fill(&cell, 90, c.U+3, c.V-3)
	}
	if wrong := wrongCells(img, []int{0, 1, 2, 3}); len(wrong) != 0 {
		t.Errorf("right cells are wrong: %q", wrong)
	}
	if wrong := wrongCells(img, []int{1, 0, 2, 3}); len(wrong) != 2 {
		t.Errorf("two wrong cells: %q", wrong)
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

func TestTalkers(t *testing.T) {
	for _, test := range []struct {
		participants, talkers, want int
		refused                     string
	}{
		{40, -1, 3, ""}, {2, -1, 2, ""}, {2, 0, 0, ""}, {len(tones), len(tones), len(tones), ""},
		{2, 3, 0, "--talkers 3: a room has only 2 participants"}, {1000, len(tones) + 1, 0, "so many tones"},
	} {
		o := options{Participants: test.participants, Talkers: test.talkers}
		switch err := o.setTalkers(); {
		case test.refused != "":
			if err == nil || !strings.Contains(err.Error(), test.refused) {
				t.Errorf("%+v: %v", test, err)
			}
		case err != nil || o.Talkers != test.want:
			t.Errorf("%+v: %d talkers, %v", test, o.Talkers, err)
		}
	}
}
