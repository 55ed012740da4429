//go:build !purego

package kerneltest

import "sectile/asm/cpu"

func dirtyNEON(v *[64]byte)

func dirty(v *[64]byte) {
	if cpu.Current() >= cpu.NEON {
		dirtyNEON(v)
	}
}
