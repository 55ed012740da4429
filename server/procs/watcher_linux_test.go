package procs

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The runtime's watching thread is found, whatever else the process does, and told.
func TestIndulge(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may set the timer slack of other threads")
	}
	stop := make(chan struct{})
	defer close(stop)
	go func() { // while there is something to do, it looks after it
		for {
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	thread := indulge()
	if thread == 0 || thread == os.Getpid() {
		t.Fatalf("thread %d was found", thread)
	}
	path := fmt.Sprintf("/proc/%d/timerslack_ns", thread)
	defer os.WriteFile(path, []byte("0"), 0) // the default
	after, err := os.ReadFile(path)
	if err != nil || strings.TrimSpace(string(after)) != fmt.Sprint(patience.Nanoseconds()) {
		t.Errorf("slack %s, %v", after, err)
	}
}
