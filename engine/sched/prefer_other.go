//go:build !linux

package sched

// prefer does nothing where threads have no priorities of their own.
func prefer() {}
