package target

import (
	"fmt"
	"io"
)

// Report is what came out of a load. Times are in seconds.
type Report struct {
	Peer                         string
	Rooms, Participants, Talkers int
	Seconds                      float64

	CPU       float64 // of the server, ms a participant-second
	Cores     float64 // of the server
	LoadCores float64 // of this program
	RSS       int64   // of the server, bytes

	WorstRate       float64 // packets a second to the participant who got least
	Missing         int     // places where sequence numbers did not go on
	InterArrivalP99 float64 // of all participants
	SendLateP99     float64 // of this program's own sending

	Bursts             int // whose delay was measured
	DelayP50, DelayP95 float64

	Tick    *Ticks    // Sectile only
	Picture *Pictures // with cameras only

	Checked    int // mixes whose content was looked at
	WrongMixes int
	Wrong      []string // what is wrong with them, some with more than one thing
}

// Ticks are a Sectile's audio ticks.
type Ticks struct {
	P50, P99, P999 float64 // lateness
	Skipped        float64
}

// Pictures are what became of the cameras' pictures and of the mosaics. Rates are a second.
type Pictures struct {
	FPS              int     // that a mosaic should have
	Sent             float64 // by all cameras, of all layers
	Decoded, Dropped float64 // by the server; layers that are not shown are dropped
	Composed         float64 // pictures of each mosaic, encoded or equal to the one before
	Keyframes        float64 // of all mosaics
	Mean, Worst      float64 // of the mosaic that came, to all players and to the one who got fewest
	GapP99, Longest  float64 // seconds between two pictures of the mosaic, to all players

	Cells, WrongCells int // of decoded mosaics, whose colour was looked at
	Wrong             []string
}

// Print writes the report for people.
func (r *Report) Print(w io.Writer) {
	n := float64(r.Rooms * r.Participants)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-22s"+format+"\n", append([]any{name}, args...)...)
	}
	line("load", "%s, %d rooms of %d, %d talk in each, %.1f s", r.Peer, r.Rooms, r.Participants, r.Talkers, r.Seconds)
	line("server CPU", "%.2f ms a participant-second (%.2f of a core)", r.CPU, r.Cores)
	line("server memory", "%.0f MiB, %.2f MiB a participant", float64(r.RSS)/(1<<20), float64(r.RSS)/(1<<20)/n)
	line("packets to the worst", "%.1f a second; %d breaks in sequence numbers", r.WorstRate, r.Missing)
	line("inter-arrival p99", "%.1f ms", 1000*r.InterArrivalP99)
	if r.Bursts > 0 {
		line("added delay", "p50 %.1f ms, p95 %.1f ms, of %d bursts", 1000*r.DelayP50, 1000*r.DelayP95, r.Bursts)
	}
	if t := r.Tick; t != nil {
		line("tick lateness", "p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms; %.0f skipped", 1000*t.P50, 1000*t.P99, 1000*t.P999, t.Skipped)
	}
	if p := r.Picture; p != nil {
		line("mosaic", "%.1f a second of %d; %.1f to the worst, gaps p99 %.0f ms, longest %.0f ms; %.2f keyframes a second",
			p.Mean, p.FPS, p.Worst, 1000*p.GapP99, 1000*p.Longest, p.Keyframes)
		line("composed", "%.1f a second of each mosaic", p.Composed)
		line("cameras", "%.0f pictures a second sent, %.0f decoded, %.0f dropped", p.Sent, p.Decoded, p.Dropped)
		line("cells checked", "%d, wrong %d", p.Cells, p.WrongCells)
		printFew(w, p.Wrong)
	}
	line("the load itself", "%.2f of a core, packets sent late p99 %.1f ms", r.LoadCores, 1000*r.SendLateP99)
	line("mixes checked", "%d, wrong %d", r.Checked, r.WrongMixes)
	printFew(w, r.Wrong)
}

func printFew(w io.Writer, list []string) {
	for i, text := range list {
		if i == 10 {
			fmt.Fprintln(w, "  …")
			break
		}
		fmt.Fprintln(w, "  "+text)
	}
}

// Ticks reads what metrics say about audio ticks.
func (m Metrics) Ticks() *Ticks {
	const name = "sectile_tick_lateness_seconds"
	return &Ticks{m.Quantile(name, 0.5), m.Quantile(name, 0.99), m.Quantile(name, 0.999), m["sectile_ticks_skipped_total"]}
}
