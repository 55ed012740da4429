package cpu

import (
	"slices"
	"strings"
	"testing"
)

func TestLower(t *testing.T) {
	for _, c := range []struct {
		hardware Tier
		env      string
		want     Tier
		bad      bool
	}{
		{AVX512, "", AVX512, false},
		{AVX512, "avx512", AVX512, false},
		{AVX512, "avx2", AVX2, false},
		{AVX512, "generic", Generic, false},
		{AVX2, "avx512", AVX2, false}, // never raised
		{Generic, "avx2", Generic, false},
		{AVX2, "AVX2", AVX2, true},
		{AVX512, "sse2", AVX512, true},
		{Generic, " ", Generic, true},
	} {
		got, err := lower(c.hardware, c.env)
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("lower(%v, %q) = %v, %v", c.hardware, c.env, got, err)
		}
		if err != nil && !strings.Contains(err.Error(), EnvVar) {
			t.Errorf("lower(%v, %q): error %q does not name the variable", c.hardware, c.env, err)
		}
	}
}

func TestParseString(t *testing.T) {
	for _, tier := range []Tier{Generic, AVX2, AVX512} {
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
	defer func() {
		if recover() == nil {
			t.Error("Set above the highest tier did not panic")
		}
	}()
	Set(start + 1)
}
