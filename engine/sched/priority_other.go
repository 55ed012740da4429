//go:build !linux

package sched

// background does nothing where threads have no priorities of their own.
func background() {}

// Background calls f.
func Background(f func()) { f() }
