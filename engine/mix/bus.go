// Package mix makes the mixes of a room: everybody is summed once in 32 bits, and each
// participant's own mix is that sum minus the very samples that went into it. Nothing is
// clipped before the subtraction; each mix has a limiter of its own, after which it has 16
// bits.
package mix

import "sectile/asm/pcm"

// Bus sums one tick's inputs. It is not safe for concurrent use.
type Bus struct {
	total []int32
	added [][]int16
}

// NewBus makes a bus of so many samples a tick.
func NewBus(samples int) *Bus { return &Bus{total: make([]int32, samples)} }

// Reset forgets the inputs of the tick before.
func (b *Bus) Reset() { b.added = b.added[:0] }

// Add adds an input so many times. samples must be as long as the bus and stay unchanged
// until the next Reset.
func (b *Bus) Add(samples []int16, times int) {
	for range times {
		b.added = append(b.added, samples)
	}
}

// Sum adds up all inputs; it comes after the last Add and before All and Without.
func (b *Bus) Sum() { pcm.Sum(b.total, b.added) }

// All hands the mix of everybody to a limiter as its next frame.
func (b *Bus) All(l *Limiter) { copy(l.next(), b.total) }

// Without does so with the mix of everybody but own, which must have been added so many
// times.
func (b *Bus) Without(l *Limiter, own []int16, times int) {
	dst := l.next()
	pcm.MixMinus(dst, b.total, own)
	for range times - 1 {
		pcm.MixMinus(dst, dst, own)
	}
}
