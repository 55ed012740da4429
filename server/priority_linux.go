package main

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// niceness is what the server asks for: of a machine that is short of time it gets most.
const niceness = -15

// prefer has the kernel run the server before other programs, so that sound is in time, if
// it may ask for that (CAP_SYS_NICE, or RLIMIT_NICE). Threads inherit the value from those
// that make them, so it is told to all of them, until there are no new ones.
func prefer() {
	if id, _, _ := syscall.RawSyscall(syscall.SYS_GETSID, 0, 0, 0); int(id) == os.Getpid() {
		// The kernel first shares time between sessions, if CONFIG_SCHED_AUTOGROUP is on, and
		// this one is the server's own.
		_ = os.WriteFile("/proc/self/autogroup", fmt.Append(nil, niceness), 0)
	}
	told := map[int]bool{}
	for again := true; again; {
		again = false
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return
		}
		for _, thread := range threads {
			id, err := strconv.Atoi(thread.Name())
			if err != nil || told[id] {
				continue
			}
			if syscall.Setpriority(syscall.PRIO_PROCESS, id, niceness) == syscall.EACCES {
				return
			}
			told[id], again = true, true
		}
	}
}
