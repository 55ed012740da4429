// Package kerneltest is what the tests of all kernel packages share: loops over the CPU
// tiers, and memory that faults when a kernel leaves its row.
package kerneltest

import (
	"os"
	"slices"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"sectile/asm/cpu"
)

// RequireVar names the environment variable that holds the tier without which Tiers fails
// instead of testing fewer.
const RequireVar = "SECTILE_TEST_REQUIRE_CPU"

// Tiers runs f as a subtest once for each tier available. It fails if the one named by
// RequireVar is not among them. f must not run in parallel.
func Tiers(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	// The cache of go test knows only variables read while a test runs; cpu read its one
	// before.
	os.Getenv(cpu.EnvVar)
	if err := cpu.EnvError(); err != nil {
		t.Fatal(err)
	}
	if name := os.Getenv(RequireVar); name != "" {
		tier, err := cpu.Parse(name)
		if err != nil {
			t.Fatalf("%s: %v", RequireVar, err)
		}
		if !slices.Contains(cpu.Available(), tier) {
			t.Fatalf("%s=%s, but only %v can run here", RequireVar, name, cpu.Available())
		}
	}
	for _, tier := range cpu.Available() {
		t.Run(tier.String(), func(t *testing.T) {
			defer cpu.Set(cpu.Set(tier))
			f(t)
		})
	}
}

// Bench runs f as a sub-benchmark impl=generic and once more for each other tier available
// that has kernels of its own.
func Bench(b *testing.B, f func(b *testing.B)) {
	for _, tier := range []cpu.Tier{cpu.Generic, cpu.AVX2} {
		if slices.Contains(cpu.Available(), tier) {
			b.Run("impl="+tier.String(), func(b *testing.B) {
				defer cpu.Set(cpu.Set(tier))
				f(b)
			})
		}
	}
}

// Arena is memory between two pages that may be neither read nor written.
type Arena struct{ data []byte }

// NewArena maps an arena of at least size bytes; the test's end unmaps it.
func NewArena(t testing.TB, size int) *Arena {
	t.Helper()
	page := os.Getpagesize()
	size = max(page, (size+page-1)/page*page)
	m, err := unix.Mmap(-1, 0, size+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatalf("mmap: %v", err)
	}
	t.Cleanup(func() { unix.Munmap(m) })
	for _, guard := range [][]byte{m[:page], m[page+size:]} {
		if err := unix.Mprotect(guard, unix.PROT_NONE); err != nil {
			t.Fatalf("mprotect: %v", err)
		}
	}
	return &Arena{m[page : page+size]}
}

// Head returns the first n elements of the arena: before them lies the guard page.
func Head[T any](a *Arena, n int) []T {
	var e T
	return unsafe.Slice((*T)(unsafe.Pointer(&a.data[0])), len(a.data)/int(unsafe.Sizeof(e)))[:n:n]
}

// Tail returns the last n elements of the arena: after them lies the guard page.
func Tail[T any](a *Arena, n int) []T {
	var e T
	s := unsafe.Slice((*T)(unsafe.Pointer(&a.data[0])), len(a.data)/int(unsafe.Sizeof(e)))
	return s[len(s)-n:]
}
