package main

import (
	"fmt"
	"io"
	"strings"
)

// print prints two tables in Markdown: one beside the other, and each for itself.
func print(w io.Writer, all []compared, ticks *compared) {
	fmt.Fprintln(w, "| server's CPU time a participant-second | Sectile | Janus | ratio |")
	fmt.Fprintln(w, "|---|---:|---:|---:|")
	for _, c := range all {
		value := func(r result) float64 { return r.CPU }
		if c.bursts {
			value = func(r result) float64 { return 1000 * r.DelayP50 }
		}
		cell := func(r result) string {
			if r.err != nil {
				return "failed"
			}
			return fmt.Sprintf("%.2f ms", value(r)) + remark(r)
		}
		ratio, name := "", c.name
		if c.ours.err == nil && c.theirs.err == nil {
			ratio = fmt.Sprintf("1/%.1f", value(c.theirs)/value(c.ours))
		}
		if c.bursts {
			name += ", p50"
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", name, cell(c.ours), cell(c.theirs), ratio)
	}
	if ticks != nil && ticks.ours.err == nil {
		t := ticks.ours.Tick
		fmt.Fprintf(w, "| tick lateness p50, p99, p99.9, %s | %.2f, %.2f, %.2f ms; %.0f skipped%s | | |\n",
			ticks.name, 1000*t.P50, 1000*t.P99, 1000*t.P999, t.Skipped, remark(ticks.ours))
	}

	fmt.Fprintln(w, "\n| | cores of server, of load | MiB a participant | packets/s, worst | inter-arrival p99 | tick lateness p50, p99, p99.9 | ticks skipped | mixes right |")
	fmt.Fprintln(w, "|---|---:|---:|---:|---:|---:|---:|---:|")
	for _, c := range all {
		details(w, "Sectile, "+c.name, c.ours)
		details(w, "Janus, "+c.name, c.theirs)
	}
	if ticks != nil {
		details(w, "Sectile, "+ticks.name, ticks.ours)
	}
	for _, c := range all {
		failure(w, "Sectile, "+c.name, c.ours)
		failure(w, "Janus, "+c.name, c.theirs)
	}
}

// failure tells why there is no result.
func failure(w io.Writer, name string, r result) {
	if r.err != nil {
		reason, _, _ := strings.Cut(r.err.Error(), "\n")
		fmt.Fprintf(w, "\n%s: %s\n", name, reason)
	}
}

// remark tells what makes a cost not comparable.
func remark(r result) (text string) {
	if r.WorstRate < 49 {
		text += fmt.Sprintf("; one got %.0f packets/s", r.WorstRate)
	}
	if n := r.WrongMixes; n > 0 {
		text += fmt.Sprintf("; %d mixes wrong", n)
	}
	return text
}

func details(w io.Writer, name string, r result) {
	if r.err != nil {
		fmt.Fprintf(w, "| %s | failed | | | | | | |\n", name)
		return
	}
	lateness, skipped := "", ""
	if t := r.Tick; t != nil {
		lateness = fmt.Sprintf("%.2f, %.2f, %.2f ms", 1000*t.P50, 1000*t.P99, 1000*t.P999)
		skipped = fmt.Sprintf("%.0f", t.Skipped)
	}
	n := float64(r.Rooms * r.Participants)
	fmt.Fprintf(w, "| %s | %.2f, %.2f | %.2f | %.1f | %.1f ms | %s | %s | %d of %d |\n", name, r.Cores, r.LoadCores,
		float64(r.RSS)/(1<<20)/n, r.WorstRate, 1000*r.InterArrivalP99, lateness, skipped, r.Checked-r.WrongMixes, r.Checked)
}
