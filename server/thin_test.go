package main

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"sectile/asm/yuv"
	"sectile/bench/client"
	"sectile/server/config"
)

// watching notes what a player sees of a moving picture that fills the mosaic.
type watching struct {
	mu      sync.Mutex
	shown   []shown
}

type shown struct {
	at    time.Time
	width int
	client.Moving
}

func watch(p *client.Player) *watching {
	w := &watching{}
	p.Observe(client.Observer{Picture: func(_ uint32, img *yuv.Image) {
		s := shown{time.Now(), img.Width, client.LookAt(img, 0, 0, img.Width, img.Height)}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.shown = append(w.shown, s)
	}})
	return w
}

func TestThinExplore(t *testing.T) {
	ts := start(t, config.Config{})
	ts.addRoom("r", map[string]any{"disable_video": false, "width": 640, "height": 360, "fps": 25, "video_bitrate": 1500})
	ts.addStream("r", "s")
	ts.publish("s", client.Media{Tone: tones[0], Level: -20, Width: 640, Height: 360, Colour: colours[0], Moving: 25, Bitrate: 3_000_000})
	ts.must("r", "set_layout", "grid")
	p := ts.play("r", "v1a1")
	w := watch(p)
	begin := time.Now()
	n := 0
	print := func(d time.Duration) {
		for end := time.Now().Add(d); time.Now().Before(end); {
			time.Sleep(500 * time.Millisecond)
			a, v := p.Flows()
			w.mu.Lock()
			gap, width, dirty := time.Duration(0), 0, 0
			for i := max(n, 1); i < len(w.shown); i++ {
				gap = max(gap, w.shown[i].at.Sub(w.shown[i-1].at))
				width = w.shown[i].width
				if !w.shown[i].Clean { dirty++ }
			}
			pics := len(w.shown) - n
			n = len(w.shown)
			w.mu.Unlock()
			_, _, keys := p.Seen()
			fmt.Printf("%5.1f s: audio %d, video %d gaps %d, pics %d width %d gap %v keys %d queue %v dirty %d\n", time.Since(begin).Seconds(), a.Packets, v.Packets, v.Gaps, pics, width, gap, keys, p.Queued(), dirty)
		}
	}
	print(4*time.Second)
	fmt.Println("600")
	p.Impair(client.Impairment{}, client.Impairment{Rate: 600_000})
	print(12*time.Second)
	fmt.Println("2000")
	p.Impair(client.Impairment{}, client.Impairment{Rate: 2_000_000})
	print(25*time.Second)
}
