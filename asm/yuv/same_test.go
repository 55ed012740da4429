package yuv

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"sectile/asm/cpu"
	"sectile/asm/internal/kerneltest"
)

// sameNaive says what SameBlocks should, by its definition.
func sameNaive(a, b *Image) []byte {
	cols := Blocks(a.Width)
	same := bytes.Repeat([]byte{1}, cols*Blocks(a.Height))
	other := [][]byte{b.Y, b.U, b.V}
	strides := []int{b.YStride, b.CStride, b.CStride}
	plane := 0
	planes(a, func(name string, p []byte, stride, w, h int) {
		side := 16
		if name != "Y" {
			side = 8
		}
		for y := range h {
			for x := range w {
				if p[y*stride+x] != other[plane][y*strides[plane]+x] {
					same[y/side*cols+x/side] = 0
				}
			}
		}
		plane++
	})
	return same
}

// Each sample on its own, in pictures of all kinds of edges, between pages that fault.
func TestSameBlocksExhaustive(t *testing.T) {
	arenas, others := newArenas(t, 1<<16), newArenas(t, 1<<16)
	sizes := [][2]int{{1, 1}, {15, 17}, {16, 16}, {31, 5}, {32, 18}, {48, 16}, {64, 16}, {79, 20}, {129, 33}, {160, 16}, {257, 7}}
	if testing.Short() {
		sizes = [][2]int{{1, 1}, {79, 20}, {160, 16}}
	}
	kerneltest.Tiers(t, func(t *testing.T) {
		for _, s := range sizes {
			w, h := s[0], s[1]
			for _, end := range []bool{false, true} {
				a, b := guarded(arenas, w, h, end), guarded(others, w, h, end)
				randomise(a, 3)
				Copy(b, a)
				same := make([]byte, Blocks(w)*Blocks(h))
				bit := byte(1)
				planes(b, func(name string, p []byte, stride, w, h int) {
					side := 16
					if name != "Y" {
						side = 8
					}
					for i := range p {
						p[i] ^= bit
						for k := range same {
							same[k] = 0xEE
						}
						kerneltest.Dirty()
						SameBlocks(same, Blocks(s[0]), a, b)
						at := i/stride/side*Blocks(s[0]) + i%stride/side
						for k, v := range same {
							if want := byte(1); v != want && k != at || k == at && v != 0 {
								t.Fatalf("%v: sample %d of %s differs: block %d has %d", s, i, name, k, v)
							}
						}
						p[i] ^= bit
						bit = bit<<1 | bit>>7
					}
				})
			}
		}
	})
}

// Any number of differing blocks in pictures with different strides and alignments.
func TestSameBlocksRandom(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 6))
		for w := 1; w <= 300; w++ {
			h := 1 + r.IntN(40)
			a, _ := framed(w, h, r.IntN(40), r.IntN(64))
			b, _ := framed(w, h, r.IntN(40), r.IntN(64))
			randomise(a, uint64(w))
			Copy(b, a)
			for range r.IntN(8) {
				p := [][]byte{b.Y, b.U, b.V}[r.IntN(3)]
				p[r.IntN(len(p))]++ // possibly between the rows
			}
			if r.IntN(2) == 0 && w > 2 { // a part moves
				x := 2 * r.IntN(w/2)
				part := b.Sub(x, 0, w-x, h)
				Fill(&part, 1, 2, 3)
			}
			stride := Blocks(w) + r.IntN(3)
			same := bytes.Repeat([]byte{mark}, stride*Blocks(h))
			SameBlocks(same, stride, a, b)
			for row, want := range slices.Collect(slices.Chunk(sameNaive(a, b), Blocks(w))) {
				got := same[row*stride:][:stride]
				if !bytes.Equal(got[:len(want)], want) {
					t.Fatalf("%d×%d, row %d: %v instead of %v", w, h, row, got, want)
				}
				if !bytes.Equal(got[len(want):], bytes.Repeat([]byte{mark}, stride-len(want))) {
					t.Fatalf("%d×%d, row %d: %v, written behind %d blocks", w, h, row, got, len(want))
				}
			}
		}
	})
}

func TestSameBlocksContract(t *testing.T) {
	a := NewImage(32, 32)
	mustPanic(t, "sizes", func() { SameBlocks(make([]byte, 4), 2, a, NewImage(32, 30)) })
	mustPanic(t, "few flags", func() { SameBlocks(make([]byte, 3), 2, a, a) })
	mustPanic(t, "stride below the width", func() { SameBlocks(make([]byte, 4), 1, a, a) })
	short := *a
	short.V = short.V[:15*short.CStride+15]
	mustPanic(t, "short plane", func() { SameBlocks(make([]byte, 4), 2, a, &short) })
	mustPanic(t, "short plane", func() { SameBlocks(make([]byte, 4), 2, &short, a) })
}

// FuzzSameBlocks compares the kernels of all tiers with the definition.
func FuzzSameBlocks(f *testing.F) {
	f.Add(uint16(70), uint16(20), []byte{0, 0, 1, 255, 3})
	f.Add(uint16(128), uint16(16), []byte{})
	f.Fuzz(func(t *testing.T, w, h uint16, where []byte) {
		a := NewImage(1+int(w%400), 1+int(h%100))
		b := NewImage(a.Width, a.Height)
		for i := 0; i+2 < len(where); i += 3 {
			p := [][]byte{b.Y, b.U, b.V}[where[i]%3]
			p[(int(where[i+1])<<8|int(where[i+2]))*7%len(p)] ^= where[i]
		}
		want := sameNaive(a, b)
		kerneltest.EachTier(func(tier cpu.Tier) {
			got := make([]byte, len(want))
			SameBlocks(got, Blocks(a.Width), a, b)
			if !bytes.Equal(got, want) {
				t.Errorf("%v: %d×%d: %v instead of %v", tier, a.Width, a.Height, got, want)
			}
		})
	})
}

// Pictures that are equal, differ everywhere, and one larger than caches next to the core.
func BenchmarkSameBlocks(b *testing.B) {
	kerneltest.Bench(b, func(b *testing.B) {
		for _, s := range [][2]int{{128, 64}, {426, 240}, {1280, 720}} {
			for _, differ := range []bool{false, true} {
				b.Run(fmt.Sprintf("size=%dx%d/differ=%v", s[0], s[1], differ), func(b *testing.B) {
					x, y := NewImage(s[0], s[1]), NewImage(s[0], s[1])
					if differ {
						Fill(y, 1, 1, 1)
					}
					same := make([]byte, Blocks(s[0])*Blocks(s[1]))
					b.SetBytes(int64(2 * s[0] * s[1] * 3 / 2))
					for b.Loop() {
						SameBlocks(same, Blocks(s[0]), x, y)
					}
				})
			}
		}
	})
}
