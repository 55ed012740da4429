//go:build !linux

package sched

import "time"

// background does nothing where threads have no priorities of their own.
func background() {}

func urge() {}

func relax() {}

func sleep(d time.Duration) { time.Sleep(d) }

// Background calls f.
func Background(f func()) { f() }
