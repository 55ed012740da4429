package main

import (
	"errors"
	"strings"
	"testing"

	"sectile/bench/target"
)

func TestPrint(t *testing.T) {
	ours := target.Report{Rooms: 1, Participants: 40, CPU: 1.5, Cores: 0.06, WorstRate: 50, RSS: 40 << 20, Checked: 40, Tick: &target.Ticks{P50: 1e-4, P99: 1e-3, P999: 2e-3}}
	theirs := ours
	theirs.CPU, theirs.Tick, theirs.WorstRate, theirs.WrongMixes, theirs.DelayP50 = 12, nil, 30, 2, 0.133
	delay := ours
	delay.DelayP50 = 0.04
	var b strings.Builder
	print(&b, []compared{
		{row{name: "one"}, result{Report: &ours}, result{Report: &theirs}},
		{row{name: "delay", bursts: true}, result{Report: &delay}, result{Report: &theirs}},
		{row{name: "two"}, result{Report: &ours}, result{err: errors.New("no\nand more")}},
	}, &compared{row: row{name: "many"}, ours: result{Report: &ours}})
	for _, line := range []string{
		"| one | 1.50 ms | 12.00 ms; one got 30 packets/s; 2 mixes wrong | 1/8.0 |",
		"| delay, p50 | 40.00 ms | 133.00 ms; one got 30 packets/s; 2 mixes wrong | 1/3.3 |",
		"| two | 1.50 ms | failed |  |",
		"| tick lateness p50, p99, p99.9, many | 0.10, 1.00, 2.00 ms; 0 skipped | | |",
		"| Sectile, one | 0.06, 0.00 | 1.00 | 50.0 | 0.0 ms | 0.10, 1.00, 2.00 ms | 0 | 40 of 40 |",
		"| Janus, one | 0.06, 0.00 | 1.00 | 30.0 | 0.0 ms |  |  | 38 of 40 |",
		"| Janus, two | failed | | | | | | |",
		"Janus, two: no",
	} {
		if !strings.Contains(b.String(), line+"\n") {
			t.Errorf("no line %q", line)
		}
	}
	if t.Failed() {
		t.Log(b.String())
	}
}

// TestBusy: as many rooms as fill the share of the machine.
func TestBusy(t *testing.T) {
	cost := &target.Report{Rooms: 100, Cores: 0.01, LoadCores: 0.01}
	if r := busy(0.7, cost); r.rooms != 250 || r.participants != 4 {
		t.Errorf("on an idle machine %+v", r)
	}
	cost.Cores = 1e6
	if r := busy(0.7, cost); r.rooms != 1 {
		t.Errorf("on a full machine %+v", r)
	}
}
