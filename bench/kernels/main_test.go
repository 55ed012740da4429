package main

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	const in = `goos: linux
cpu: Some  CPU
BenchmarkSum/impl=generic/inputs=3-2  10  4000 ns/op  1 MB/s
BenchmarkSum/impl=avx2/inputs=3-2     10  100 ns/op   1 MB/s
BenchmarkSum/impl=gcc/inputs=3-2      10  260 ns/op   1 MB/s
PASS
BenchmarkSum/impl=avx2/inputs=3-2     10  200 ns/op   1 MB/s
BenchmarkSum/impl=gcc/inputs=3-2      10  140 ns/op   1 MB/s
`
	res, err := parse(strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	write(&out, res)
	const row = "| Sum inputs=3 | 4 µs | 100 ns (40×) | gcc | 140 ns | 1.40× | 1.5× **missed** |\n"
	if !strings.HasSuffix(out.String(), row) || !strings.HasPrefix(out.String(), "Some CPU;") {
		t.Errorf("%s\ndoes not end with\n%s", out.String(), row)
	}
	if _, err := parse(strings.NewReader("PASS\n")); err == nil {
		t.Error("no error without benchmarks")
	}
}
