package target

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Metrics are the samples of a scrape in Prometheus's text format, by what stands before
// the value: `sectile_opus_decodes_total{kind="plc"}`.
type Metrics map[string]float64

// Scrape reads /metrics of a server.
func Scrape(ctx context.Context, server string) (Metrics, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("metrics: status %d", resp.StatusCode)
	}
	m := Metrics{}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		name, value, ok := cutLast(lines.Text(), " ")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		if m[name], err = strconv.ParseFloat(value, 64); err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	return m, lines.Err()
}

// Since returns the growth of every sample.
func (m Metrics) Since(before Metrics) Metrics {
	d := Metrics{}
	for name, v := range m {
		d[name] = v - before[name]
	}
	return d
}

// Quantile is the q-quantile of a histogram without labels, linear within a bucket; 0 if
// it is empty. In the last bucket it is that bucket's lower bound.
func (m Metrics) Quantile(name string, q float64) float64 {
	type bucket struct{ le, count float64 }
	var buckets []bucket
	for sample, count := range m {
		rest, ok := strings.CutPrefix(sample, name+`_bucket{le="`)
		if !ok {
			continue
		}
		le, err := strconv.ParseFloat(strings.TrimSuffix(rest, `"}`), 64)
		if err != nil {
			continue // with labels
		}
		buckets = append(buckets, bucket{le, count})
	}
	slices.SortFunc(buckets, func(a, b bucket) int {
		if a.le < b.le {
			return -1
		}
		return 1
	})
	if len(buckets) == 0 || buckets[len(buckets)-1].count == 0 {
		return 0
	}
	wanted, lower := q*buckets[len(buckets)-1].count, bucket{}
	for _, b := range buckets {
		if b.count >= wanted {
			if math.IsInf(b.le, 1) || b.count == lower.count {
				return lower.le
			}
			return lower.le + (b.le-lower.le)*(wanted-lower.count)/(b.count-lower.count)
		}
		lower = b
	}
	return lower.le
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
