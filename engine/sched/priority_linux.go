package sched

import (
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"
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

// The policies of sched(7). Threads that an urgent one makes are not.
const (
	schedOther       = 0
	schedRR          = 2
	schedResetOnFork = 0x40000000
)

// urge gives the calling goroutine a thread of its own, of the lowest real-time priority if
// the process may ask for that: the kernel runs it at once when it is due.
func urge() {
	runtime.LockOSThread()
	setPolicy(schedRR|schedResetOnFork, 1)
}

// relax undoes urge.
func relax() {
	setPolicy(schedOther, 0)
	runtime.UnlockOSThread()
}

func setPolicy(policy uintptr, priority int32) {
	_, _, _ = syscall.Syscall(syscall.SYS_SCHED_SETSCHEDULER, 0, policy, uintptr(unsafe.Pointer(&priority)))
}

// sleep sleeps on the thread of the calling goroutine, which is up sooner and more exactly
// than the runtime's timers. To the runtime it is at work and keeps its processor, if there
// are others: what is in a system call is watched every 20 µs. The signal with which the
// runtime preempts it ends the sleep; the caller looks at the clock.
func sleep(d time.Duration) {
	if runtime.GOMAXPROCS(0) == 1 {
		time.Sleep(d)
		return
	}
	wait := syscall.NsecToTimespec(int64(d))
	syscall.RawSyscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&wait)), 0, 0)
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
