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

const (
	// RequireVar names the environment variable that holds the tier without which Tiers
	// fails instead of testing fewer.
	RequireVar = "SECTILE_TEST_REQUIRE_CPU"

	// HighestVar names the environment variable that holds the tier which must be the
	// highest, where SECTILE_CPU or an emulator is said to have lowered it: Tiers fails if
	// they did not, or if it cannot run.
	HighestVar = "SECTILE_TEST_HIGHEST_CPU"
)

// Tiers runs f as a subtest once for each tier available. It fails if these are not what
// RequireVar and HighestVar ask for. f must not run in parallel.
func Tiers(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	check(t)
	for _, tier := range cpu.Available() {
		t.Run(tier.String(), func(t *testing.T) {
			defer cpu.Set(cpu.Set(tier))
			f(t)
		})
	}
}

// EachTier calls f once for each tier available, as Tiers does but without subtests, which
// a fuzz target cannot have.
func EachTier(f func(tier cpu.Tier)) {
	for _, tier := range cpu.Available() {
		func() {
			defer cpu.Set(cpu.Set(tier))
			f(tier)
		}()
	}
}

// check fails the test if the tiers available are not those asked for.
func check(t *testing.T) {
	t.Helper()
	// The cache of go test knows only variables read while a test runs; cpu read its one
	// before.
	os.Getenv(cpu.EnvVar)
	if err := cpu.EnvError(); err != nil {
		t.Fatal(err)
	}
	tiers := cpu.Available()
	if tier, ok := tierOf(t, RequireVar); ok && !slices.Contains(tiers, tier) {
		t.Fatalf("%s=%v, but only %v can run here", RequireVar, tier, tiers)
	}
	if tier, ok := tierOf(t, HighestVar); ok && tiers[len(tiers)-1] != tier {
		t.Fatalf("%s=%v, but what can run here is %v", HighestVar, tier, tiers)
	}
}

// tierOf returns the tier that an environment variable holds, if it is set.
func tierOf(t *testing.T, variable string) (tier cpu.Tier, ok bool) {
	t.Helper()
	name := os.Getenv(variable)
	if name == "" {
		return 0, false
	}
	tier, err := cpu.Parse(name)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return tier, true
}

// Bench runs f as a sub-benchmark impl=tier once for each tier available.
func Bench(b *testing.B, f func(b *testing.B)) {
	for _, tier := range cpu.Available() {
		b.Run("impl="+tier.String(), func(b *testing.B) {
			defer cpu.Set(cpu.Set(tier))
			f(b)
		})
	}
}

// Arena is memory between two pages that may be neither read nor written.
type Arena struct {
	all  []byte // with the pages around
	data []byte
}

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
	return &Arena{all: m, data: m[page : page+size]}
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
