package kerneltest

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"sectile/asm/cpu"
	"sectile/asm/internal/race"
)

// Access is what another goroutine does to memory while a kernel runs, and whether that
// is a data race.
type Access struct {
	name  string
	setup func() (kernel, other func())
	race  bool
}

// Accesses returns what there is to be known of one argument of a kernel, which it writes or
// only reads. setup returns a call of the kernel, some elements of the argument and some
// next to it; all in new memory each time, for the detector ignores where it once found a
// race.
func Accesses[T any](name string, written bool, setup func() (kernel func(), inside, outside []*T)) []Access {
	var accesses []Access
	add := func(what string, race bool, other func(inside, outside []*T)) {
		accesses = append(accesses, Access{name + "/" + what, func() (kernel, _ func()) {
			kernel, inside, outside := setup()
			return kernel, func() { other(inside, outside) }
		}, race})
	}
	add("read", written, func(inside, _ []*T) { read(inside) })
	add("read-outside", false, func(_, outside []*T) { read(outside) })
	add("write-outside", false, func(_, outside []*T) { write(outside) })
	_, inside, _ := setup()
	for i := range inside { // one at a time, for the first not to hide others
		add(fmt.Sprint("write-", i), true, func(inside, _ []*T) { write(inside[i : i+1]) })
	}
	return accesses
}

func read[T any](elements []*T) {
	for _, e := range elements {
		use(*e)
	}
}

func write[T any](elements []*T) {
	for _, e := range elements {
		var zero T
		*e = zero
	}
}

//go:noinline
func use[T any](T) {}

const racesVar = "SECTILE_TEST_RACES"

// Races fails the test if the race detector, which cannot see into assembly, overlooks a
// race with a kernel in assembly, or takes something for one that is none. The races happen
// in another process, where each is a subtest that fails. It skips the test without -race.
func Races(t *testing.T, accesses []Access) {
	t.Helper()
	if !race.Enabled {
		t.Skip("needs -race")
	}
	if os.Getenv(racesVar) != "" {
		Tiers(t, func(t *testing.T) {
			for _, a := range accesses {
				if cpu.Current() != cpu.Generic { // of which the compiler tells the detector
					t.Run(a.name, func(t *testing.T) { a.happen() })
				}
			}
		})
		return
	}

	// Its exit status says nothing: races make it fail.
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), racesVar+"=1", "GORACE=suppress_equal_stacks=0")
	out, _ := child.CombinedOutput()
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^ *--- (PASS|FAIL): (\S+) `).FindAllStringSubmatch(string(out), -1) {
		found[m[2]] = m[1] == "FAIL"
	}
	Tiers(t, func(t *testing.T) {
		if cpu.Current() == cpu.Generic {
			return
		}
		for _, a := range accesses {
			name := t.Name() + "/" + a.name
			if got, ran := found[name]; !ran {
				t.Errorf("%s did not run", name)
			} else if got != a.race {
				t.Errorf("%s: race reported: %v, want %v", name, got, a.race)
			}
		}
	})
	if t.Failed() && !strings.Contains(string(out), "DATA RACE") {
		t.Logf("%s", out)
	}
}

// happen lets the other goroutine and then the kernel do their work, with nothing that the
// detector knows to order them. It forgets the accesses of a goroutine that has ended.
func (a *Access) happen() {
	kernel, other := a.setup()
	did, release, done := false, make(chan bool), make(chan bool)
	go func() {
		other()
		set(&did)
		<-release
		close(done)
	}()
	await(&did)
	kernel()
	close(release)
	<-done
}

// set and await order two goroutines behind the back of the race detector.
//
//go:norace
//go:noinline
func set(flag *bool) { *flag = true }

//go:norace
//go:noinline
func await(flag *bool) {
	for !*flag {
		runtime.Gosched()
	}
}
