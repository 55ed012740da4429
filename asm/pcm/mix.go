// Package pcm holds the audio kernels: mixing and levels of mono signed 16-bit PCM.
//
// All of them take any number of samples at any alignment, allocate nothing and give the
// same bits on every CPU tier. They panic where the caller breaks the contract. They are
// made for frames: the runtime cannot preempt assembly, so what is longer than a second or
// so should come in parts.
package pcm

import "fmt"

// MaxInputs is how many inputs Sum takes at most: so many fit an int32 at full scale, and
// leave room for MixMinus to subtract one more.
const MaxInputs = 65535

// Sum overwrites total with the sums of all inputs, total[i] = Σ srcs[k][i], which is zero
// without any. It keeps no reference to srcs. It panics unless all lengths are equal and
// there are at most MaxInputs inputs.
func Sum(total []int32, srcs [][]int16) {
	if len(srcs) > MaxInputs {
		panic(fmt.Sprintf("pcm: sum of %d inputs", len(srcs)))
	}
	for _, s := range srcs {
		if len(s) != len(total) {
			panic(fmt.Sprintf("pcm: sum of %d samples from an input of %d", len(total), len(s)))
		}
	}
	sum(total, srcs)
}

// MixMinus gives one listener everybody but themselves, for a limiter to narrow: dst[i] =
// total[i] - own[i]. The difference of every total that Sum makes fits, whether own was
// among its inputs or not. dst may be total itself, but not overlap it otherwise. It panics
// unless all lengths are equal.
func MixMinus(dst, total []int32, own []int16) {
	if len(dst) != len(total) || len(own) != len(total) {
		panic(fmt.Sprintf("pcm: mix-minus of %d from %d into %d samples", len(own), len(total), len(dst)))
	}
	checkOverlap(dst, total)
	mixMinus(dst, total, own)
}

// Saturate narrows a mix that needs no limiter: dst[i] = sat16(total[i]). It panics unless the lengths are equal.
func Saturate(dst []int16, total []int32) {
	if len(dst) != len(total) {
		panic(fmt.Sprintf("pcm: saturate %d into %d samples", len(total), len(dst)))
	}
	saturate(dst, total)
}
