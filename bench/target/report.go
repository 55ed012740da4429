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

	Tick *Ticks // Sectile only

	Checked    int // mixes whose content was looked at
	WrongMixes int
	Wrong      []string // what is wrong with them, some with more than one thing
}

// Ticks are a Sectile's audio ticks.
type Ticks struct {
	P50, P99, P999 float64 // lateness
	Skipped        float64
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
	line("the load itself", "%.2f of a core, packets sent late p99 %.1f ms", r.LoadCores, 1000*r.SendLateP99)
	line("mixes checked", "%d, wrong %d", r.Checked, r.WrongMixes)
	for i, wrong := range r.Wrong {
		if i == 10 {
			fmt.Fprintln(w, "  …")
			break
		}
		fmt.Fprintln(w, "  "+wrong)
	}
}

// Ticks reads what metrics say about audio ticks.
func (m Metrics) Ticks() *Ticks {
	const name = "sectile_tick_lateness_seconds"
	return &Ticks{m.Quantile(name, 0.5), m.Quantile(name, 0.99), m.Quantile(name, 0.999), m["sectile_ticks_skipped_total"]}
}
