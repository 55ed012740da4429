package main

import (
	"fmt"
	"time"

	"sectile/bench/client"
	"sectile/bench/media"
)

// long measures minute by minute whether the delay grows.
func (o options) long() (err error) {
	r, err := o.start(media.ToneWithFEC)
	if err != nil {
		return err
	}
	defer func() {
		if e := r.stop(); err == nil {
			err = e
		}
	}()
	up := client.Impairment{Loss: 0.05, Burst: 2, Jitter: 50 * time.Millisecond, KeepOrder: true, Stall: 300 * time.Millisecond, Every: 20 * time.Second}
	r.impair(up, client.Impairment{})
	time.Sleep(o.Settle)
	fmt.Println("5 % lost in bursts of 40 ms, ±50 ms, a stall of 300 ms every 20 s:")
	fmt.Println()
	fmt.Println("| minute | made up | jitter buffer, mean | added delay p50, p95 | mixes right |")
	fmt.Println("|---:|---:|---:|---:|---:|")
	for minute := 1; minute <= 10; minute++ {
		seen, err := r.observe(time.Minute)
		if err != nil {
			return err
		}
		l, err := seen.look(row{up: up})
		if err != nil {
			return err
		}
		fmt.Printf("| %d | %.1f %% | %.0f ms | %s | %d of %d |\n", minute, 100*l.concealed, 1000*l.jitterDelay, l.delays(), l.right, len(tones))
	}
	return nil
}
