package target

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
)

func TestScrape(t *testing.T) {
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n++
		fmt.Fprintf(w, "# HELP a Help.\n# TYPE a counter\na{kind=\"x y\"} %d\nb 1e-3\n"+
			"h_bucket{le=\"0.001\"} %d\nh_bucket{le=\"0.01\"} %d\nh_bucket{le=\"+Inf\"} %d\nh_sum 1\nh_count %d\n", 5*n, 50*n, 99*n, 100*n, 100*n)
	}))
	defer server.Close()
	before, err := Scrape(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	after, err := Scrape(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	m := after.Since(before)
	if m[`a{kind="x y"}`] != 5 || m["b"] != 0 {
		t.Errorf("growth: %v", m)
	}
	for _, test := range []struct{ q, want float64 }{
		{0.25, 0.0005}, {0.5, 0.001}, {0.99, 0.01}, {0.745, 0.0055}, {0.999, 0.01},
	} {
		if got := m.Quantile("h", test.q); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("quantile %v is %v, want %v", test.q, got, test.want)
		}
	}
	if got := m.Quantile("nothing", 0.5); got != 0 {
		t.Errorf("quantile of nothing: %v", got)
	}
}

func TestProcess(t *testing.T) {
	before, rss, err := Process(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if rss < 1<<20 {
		t.Errorf("resident memory of this test: %d bytes", rss)
	}
	after := before
	for x := 1.0; after == before; x = math.Sqrt(x + 1) {
		if after, _, err = Process(os.Getpid()); err != nil {
			t.Fatal(err)
		}
	}
	if after < before {
		t.Errorf("processor time went from %v to %v", before, after)
	}
	if _, _, err := Process(1 << 30); err == nil {
		t.Error("a process that is not there has been read")
	}
}
