package main

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"time"

	"sectile/bench/client"
	"sectile/bench/media"
)

// row is one kind of network.
type row struct {
	name     string
	up, down client.Impairment
}

// Of bursts, 2.25 packets of 20 ms in a row are 45 ms: most bursts are of 30 to 60 ms.
var rows = []row{
	{name: "good"},
	{name: "sent, 1 % lost", up: client.Impairment{Loss: 0.01}},
	{name: "sent, 5 % lost", up: client.Impairment{Loss: 0.05}},
	{name: "sent, 10 % lost", up: client.Impairment{Loss: 0.1}},
	{name: "sent, 20 % lost", up: client.Impairment{Loss: 0.2}},
	{name: "sent, 10 % lost in bursts of 45 ms", up: client.Impairment{Loss: 0.1, Burst: 2.25}},
	{name: "sent, ±20 ms", up: client.Impairment{Jitter: 20 * time.Millisecond, KeepOrder: true}},
	{name: "sent, ±50 ms", up: client.Impairment{Jitter: 50 * time.Millisecond, KeepOrder: true}},
	{name: "sent, ±100 ms", up: client.Impairment{Jitter: 100 * time.Millisecond, KeepOrder: true}},
	{name: "sent, ±50 ms out of order", up: client.Impairment{Jitter: 50 * time.Millisecond}},
	{name: "sent, 5 % reordered", up: client.Impairment{Reorder: 0.05}},
	{name: "sent, stalls of 300 ms", up: client.Impairment{Stall: 300 * time.Millisecond, Every: 5 * time.Second}},
	{name: "played, 1 % lost", down: client.Impairment{Loss: 0.01}},
	{name: "played, 5 % lost", down: client.Impairment{Loss: 0.05}},
	{name: "played, 10 % lost", down: client.Impairment{Loss: 0.1}},
	{name: "played, 20 % lost", down: client.Impairment{Loss: 0.2}},
	{name: "played, 10 % lost in bursts of 45 ms", down: client.Impairment{Loss: 0.1, Burst: 2.25}},
	{name: "played, ±50 ms", down: client.Impairment{Jitter: 50 * time.Millisecond, KeepOrder: true}},
	{name: "played, 5 % reordered", down: client.Impairment{Reorder: 0.05}},
	{name: "played, stalls of 300 ms", down: client.Impairment{Stall: 300 * time.Millisecond, Every: 5 * time.Second}},
	{name: "both, 10 % lost each way", up: client.Impairment{Loss: 0.1}, down: client.Impairment{Loss: 0.1}},
}

func (o options) matrix() error {
	wanted, err := regexp.Compile(o.Rows)
	if err != nil {
		return err
	}
	fmt.Println("| network | made up | by FEC | lost, late, reordered | jitter buffer, mean | added delay p50, p95 | after a stall: sound, delay back | others' tones | own tone | mixes right |")
	fmt.Println("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
	for _, row := range rows {
		if !wanted.MatchString(row.name) {
			continue
		}
		if err := o.row(row); err != nil {
			return fmt.Errorf("%s: %w", row.name, err)
		}
	}
	return nil
}

// row measures one and prints it.
func (o options) row(row row) (err error) {
	tone := media.ToneWithFEC
	if row.up.Stall > 0 {
		tone = media.Tone // always there, so that it is seen when it is not
	}
	r, err := o.start(tone)
	if err != nil {
		return err
	}
	defer func() {
		if e := r.stop(); err == nil {
			err = e
		}
	}()
	time.Sleep(2 * time.Second)
	since := r.impair(row.up, row.down)
	time.Sleep(o.Settle)
	seen, err := r.observe(o.Duration)
	if err != nil {
		return err
	}
	l, err := seen.look(row)
	if err != nil {
		return err
	}
	stall := ""
	if row.up.Stall > 0 {
		b, err := seen.recovery(row.up, since)
		if err != nil {
			return err
		}
		stall = b.String()
	}
	fmt.Fprintf(os.Stdout, "| %s | %.1f %% | %.1f %% | %d, %d, %d | %.0f ms | %s | %s | %s | %s | %d of %d |\n",
		row.name, 100*l.concealed, 100*l.fec, l.lost, l.late, l.reordered, 1000*l.jitterDelay, l.delays(),
		stall, fmt.Sprintf("%.0f to %.0f dBFS", l.quietest, l.loudest), fmt.Sprintf("%.0f dBFS", l.own), l.right, len(tones))
	return nil
}

// look is what a table shows of an observation.
type look struct {
	concealed, fec        float64 // shares of what the jitter buffers gave
	lost, late, reordered int
	jitterDelay           float64 // of the server's jitter buffers, seconds
	added                 []time.Duration

	quietest, loudest float64 // of the other talkers' tones, dBFS
	own               float64 // the loudest of the talkers' own tones
	right             int     // mixes
}

// look reads an observation. Where the way from the server is bad it is the players' jitter
// buffers that are asked, and else the server's.
func (s *observation) look(row row) (look, error) {
	l := look{quietest: math.Inf(1), loudest: math.Inf(-1), own: math.Inf(-1)}
	count := func(name string) float64 { return s.metrics["sectile_"+name] }
	normal, fec, plc := count(`opus_decodes_total{kind="normal"}`), count(`opus_decodes_total{kind="fec"}`), count(`opus_decodes_total{kind="plc"}`)
	l.lost, l.late, l.reordered = int(count("jitter_lost_packets_total")), int(count("jitter_late_packets_total")), int(count("jitter_reordered_packets_total"))
	l.jitterDelay = count("jitter_delay_seconds_sum") / count("jitter_delay_seconds_count")

	played := row.down != client.Impairment{}
	if played {
		normal, fec, plc, l.lost, l.late, l.reordered = 0, 0, 0, 0, 0, 0
	}
	for i, packets := range s.heard {
		pcm, stats, err := media.Hear(packets)
		if err != nil {
			return l, err
		}
		if played {
			normal, fec, plc = normal+float64(stats.Normal), fec+float64(stats.FEC), plc+float64(stats.PLC)
			l.lost, l.late, l.reordered = l.lost+int(stats.Lost), l.late+int(stats.Late), l.reordered+int(stats.Reordered)
		}
		right := true
		for j, hz := range tones {
			switch heard := client.ToneLevel(pcm, hz); {
			case i == j:
				l.own = max(l.own, heard)
				right = right && heard < level-25
			default:
				l.quietest, l.loudest = min(l.quietest, heard), max(l.loudest, heard)
				right = right && heard > level-6 && heard < level+3
			}
		}
		if right {
			l.right++
		}
	}
	if all := normal + fec + plc; all > 0 {
		l.concealed, l.fec = plc/all, fec/all
	}
	for _, b := range s.bursts {
		l.added = append(l.added, b.Added)
	}
	return l, nil
}

func (l look) delays() string {
	return fmt.Sprintf("%.0f, %.0f ms", milliseconds(media.Quantile(l.added, 0.5)), milliseconds(media.Quantile(l.added, 0.95)))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
