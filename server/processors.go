package main

import (
	"runtime"
	"sync"
)

// processors is how many processors there are to work on. Its first call has the Go runtime
// run more goroutines at once than that: a codec at work on a picture counts as one for up
// to 10 ms, although the kernel could well run a tick of sound instead, which it prefers.
// Pictures of twice the processors may be in codecs, and there is a place left for sound.
var processors = sync.OnceValue(func() int {
	n := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(2*n + 4)
	return n
})
