package kerneltest

import (
	"runtime/debug"
	"slices"
	"testing"

	"sectile/asm/cpu"
)

// Each tier runs once, and is the current one then.
func TestTiers(t *testing.T) {
	var ran []cpu.Tier
	Tiers(t, func(t *testing.T) { ran = append(ran, cpu.Current()) })
	if !slices.Equal(ran, cpu.Available()) {
		t.Errorf("ran %v of %v", ran, cpu.Available())
	}
}

// Whoever leaves the arena by one byte faults, in reading as in writing.
func TestArena(t *testing.T) {
	for _, size := range []int{1, 4096, 4097, 100000} {
		a := NewArena(t, size)
		head, tail := Head[byte](a, size), Tail[byte](a, size)
		for _, s := range [][]byte{head, tail} {
			if len(s) != size || cap(s) != size {
				t.Fatalf("%d bytes with a capacity of %d instead of %d", len(s), cap(s), size)
			}
			s[0], s[size-1] = 1, 2
		}
		page := (len(a.all) - len(a.data)) / 2
		before, behind := &a.all[page-1], &a.all[page+len(a.data)]
		for name, at := range map[string]*byte{"before": before, "behind": behind} {
			if !faults(func() { sink = *at }) {
				t.Errorf("size %d: a read %s does not fault", size, name)
			}
			if !faults(func() { *at = 1 }) {
				t.Errorf("size %d: a write %s does not fault", size, name)
			}
		}
	}
}

var sink byte

func faults(f func()) (did bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { did = recover() != nil }()
	f()
	return false
}
