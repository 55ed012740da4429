// Command kernels reads what the benchmarks of bench/peers print, of several runs one after
// another, and writes a Markdown table of every kernel beside its peers:
//
//	make bench-kernels
//
// Of each benchmark the fastest run counts: whatever else a machine does only adds.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// goal is how many times as fast as a peer a kernel is meant to be.
type goal struct {
	kernel *regexp.Regexp // of the benchmark's name without its implementation
	peer   string
	factor float64
}

var goals = []goal{
	{regexp.MustCompile(`^Sum `), "gcc", 1.5},
	{regexp.MustCompile(`^Sum `), "read", 1 / 1.3},
	{regexp.MustCompile(`^MixMinus `), "gcc", 1.5},
	{regexp.MustCompile(`^Scale .*-426x240`), "libyuv", 4},
	{regexp.MustCompile(`^Scale `), "libyuv", 1.1},
	{regexp.MustCompile(`^Copy `), "libyuv", 1},
}

// tiers are ours, slowest first; all else is a peer.
var tiers = []string{"generic", "avx2", "avx512", "neon"}

// kernel is a benchmark with the nanoseconds of its implementations.
type kernel struct {
	name  string
	times map[string]float64
	peers []string // in the order in which they ran
}

type results struct {
	cpu     string
	kernels []*kernel
}

var line = regexp.MustCompile(`^Benchmark(\w+)/impl=([\w-]+)/(\S+?)(?:-\d+)?\s+\d+\s+([\d.e+]+) ns/op`)

func parse(r io.Reader) (results, error) {
	var res results
	byName := map[string]*kernel{}
	in := bufio.NewScanner(r)
	for in.Scan() {
		if cpu, ok := strings.CutPrefix(in.Text(), "cpu: "); ok {
			res.cpu = strings.Join(strings.Fields(cpu), " ")
		}
		m := line.FindStringSubmatch(in.Text())
		if m == nil {
			continue
		}
		impl, name := m[2], m[1]+" "+m[3]
		t, err := strconv.ParseFloat(m[4], 64)
		if err != nil {
			return res, fmt.Errorf("%q: %w", in.Text(), err)
		}
		k := byName[name]
		if k == nil {
			k = &kernel{name: name, times: map[string]float64{}}
			byName[name] = k
			res.kernels = append(res.kernels, k)
		}
		before, again := k.times[impl]
		if !again && !isTier(impl) {
			k.peers = append(k.peers, impl)
		}
		if !again || t < before {
			k.times[impl] = t
		}
	}
	if err := in.Err(); err != nil {
		return res, err
	}
	if len(res.kernels) == 0 {
		return res, fmt.Errorf("no benchmark in the input")
	}
	return res, nil
}

func isTier(impl string) bool {
	for _, t := range tiers {
		if t == impl {
			return true
		}
	}
	return false
}

// best is the time of the highest tier that ran.
func (k *kernel) best() float64 {
	for i := len(tiers) - 1; i >= 0; i-- {
		if t, ok := k.times[tiers[i]]; ok {
			return t
		}
	}
	return 0
}

func goalOf(kernel, peer string) (float64, bool) {
	for _, g := range goals {
		if g.peer == peer && g.kernel.MatchString(kernel) {
			return g.factor, true
		}
	}
	return 0, false
}

func write(w io.Writer, res results) {
	var ran []string
	for _, t := range tiers {
		if _, ok := res.kernels[0].times[t]; ok {
			ran = append(ran, t)
		}
	}
	fmt.Fprintf(w, "%s; the fastest of all runs\n\n", res.cpu)
	fmt.Fprintf(w, "| kernel | %s | peer | its time | we are faster by | goal |\n", strings.Join(ran, " | "))
	fmt.Fprintf(w, "|---|%s\n", strings.Repeat("---:|", len(ran))+"---|---:|---:|---|")
	for _, k := range res.kernels {
		for i, p := range k.peers {
			name, own := k.name, ""
			for _, t := range ran {
				own += " " + duration(k.times[t])
				if generic := k.times["generic"]; t != "generic" && k.times[t] > 0 {
					own += fmt.Sprintf(" (%.0f×)", generic/k.times[t])
				}
				own += " |"
			}
			if i > 0 {
				name, own = "", strings.Repeat(" |", len(ran))
			}
			ratio, verdict := k.times[p]/k.best(), ""
			if g, ok := goalOf(k.name, p); ok {
				verdict = fmt.Sprintf("%.3g×", g)
				if ratio < g {
					verdict += " **missed**"
				}
			}
			fmt.Fprintf(w, "| %s |%s %s | %s | %.2f× | %s |\n", name, own, p, duration(k.times[p]), ratio, verdict)
		}
	}
}

func duration(ns float64) string {
	switch {
	case ns == 0:
		return ""
	case ns < 999.5:
		return fmt.Sprintf("%.3g ns", ns)
	case ns < 999.5e3:
		return fmt.Sprintf("%.3g µs", ns/1e3)
	}
	return fmt.Sprintf("%.3g ms", ns/1e6)
}

func main() {
	res, err := parse(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "kernels:", err)
		os.Exit(1)
	}
	write(os.Stdout, res)
}
