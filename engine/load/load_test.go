package load

import (
	"math"
	"slices"
	"testing"
	"time"
)

// machine makes samples of a constant use of two cores.
type machine struct {
	Sample
}

// second lets a second go by.
func (m *machine) second(cpu float64, busy []float64, ticks, late uint64) Sample {
	m.At += time.Second
	m.Cores = 2
	m.CPU += time.Duration(cpu * float64(2*time.Second))
	for i, b := range busy {
		m.Worked[i] += time.Duration(b * float64(time.Second))
	}
	m.Ticks += ticks
	m.Late += late
	return m.Sample
}

// TestMeter: the load is the greatest of its parts, within seconds, and it goes again.
func TestMeter(t *testing.T) {
	for _, c := range []struct {
		name        string
		cpu         float64
		busy        []float64
		ticks, late uint64
		want        float64
	}{
		{"idle", 0, []float64{0, 0}, 0, 0, 0},
		{"CPU", 0.7, []float64{0.2, 0.1}, 500, 0, 0.7},
		{"one worker", 0.5, []float64{0.9, 0.1}, 500, 1, 0.9},
		{"late", 0.3, []float64{0.2, 0.2}, 1000, 40, 0.8},
		{"late, much", 0.3, []float64{0.2, 0.2}, 1000, 200, worst},
	} {
		var m Meter
		src := machine{Sample{At: time.Hour, CPU: time.Hour, Worked: make([]time.Duration, 2), Ticks: 1e6, Late: 5e5}}
		if got := m.Step(src.Sample); got != 0 {
			t.Fatalf("%s: load %v of one sample", c.name, got)
		}
		var got float64
		for n := range 20 {
			before := got
			if got = m.Step(src.second(c.cpu, c.busy, c.ticks, c.late)); n == 0 && got > c.want/2 || got < before {
				t.Errorf("%s: %.2f after %.2f in second %d", c.name, got, before, n)
			}
		}
		if math.Abs(got-c.want) > c.want/100 {
			t.Errorf("%s: load %.3f after 20 s, want %v", c.name, got, c.want)
		}
		if again := m.Step(src.Sample); again != got {
			t.Errorf("%s: load %.3f without any time, was %.3f", c.name, again, got)
		}
		for range 20 {
			got = m.Step(src.second(0, nil, 0, 0))
		}
		if got > 0.05 {
			t.Errorf("%s: load %.3f after 20 s of nothing", c.name, got)
		}
	}
}

// TestBadSecond: a second or two in which all ticks are late are no overload.
func TestBadSecond(t *testing.T) {
	var m Meter
	src := machine{Sample{Worked: make([]time.Duration, 2)}}
	m.Step(src.Sample)
	for second, over := range []bool{false, false, true} {
		if load := m.Step(src.second(0.5, nil, 20, 20)); (load >= 0.85) != over {
			t.Errorf("load %.2f after %d seconds in which all is late", load, second+1)
		}
	}
}

// TestLimit: what is over the limit stays so until the load is well below.
func TestLimit(t *testing.T) {
	l := Limit{Max: 0.8}
	loads := []float64{0, 0.79, 0.8, 0.75, 0.9, 0.73, 0.71, 0.79, 0.8}
	wants := []bool{false, false, true, true, true, true, false, false, true}
	before := false
	for i, load := range loads {
		if over, changed := l.Step(load); over != wants[i] || changed != (over != before) {
			t.Errorf("step %d, load %v: over %v, changed %v", i, load, over, changed)
		}
		before = wants[i]
	}
}

// TestShed: pictures are left out while the load is high, never all, and come back one by
// one. Even if they are all that costs, their number settles.
func TestShed(t *testing.T) {
	var s Shed
	var got []int
	for _, load := range []float64{0.5, 0.79, 0.8, 0.9, 2, 2, 0.39, 0.39, 0.39, 0.5, 0.5, 0.5, 0.61, 0.61, 0.61, 0.59, 0.59, 0.61, 0.59, 0.59, 0.59} {
		got = append(got, s.Step(load))
	}
	if want := []int{4, 4, 3, 2, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4}; !slices.Equal(got, want) {
		t.Errorf("made\n%v, want\n%v", got, want)
	}
	for _, all := range []float64{0.85, 1, 1.1, 1.5, 2.5} { // load of all pictures
		var s Shed
		var m Meter
		src := machine{Sample{Cores: 2}}
		made, changes, load := AllPictures, 0, m.Step(src.Sample)
		for second := range 120 {
			before := made
			load = m.Step(src.second(all*float64(made)/AllPictures, nil, 0, 0))
			if made = s.Step(load); made != before && second > 30 {
				changes++
			}
		}
		if changes > 0 || load >= shedAbove {
			t.Errorf("load %v: %d of %d pictures, load %.2f, %d changes after 30 s", all, made, AllPictures, load, changes)
		}
	}
}
