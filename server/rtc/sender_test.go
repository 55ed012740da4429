package rtc

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
)

// wire is the way to a player: a link of limited rate, and reports on each packet. It is
// what pion has below an interceptor.
type wire struct {
	mu       sync.Mutex
	start    time.Time
	rate     int // bit/s; 0: nothing is reported
	free     time.Duration
	longest  time.Duration // in the queue
	headers  []rtp.Header
	at       []time.Duration // when they were written
	payloads [][]byte
	arrivals []wireArrival
}

type wireArrival struct {
	number uint16
	at     time.Duration
}

const (
	testSSRC, testRTX = 11, 12
	testExtension     = 3
)

// Write implements interceptor.RTPWriter.
func (w *wire) Write(h *rtp.Header, payload []byte, _ interceptor.Attributes) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Since(w.start)
	w.headers = append(w.headers, *h)
	w.at = append(w.at, now)
	w.payloads = append(w.payloads, append([]byte(nil), payload...))
	if w.rate == 0 {
		return len(payload), nil
	}
	w.free = max(w.free, now)
	w.longest = max(w.longest, w.free-now)
	w.free += time.Duration(8*(len(payload)+40)) * time.Second / time.Duration(w.rate)
	w.arrivals = append(w.arrivals, wireArrival{binary.BigEndian.Uint16(h.GetExtension(testExtension)), w.free})
	return len(payload), nil
}

// report is what the player reports by now.
func (w *wire) report() *rtcp.TransportLayerCC {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Since(w.start)
	n := 0
	for n < len(w.arrivals) && w.arrivals[n].at <= now {
		n++
	}
	if n == 0 {
		return nil
	}
	at := w.arrivals[0].at / (64 * time.Millisecond)
	fb := &rtcp.TransportLayerCC{BaseSequenceNumber: w.arrivals[0].number, PacketStatusCount: uint16(n), ReferenceTime: uint32(at)}
	at *= 64 * time.Millisecond
	for _, a := range w.arrivals[:n] {
		fb.RecvDeltas = append(fb.RecvDeltas, &rtcp.RecvDelta{Type: rtcp.TypeTCCPacketReceivedLargeDelta, Delta: (a.at - at).Microseconds()})
		at = a.at
	}
	fb.PacketChunks = []rtcp.PacketStatusChunk{&rtcp.RunLengthChunk{RunLength: uint16(n), PacketStatusSymbol: rtcp.TypeTCCPacketReceivedLargeDelta}}
	w.arrivals = w.arrivals[n:]
	return fb
}

// sending is a track of such a bitrate that is sent through a sender over a wire.
func sending(p *pacer, w *wire, bitrate int) (*pacedTrack, *sender) {
	w.start = time.Now()
	s := newSender(clock(), &p.buffers, new(atomic.Uint64), bitrate)
	t := newTrack(video, "s")
	t.header.SSRC, t.header.PayloadType = testSSRC, 100
	below := s.BindLocalStream(&interceptor.StreamInfo{
		SSRC: testSSRC, PayloadType: 100, SSRCRetransmission: testRTX, PayloadTypeRetransmission: 101, MimeType: "video/H264",
		RTPHeaderExtensions: []interceptor.RTPHeaderExtension{{URI: sdp.TransportCCURI, ID: testExtension}},
	}, w)
	t.writer = localWriter{below}
	return &pacedTrack{pacer: p, track: t, out: s, count: func(int, int) {}}, s
}

// localWriter is a webrtc.TrackLocalWriter on what an interceptor made.
type localWriter struct{ interceptor.RTPWriter }

func (w localWriter) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	return w.RTPWriter.Write(h, payload, nil)
}
func (w localWriter) Write([]byte) (int, error) { return 0, nil }

// picture is one of n packets.
func picture(n int) [][]byte {
	payloads := make([][]byte, n)
	for i := range payloads {
		payloads[i] = make([]byte, 1160)
		payloads[i][0] = byte(i)
	}
	return payloads
}

// TestProbing: while the half picture is played, the link is probed by what was sent before,
// up to what the full one needs and not beyond, and without a queue.
func TestProbing(t *testing.T) {
	for name, test := range map[string]struct{ rate, packets, wanted, least, most int }{
		"wide":      {3_000_000, 2, 1_875_000, 1_700_000, 2_800_000},
		"thin":      {700_000, 2, 1_875_000, 450_000, 1_000_000},
		"very wide": {200_000_000, 60, 45_000_000, 40_000_000, 60_000_000},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var wg sync.WaitGroup
				w := &wire{rate: test.rate}
				out, s := sending(newPacer(wg.Go), w, test.wanted*8/9)
				s.estimator.Told(test.packets * 250_000)
				for n := range 10 * 25 {
					out.write(picture(test.packets), uint32(n)*3600, n == 0)
					for range 2 {
						time.Sleep(20 * time.Millisecond)
						if fb := w.report(); fb != nil {
							s.feedback(fb)
							if s.try(test.wanted) {
								out.wake()
							}
						}
					}
				}
				s.try(0)
				wg.Wait()
				if rate, probes := s.bandwidth(); !probes || rate < test.least || rate > test.most {
					t.Errorf("%d after 10 s, probes %v", rate, probes)
				}
				if w.longest > 200*time.Millisecond {
					t.Errorf("%v in the queue", w.longest)
				}
				sent := map[uint16]byte{}
				probes := 0
				for i, h := range w.headers {
					switch h.SSRC {
					case testSSRC:
						sent[h.SequenceNumber] = w.payloads[i][0]
					case testRTX:
						probes++
						body, ok := sent[binary.BigEndian.Uint16(w.payloads[i])]
						if !ok || h.PayloadType != 101 || len(w.payloads[i]) != 1162 || w.payloads[i][2] != body {
							t.Fatalf("probe %d is no packet that was sent: %+v", probes, h)
						}
					}
				}
				if probes < 20 {
					t.Errorf("%d packets of probes", probes)
				}
			})
		})
	}
}

// TestResending: a packet is sent again once a round trip, and not if a keyframe came after
// it; and all of it keeps to a share of the estimate.
func TestResending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var wg sync.WaitGroup
		w := &wire{}
		out, s := sending(newPacer(wg.Go), w, 0)
		out.write(picture(4), 0, true)
		first := w.headers[0].SequenceNumber
		time.Sleep(time.Second)
		ask := func(sequences ...uint16) (again []uint16) {
			before := len(w.headers)
			s.nack(&rtcp.TransportLayerNack{MediaSSRC: testSSRC, Nacks: rtcp.NackPairsFromSequenceNumbers(sequences)})
			for i, h := range w.headers[before:] {
				if h.SSRC != testRTX || h.Timestamp == 0 {
					t.Errorf("sent again as %+v", h)
				}
				again = append(again, binary.BigEndian.Uint16(w.payloads[before+i]))
			}
			return again
		}
		if again := ask(first+1, first+3, first+9); len(again) != 2 || again[0] != first+1 || again[1] != first+3 {
			t.Errorf("asked for two packets, got %v", again)
		}
		time.Sleep(10 * time.Millisecond)
		if again := ask(first+1, first+2); len(again) != 1 || again[0] != first+2 {
			t.Errorf("asked for one that is on its way and another one, got %v", again)
		}
		time.Sleep(50 * time.Millisecond)
		if again := ask(first + 1); len(again) != 1 {
			t.Errorf("asked for one that was lost again, got %v", again)
		}
		out.write(picture(4), 3600, true)
		time.Sleep(time.Second)
		if n := s.resent.Load(); n != 4 {
			t.Errorf("%d packets are counted as sent again, want 4", n)
		}
		if again := ask(first, first+1, first+2, first+3, first+4); len(again) != 1 || again[0] != first+4 {
			t.Errorf("asked for packets before a keyframe and its first, got %v", again)
		}
		s.estimator.Told(100_000)
		out.write(picture(12), 7200, false)
		time.Sleep(time.Second)
		for range 100 { // 5 s of 50 kbit/s are 31 kB
			for i := range uint16(12) {
				ask(first + 8 + i)
			}
			time.Sleep(50 * time.Millisecond)
		}
		again := 0
		for _, h := range w.headers {
			if h.SSRC == testRTX {
				again++
			}
		}
		if again < 20 || again > 40 {
			t.Errorf("%d packets are sent again in 5 s at 50 kbit/s", again)
		}
	})
}

// TestResendingLongAfterKeyframe: whether a packet can be sent again does not depend on how many
// there were since the keyframe.
func TestResendingLongAfterKeyframe(t *testing.T) {
	var wg sync.WaitGroup
	w := &wire{}
	out, s := sending(newPacer(wg.Go), w, 0)
	for n := range 70_000 {
		out.write(picture(1), uint32(n)*3600, n == 0)
		if n%1000 != 999 {
			continue
		}
		time.Sleep(resendLeast + resendMargin) // for the share of the estimate
		before := s.resent.Load()
		s.nack(&rtcp.TransportLayerNack{MediaSSRC: testSSRC, Nacks: rtcp.NackPairsFromSequenceNumbers([]uint16{s.newest - 3})})
		if s.resent.Load() != before+1 {
			t.Fatalf("%d packets after the keyframe one is not sent again", n)
		}
	}
	wg.Wait()
}

// TestKeyframeDropsWhatWaits: what a player is sent after a keyframe does not wait for what
// is older, but for the picture of which a part was sent.
func TestKeyframeDropsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var wg sync.WaitGroup
		w := &wire{}
		out, s := sending(newPacer(wg.Go), w, 0)
		s.estimator.Told(400_000)
		out.write(picture(60), 0, true)
		out.write(picture(60), 3600, false)
		out.write(picture(60), 7200, false)
		out.write(picture(5), 10800, true)
		wg.Wait()
		if len(w.headers) != 65 {
			t.Fatalf("%d packets are sent, want those of the first and the last picture", len(w.headers))
		}
		for i, h := range w.headers {
			if want := out.track.offset + uint32(i/60)*10800; h.Timestamp != want || h.SequenceNumber != w.headers[0].SequenceNumber+uint16(i) {
				t.Fatalf("packet %d is %+v", i, h)
			}
		}
		// 70 kB at three times 400 kbit/s.
		if took := time.Since(w.start); took < 300*time.Millisecond || took > 700*time.Millisecond {
			t.Errorf("all is sent after %v", took)
		}
	})
}

// TestMoreThanPasses: what a link cannot carry does not get later and later: pictures are left
// out up to a keyframe, which is asked for when nothing waits any more.
func TestMoreThanPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var wg sync.WaitGroup
		w := &wire{}
		out, s := sending(newPacer(wg.Go), w, 0)
		var asked atomic.Bool
		out.ask = func() { asked.Store(true) }
		s.estimator.Told(100_000)
		keys := map[uint32]bool{}
		for n := range uint32(25 * 60) {
			key := n == 0 || asked.Swap(false)
			size := 3 // 700 kbit/s, of three times 100
			if key {
				size = 20
				keys[n] = true
			}
			out.write(picture(size), n*3600, key)
			time.Sleep(40 * time.Millisecond)
		}
		wg.Wait()
		if len(keys) < 10 || len(keys) > 40 {
			t.Errorf("%d keyframes are asked for in a minute", len(keys))
		}
		before := uint32(0)
		for i, h := range w.headers {
			n := (h.Timestamp - out.track.offset) / 3600
			if n != before && n != before+1 && !keys[n] {
				t.Fatalf("picture %d is sent after picture %d", n, before)
			}
			before = n
			if late := w.at[i] - time.Duration(n)*40*time.Millisecond; late > 2*mostLate {
				t.Fatalf("picture %d is sent %v late", n, late)
			}
		}
		if before < 25*55 {
			t.Errorf("picture %d is the last that is sent", before)
		}
	})
}

// TestLargePictures: of a picture of many bits a keyframe is paced, too, and what was sent
// within a second can be sent again.
func TestLargePictures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const bitrate = 40_000_000
		var wg sync.WaitGroup
		w := &wire{}
		out, s := sending(newPacer(wg.Go), w, bitrate)
		out.write(picture(bitrate/2/8/largePayload), 0, true)
		w.mu.Lock()
		n := len(w.headers)
		w.mu.Unlock()
		if n > burst {
			t.Errorf("%d packets of a keyframe are sent at once", n)
		}
		for n := range 24 {
			time.Sleep(40 * time.Millisecond)
			out.write(picture(bitrate/25/8/largePayload), uint32(n+1)*3600, false)
		}
		wg.Wait()
		first := w.headers[0].SequenceNumber
		s.nack(&rtcp.TransportLayerNack{MediaSSRC: testSSRC, Nacks: rtcp.NackPairsFromSequenceNumbers([]uint16{first})})
		last := len(w.headers) - 1
		if w.headers[last].SSRC != testRTX || binary.BigEndian.Uint16(w.payloads[last]) != first {
			t.Errorf("%d packets later one is not sent again", last)
		}
	})
}

// TestSenderAllocs: what a packet goes through allocates nothing, nor does what is sent again.
func TestSenderAllocs(t *testing.T) {
	p := newPacer(func(func()) {})
	out, s := sending(p, &wire{}, 0)
	out.track.writer = localWriter{s.BindLocalStream(&interceptor.StreamInfo{
		SSRC: testSSRC, SSRCRetransmission: testRTX, PayloadTypeRetransmission: 101, MimeType: "video/H264",
		RTPHeaderExtensions: []interceptor.RTPHeaderExtension{{URI: sdp.TransportCCURI, ID: testExtension}},
	}, interceptor.RTPWriterFunc(func(_ *rtp.Header, payload []byte, _ interceptor.Attributes) (int, error) { return len(payload), nil }))}
	payloads := picture(5)
	n := uint32(0)
	write := func() {
		out.write(payloads, n*3600, false)
		n++
	}
	for range 200 {
		write()
	}
	nack := &rtcp.TransportLayerNack{MediaSSRC: testSSRC, Nacks: []rtcp.NackPair{{}}}
	if allocs := testing.AllocsPerRun(200, func() {
		write()
		s.credit = 1e6
		nack.Nacks[0].PacketID = out.track.header.SequenceNumber - 1
		s.nack(nack)
	}); allocs != 0 {
		t.Errorf("%v allocations a picture", allocs)
	}
}

// TestStandingQueue: while a queue stands on the way, no more is sent than is estimated, of
// pictures of any size, and what is lost in it is not sent again all at once.
func TestStandingQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var wg sync.WaitGroup
		w := &wire{rate: 2_000_000}
		out, s := sending(newPacer(wg.Go), w, 0)
		play := func(pictures, packets int) {
			for range pictures {
				out.write(picture(packets), uint32(time.Since(w.start)*90/time.Millisecond), false)
				time.Sleep(40 * time.Millisecond)
				if fb := w.report(); fb != nil {
					s.feedback(fb)
				}
			}
		}
		play(25, 4)
		w.mu.Lock()
		w.rate = 500_000
		w.mu.Unlock()
		for range 20 {
			if play(1, 4); s.estimator.Queued() {
				break
			}
		}
		rate, _ := s.bandwidth()
		if !s.estimator.Queued() || rate > 500_000 {
			t.Fatalf("%d, a queue stands: %v", rate, s.estimator.Queued())
		}
		for i := range uint16(20) {
			s.nack(&rtcp.TransportLayerNack{MediaSSRC: testSSRC, Nacks: []rtcp.NackPair{{PacketID: out.track.header.SequenceNumber - i}}})
		}
		if n := s.resent.Load(); n == 0 || n > 3 {
			t.Errorf("%d packets are sent again at once", n)
		}
		before := len(w.headers)
		play(5, 4) // 928 kbit/s
		w.mu.Lock()
		bytes := 0
		for _, payload := range w.payloads[before:] {
			bytes += len(payload)
		}
		w.mu.Unlock()
		if got := 8 * bytes * 5; got > rate*5/4 || got < rate/2 {
			t.Errorf("%d bit/s are sent, %d are estimated", got, rate)
		}
		out.close()
		wg.Wait()
	})
}
