//go:build !unix

package procs

import "time"

// used is unknown here.
func used() (time.Duration, bool) { return 0, false }
