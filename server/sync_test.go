package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"sectile/asm/yuv"
	"sectile/bench/client"
	"sectile/server/config"
)

// flashes finds out when a player hears and sees flashes, by their RTP timestamps.
type flashes struct {
	mu          sync.Mutex
	pcm         []int16
	pcmEnd      uint32 // timestamp after pcm
	loud        bool
	lit         bool
	heard, seen []uint32
}

// window is how much sound is looked at for the tone: 5 ms, with 2.5 ms of resolution.
const window = client.Rate / 200

func (f *flashes) sound(timestamp uint32, pcm []int16) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pcm, f.pcmEnd = append(f.pcm, pcm...), timestamp+uint32(len(pcm))
	for ; len(f.pcm) >= window; f.pcm = f.pcm[window/2:] {
		// The tone's level, by its two components over the window.
		var re, im float64
		for i, v := range f.pcm[:window] {
			angle := 2 * math.Pi * client.FlashTone * float64(i) / client.Rate
			re += float64(v) * math.Cos(angle)
			im += float64(v) * math.Sin(angle)
		}
		level := 2 * math.Hypot(re, im) / window
		switch {
		case level > 3000 && !f.loud: // half of what is sent, in the middle of the window
			f.loud = true
			f.heard = append(f.heard, f.pcmEnd-uint32(len(f.pcm))+window/2)
		case level < 300:
			f.loud = false
		}
	}
}

func (f *flashes) picture(timestamp uint32, img *yuv.Image) {
	f.mu.Lock()
	defer f.mu.Unlock()
	y := client.Mean(img, img.Width/4&^1, img.Height/4&^1, img.Width/2&^1, img.Height/2&^1).Y
	switch {
	case y > 125 && !f.lit:
		f.lit = true
		f.seen = append(f.seen, timestamp)
	case y < 60:
		f.lit = false
	}
}

// moments are the times of a source's RTP timestamps by the sender report of the server.
func moments(p *client.Player, ssrc, rate uint32, timestamps []uint32) (list []time.Duration) {
	reports := p.Reports(ssrc)
	if len(reports) == 0 {
		return nil
	}
	r := reports[len(reports)-1]
	ntp := time.Duration(r.NTPTime>>32)*time.Second + time.Duration(r.NTPTime&(1<<32-1)*1e9>>32)
	for _, ts := range timestamps {
		list = append(list, ntp+time.Duration(int64(int32(ts-r.RTPTime))*int64(time.Second)/int64(rate)))
	}
	return list
}

// TestSync: what a publisher sends at one moment, a player gets at one moment, with and
// without jitter of the sound, which makes the server delay it.
func TestSync(t *testing.T) {
	for _, jitter := range []time.Duration{0, 50 * time.Millisecond} {
		t.Run(fmt.Sprint(jitter), func(t *testing.T) {
			ts := start(t, config.Config{})
			ts.addRoom("r", map[string]any{"disable_video": false, "width": 320, "height": 180, "fps": 25})
			ts.addStream("r", "s")
			viewer := ts.play("r", "")
			f := &flashes{}
			viewer.Observe(client.Observer{Sound: f.sound, Picture: f.picture})
			publisher, err := ts.link().PublishFlashes(timeout(t), "s", jitter)
			if err != nil {
				t.Fatal(err)
			}
			defer publisher.Close()

			const begin, count = 6 * time.Second, 5 // the delay is found by then
			time.Sleep(begin)
			audio, video := viewer.Flows()
			var heard, seen []time.Duration
			eventually(t, (2*count+4)*time.Second, func() string {
				f.mu.Lock() // not for longer: the player has a lock when it calls f
				heardTS, seenTS := slices.Clone(f.heard), slices.Clone(f.seen)
				f.mu.Unlock()
				heard = moments(viewer, audio.SSRC, 48000, heardTS)
				seen = moments(viewer, video.SSRC, 90000, seenTS)
				if len(heard) < 3+count || len(seen) < 3+count {
					return fmt.Sprintf("%d flashes heard, %d seen", len(heard), len(seen))
				}
				return ""
			})
			var off []time.Duration
			for _, h := range heard[len(heard)-count:] {
				nearest := time.Duration(math.MaxInt64)
				for _, s := range seen {
					if (s - h).Abs() < nearest.Abs() {
						nearest = s - h
					}
				}
				off = append(off, nearest)
			}
			t.Logf("seen after they are heard: %v", off)
			slices.SortFunc(off, func(a, b time.Duration) int { return cmp.Compare(a.Abs(), b.Abs()) })
			// A machine that is short of time may miss one or the other.
			if median := off[count/2]; median.Abs() > 40*time.Millisecond {
				t.Errorf("seen %v after they are heard, mostly", median)
			}
		})
	}
}
