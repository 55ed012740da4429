package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"sectile/asm/yuv"
	"sectile/bench/client"
	"sectile/engine/compose"
	"sectile/server/config"
)

// TestSimulcast: of the layers of a publisher, the one is shown that fits the cell; when it
// is not sent any more, another one.
func TestSimulcast(t *testing.T) {
	ts := start(t, config.Config{})
	ts.addRoom("r", map[string]any{"disable_video": false, "width": 640, "height": 360})
	ts.addStream("r", "s0")
	p, err := ts.link().PublishLayers(timeout(t), "s0",
		client.Layer{RID: "f", Width: 640, Height: 360, Colour: colours[0]},
		client.Layer{RID: "q", Width: 160, Height: 90, Colour: colours[2]},
		client.Layer{RID: "h", Width: 320, Height: 180, Colour: colours[1]})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	viewer := ts.play("r", "v1")
	streams := 1
	sees := func(what string, want client.Colour) {
		t.Helper()
		eventually(t, 15*time.Second, func() string {
			img, _, _ := viewer.Seen()
			if img == nil {
				return what + ": no picture"
			}
			if got := middle(img, compose.Grid(streams, 640, 360)[0]); !near(got, want) {
				return fmt.Sprintf("%s: the cell is %v, want %v", what, got, want)
			}
			return ""
		})
	}
	sees("alone", colours[0])
	for ; streams < 4; streams++ {
		ts.addStream("r", fmt.Sprintf("s%d", streams))
	}
	sees("one of four", colours[1])
	for ; streams < 16; streams++ {
		ts.addStream("r", fmt.Sprintf("s%d", streams))
	}
	sees("one of sixteen", colours[2])
	for ; streams > 1; streams-- {
		ts.must("r", "remove_stream", fmt.Sprintf("s%d", streams-1))
	}
	sees("alone again", colours[0])
	p.SetSending("f", false)
	sees("without the largest", colours[1])
	p.SetSending("f", true)
	sees("with the largest again", colours[0])
	if n := p.Keyframes("f") + p.Keyframes("h") + p.Keyframes("q"); n > 30 {
		t.Errorf("%d keyframes were asked for", n)
	}
}

// TestPublisherBehindLoss: with every tenth packet lost both ways, the cell goes on after at
// most a second, mostly, and never shows anything but the camera's colour.
func TestPublisherBehindLoss(t *testing.T) {
	ts := start(t, config.Config{})
	ts.addRoom("r", map[string]any{"disable_video": false, "width": 320, "height": 180, "fps": 25})
	ts.addStream("r", "s")
	bad := ts.link()
	bad.Loss = 0.10
	p := ts.publishOver(bad, "s", client.Media{Width: 320, Height: 180, Colour: colours[0]})
	viewer := ts.play("r", "v1")
	eventually(t, 15*time.Second, func() string {
		img, _, _ := viewer.Seen()
		return shows(img, 320, 180, []*client.Colour{&colours[0]})
	})
	// From now on the cell may change from one of two colours to the other only.
	wrong := make(chan string, 1)
	viewer.Observe(client.Observer{Picture: func(_ uint32, img *yuv.Image) {
		first, second := shows(img, 320, 180, []*client.Colour{&colours[0]}), shows(img, 320, 180, []*client.Colour{&colours[1]})
		if first != "" && second != "" {
			select {
			case wrong <- first:
			default:
			}
		}
	}})
	const least = 15 // changes
	var took []time.Duration
	begin := time.Now()
	for i := 0; len(took) < least || time.Since(begin) < 8*time.Second; i++ {
		colour := colours[(i+1)%2]
		p.SetPicture(320, 180, colour)
		changed := time.Now()
		eventually(t, 10*time.Second, func() string {
			img, _, _ := viewer.Seen()
			return shows(img, 320, 180, []*client.Colour{&colour})
		})
		took = append(took, time.Since(changed))
	}
	// Half of the time went by in shorter waits, and half in longer ones: those that are soon
	// over are more, whatever the others are like.
	slices.Sort(took)
	var typical time.Duration
	half := time.Since(begin) / 2
	for _, typical = range took {
		if half -= typical; half <= 0 {
			break
		}
	}
	t.Logf("%d changes, seen after %v, mostly, and after %v at most", len(took), typical, took[len(took)-1])
	if typical > time.Second {
		t.Errorf("changes are seen after %v, mostly", typical)
	}
	select {
	case problem := <-wrong:
		t.Error(problem)
	default:
	}
}
