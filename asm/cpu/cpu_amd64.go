//go:build !purego

package cpu

import "github.com/klauspost/cpuid/v2"

// detect returns the highest tier of this machine. cpuid also asks whether the operating
// system saves the wide registers.
func detect() Tier {
	if !cpuid.CPU.Supports(cpuid.AVX2, cpuid.BMI2) {
		return Generic
	}
	if !cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512VL, cpuid.AVX512DQ) {
		return AVX2
	}
	return AVX512
}
