package api

import (
	"net/netip"
	"sync"
	"time"
)

// An address may have so many failures in any span of one window.
const (
	maxFailures = 10
	window      = time.Minute
	maxTracked  = 4096 // addresses
)

// throttle counts failures by address. The zero throttle is ready.
type throttle struct {
	mu     sync.Mutex
	byAddr map[netip.Addr]*failures
}

// failures are the times of the last ones, as a ring: at[next] is the oldest.
type failures struct {
	at   [maxFailures]time.Time
	next int
}

func (f *failures) latest() time.Time { return f.at[(f.next+maxFailures-1)%maxFailures] }

// check returns how long addr is still shut out, 0 when it is not; then it counts the
// failure, if this is one. Looking and counting are one step, so that requests at the
// same time gain nothing. An IPv6 customer has a /64 of addresses, which count as one.
func (t *throttle) check(addr netip.Addr, failed bool, now time.Time) (wait time.Duration) {
	if addr.Is6() {
		prefix, _ := addr.Prefix(64)
		addr = prefix.Addr()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.byAddr[addr]
	if f != nil {
		if oldest := f.at[f.next]; !oldest.IsZero() && now.Sub(oldest) < window {
			return window - now.Sub(oldest)
		}
	}
	if !failed {
		return 0
	}
	if f == nil {
		f = t.add(addr, now)
	}
	f.at[f.next] = now
	f.next = (f.next + 1) % maxFailures
	return 0
}

// add makes room for addr. When all places are taken by recent failures, one of them is
// lost: whoever has so many addresses is not held up by counting them.
func (t *throttle) add(addr netip.Addr, now time.Time) *failures {
	if len(t.byAddr) >= maxTracked {
		for old, f := range t.byAddr {
			if now.Sub(f.latest()) >= window {
				delete(t.byAddr, old)
			}
		}
	}
	if len(t.byAddr) >= maxTracked {
		for old := range t.byAddr {
			delete(t.byAddr, old)
			break
		}
	}
	if t.byAddr == nil {
		t.byAddr = map[netip.Addr]*failures{}
	}
	f := &failures{}
	t.byAddr[addr] = f
	return f
}
