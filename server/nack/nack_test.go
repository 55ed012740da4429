package nack

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

const ms = time.Millisecond

// TestLosses: a lost packet is asked for at once, again after a while, and no more once it
// came.
func TestLosses(t *testing.T) {
	var l Losses
	now := time.Duration(0)
	for _, test := range []struct {
		sequence uint16
		after    time.Duration
		want     []uint16
	}{
		{65533, 0, nil},
		{65534, 0, nil},
		{1, 0, []uint16{65535, 0}},
		{2, 10 * ms, nil},
		{65535, 10 * ms, nil},
		{3, 30 * ms, []uint16{0}},
		{6, 10 * ms, []uint16{4, 5}},
		{0, 10 * ms, nil},
		{0, 0, nil}, // twice
		{7, 40 * ms, []uint16{4, 5}},
		{2000, 10 * ms, nil}, // far too many
		{2002, 10 * ms, []uint16{2001}},
		{100, 10 * ms, nil}, // another stream
		{102, 10 * ms, []uint16{101}},
	} {
		now += test.after
		if got := l.Add(test.sequence, false, now); !slices.Equal(got, test.want) {
			t.Errorf("after %d: asks for %v, want %v", test.sequence, got, test.want)
		}
	}
	asked := 1
	for n := range uint16(100) {
		now += 2 * again
		asked += len(l.Add(103+n, false, now))
	}
	if asked != most {
		t.Errorf("one packet is asked for %d times", asked)
	}
}

// TestRTT: the time between two requests follows the round trip, whatever comes by chance.
func TestRTT(t *testing.T) {
	var l Losses
	next, now := uint16(0), time.Duration(0)
	lose := func(after time.Duration) {
		l.Add(next, false, now)
		l.Add(next+2, false, now)
		now += after
		l.Add(next+1, true, now)
		next += 3
	}
	lose(60 * ms)
	if l.RTT() != 60*ms {
		t.Errorf("a round trip of 60 ms is taken for %v", l.RTT())
	}
	for i := range 3 * samples {
		switch i % samples {
		case 1, 2:
			lose(3 * ms) // that of a probe
		case 4:
			lose(135 * ms) // asked for twice
		default:
			lose(60 * ms)
		}
	}
	if l.RTT() != 60*ms {
		t.Errorf("a round trip of 60 ms is taken for %v", l.RTT())
	}
	l.Add(next, false, now)
	l.Add(next+2, false, now)
	if ask := l.Due(now + 75*ms - 1); len(ask) != 0 {
		t.Errorf("%v asked for again too early", ask)
	}
	if ask := l.Due(now + 75*ms); !slices.Equal(ask, []uint16{next + 1}) {
		t.Errorf("%v asked for again", ask)
	}
	l.Add(next+1, false, now+90*ms)
	if l.Missing() || l.RTT() != 60*ms {
		t.Errorf("a late packet is missing, or made the round trip %v", l.RTT())
	}
}

// TestLossyPath: over a path that loses a tenth each way, to a sender that sends nothing again
// within the round trip that it knows, few packets are missing for long.
func TestLossyPath(t *testing.T) {
	const delay, packets = 30 * ms, 50_000
	random := rand.New(rand.NewPCG(1, 2))
	lost := func() bool { return random.IntN(10) == 0 }
	var l Losses
	type event struct {
		at       time.Duration
		sequence uint16
	}
	var requests, answers []event // on their way, in order
	resent := map[uint16]time.Duration{}
	missing := map[uint16]time.Duration{} // since when
	slow, all := 0, 0
	ask := func(sequences []uint16, now time.Duration) {
		if len(sequences) == 0 || lost() {
			return
		}
		for _, s := range sequences {
			requests = append(requests, event{now + delay, s})
		}
	}
	sent := 0
	for now := time.Duration(0); sent < packets; now += ms {
		for ; len(requests) > 0 && requests[0].at <= now; requests = requests[1:] {
			s := requests[0].sequence
			if last, ok := resent[s]; ok && now-last < 2*delay+10*ms {
				continue
			}
			if resent[s] = now; !lost() {
				answers = append(answers, event{now + delay, s})
			}
		}
		for ; len(answers) > 0 && answers[0].at <= now; answers = answers[1:] {
			s := answers[0].sequence
			if since, ok := missing[s]; ok {
				if delete(missing, s); now-since > 260*ms {
					slow++
				}
			}
			ask(l.Add(s, true, now), now)
		}
		if now%(40*ms) == 0 { // a picture
			for range 3 {
				sent++
				sequence := uint16(sent)
				if delete(resent, sequence); lost() {
					missing[sequence] = now
					all++
					continue
				}
				ask(l.Add(sequence, false, now), now)
			}
		}
		if now%step == 0 {
			ask(l.Due(now), now)
		}
	}
	// Three requests: 0.19³ of them, and some that it was late noticed of.
	if share := float64(slow) / float64(all); share > 0.015 || len(missing) > 20 {
		t.Errorf("%.1f %% of %d lost packets were missing for more than 260 ms, %d are yet", 100*share, all, len(missing))
	}
}

// TestAllocs: what comes in order allocates nothing.
func TestAllocs(t *testing.T) {
	var l Losses
	n := uint16(0)
	if allocs := testing.AllocsPerRun(1000, func() {
		l.Add(n, false, 0)
		n++
	}); allocs != 0 {
		t.Errorf("%v allocations a packet", allocs)
	}
}

// FuzzLosses: whatever comes, no packet is asked for that came, and none too often.
func FuzzLosses(f *testing.F) {
	f.Add([]byte{1, 2, 5, 3, 4, 200, 6, 0, 1, 1})
	f.Fuzz(func(t *testing.T, steps []byte) {
		var l Losses
		sequence, now := uint16(65000), time.Duration(0)
		for _, step := range steps {
			sequence += uint16(int8(step))
			now += 7 * ms
			for _, ask := range l.Add(sequence, step%2 == 0, now) {
				if ask == sequence || int16(ask-l.highest) >= 0 {
					t.Fatalf("asks for %d after %d", ask, sequence)
				}
			}
			if len(l.missing) > window {
				t.Fatalf("%d are missing", len(l.missing))
			}
		}
	})
}
