// Package target knows the servers that are measured: how to start them, how to make rooms
// on them and take part, and how to read what they cost.
package target

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Process reads the processor time, user and system, and the resident memory in bytes of
// a process (proc(5), stat).
func Process(pid int) (cpu time.Duration, rss int64, err error) {
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
