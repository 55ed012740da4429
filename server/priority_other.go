//go:build !linux

package main

// prefer does nothing where threads have no priorities of their own.
func prefer() {}
