// Package jitter is the jitter buffer of one audio input, with its decoder: RTP packets go
// in as they arrive, and exactly as many samples as asked for come out, always.
//
// It follows NetEQ's delay model: it learns how late packets come, plays that much behind
// the earliest ones, and makes up for too much or too little by taking out or putting in a
// few milliseconds where it is not heard. What does not come in time is recovered from the
// next packet (in-band FEC) or made up by the decoder (PLC), fading to silence.
//
// Time is an argument of every call: any monotonic clock, the same for Push and Pull.
package jitter

import (
	"math"
	"sync/atomic"
	"time"

	"sectile/asm/pcm"
	"sectile/engine/codec"
	"sectile/engine/opuspkt"
)

const (
	ringSize   = 64
	maxPayload = 1500 // bytes; an Ethernet frame holds no more

	// maxBuffered bounds what is kept, decoded or not.
	maxBuffered = 500 * time.Millisecond
	// Beyond these a stream counts as a new one, unless timestamps jumped by what time has
	// passed since, give or take as much: who is silent may send nothing for hours.
	maxSequenceJump  = 3000
	maxTimestampJump = 5 * time.Second

	correctionEvery = 60 * time.Millisecond
	granularity     = 20 * time.Millisecond

	// waitStep is how much is made up at a time while it is open for how long: 10 ms, the
	// least that SILK makes up.
	waitStep = opuspkt.Rate / 100
)

// Packet is an RTP packet of Opus (RFC 7587).
type Packet struct {
	SSRC      uint32
	Sequence  uint16
	Timestamp uint32 // 1/48000 s
	Payload   []byte
}

// Counters count over any number of buffers. All fields may be read at any time.
type Counters struct {
	Late      atomic.Uint64 // packets that were not played because they came after their time
	Lost      atomic.Uint64 // packets whose time to play came before them, or that found no room
	Reordered atomic.Uint64 // packets that came after a later one, in time
	Duplicate atomic.Uint64
	Invalid   atomic.Uint64 // packets that are no Opus, or that the decoder refused
	Resets    atomic.Uint64 // streams that became other ones in mid-play

	Normal atomic.Uint64 // packets decoded
	FEC    atomic.Uint64 // frames recovered from the next packet
	PLC    atomic.Uint64 // stretches made up by the decoder, each of at most 20 ms
}

// Stats are the counts of one buffer, and what it knows.
type Stats struct {
	Late, Lost, Reordered, Duplicate, Invalid, Resets uint64
	Normal, FEC, PLC                                  uint64

	Target          time.Duration
	TakenOut, PutIn time.Duration // by corrections of the delay, in sum
	Drift           float64       // by how much the sender's clock is slower than ours: 1e-6 is 1 ppm
}

// Kind says what Pull returned.
type Kind uint8

const (
	// Silence is exact zeros.
	Silence Kind = iota
	// Speech is sound that was received.
	Speech
	// Concealed is sound of which at least a part was made up: something is missing, or the
	// sender has become silent.
	Concealed
)

// Config is what a Buffer is made of.
type Config struct {
	SampleRate int                // of the samples pulled, Hz: one of Opus's
	Decoder    codec.AudioDecoder // of that rate; the buffer then owns it
	Counters   *Counters          // nil: not counted
}

// Buffer is a jitter buffer. It is not safe for concurrent use. Push and Pull allocate
// nothing once the places in the ring have grown to the size of the stream's packets.
type Buffer struct {
	rate     int
	decoder  codec.AudioDecoder
	counters *Counters
	stats    Stats

	// Arrival.
	started bool
	ssrc    uint32
	newest  int64         // extended sequence number
	newTS   int64         // unwrapped timestamp of newest
	newAt   time.Duration // when newest came
	newEnd  int64         // where the newest media ends
	slots   [ringSize]slot
	waiting int // in slots, at opuspkt.Rate
	est     estimator

	// Playout.
	playing   bool
	resumes   bool  // nextSeq follows something that was played
	nextSeq   int64 // the next packet to decode
	nextTS    int64 // where the next packet is due
	frame     int   // duration of the last packet decoded, at opuspkt.Rate
	gapLost   bool  // the packet right before nextSeq is lost
	inserted  int64 // media made up while nothing was there, at opuspkt.Rate
	madeUp    int   // made up since there was real sound, at opuspkt.Rate
	sound     []int16
	quiet     bool // the newest real sound is not heard
	guessed   int  // samples at the front of sound up to the last that was made up
	scratch   []int16
	last      int16   // sample pulled last
	pull      int     // how many are pulled at a time, at opuspkt.Rate
	floor     float64 // power of the noise in pauses
	level     float64 // mean power lately
	correctAt time.Duration
	rightAt   time.Duration // when the delay was right, or was corrected, the last time
}

// slot is a place in the ring. Its sequence number stays after the packet was taken out.
type slot struct {
	seq     int64 // 0: of none
	ts      int64
	waiting bool
	dtx     bool
	lbrr    bool
	samples int    // of the packet, at opuspkt.Rate
	frame   int    // of each of its frames
	payload []byte // grown as needed: few streams have packets of 1500 bytes
}

// New makes an empty buffer.
func New(c Config) *Buffer {
	b := &Buffer{rate: c.SampleRate, decoder: c.Decoder, counters: c.Counters}
	if b.counters == nil {
		b.counters = new(Counters)
	}
	longest := b.out(opuspkt.MaxSamples)
	b.sound = make([]int16, 0, 2*longest)
	b.scratch = make([]int16, longest)
	b.forget()
	return b
}

// Close closes the decoder.
func (b *Buffer) Close() { b.decoder.Close() }

// Reset forgets all packets and all that was learned, as if new. Counts stay.
func (b *Buffer) Reset() {
	b.forget()
	b.last = 0
}

// forget forgets all but what was heard last, from which to fade.
func (b *Buffer) forget() {
	for i := range b.slots {
		b.slots[i].waiting, b.slots[i].seq = false, 0
	}
	b.waiting = 0
	b.started, b.resumes = false, false
	b.correctAt, b.rightAt, b.floor, b.level = 0, 0, math.Inf(1), 0
	b.frame, b.pull = opuspkt.Rate/50, opuspkt.Rate/50
	b.stop()
	b.est.reset()
}

// stop ends playing. It begins again once there is something that is old enough.
func (b *Buffer) stop() {
	b.playing = false
	b.sound, b.guessed = b.sound[:0], 0
}

// Target is the delay aimed at.
func (b *Buffer) Target() time.Duration { return b.est.target }

// Delay is the time from the earliest possible arrival of the sound that is played now to
// now; 0 when nothing is played.
func (b *Buffer) Delay(now time.Duration) time.Duration {
	if !b.playing {
		return 0
	}
	return b.est.delay(now, media(b.position()))
}

// Stats returns the buffer's own counts.
func (b *Buffer) Stats() Stats {
	s := b.stats
	s.Target, s.Drift = b.est.target, b.est.drift
	return s
}

// count counts for this buffer and for all.
func count(own *uint64, all *atomic.Uint64, n int64) {
	*own += uint64(n)
	all.Add(uint64(n))
}

// media converts a number of samples at opuspkt.Rate to time.
func media(ts int64) time.Duration {
	return time.Duration(ts/opuspkt.Rate)*time.Second + time.Duration(ts%opuspkt.Rate)*time.Second/opuspkt.Rate
}

// out converts a number of samples at opuspkt.Rate to one at the buffer's rate.
func (b *Buffer) out(samples int) int { return samples * b.rate / opuspkt.Rate }

// position is the timestamp of the next sample to be pulled.
func (b *Buffer) position() int64 {
	return b.nextTS - int64(len(b.sound))*opuspkt.Rate/int64(b.rate)
}

// Push takes a packet that arrived at now. The payload is copied.
func (b *Buffer) Push(p Packet, now time.Duration) {
	info, err := opuspkt.Parse(p.Payload)
	if err != nil || len(p.Payload) > maxPayload {
		count(&b.stats.Invalid, &b.counters.Invalid, 1)
		return
	}
	seq := b.newest + int64(int16(p.Sequence-uint16(b.newest)))
	ts := b.newTS + int64(int32(p.Timestamp-uint32(b.newTS)))
	jump := media(ts - b.newTS)
	strange := jump.Abs() > maxTimestampJump && (jump-(now-b.newAt)).Abs() > maxTimestampJump
	if b.started && (p.SSRC != b.ssrc || abs(seq-b.newest) > maxSequenceJump || strange) {
		count(&b.stats.Resets, &b.counters.Resets, 1)
		b.forget()
	}
	if !b.started {
		// Far from zero, so that what came a little earlier is not negative.
		seq, ts = 1<<32|int64(p.Sequence), 1<<40|int64(p.Timestamp)
		b.started, b.ssrc = true, p.SSRC
		b.newest, b.newTS, b.newEnd = seq-1, ts, ts
		b.nextSeq = seq - ringSize/2 // what was sent before the first that came may still come
	}
	s := &b.slots[seq&(ringSize-1)]
	if s.seq == seq {
		count(&b.stats.Duplicate, &b.counters.Duplicate, 1)
		return
	}
	kind := inOrder
	switch {
	case info.DTX || seq == b.newest+1 && ts > b.newEnd:
		kind = afterward
	case seq < b.newest:
		kind = overtaken
	}
	// The ring must hold twice the target.
	b.est.limit = min(maxTarget, media(int64(info.Samples()))*ringSize/2)
	b.est.observe(now, now-media(ts), kind)
	if seq < b.nextSeq || seq <= b.newest-ringSize {
		count(&b.stats.Late, &b.counters.Late, 1)
		return
	}
	if seq < b.newest {
		count(&b.stats.Reordered, &b.counters.Reordered, 1)
	} else {
		b.newest, b.newTS, b.newEnd, b.newAt = seq, ts, ts+int64(info.Samples()), now
		if oldest := seq - ringSize + 1; b.nextSeq < oldest {
			b.skip(oldest)
		}
	}
	*s = slot{seq: seq, ts: ts, waiting: true, dtx: info.DTX, lbrr: info.LBRR,
		samples: info.Samples(), frame: info.FrameSamples, payload: append(s.payload[:0], p.Payload...)}
	b.waiting += s.samples
	for b.buffered() > maxBuffered {
		b.skip(b.first().seq + 1)
	}
}

// buffered is how much sound is there, decoded or not.
func (b *Buffer) buffered() time.Duration { return media(int64(b.waiting)) + b.length(len(b.sound)) }

// skip gives up all packets before one, for want of room. Playing then begins again.
func (b *Buffer) skip(to int64) {
	given := int64(0)
	for i := range b.slots {
		if s := &b.slots[i]; s.waiting && s.seq < to {
			b.take(s)
			given++
		}
	}
	if b.resumes {
		given = to - b.nextSeq
	}
	count(&b.stats.Lost, &b.counters.Lost, given)
	b.nextSeq = to
	b.stop()
}

// take takes a packet out of the ring.
func (b *Buffer) take(s *slot) {
	s.waiting = false
	b.waiting -= s.samples
}

// at is the packet of a sequence number, nil unless it waits.
func (b *Buffer) at(seq int64) *slot {
	if s := &b.slots[seq&(ringSize-1)]; s.waiting && s.seq == seq {
		return s
	}
	return nil
}

// first is the oldest packet that waits, nil if there is none.
func (b *Buffer) first() *slot { return b.after(b.nextSeq - 1) }

// after is the oldest packet that waits after a sequence number, nil if there is none.
func (b *Buffer) after(seq int64) *slot {
	for seq = max(seq+1, b.newest-ringSize+1); seq <= b.newest; seq++ {
		if s := b.at(seq); s != nil {
			return s
		}
	}
	return nil
}

// Pull fills pcm, 2.5 to 60 ms, with what is to be heard at now, and tells what that is.
func (b *Buffer) Pull(samples []int16, now time.Duration) Kind {
	n := len(samples)
	b.pull = max(1, n*opuspkt.Rate/b.rate)
	b.est.advance(now)
	if b.playing && b.Delay(now) > 4*b.high() {
		b.stop()
	}
	for !b.playing && b.start(now) {
	}
	b.fill(n, true)
	b.correct(n, now)

	kind := Speech
	if b.guessed > 0 {
		kind = Concealed
	}
	got := copy(samples, b.sound)
	b.sound = b.sound[:copy(b.sound, b.sound[got:])]
	b.guessed = max(0, b.guessed-got)
	if got > 0 {
		b.last = samples[got-1]
	}
	b.fadeOut(samples[got:])
	if pcm.Peak(samples) == 0 {
		return Silence
	}
	return kind
}

// fadeOut fills samples with silence, without a click after what was heard last.
func (b *Buffer) fadeOut(samples []int16) {
	if len(samples) == 0 {
		return
	}
	clear(samples)
	if abs(int64(b.last)) >= audibleStep {
		fade := b.rate / fadeRate
		for i := range min(fade, len(samples)) {
			samples[i] = crossFade(b.last, 0, i, fade)
		}
	}
	b.last = samples[len(samples)-1]
}

// length is the duration of samples at the buffer's rate.
func (b *Buffer) length(n int) time.Duration {
	return time.Duration(n) * time.Second / time.Duration(b.rate)
}

// low is the delay below which there is too little in the buffer: below the target, or
// such that packets that come as those of the last 2 s did are not there when a pull needs
// them.
func (b *Buffer) low() time.Duration { return b.enough(b.ahead(b.nextTS-b.position(), b.frame)) }

func (b *Buffer) enough(ahead time.Duration) time.Duration {
	return max(b.est.target, ahead+min(b.est.peak, b.est.target))
}

// ahead is how far in the future of a pull's first sample the last packet begins, at most,
// that it takes to fill the pull. Packets of a duration begin at offset from the first
// sample of one pull, and every duration before and after; pulls fall into step with them
// every common divisor.
func (b *Buffer) ahead(offset int64, duration int) time.Duration {
	last := b.pull - 1
	step := gcd(b.pull, duration)
	into := (int64(last) - offset) % int64(step) // from the packet's begin to the pull's last sample, at least
	if into < 0 {
		into += int64(step)
	}
	return media(int64(last) - into)
}

func gcd(x, y int) int {
	for y != 0 {
		x, y = y, x%y
	}
	return x
}

// high is the delay beyond which there is too much in the buffer.
func (b *Buffer) high() time.Duration {
	return max(b.est.target+b.est.peak, b.low()) + granularity
}

// start begins to play if the oldest packet is old enough, so that a spurt of talk starts
// with the right delay. If that is far too old, it begins with a later one. It tells
// whether it took a packet, which need not have begun anything if the packet held silence.
func (b *Buffer) start(now time.Duration) bool {
	s := b.first()
	if s == nil {
		return false
	}
	enough := func(s *slot) time.Duration { return b.enough(b.ahead(0, s.samples)) }
	if b.est.delay(now, media(s.ts)) < enough(s) {
		return false
	}
	from := b.nextSeq
	// A stall made peak great by itself, so it does not count here.
	tooMuch := b.est.delay(now, media(s.ts)) > 4*(enough(s)+granularity)
	for tooMuch {
		next := b.after(s.seq)
		if next == nil || b.est.delay(now, media(next.ts)) < enough(next) {
			break
		}
		b.take(s)
		from++
		count(&b.stats.Late, &b.counters.Late, 1)
		s = next
	}
	if b.resumes && s.seq > from {
		count(&b.stats.Lost, &b.counters.Lost, s.seq-from)
	}
	b.playing, b.resumes, b.gapLost, b.inserted = true, true, false, 0
	b.rightAt = now
	b.nextSeq, b.nextTS = s.seq, s.ts
	b.sound, b.guessed = b.sound[:0], 0
	// There is nothing yet that could be faded out: silence before the first real packet
	// stays silence.
	b.madeUp = fadeSamples
	b.fill(b.rate/fadeRate, true)
	// Let the sound grow out of what was heard last.
	for i := range min(b.rate/fadeRate, len(b.sound)) {
		b.sound[i] = crossFade(b.last, b.sound[i], i, b.rate/fadeRate)
	}
	return true
}

// fill decodes until n samples wait. Unless it may make up what is missing, it stops
// there.
func (b *Buffer) fill(n int, makeUp bool) {
	for b.playing && len(b.sound) < n {
		if !makeUp {
			if s := b.at(b.nextSeq); s == nil || s.ts > b.nextTS || s.dtx {
				return
			}
		}
		b.next()
	}
}

// next decodes the next packet, or makes up for it, or stops playing.
func (b *Buffer) next() {
	s := b.at(b.nextSeq)
	if s == nil {
		later := b.first()
		if later == nil {
			// Nothing is there. If it comes yet, it is played later than it should have been;
			// if it does not, what is made up here takes its place.
			step := min(b.frame, waitStep)
			b.inserted += int64(step)
			b.makeUp(step)
			return
		}
		// One at a time: what is missing after this one may still come.
		missing := later.seq - b.nextSeq
		gap := later.ts - b.nextTS
		b.nextSeq++
		count(&b.stats.Lost, &b.counters.Lost, 1)
		if missing == 1 {
			b.gapLost = true
		} else if gap > 0 {
			b.pass(int(min(gap/missing, int64(b.frame))))
		}
		return
	}
	// What was made up while waiting stands for what is missing.
	if done := min(b.inserted, s.ts-b.nextTS); done > 0 {
		b.inserted -= done
		b.nextTS += done
	}
	gap := s.ts - b.nextTS
	switch {
	case gap <= 0:
		b.decode(s)
	case b.gapLost && s.lbrr && gap <= int64(s.frame):
		b.recover(s, int(gap))
	case b.gapLost && s.lbrr:
		b.pass(int(min(gap-int64(s.frame), fadeStep)))
	default:
		// Lost, or, if the sequence goes on and only the timestamp jumped, the sender was
		// silent.
		b.pass(int(min(gap, fadeStep)))
	}
}

// decode appends a packet's sound.
func (b *Buffer) decode(s *slot) {
	b.take(s)
	b.nextSeq, b.nextTS = s.seq+1, s.ts
	b.frame = s.samples
	b.gapLost, b.inserted = false, 0
	if s.dtx {
		if b.quiet {
			b.madeUp = fadeSamples // there is nothing to fade
		}
		b.pass(b.frame)
		return
	}
	b.nextTS += int64(s.samples)
	n, err := b.decoder.Decode(s.payload, b.scratch)
	if err != nil {
		count(&b.stats.Invalid, &b.counters.Invalid, 1)
		b.makeUp(b.frame)
		return
	}
	count(&b.stats.Normal, &b.counters.Normal, 1)
	b.real(b.scratch[:n])
}

// recover appends the last so many samples, at opuspkt.Rate, of the frame before a packet,
// from that packet.
func (b *Buffer) recover(s *slot, samples int) {
	frame := b.scratch[:b.out(s.frame)]
	if err := b.decoder.DecodeFEC(s.payload, frame); err != nil {
		b.pass(samples)
		return
	}
	count(&b.stats.FEC, &b.counters.FEC, 1)
	b.nextTS += int64(samples)
	b.real(frame[len(frame)-b.out(samples):])
}

// real appends sound that was received, growing out of what was made up before it.
func (b *Buffer) real(samples []int16) {
	if gain := gainAt(b.madeUp); gain < pcm.GainUnity {
		ramp(samples[:min(b.rate/fadeRate, len(samples))], gain, pcm.GainUnity)
	}
	b.madeUp = 0
	b.quiet = pcm.Peak(samples) <= audibleStep
	b.append(samples)
}

// pass lets so much media pass for which there is no sound.
func (b *Buffer) pass(samples int) {
	b.nextTS += int64(samples)
	done := min(b.inserted, int64(samples))
	b.inserted -= done
	b.makeUp(samples - int(done))
}

// makeUp appends so many samples, at opuspkt.Rate, of the decoder's guess, fading. Once it
// has faded out, it stops playing.
//
// There is no comfort noise: whoever is silent adds nothing to the mix, which then needs
// no encoding of its own.
func (b *Buffer) makeUp(samples int) {
	for samples > 0 && b.madeUp < fadeSamples {
		n := min(samples, fadeStep-b.madeUp%fadeStep)
		out := b.scratch[:b.out(n)]
		// Opus guesses in units of 2.5 ms.
		unit := b.rate / 400
		whole := b.scratch[:(len(out)+unit-1)/unit*unit]
		if len(whole) > 0 {
			if err := b.decoder.Conceal(whole); err != nil {
				clear(whole)
			} else {
				count(&b.stats.PLC, &b.counters.PLC, 1)
			}
		}
		ramp(out, gainAt(b.madeUp), gainAt(b.madeUp+n))
		b.append(out)
		b.guessed = len(b.sound)
		b.madeUp += n
		samples -= n
	}
	// What is left of the sound is played yet, by pulls to come.
	if b.madeUp >= fadeSamples {
		b.playing = false
	}
}

// append appends sound, dropping what exceeds the bound that Pull's callers never reach.
func (b *Buffer) append(samples []int16) {
	b.sound = append(b.sound, samples[:min(len(samples), cap(b.sound)-len(b.sound))]...)
}

func abs(n int64) int64 { return max(n, -n) }
