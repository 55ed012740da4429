// Package cpu chooses, once at program start, which kernels of the packages beside it run.
//
// There are tiers instead of single CPU features, so that what a machine runs is one of a
// few combinations, all of them tested.
package cpu

import (
	"fmt"
	"os"
)

// Tier is a set of CPU features. A higher tier includes all lower ones of its architecture.
type Tier uint8

const (
	Generic Tier = iota // portable Go, no assembly
	AVX2                // AVX2 and BMI2
	AVX512              // the F, BW, VL and DQ parts of AVX-512; where a package has no such kernel, that of AVX2 runs
)

// EnvVar names the environment variable that lowers the tier: generic, avx2 or avx512.
// It never raises it.
const EnvVar = "SECTILE_CPU"

var (
	best, envErr = lower(detect(), os.Getenv(EnvVar))
	current      = best
)

// lower returns the lower of hardware and the tier named by env, which may be empty.
func lower(hardware Tier, env string) (Tier, error) {
	if env == "" {
		return hardware, nil
	}
	t, err := Parse(env)
	if err != nil {
		return hardware, fmt.Errorf("%s: %w", EnvVar, err)
	}
	return min(hardware, t), nil
}

// Parse returns the tier with the given name, as String writes it.
func Parse(name string) (Tier, error) {
	for t := Generic; t <= AVX512; t++ {
		if t.String() == name {
			return t, nil
		}
	}
	return Generic, fmt.Errorf("cpu: unknown tier %q (want generic, avx2 or avx512)", name)
}

// String returns "generic", "avx2" or "avx512".
func (t Tier) String() string {
	switch t {
	case Generic:
		return "generic"
	case AVX2:
		return "avx2"
	case AVX512:
		return "avx512"
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
	for t := Generic; t <= best; t++ {
		ts = append(ts, t)
	}
	return ts
}

// Set makes t the tier of all kernels in the process and returns the one before. It is for
// tests and benchmarks, which run every tier; they call it while no kernel runs in any
// goroutine, for it is not synchronised, and restore the tier afterwards. It panics unless
// t is in Available.
func Set(t Tier) (before Tier) {
	if t > best {
		panic(fmt.Sprintf("cpu: tier %v set where %v is the highest", t, best))
	}
	before, current = current, t
	return before
}
