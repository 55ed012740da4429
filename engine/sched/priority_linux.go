package sched

import (
	"runtime"
	"sync"
	"syscall"
)

// A program that wants its sound in time has a negative nice value, and then the kernel
// serves it before others. Its pictures are not worth that: Background takes the preference
// from them. Whoever has it may also give it back (CAP_SYS_NICE, or RLIMIT_NICE).

// preference is the nice value of the program, which may be negative.
var preference = sync.OnceValue(func() int {
	value, err := syscall.Getpriority(syscall.PRIO_PROCESS, syscall.Getpid())
	if err != nil {
		return 0
	}
	return 20 - value // as the system call has it
})

// background takes the preference from the calling goroutine, which keeps its thread.
func background() {
	if preference() < 0 {
		runtime.LockOSThread()
		_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, 0) // of the thread, on Linux
	}
}

// Background calls f without the preference of the program, if that has a negative nice
// value: what takes long and may wait, such as decoding a picture.
func Background(f func()) {
	nice := preference()
	if nice >= 0 {
		f()
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, 0)
	defer syscall.Setpriority(syscall.PRIO_PROCESS, 0, nice)
	f()
}
