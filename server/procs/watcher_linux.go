package procs

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// patience is how much later the thread that watches the others may wake up than it wants
// to, which is every 10 ms at best: with few processors it has next to nothing to do, and
// waking up is all that it costs.
const patience = 10 * time.Millisecond

// indulge gives the thread of the Go runtime that watches the others (sysmon) its patience,
// if the process may do that (CAP_SYS_NICE), and returns the thread, or 0. It is to be
// called before other threads sleep in the kernel: that is what tells this one.
func indulge() (thread int) {
	thread = watcher()
	if thread == 0 {
		return 0
	}
	slack := fmt.Append(nil, patience.Nanoseconds())
	if os.WriteFile(fmt.Sprintf("/proc/%d/timerslack_ns", thread), slack, 0) != nil {
		return 0
	}
	return thread
}

// watcher finds the one thread that sleeps (nanosleep), and again when looked at later.
func watcher() (found int) {
	const looks = 10
	for range looks {
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return 0
		}
		for _, thread := range threads {
			id, err := strconv.Atoi(thread.Name())
			if err != nil || !sleeping(id) {
				continue
			}
			if found != 0 && found != id {
				return 0
			}
			found = id
		}
		time.Sleep(time.Millisecond)
	}
	return found
}

// sleeping tells whether a thread is in the system call nanosleep (proc(5)).
func sleeping(thread int) bool {
	call, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/syscall", thread))
	if err != nil {
		return false
	}
	number, _, _ := bytes.Cut(call, []byte(" "))
	return string(number) == strconv.Itoa(syscall.SYS_NANOSLEEP)
}
