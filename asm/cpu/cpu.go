// Package cpu chooses, once at program start, which kernels of the packages beside it run.
//
// There are tiers instead of single CPU features, so that what a machine runs is one of a
// few combinations, all of them tested.
package cpu

import (
	"fmt"
	"os"
	"runtime"
	"slices"
)

// Tier is a set of CPU features. A higher tier includes all lower ones of its architecture;
// AVX2 and AVX512 are those of amd64, NEON that of arm64.
type Tier uint8

const (
	Generic Tier = iota // portable Go, no assembly
	AVX2                // AVX2 and BMI2
	AVX512              // the F, BW, VL and DQ parts of AVX-512; where a package has no such kernel, that of AVX2 runs
	NEON                // Advanced SIMD, which every arm64 has
)

// EnvVar names the environment variable that lowers the tier: generic, avx2 or avx512 on
// amd64, generic or neon on arm64. It never raises it.
const EnvVar = "SECTILE_CPU"

var (
	ladder       = tiersOf(runtime.GOARCH)
	best, envErr = lower(ladder, detect(), os.Getenv(EnvVar))
	current      = best
)

// tiersOf returns the tiers of an architecture, lowest first. That a build or a machine has
// fewer is for detect to say.
func tiersOf(arch string) []Tier {
	switch arch {
	case "amd64":
		return []Tier{Generic, AVX2, AVX512}
	case "arm64":
		return []Tier{Generic, NEON}
	}
	return []Tier{Generic}
}

// lower returns the lower of hardware and the tier named by env, which may be empty. Both
// are of the tiers of one architecture.
func lower(tiers []Tier, hardware Tier, env string) (Tier, error) {
	if env == "" {
		return hardware, nil
	}
	t, err := Parse(env)
	if err == nil && !slices.Contains(tiers, t) {
		err = fmt.Errorf("cpu: %v is no tier of this architecture (want one of %v)", t, tiers)
	}
	if err != nil {
		return hardware, fmt.Errorf("%s: %w", EnvVar, err)
	}
	return min(hardware, t), nil
}

// Parse returns the tier with the given name, as String writes it.
func Parse(name string) (Tier, error) {
	for t := Generic; t <= NEON; t++ {
		if t.String() == name {
			return t, nil
		}
	}
	return Generic, fmt.Errorf("cpu: unknown tier %q (want generic, avx2, avx512 or neon)", name)
}

// String returns "generic", "avx2", "avx512" or "neon".
func (t Tier) String() string {
	switch t {
	case Generic:
		return "generic"
	case AVX2:
		return "avx2"
	case AVX512:
		return "avx512"
	case NEON:
		return "neon"
	}
	return fmt.Sprintf("Tier(%d)", uint8(t))
}

// Current returns the tier that kernels run with: the highest that the CPU, the operating
// system and the build have and EnvVar allows.
func Current() Tier { return current }

// EnvError returns an error if EnvVar names no tier. Its value was ignored then; a program
// should refuse to start rather than run other kernels than its operator asked for.
func EnvError() error { return envErr }

// Available returns all tiers that this process can run, Generic first and that of program
// start last.
func Available() []Tier {
	var ts []Tier
	for _, t := range ladder {
		if t <= best {
			ts = append(ts, t)
		}
	}
	return ts
}

// Set makes t the tier of all kernels in the process and returns the one before. It is for
// tests and benchmarks, which run every tier; they call it while no kernel runs in any
// goroutine, for it is not synchronised, and restore the tier afterwards. It panics unless
// t is in Available.
func Set(t Tier) (before Tier) {
	if !slices.Contains(ladder, t) || t > best {
		panic(fmt.Sprintf("cpu: tier %v set where %v is the highest", t, best))
	}
	before, current = current, t
	return before
}
