package room

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/cmplx"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sectile/engine/codec"
	"sectile/engine/jitter"
	"sectile/engine/load"
	"sectile/engine/metrics"
	"sectile/engine/sched"
)

// toneCodecs stand in for Opus without loss: a packet is a TOC byte of 20 ms, the frequency
// of a tone in Hz and where it begins in samples; an encoder makes a packet of all samples.
type toneCodecs struct{ open int }

const toneLevel = 8000

func tonePacket(frequency, at int) []byte {
	p := []byte{31 << 3}
	p = binary.BigEndian.AppendUint16(p, uint16(frequency))
	return binary.BigEndian.AppendUint32(p, uint32(at))
}

type toneCodec struct{ codecs *toneCodecs }

func (c *toneCodecs) NewAudioDecoder(int) (codec.AudioDecoder, error) {
	c.open++
	return toneCodec{c}, nil
}
func (c *toneCodecs) NewAudioEncoder(codec.AudioParams) (codec.AudioEncoder, error) {
	c.open++
	return toneCodec{c}, nil
}
func (c *toneCodecs) NewVideoDecoder() (codec.VideoDecoder, error) {
	return nil, errors.New("no video here")
}
func (c *toneCodecs) NewVideoEncoder(codec.VideoParams) (codec.VideoEncoder, error) {
	return nil, errors.New("no video here")
}

func (toneCodec) Decode(p []byte, pcm []int16) (int, error) {
	frequency, at := binary.BigEndian.Uint16(p[1:]), binary.BigEndian.Uint32(p[3:])
	for i := range 960 {
		phase := 2 * math.Pi * float64(frequency) * float64(int(at)+i) / 48000
		pcm[i] = int16(math.Round(toneLevel * math.Sin(phase)))
	}
	return 960, nil
}
func (toneCodec) DecodeFEC([]byte, []int16) error { return errors.New("no FEC") }
func (toneCodec) Conceal(pcm []int16) error       { clear(pcm); return nil }

func (toneCodec) Encode(pcm []int16, packet []byte) (int, error) {
	for i, v := range pcm {
		binary.BigEndian.PutUint16(packet[2*i:], uint16(v))
	}
	return 2 * len(pcm), nil
}
func (toneCodec) SetPacketLoss(int) error { return nil }
func (toneCodec) SetComplexity(int) error { return nil }
func (toneCodec) Reset() error            { return nil }
func (c toneCodec) Close()                { c.codecs.open-- }

// recording is a player that keeps all samples, in the order of their timestamps.
type recording struct {
	pcm   []int16
	first uint32
}

func (r *recording) WriteAudio(packet []byte, timestamp uint32) {
	if len(r.pcm) == 0 {
		r.first = timestamp
	}
	for len(r.pcm) < int(timestamp-r.first) { // nothing was sent
		r.pcm = append(r.pcm, 0)
	}
	for i := 0; i < len(packet); i += 2 {
		r.pcm = append(r.pcm, int16(binary.BigEndian.Uint16(packet[i:])))
	}
}
func (*recording) WriteVideo(*AccessUnit) {}
func (*recording) Closed(error)           {}

// choir is a room in which participants sing tones.
type choir struct {
	t       *testing.T
	now     func() time.Duration
	room    *Room
	metrics *metrics.Engine
	codecs  *toneCodecs
	over    chan struct{}
	stop    map[*Input]chan struct{} // ends who sings
}

func inChoir(t *testing.T, gate Gate, f func(*choir)) {
	t.Helper()
	inChoirOf(t, gate, DefaultOptions().Samples, f)
}

// inChoirOf has packets of so many samples.
func inChoirOf(t *testing.T, gate Gate, samples int, f func(*choir)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		begin, codecs := time.Now(), &toneCodecs{}
		c := &choir{t: t, codecs: codecs, now: func() time.Duration { return time.Since(begin) }, over: make(chan struct{}), stop: map[*Input]chan struct{}{}}
		c.metrics = metrics.New()
		audio := sched.New(1, c.now, c.metrics)
		o := DefaultOptions()
		o.Gate, o.Samples = gate, samples
		var err error
		c.room, err = New("r", o, Env{
			Codecs: codecs, Audio: audio, Now: c.now, Pictures: func() int { return load.AllPictures },
			Metrics: c.metrics, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * ms) // what happens whole ticks later is then between two of them
		f(c)
		close(c.over)
		audio.Close()
		c.room.Close()
		if codecs.open != 0 {
			t.Errorf("%d codecs left open", codecs.open)
		}
	})
}

func (c *choir) add(name string) *Input {
	c.t.Helper()
	in, err := c.room.AddStream(name)
	if err != nil {
		c.t.Fatal(err)
	}
	return in
}

// sing publishes a tone until the test is over, or another one takes over.
func (c *choir) sing(in *Input, ssrc uint32, frequency int) {
	c.t.Helper()
	if err := in.Connect(nil); err != nil {
		c.t.Fatal(err)
	}
	if before := c.stop[in]; before != nil {
		close(before)
	}
	stop := make(chan struct{})
	c.stop[in] = stop
	go func() {
		for n := 0; ; n++ {
			in.PushAudio(jitter.Packet{SSRC: ssrc, Sequence: uint16(n), Timestamp: uint32(960 * n), Payload: tonePacket(frequency, 960*n)}, c.now())
			select {
			case <-time.After(20 * ms):
			case <-stop:
				return
			case <-c.over:
				return
			}
		}
	}()
}

func (c *choir) listen(track int) *recording {
	c.t.Helper()
	r := &recording{}
	if _, err := c.room.Subscribe(Tracks{Audio: track}, r); err != nil {
		c.t.Fatal(err)
	}
	return r
}

// sleep lets time pass, and everything that is due happen before it returns.
func (c *choir) sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// steepest is the greatest step from one sample to the next.
func steepest(pcm []int16) (step, at int) {
	for i := 1; i < len(pcm); i++ {
		if d := int(pcm[i]) - int(pcm[i-1]); max(d, -d) > step {
			step, at = max(d, -d), i
		}
	}
	return step, at
}

// splatter is the level of what is in a part of a tone of 440 Hz and should not be, above
// 3 kHz, in dB over the full tone.
func splatter(pcm []int16) float64 {
	const window = 960
	worst := 0.0
	for _, bin := range []int{61, 83, 127, 201, 333} { // of 50 Hz
		wave := make([]complex128, window)
		for k := range wave {
			sin, cos := math.Sincos(2 * math.Pi * float64(k*bin%window) / window)
			hann := 0.5 - 0.5*math.Cos(2*math.Pi*float64(k)/window)
			wave[k] = complex(hann*cos, hann*sin)
		}
		for i := 0; i+window <= len(pcm); i += window / 4 {
			var sum complex128
			for k, v := range pcm[i : i+window] {
				sum += wave[k] * complex(float64(v), 0)
			}
			worst = max(worst, cmplx.Abs(sum))
		}
	}
	return 20 * math.Log10(worst/(window/4*toneLevel))
}

// TestNoClicks: whatever begins and ends a participant's sound or changes its level, their
// tone stays free of steps for everybody else, and they hear exactly what others sing, as if
// they were not there.
func TestNoClicks(t *testing.T) {
	mute := func(muted bool) func(*choir, *Input) {
		return func(c *choir, in *Input) {
			if _, err := c.room.SetMuted(in.Name(), Audio, muted); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	gain := func(dB float64) func(*choir, *Input) {
		return func(c *choir, in *Input) {
			if _, err := c.room.SetGain(in.Name(), dB); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	remove := func(c *choir, in *Input) {
		if _, err := c.room.RemoveStream(in.Name()); err != nil {
			c.t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name   string
		silent bool    // is the singer after all
		most   float64 // gain
		steps  []func(*choir, *Input)
	}{
		{"nothing", false, 1, nil},
		{"mute", true, 1, []func(*choir, *Input){mute(true)}},
		{"mute and unmute", false, 1, []func(*choir, *Input){mute(true), mute(false)}},
		{"mute and unmute within a tick", false, 1, []func(*choir, *Input){func(c *choir, in *Input) { mute(true)(c, in); mute(false)(c, in) }}},
		{"gains", false, 2, []func(*choir, *Input){gain(-20), gain(6), gain(-60), gain(0)}},
		{"gain and mute at once", true, 2, []func(*choir, *Input){func(c *choir, in *Input) { gain(6)(c, in); mute(true)(c, in) }}},
		{"muted and removed", true, 1, []func(*choir, *Input){func(c *choir, in *Input) { mute(true)(c, in); remove(c, in) }}},
		{"removed", true, 1, []func(*choir, *Input){remove}},
		{"disconnected", true, 1, []func(*choir, *Input){func(_ *choir, in *Input) { in.Disconnect() }}},
		{"taken over", false, 1, []func(*choir, *Input){func(c *choir, in *Input) { c.sing(in, 7, 440) }}},
		{"taken over twice", false, 1, []func(*choir, *Input){func(c *choir, in *Input) { c.sing(in, 7, 440); c.sing(in, 8, 440) }}},
	} {
		for _, gate := range []Gate{GateOn, GateOff} {
			for _, offset := range []time.Duration{0, 13 * ms} { // of the steps, against ticks
				inChoir(t, gate, func(c *choir) {
					other, in := c.add("other"), c.add("singer")
					all, others, own := c.listen(1), c.listen(other.track), c.listen(in.track)
					c.sing(in, 1, 440)
					c.sing(other, 2, 300)
					c.sleep(time.Second + offset)
					for _, step := range test.steps {
						step(c, in)
						c.sleep(700 * ms)
					}
					length := min(len(all.pcm), len(others.pcm))
					// A slope of the tone, and of a fade of 5 ms.
					most := int(test.most * toneLevel * (2*math.Pi*440/48000 + 1.0/240 + 0.001))
					if step, at := steepest(others.pcm[:length]); step > most {
						t.Errorf("%s, gate %v, %v after a tick: a step of %d, %.1f ms after the begin; the tone has %d", test.name, gate, offset, step, float64(at)/48, most)
					}
					if level := splatter(others.pcm[:length]); level > -70+20*math.Log10(test.most) {
						t.Errorf("%s, gate %v, %v after a tick: splatter of %.1f dB", test.name, gate, offset, level)
					}
					if peak := peak(others.pcm[length-4800:]); (peak == 0) != test.silent {
						t.Errorf("%s, gate %v, %v after a tick: in the end the peak is %d", test.name, gate, offset, peak)
					}
					// What all hear without what the others hear of the singer is what the singer hears.
					for i := range min(len(own.pcm), length) {
						if all.pcm[i]-others.pcm[i] != own.pcm[i] {
							t.Fatalf("%s, gate %v, %v after a tick: sample %d of own is %d, of all %d, of the other %d", test.name, gate, offset, i, own.pcm[i], all.pcm[i], others.pcm[i])
						}
					}
					if step, _ := steepest(own.pcm); step > 356 {
						t.Errorf("%s, gate %v, %v after a tick: the singer hears a step of %d", test.name, gate, offset, step)
					}
				})
			}
		}
	}
}

func peak(pcm []int16) int { return int(max(slices.Max(pcm), -slices.Min(pcm))) }

// TestSkippedTicks: ticks that are too late are skipped and counted, and the timestamps pass
// over them.
func TestSkippedTicks(t *testing.T) {
	inChoir(t, GateOn, func(c *choir) {
		in := c.add("singer")
		slow := &stalling{}
		if _, err := c.room.Subscribe(Tracks{Audio: 1}, slow); err != nil {
			t.Fatal(err)
		}
		c.sing(in, 1, 440)
		c.sleep(time.Second)
		for _, stall := range []time.Duration{30 * ms, 55 * ms, 205 * ms} {
			before, skipped := len(slow.heard()), c.metrics.TicksSkipped.Load()
			slow.stall.Store(int64(stall))
			c.sleep(time.Second)
			skipped = c.metrics.TicksSkipped.Load() - skipped
			// The one that stalls and two more are run late; what is due after them is skipped.
			if want := uint64(max(0, int(stall/(20*ms))-2-1)); skipped != want {
				t.Errorf("stall of %v: %d ticks skipped, want %d", stall, skipped, want)
			}
			heard := slow.heard()[before:]
			passed := uint64(0)
			for i, ts := range heard[1:] {
				step := ts - heard[i]
				if step%960 != 0 {
					t.Fatalf("stall of %v: timestamps %d apart", stall, step)
				}
				passed += uint64(step/960) - 1
			}
			if passed != skipped || len(heard)+int(skipped) != 50 {
				t.Errorf("stall of %v: %d packets, the timestamps pass over %d ticks, skipped are %d", stall, len(heard), passed, skipped)
			}
		}
	})
}

// stalling is a player that takes long once.
type stalling struct {
	mu         sync.Mutex
	timestamps []uint32
	stall      atomic.Int64 // nanoseconds
}

func (s *stalling) heard() []uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.timestamps)
}

func (s *stalling) WriteAudio(_ []byte, timestamp uint32) {
	s.mu.Lock()
	s.timestamps = append(s.timestamps, timestamp)
	s.mu.Unlock()
	time.Sleep(time.Duration(s.stall.Swap(0)))
}
func (*stalling) WriteVideo(*AccessUnit) {}
func (*stalling) Closed(error)           {}

// TestAudioTickAllocs: a tick allocates nothing, with talkers and listeners, one who is muted
// again and again, gains that change and losses that are reported.
func TestAudioTickAllocs(t *testing.T) {
	inChoir(t, GateOn, func(c *choir) {
		var subs []*Subscription
		var payloads [4][]byte
		for i := range 4 {
			in := c.add(string(rune('a' + i)))
			if err := in.Connect(nil); err != nil {
				t.Fatal(err)
			}
			payloads[i] = tonePacket(300+100*i, 0)
			for _, track := range []int{allTrack, in.track} {
				sub, err := c.room.Subscribe(Tracks{Audio: track}, blind{})
				if err != nil {
					t.Fatal(err)
				}
				subs = append(subs, sub)
			}
		}
		inputs := c.room.Inputs()
		// From here to the end no time passes: all ticks are ours.
		deadline, n := c.now(), 0
		tick := func() {
			for i, in := range inputs {
				if i < 3 || n/50%2 == 0 { // the last one is silent at times
					in.PushAudio(jitter.Packet{SSRC: uint32(i + 1), Sequence: uint16(n), Timestamp: uint32(960 * n), Payload: payloads[i]}, deadline)
				}
			}
			if n%20 == 0 {
				if _, err := c.room.SetMuted("a", Audio, n%40 == 0); err != nil {
					t.Fatal(err)
				}
				if _, err := c.room.SetGain("b", float64(n%40)); err != nil {
					t.Fatal(err)
				}
				subs[n/20%len(subs)].ReportLoss(float64(n%60) / 200)
			}
			n++
			deadline += c.room.frame
			c.room.audioTick(deadline)
		}
		for range 300 { // the buffers grow, and the voices get their encoders
			tick()
		}
		encodes := c.metrics.EncodesPrivate.Load()
		if allocs := testing.AllocsPerRun(300, tick); allocs != 0 {
			t.Errorf("%v allocations a tick", allocs)
		}
		if c.metrics.EncodesPrivate.Load() == encodes {
			t.Error("nobody was heard: not all was tried")
		}
	})
}

// TestSilentInputsCostNothing: who is muted, or sends nothing, is not decoded, and takes no
// encode of their own.
func TestSilentInputsCostNothing(t *testing.T) {
	inChoir(t, GateOn, func(c *choir) {
		singer := c.add("singer")
		c.listen(allTrack)
		for i, name := range []string{"muted", "silent"} {
			in := c.add(name)
			c.listen(in.track)
			c.sing(in, uint32(i+2), 300+50*i)
			if name == "silent" {
				close(c.stop[in])
				delete(c.stop, in)
			}
		}
		c.sing(singer, 1, 440)
		c.sleep(time.Second)
		if _, err := c.room.SetMuted("muted", Audio, true); err != nil {
			t.Fatal(err)
		}
		c.sleep(time.Second)
		decodes, shared, private := c.metrics.Jitter.Normal.Load()+c.metrics.Jitter.PLC.Load(), c.metrics.EncodesShared.Load(), c.metrics.EncodesPrivate.Load()
		c.sleep(2 * time.Second)
		if n := c.metrics.Jitter.Normal.Load() + c.metrics.Jitter.PLC.Load() - decodes; n != 100 {
			t.Errorf("%d decodes in 100 ticks of one who sings", n)
		}
		if n := c.metrics.EncodesShared.Load() - shared; n != 100 {
			t.Errorf("%d shared encodes in 100 ticks", n)
		}
		if n := c.metrics.EncodesPrivate.Load() - private; n != 0 {
			t.Errorf("%d encodes for listeners who add nothing", n)
		}
	})
}

// TestAllBegin: when many begin to talk in one tick, what that tick costs is bounded, and
// soon everybody hears everybody else.
func TestAllBegin(t *testing.T) {
	inChoir(t, GateOff, func(c *choir) {
		const many = 30
		var players []*recording
		var inputs []*Input
		for i := range many {
			inputs = append(inputs, c.add(fmt.Sprint("p", i)))
			players = append(players, c.listen(inputs[i].track))
		}
		c.sleep(100 * ms)
		for i, in := range inputs {
			c.sing(in, uint32(i+1), 300+10*i)
		}
		var most, private uint64
		warm, before := c.metrics.EncodesWarm.Load(), c.metrics.EncodesPrivate.Load()
		for range 50 {
			c.sleep(20 * ms)
			now, encodes := c.metrics.EncodesWarm.Load(), c.metrics.EncodesPrivate.Load()
			most, private = max(most, now-warm), encodes-before
			warm, before = now, encodes
		}
		if most == 0 || most > 32 {
			t.Errorf("%d encodes of the past in one tick", most)
		}
		if private != many {
			t.Errorf("%d private encodes a tick, want %d", private, many)
		}
		if n := c.metrics.PacketsLeftOut.Load(); n != 22+14+6 {
			t.Errorf("%d packets were left out", n)
		}
		for i, p := range players {
			if n := len(p.pcm); n < 48000-3*960 {
				t.Errorf("%d heard %d samples of 48000", i, n)
			}
		}
		// Nothing is left of them once they are gone.
		for _, in := range inputs {
			in.Disconnect()
		}
		c.sleep(time.Second)
		if n := c.codecs.open; n != 0 {
			t.Errorf("%d codecs are open in a parked room", n)
		}
	})
}

// TestGainAboveFullScale: what a gain lifts above full scale is turned down by the limiter of
// each mix, and not clipped.
func TestGainAboveFullScale(t *testing.T) {
	inChoir(t, GateOn, func(c *choir) {
		other, in := c.add("other"), c.add("singer")
		all, others, own := c.listen(1), c.listen(other.track), c.listen(in.track)
		if _, err := c.room.SetGain("singer", 18); err != nil { // 64000
			t.Fatal(err)
		}
		c.sing(in, 1, 440)
		c.sing(other, 2, 300)
		c.sleep(2 * time.Second)
		for name, pcm := range map[string][]int16{"all": all.pcm, "other": others.pcm} {
			steady := pcm[len(pcm)-48000:]
			if level := splatter(steady); level > -50 { // of clipping it is -20
				t.Errorf("%s: splatter of %.1f dB", name, level)
			}
			if p := peak(steady); p < 25000 || p > 29205 { // -1 dBFS
				t.Errorf("%s: peak of %d", name, p)
			}
		}
		if p := peak(own.pcm[len(own.pcm)-48000:]); p < toneLevel-1 || p > toneLevel+1 {
			t.Errorf("the singer hears a peak of %d of the other's tone", p)
		}
	})
}

// TestLastLeaves: the fade-out of the last one who leaves is heard to its end, which the
// limiter holds back, however short packets are.
func TestLastLeaves(t *testing.T) {
	for _, samples := range []int{120, 240, 480, 960} {
		inChoirOf(t, GateOn, samples, func(c *choir) {
			in := c.add("singer")
			all, ticks := c.listen(1), func() uint64 { n, _, _ := c.metrics.TickLateness.Snapshot(); return n }
			c.sing(in, 1, 440)
			c.sleep(time.Second)
			in.Disconnect()
			c.sleep(time.Second)
			if p, end := peak(all.pcm), peak(all.pcm[len(all.pcm)-54:]); p < toneLevel-1 || end > p/50 {
				t.Errorf("packets of %d: the last sound peaks at %d of %d", samples, end, p)
			}
			before := ticks()
			c.sleep(time.Second)
			if n := ticks() - before; n > 0 {
				t.Errorf("packets of %d: %d ticks with nobody there", samples, n)
			}
		})
	}
}

// TestOwnTrackBegins: who begins to play their own track while they sing hears nothing of
// themself, not even what the limiter of all held back.
func TestOwnTrackBegins(t *testing.T) {
	inChoir(t, GateOn, func(c *choir) {
		in := c.add("singer")
		c.listen(1)
		c.sing(in, 1, 440)
		c.sleep(time.Second)
		own := c.listen(in.track)
		c.sleep(500 * ms)
		if len(own.pcm) < 10000 || peak(own.pcm) > 0 {
			t.Errorf("%d samples, peak %d", len(own.pcm), peak(own.pcm))
		}
	})
}
