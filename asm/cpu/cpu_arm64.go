//go:build !purego

package cpu

// detect returns NEON: Advanced SIMD is part of the ARMv8-A that Go builds for.
func detect() Tier { return NEON }
