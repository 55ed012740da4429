package cpu

import (
	"slices"
	"strings"
	"testing"
)

func TestLower(t *testing.T) {
	for _, c := range []struct {
		arch     string
		hardware Tier
		env      string
		want     Tier
		bad      bool
	}{
		{"amd64", AVX512, "", AVX512, false},
		{"amd64", AVX512, "avx512", AVX512, false},
		{"amd64", AVX512, "avx2", AVX2, false},
		{"amd64", AVX512, "generic", Generic, false},
		{"amd64", AVX2, "avx512", AVX2, false}, // never raised
		{"amd64", Generic, "avx2", Generic, false},
		{"amd64", AVX2, "AVX2", AVX2, true},
		{"amd64", AVX512, "sse2", AVX512, true},
		{"amd64", Generic, " ", Generic, true},
		{"amd64", AVX512, "neon", AVX512, true}, // of another architecture
		{"arm64", NEON, "", NEON, false},
		{"arm64", NEON, "neon", NEON, false},
		{"arm64", NEON, "generic", Generic, false},
		{"arm64", Generic, "neon", Generic, false},
		{"arm64", NEON, "avx2", NEON, true},
		{"riscv64", Generic, "", Generic, false},
		{"riscv64", Generic, "neon", Generic, true},
	} {
		got, err := lower(tiersOf(c.arch), c.hardware, c.env)
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("%s: lower(%v, %q) = %v, %v", c.arch, c.hardware, c.env, got, err)
		}
		if err != nil && !strings.Contains(err.Error(), EnvVar) {
			t.Errorf("%s: lower(%v, %q): error %q does not name the variable", c.arch, c.hardware, c.env, err)
		}
	}
}

func TestParseString(t *testing.T) {
	for _, tier := range []Tier{Generic, AVX2, AVX512, NEON} {
		if got, err := Parse(tier.String()); got != tier || err != nil {
			t.Errorf("Parse(%q) = %v, %v", tier.String(), got, err)
		}
	}
}

func TestSet(t *testing.T) {
	start := Current()
	defer Set(start)
	tiers := Available()
	if tiers[0] != Generic || tiers[len(tiers)-1] != start || !slices.IsSorted(tiers) {
		t.Fatalf("Available() = %v, at start %v", tiers, start)
	}
	for _, tier := range tiers {
		before := Current()
		if got := Set(tier); got != before {
			t.Errorf("Set(%v) returned %v instead of %v", tier, got, before)
		}
		if Current() != tier {
			t.Errorf("after Set(%v): %v", tier, Current())
		}
	}
	for tier := range NEON + 2 {
		if !slices.Contains(tiers, tier) {
			mustPanic(t, func() { Set(tier) })
		}
	}
}

func mustPanic(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("Set of a tier that is not available did not panic")
		}
	}()
	f()
}
