package rtc

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Limits bound what clients can make the server do. A zero field has its default.
type Limits struct {
	Connect      time.Duration // from the answer to ICE and DTLS being done; 10 s
	Disconnected time.Duration // silence after which a connection counts as disconnected; 5 s
	Failed       time.Duration // and from then until its session ends; 5 s
	Pending      int           // sessions that are not connected yet; 100
	Posts        rate.Limit    // new sessions a second and address, loopback excepted; 5
	Changes      rate.Limit    // PATCH, DELETE and PUT a second and address, loopback excepted; 50
	AudioPackets int           // a second and publisher; 500
	VideoPackets int           // a second and publisher; 2500
	Bitrate      int           // bit/s a publisher, both kinds together; 12e6
}

func (l *Limits) setDefaults() {
	setDefault(&l.Connect, 10*time.Second)
	setDefault(&l.Disconnected, 5*time.Second)
	setDefault(&l.Failed, 5*time.Second)
	setDefault(&l.Pending, 100)
	setDefault(&l.Posts, 5)
	setDefault(&l.Changes, 50)
	setDefault(&l.AudioPackets, 500)
	setDefault(&l.VideoPackets, 2500)
	setDefault(&l.Bitrate, 12_000_000)
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Sizes of request bodies and of what is in them.
const (
	maxOffer         = 32 << 10
	maxFragment      = 8 << 10
	maxRequest       = 64 << 10 // JSON
	maxSections      = 8        // m= lines of an offer
	maxLines         = 512
	maxFormats       = 64 // payload types, summed over the sections
	maxCandidates    = 30 // of a peer and ICE generation
	maxStreams       = 64 // SSRCs that one peer may send, RTP and RTCP
	maxSources       = 32 // SSRCs of sound that one publisher may use, one after the other
	maxAddresses     = 4096
	maxAnnounced     = 16
	streamBufferSize = 256 << 10
)

// reason says why something was refused; it is the label of a counter.
type reason int

const (
	rejectedRate reason = iota
	rejectedPending
	rejectedDraining
	rejectedOverload
	rejectedType
	rejectedSize
	rejectedMalformed
	rejectedUnacceptable
	rejectedNotFound
	rejectedPrecondition
	rejectedCandidate
	rejectedTimeout
	rejectedStray
	rejectedStream
	rejectedPacketRate
	rejectedBitrate
	rejectedPacket
	reasons
)

// String is the label's value.
func (r reason) String() string {
	return [reasons]string{
		"rate", "pending", "draining", "overload", "content_type", "size", "malformed", "unacceptable",
		"not_found", "precondition", "candidate", "connect_timeout", "stray_packet", "stream", "packet_rate", "bitrate",
		"malformed_packet",
	}[r]
}

// rejections counts refusals.
type rejections [reasons]atomic.Uint64

func (r *rejections) add(why reason) { r[why].Add(1) }

func (r *rejections) snapshot() map[string]uint64 {
	counts := make(map[string]uint64, reasons)
	for why := range reasons {
		counts[why.String()] = r[why].Load()
	}
	return counts
}

// addressLimiter limits the requests of each client address.
type addressLimiter struct {
	limit rate.Limit
	burst int

	mu    sync.Mutex
	byKey map[netip.Addr]*rate.Limiter
	other *rate.Limiter // shared by all for whom there is no place in the map
}

func newAddressLimiter(limit rate.Limit) *addressLimiter {
	burst := max(1, int(limit))
	return &addressLimiter{
		limit: limit, burst: burst,
		byKey: map[netip.Addr]*rate.Limiter{}, other: rate.NewLimiter(limit, burst),
	}
}

// allow tells whether a request of addr may go on.
func (l *addressLimiter) allow(addr netip.Addr, now time.Time) bool {
	if addr.IsLoopback() {
		return true
	}
	if addr.Is6() { // one customer has at least a /64
		prefix, _ := addr.Prefix(64)
		addr = prefix.Addr()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter := l.byKey[addr]
	if limiter == nil {
		if len(l.byKey) >= maxAddresses {
			l.forget(now)
		}
		if len(l.byKey) >= maxAddresses {
			return l.other.AllowN(now, 1)
		}
		limiter = rate.NewLimiter(l.limit, l.burst)
		l.byKey[addr] = limiter
	}
	return limiter.AllowN(now, 1)
}

// forget drops the addresses that have all their tokens, and so are as good as new.
func (l *addressLimiter) forget(now time.Time) {
	for addr, limiter := range l.byKey {
		if limiter.TokensAt(now) >= float64(l.burst) {
			delete(l.byKey, addr)
		}
	}
}

// bucket is a token bucket of one second for one goroutine.
type bucket struct {
	rate   float64 // tokens a second, also the most it holds
	tokens float64
	last   time.Duration // of any clock; 0: full
}

func newBucket(perSecond int) bucket {
	return bucket{rate: float64(perSecond), tokens: float64(perSecond)}
}

// take takes n tokens if there are so many.
func (b *bucket) take(n int, now time.Duration) bool {
	if b.last != 0 && now > b.last { // times of arrival may be out of order
		b.tokens = min(b.rate, b.tokens+b.rate*(now-b.last).Seconds())
	}
	b.last = max(b.last, now)
	if b.tokens < float64(n) {
		return false
	}
	b.tokens -= float64(n)
	return true
}
