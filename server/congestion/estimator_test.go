package congestion

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

const ms = time.Millisecond

// path is a link of limited rate with a queue, and a receiver that reports every 100 ms.
type path struct {
	e      *Estimator
	now    time.Duration
	rate   float64 // bit/s
	queue  time.Duration
	loss   float64
	jitter time.Duration
	delay  time.Duration // each way
	random *rand.Rand

	free     time.Duration
	skew     time.Duration // of the receiver's clock
	flying   []flying
	reported time.Duration
	base     uint16
	waited   time.Duration // the longest, in the queue
	answers  []answer
	debt     float64 // bytes of the probe
}

type answer struct {
	at time.Duration
	fb *rtcp.TransportLayerCC
}

type flying struct {
	number uint16
	at     time.Duration // of arrival; 0: lost
}

// below is for how long the estimate is below what is sent.
func (p *path) below(d time.Duration, media float64) (below time.Duration) {
	for end := p.now + d; p.now < end; {
		p.run(100*ms, media, 0)
		if p.e.Rate() < int(media) {
			below += 100 * ms
		}
	}
	return below
}

// TestLongerWay: a way that becomes longer but not narrower, by another network for example, is
// not taken for a queue for long, and not at all by who tells.
func TestLongerWay(t *testing.T) {
	for _, delay := range []time.Duration{60, 110, 150, 250, 600} {
		for _, jitter := range []time.Duration{0, 30} {
			for _, told := range []bool{false, true} {
				p := newPath(10_000_000)
				p.jitter = jitter * ms
				p.run(6*time.Second, 1_500_000, 0)
				p.delay = delay * ms
				if told {
					p.e.Moved(p.now)
				}
				below := p.below(30*time.Second, 1_500_000)
				if below > 2*time.Second || told && below > 500*ms {
					t.Errorf("from 20 to %d ms, jitter %d ms, told %v: %v below what is sent", delay, jitter, told, below)
				}
			}
		}
	}
}

func newPath(rate float64) *path {
	return newPathOf(Config{3_000_000, 100_000, 30_000_000}, rate)
}

func newPathOf(c Config, rate float64) *path {
	return &path{e: NewEstimator(c), rate: rate, queue: 300 * ms, delay: 20 * ms,
		random: rand.New(rand.NewPCG(1, 2)), skew: 3 * time.Hour}
}

func (p *path) send(size int, probe bool) {
	f := flying{number: p.e.Sent(size, probe, p.now)}
	if wait := max(p.free-p.now, 0); wait <= p.queue {
		p.waited = max(p.waited, wait)
		p.free = p.now + wait + time.Duration(8*float64(size)/p.rate*float64(time.Second))
		if p.random.Float64() >= p.loss {
			f.at = p.free + p.delay
			if p.jitter > 0 {
				f.at += time.Duration(p.random.Int64N(int64(p.jitter)))
			}
		}
	}
	p.flying = append(p.flying, f)
}

// report sends what arrived since the last report.
func (p *path) report() {
	p.reported = p.now
	last := -1
	for i, f := range p.flying {
		if f.at > 0 && f.at <= p.now {
			last = i
		}
	}
	if last < 0 {
		return
	}
	reference := int64((p.now + p.skew) / (64 * ms))
	at := time.Duration(reference) * 64 * ms
	fb := &rtcp.TransportLayerCC{BaseSequenceNumber: p.flying[0].number, PacketStatusCount: uint16(last + 1), ReferenceTime: uint32(reference) & 0xffffff}
	for _, f := range p.flying[:last+1] {
		symbol := rtcp.TypeTCCPacketNotReceived
		if f.at > 0 && f.at <= p.now {
			symbol = rtcp.TypeTCCPacketReceivedLargeDelta
			fb.RecvDeltas = append(fb.RecvDeltas, &rtcp.RecvDelta{Type: symbol, Delta: (f.at + p.skew - at).Microseconds()})
			at = f.at + p.skew
		}
		fb.PacketChunks = append(fb.PacketChunks, &rtcp.RunLengthChunk{RunLength: 1, PacketStatusSymbol: symbol})
	}
	// The next report begins with the first that was overtaken, if any.
	done := slices.IndexFunc(p.flying[:last+1], func(f flying) bool { return f.at > p.now })
	if done < 0 {
		done = last + 1
	}
	p.flying = p.flying[done:]
	p.answers = append(p.answers, answer{p.now + p.delay, fb})
}

// run sends pictures of a rate, 25 a second, and probes for wanted.
func (p *path) run(d time.Duration, media, wanted float64) {
	for end := p.now + d; p.now < end; p.now += 5 * ms {
		for len(p.answers) > 0 && p.answers[0].at <= p.now {
			p.e.Feedback(p.answers[0].fb, p.now)
			p.answers = p.answers[1:]
		}
		probe := p.e.Probe(int(wanted), p.now)
		room := float64(probe) * 0.005 / 8
		if p.now%(40*ms) == 0 {
			for left := media / 25 / 8; left > 0; left -= 1160 {
				size := int(min(left, 1160))
				p.send(size, probe > 0)
				room -= float64(size)
			}
		}
		p.debt += room
		for p.debt > 0 && probe > 0 {
			p.send(1000, true)
			p.debt -= 1000
		}
		if probe == 0 {
			p.debt = 0
		}
		if p.now-p.reported >= 100*ms {
			p.report()
		}
	}
}

// TestThinLink: the estimate comes below the link's rate at once, whatever was sent, and
// stays near it.
func TestThinLink(t *testing.T) {
	for _, rate := range []float64{300_000, 600_000, 900_000, 1_300_000} {
		p := newPath(10_000_000)
		p.run(4*time.Second, 1_500_000, 0)
		if got := p.e.Rate(); got < 2_500_000 {
			t.Errorf("%d on a wide link", got)
		}
		p.rate = rate
		took := time.Duration(0)
		for float64(p.e.Rate()) > rate && took < 2*time.Second {
			p.run(20*ms, 1_500_000, 0)
			took += 20 * ms
		}
		if most := time.Second; took > most {
			t.Errorf("%.0f bit/s: noticed after %v", rate, took)
		}
		// Now so much is sent as is estimated.
		p.run(2*time.Second, 0.9*float64(p.e.Rate()), 0)
		p.waited = 0
		low, high := p.e.Rate(), p.e.Rate()
		for range 300 {
			p.run(100*ms, 0.9*float64(p.e.Rate()), 0)
			low, high = min(low, p.e.Rate()), max(high, p.e.Rate())
		}
		if float64(low) < 0.4*rate || float64(high) > 1.4*rate || p.waited > 250*ms {
			t.Errorf("%.0f bit/s: estimates from %d to %d, up to %v in the queue", rate, low, high, p.waited)
		}
	}
}

// TestHighRates: with bounds for it, what a wide link carries is estimated however much it is,
// from the begin and after the link was thin, and a thin one is found as fast.
func TestHighRates(t *testing.T) {
	for _, media := range []float64{8_000_000, 50_000_000, 100_000_000} {
		path := func(rate float64) *path { return newPathOf(Config{2 * int(media), 100_000, 3 * int(media)}, rate) }
		p := path(1_000_000_000)
		carried := func(what string, d time.Duration) {
			t.Helper()
			for end := p.now + d; p.now < end; p.run(20*ms, media, 0) {
				if got := p.e.Rate(); float64(got) < media {
					t.Errorf("%.0f bit/s, %s: %d at %v", media, what, got, p.now)
					return
				}
			}
		}
		carried("wide", 5*time.Second)
		p.rate = media / 4
		p.run(2*time.Second, media, 0)
		if got := float64(p.e.Rate()); got > p.rate {
			t.Errorf("%.0f bit/s, thin: %.0f", media, got)
		}
		p.rate = 1_000_000_000
		p.run(2*time.Second, media, 0)
		carried("wide again", 5*time.Second)

		p = path(media / 4)
		for float64(p.e.Rate()) > media*3/4 && p.now < 5*time.Second {
			p.run(20*ms, media, 0)
		}
		if p.now > time.Second {
			t.Errorf("%.0f bit/s: noticed after %v", media, p.now)
		}
	}
}

// TestProbes: while little is sent, probes show what more would arrive, and do no harm where
// nothing more does.
func TestProbes(t *testing.T) {
	p := newPath(600_000)
	p.run(3*time.Second, 1_500_000, 0)
	p.run(3*time.Second, 450_000, 1_700_000)
	p.waited = 0
	p.run(60*time.Second, 450_000, 1_700_000)
	if got := p.e.Rate(); got > 800_000 || got < 400_000 || p.waited > 200*ms {
		t.Errorf("thin: %d, up to %v in the queue", got, p.waited)
	}
	p.rate = 2_000_000
	took := time.Duration(0)
	for p.e.Rate() < 1_650_000 && took < time.Minute {
		p.run(100*ms, 450_000, 1_700_000)
		took += 100 * ms
	}
	if took > 20*time.Second {
		t.Errorf("wide again: %d after %v", p.e.Rate(), took)
	}
	if p.waited > 200*ms {
		t.Errorf("up to %v in the queue", p.waited)
	}
}

// TestLossyLink: random loss and jitter of a wide link are not taken for a narrow one.
func TestLossyLink(t *testing.T) {
	for _, test := range []struct {
		loss   float64
		jitter time.Duration
	}{{0.1, 0}, {0, 20 * ms}, {0.05, 10 * ms}} {
		p := newPath(5_000_000)
		p.loss, p.jitter = test.loss, test.jitter
		low := p.e.Rate()
		for range 1200 {
			p.run(100*ms, 1_500_000, 0)
			low = min(low, p.e.Rate())
		}
		if low < 1_500_000 {
			t.Errorf("%+v: as low as %d", test, low)
		}
	}
}

// TestStill: a stream of which little is sent keeps its estimate.
func TestStill(t *testing.T) {
	p := newPath(5_000_000)
	p.jitter = 30 * ms
	p.run(2*time.Second, 1_500_000, 0)
	p.run(time.Minute, 20_000, 0)
	if got := p.e.Rate(); got < 2_000_000 {
		t.Errorf("%d", got)
	}
}

// TestReportsOnly: a receiver that reports nothing of single packets is estimated by what it
// loses, or by what it says itself.
func TestReportsOnly(t *testing.T) {
	p := newPath(5_000_000)
	send := func(lost float64) {
		for range 25 {
			for range 6 {
				p.e.Sent(1250, false, p.now) // 1.5 Mbit/s
			}
			p.now += 40 * ms
		}
		p.e.Lost(lost, p.now)
	}
	for range 30 {
		send(0.1)
	}
	if got := p.e.Rate(); got < 2_500_000 {
		t.Errorf("10 %% lost: %d", got)
	}
	send(0.6)
	if got := p.e.Rate(); got < 500_000 || got > 620_000 {
		t.Errorf("60 %% lost of 1.5 Mbit/s: %d", got)
	}
	for range 10 {
		send(0)
	}
	if got := p.e.Rate(); got < 1_000_000 || got > 1_400_000 {
		t.Errorf("10 s later: %d", got)
	}
	p.e.Told(750_000)
	if got := p.e.Rate(); got != 750_000 {
		t.Errorf("told 750000: %d", got)
	}
	p.run(500*ms, 1_500_000, 0)
	before := p.e.Rate()
	p.e.Told(200_000)
	p.e.Lost(0.9, p.now)
	if got := p.e.Rate(); got != before {
		t.Errorf("%d became %d by reports, with feedback", before, got)
	}
}

// TestRTT: that the receiver collects what it reports does not count.
func TestRTT(t *testing.T) {
	p := newPath(10_000_000)
	if rtt := p.e.RTT(); rtt != 0 {
		t.Errorf("%v before any feedback", rtt)
	}
	p.run(2*time.Second, 1_000_000, 0)
	if rtt := p.e.RTT(); rtt < 2*p.delay || rtt > 2*p.delay+20*ms {
		t.Errorf("%v, the path has %v", rtt, 2*p.delay)
	}
}

// FuzzFeedback: no feedback does harm.
func FuzzFeedback(f *testing.F) {
	p := newPath(1_000_000)
	p.run(200*ms, 500_000, 0)
	for _, a := range p.answers {
		if data, err := a.fb.Marshal(); err == nil {
			f.Add(data)
		}
	}
	f.Add([]byte{0x8f, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 8, 0, 0, 1, 0, 0x20, 8, 1, 1, 1, 1, 1, 1, 1, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		p := newPath(1_000_000)
		p.run(time.Second, 500_000, 900_000)
		for len(data) >= 4 {
			fb := &rtcp.TransportLayerCC{}
			if fb.Unmarshal(data) != nil {
				break
			}
			p.e.Feedback(fb, p.now)
			p.now += 50 * ms
			data = data[min(len(data), 4*(int(fb.Header.Length)+1)):]
		}
		p.run(time.Second, 500_000, 900_000)
		if got := p.e.Rate(); got < 100_000 || got > 30_000_000 {
			t.Errorf("an estimate of %d", got)
		}
	})
}

// TestAllocs: neither sending nor feedback allocates.
func TestAllocs(t *testing.T) {
	p := newPath(5_000_000)
	p.run(time.Second, 1_500_000, 0)
	fb := &rtcp.TransportLayerCC{PacketStatusCount: 7, PacketChunks: []rtcp.PacketStatusChunk{&rtcp.RunLengthChunk{RunLength: 7, PacketStatusSymbol: rtcp.TypeTCCPacketReceivedSmallDelta}}}
	for range 7 {
		fb.RecvDeltas = append(fb.RecvDeltas, &rtcp.RecvDelta{Type: rtcp.TypeTCCPacketReceivedSmallDelta, Delta: 250})
	}
	if n := testing.AllocsPerRun(100, func() {
		for i := range 7 {
			number := p.e.Sent(1160, false, p.now)
			if i == 0 {
				fb.BaseSequenceNumber = number
			}
		}
		p.now += 40 * ms
		p.e.Feedback(fb, p.now)
		p.e.Probe(0, p.now)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestStandingQueue: every packet must be late, and again, and lateness is forgotten where
// nothing was faster for long.
func TestStandingQueue(t *testing.T) {
	var s standing
	now := time.Duration(0)
	feedback := func(took ...time.Duration) bool {
		now += 100 * ms
		for _, d := range took {
			s.add(now, now+d-time.Hour)
		}
		return s.step(now)
	}
	for i, test := range []struct {
		took []time.Duration
		want bool
	}{
		{[]time.Duration{20 * ms, 20 * ms, 30 * ms}, false},
		{[]time.Duration{200 * ms, 300 * ms, 30 * ms}, false},
		{[]time.Duration{200 * ms, 300 * ms, 330 * ms}, false},
		{[]time.Duration{25 * ms, 300 * ms, 330 * ms}, false},
		{[]time.Duration{200 * ms, 300 * ms, 330 * ms}, false},
		{[]time.Duration{400 * ms}, false},
		{[]time.Duration{200 * ms, 300 * ms, 130 * ms}, true},
		{nil, true},
		{[]time.Duration{20 * ms}, false},
	} {
		if got := feedback(test.took...); got != test.want {
			t.Errorf("feedback %d: %v", i, got)
		}
	}
	for range 250 {
		feedback(200*ms, 200*ms, 200*ms)
	}
	if feedback(200*ms, 200*ms, 200*ms) {
		t.Error("a longer way is taken for a queue for good")
	}
}

// TestCarried: what arrives without a queue that grows is the least of the estimate, however
// low it was.
func TestCarried(t *testing.T) {
	p := newPath(2_000_000)
	p.run(2*time.Second, 1_500_000, 0)
	p.rate = 1_000_000
	p.run(2*time.Second, 1_500_000, 0)
	if got := p.e.Rate(); got > 1_000_000 || !p.e.Queued() {
		t.Fatalf("on a link of 1 Mbit/s: %d, a queue stands: %v", got, p.e.Queued())
	}
	p.rate = 2_000_000
	p.run(2*time.Second, 1_500_000, 0)
	if got := p.e.Rate(); got < 1_400_000 || p.e.Queued() {
		t.Errorf("on a link that takes all that is sent: %d, a queue stands: %v", got, p.e.Queued())
	}
}
