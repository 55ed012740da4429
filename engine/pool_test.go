package engine

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"sectile/engine/h264"
	"sectile/engine/room"
)

// addSlowRoom adds a room whose mosaic has a picture a second.
func addSlowRoom(t *testing.T, e *Engine) {
	t.Helper()
	o := room.DefaultOptions()
	o.DisableVideo, o.FPS = false, 1
	if err := e.AddRoom("r", o); err != nil {
		t.Fatal(err)
	}
}

// TestSlowMosaic: what comes between two ticks is more than a queue holds, but nothing is
// dropped.
func TestSlowMosaic(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		addSlowRoom(t, e)
		addStream(t, e, "r", "s")
		watch(t, e, "r", 1)
		s := simulcast(t, e, "s", [][2]int{{640, 360}}, nil)
		time.Sleep(20 * time.Second)
		m := e.Metrics()
		if decoded, dropped := m.FramesDecoded.Load(), m.FramesDropped.Load(); decoded < 20*25-maxDue-1 || dropped > 0 {
			t.Errorf("%d of %d pictures decoded, %d dropped", decoded, 20*25, dropped)
		}
		if n := len(s.requests()); n > 1 {
			t.Errorf("%d keyframes asked for", n)
		}
	})
}

// TestPool: access units wait for a tick, but for those of one camera of which there are
// many, and all when they are many.
func TestPool(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		addSlowRoom(t, e)
		watch(t, e, "r", 0)
		const cameras = batch/(40*23) + 1 // the last one makes them many
		var publishers [cameras]*Publication
		for i := range publishers {
			name := fmt.Sprintf("s%d", i)
			addStream(t, e, "r", name)
			p, err := e.Publish(name, &talker{})
			if err != nil {
				t.Fatal(err)
			}
			publishers[i] = p
		}
		number := uint16(0)
		push := func(p *Publication, key bool) {
			payloads := fakeAU(640, 360, 50, key)
			for i, payload := range payloads {
				p.PushVideo(0, h264.Packet{SSRC: 1, Sequence: number + uint16(i), Timestamp: uint32(number) * 3000, Marker: i == len(payloads)-1, Payload: payload})
			}
		}
		decoded := func() int {
			synctest.Wait()
			return int(e.Metrics().FramesDecoded.Load())
		}
		time.Sleep(1100 * time.Millisecond) // a tick has asked for the pictures
		for _, p := range publishers {
			push(p, true)
		}
		if n := decoded(); n != cameras {
			t.Fatalf("%d of %d pictures that are many are decoded", n, cameras)
		}
		number = 3
		for range maxDue {
			push(publishers[0], false)
			number++
		}
		if n := decoded() - cameras; n != 0 {
			t.Errorf("%d of %d pictures are decoded before a tick", n, maxDue)
		}
		push(publishers[0], false)
		if n := decoded() - cameras; n != maxDue+1 {
			t.Errorf("%d of %d pictures of one camera are decoded", n, maxDue+1)
		}
		number = 3
		for _, p := range publishers[1:] {
			push(p, false)
		}
		before := cameras + maxDue + 1
		if n := decoded() - before; n != 0 {
			t.Errorf("%d of few pictures are decoded before a tick", n)
		}
		time.Sleep(time.Second)
		if n := decoded() - before; n != cameras-1 {
			t.Errorf("%d of %d pictures are decoded by a tick", n, cameras-1)
		}
		if n := e.pool.pending.Load(); n != 0 {
			t.Errorf("%d macroblocks are pending, but nothing waits", n)
		}
	})
}
