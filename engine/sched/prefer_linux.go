package sched

import (
	"runtime"
	"syscall"
)

// preference is a nice value: of a machine that is short of time, threads with it get most.
const preference = -15

// prefer has the kernel run the calling goroutine before other work, if the process may
// ask for that (CAP_SYS_NICE, or RLIMIT_NICE): the goroutine keeps a thread for itself.
func prefer() {
	runtime.LockOSThread()
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, preference) // of the thread, on Linux
}
