package main

import (
	"fmt"
	"io"
)

// table prints the rows in Markdown.
func table(w io.Writer, rows []row, results [][]result) {
	fmt.Fprintln(w, "| server's processor time a participant-second | Sectile | Janus | ratio |")
	fmt.Fprintln(w, "|---|---:|---:|---:|")
	for i, r := range rows {
		ours, theirs := results[i][0], results[i][1]
		ratio := ""
		if ours.err == nil && theirs.err == nil {
			ratio = fmt.Sprintf("1/%.1f", theirs.CPU/ours.CPU)
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", r.name, cell(ours), cell(theirs), ratio)
	}
}

// cell is the cost, with what went wrong.
func cell(r result) string {
	if r.err != nil {
		return "failed"
	}
	text := fmt.Sprintf("%.2f ms", r.CPU)
	if r.WorstRate < 49 {
		text += fmt.Sprintf(", one got %.0f packets/s", r.WorstRate)
	}
	if n := len(r.Wrong); n > 0 {
		text += fmt.Sprintf(", %d mixes wrong", n)
	}
	return text
}
