package main

import (
	"fmt"
	"slices"
	"time"

	"sectile/bench/client"
	"sectile/bench/media"
)

// back is how long it took after the ends of stalls.
type back struct {
	sound time.Duration // until all others were heard again in every mix, the longest
	delay time.Duration // until the first burst was sent whose delay is as before, the longest; it is as fine as bursts are close
	never bool          // some sound did not come back before the next stall
}

func (b back) String() string {
	if b.never {
		return "never"
	}
	return fmt.Sprintf("%.0f ms, ≤ %.1f s", milliseconds(b.sound), b.delay.Seconds())
}

// recovery measures it for stalls that count from since.
func (s *observation) recovery(im client.Impairment, since time.Time) (b back, err error) {
	var all []time.Duration
	for _, d := range s.bursts {
		all = append(all, d.Added)
	}
	// Half of the bursts come longer after a stall than the delay takes to recover.
	usual := media.Quantile(all, 0.25)
	bursts := slices.SortedFunc(slices.Values(s.bursts), func(x, y media.Delay) int { return x.Sent.Compare(y.Sent) })
	for i, packets := range s.heard {
		if len(packets) == 0 {
			return back{never: true}, nil
		}
		pcm, err := media.Decode(packets)
		if err != nil {
			return b, err
		}
		first, last := packets[0].At, packets[len(packets)-1].At
		for end := since.Add(im.Every); end.Before(last.Add(-im.Every / 2)); end = end.Add(im.Every) {
			if end.Add(-im.Stall).Before(first) {
				continue
			}
			sound, ok := heardFrom(pcm, i, packets, end)
			if !ok {
				return back{never: true}, nil
			}
			b.sound = max(b.sound, sound)
			for _, d := range bursts {
				if d.Sent.After(end) && d.Added < usual+20*time.Millisecond {
					b.delay = max(b.delay, d.Sent.Sub(end))
					break
				}
			}
		}
	}
	return b, nil
}

// heardFrom is how long after a moment all tones but one are there, and stay for half a
// second, in what was decoded of packets of 20 ms.
func heardFrom(pcm []int16, but int, packets []client.Packet, from time.Time) (time.Duration, bool) {
	const window, long = media.Rate / 50, 25
	there := 0
	for i, p := range packets {
		if p.At.Before(from) || (i+1)*window > len(pcm) {
			continue
		}
		ok := true
		for j, hz := range tones {
			// Windows of 20 ms do not tell tones apart well: 10 dB.
			ok = ok && (j == but || client.Level(pcm[i*window:(i+1)*window], hz) > level-10)
		}
		if there++; !ok {
			there = 0
		}
		if there == long {
			return max(0, packets[i-long+1].At.Sub(from)), true
		}
	}
	return 0, false
}
