//go:build !purego

package kerneltest

import "sectile/asm/cpu"

func dirtyAVX2(v *[64]byte)

func dirtyAVX512(v *[64]byte)

func dirty(v *[64]byte) {
	switch {
	case cpu.Current() >= cpu.AVX512:
		dirtyAVX512(v)
	case cpu.Current() >= cpu.AVX2:
		dirtyAVX2(v)
	}
}
