package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// measurement is what is known at one moment.
type measurement struct {
	at      time.Time
	cpu     time.Duration // user and system time of the server
	rss     int64         // bytes
	packets []int         // to each player so far
	gaps    []int
}

func sample(pid int, all []*participant) (m measurement, err error) {
	m.at = time.Now()
	if m.cpu, m.rss, err = process(pid); err != nil {
		return m, err
	}
	for _, p := range all {
		audio, _ := p.player.Flows()
		m.packets, m.gaps = append(m.packets, audio.Packets), append(m.gaps, audio.Gaps)
	}
	return m, nil
}

// process reads the processor time and resident memory of a process (proc(5), stat).
func process(pid int) (cpu time.Duration, rss int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	// The second field is the name in parentheses, which may hold anything.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	field := func(n int) int64 { // numbered as in proc(5)
		v, e := strconv.ParseInt(fields[n-3], 10, 64)
		if e != nil && err == nil {
			err = e
		}
		return v
	}
	const ticks = 100 // a second, on every Linux port of Go
	cpu = time.Duration(field(14)+field(15)) * time.Second / ticks
	rss = field(24) * int64(os.Getpagesize())
	return cpu, rss, err
}
