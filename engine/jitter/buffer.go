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
	"sync/atomic"
	"time"

	"sectile/asm/pcm"
	"sectile/engine/codec"
	"sectile/engine/opuspkt"
)

const (
	ringSize   = 64
	maxPayload = 1500 // bytes; an Ethernet frame holds no more

	// maxBuffered bounds what is kept, by media time.
	maxBuffered = 500 * time.Millisecond
	// Beyond these a stream counts as a new one.
	maxSequenceJump  = 3000
	maxTimestampJump = 5 * opuspkt.Rate

	correctionEvery = 60 * time.Millisecond
)

// fade are the gains of consecutive frames that are made up. After them there is silence.
var fade = [...]int32{pcm.GainUnity, pcm.GainUnity * 8 / 10, pcm.GainUnity / 2, pcm.GainUnity / 4}

// Packet is an RTP packet of Opus (RFC 7587).
type Packet struct {
	SSRC      uint32
	Sequence  uint16
	Timestamp uint32 // 1/48000 s
	Payload   []byte
}

// Counters count over any number of buffers. All fields may be read at any time.
type Counters struct {
	Late      atomic.Uint64 // packets that came after their time to play
	Lost      atomic.Uint64 // packets whose time to play came before them
	Reordered atomic.Uint64 // packets that came after a later one, in time
	Duplicate atomic.Uint64
	Invalid   atomic.Uint64 // packets that are no Opus, or that the decoder refused
	Resets    atomic.Uint64 // streams that became other ones in mid-play

	Normal atomic.Uint64 // frames decoded
	FEC    atomic.Uint64 // frames recovered from the next packet
	PLC    atomic.Uint64 // frames made up by the decoder
}

// Kind says what Pull returned.
type Kind uint8

const (
	// Silence is exact zeros.
	Silence Kind = iota
	// Sound is anything else.
	Sound
)

// Config is what a Buffer is made of.
type Config struct {
	SampleRate int                // of the samples pulled, Hz: one of Opus's
	Decoder    codec.AudioDecoder // of that rate; the buffer then owns it
	Counters   *Counters          // nil: not counted
}

// Buffer is a jitter buffer. It is not safe for concurrent use. Push and Pull allocate
// nothing.
type Buffer struct {
	rate     int
	decoder  codec.AudioDecoder
	counters *Counters

	// Arrival.
	started bool
	ssrc    uint32
	newest  int64 // extended sequence number
	newTS   int64 // unwrapped timestamp of newest
	newEnd  int64 // where the newest media ends
	slots   [ringSize]slot
	est     estimator

	// Playout.
	playing   bool
	nextSeq   int64 // the next packet to decode
	nextTS    int64 // where the next packet is due
	frame     int   // duration of the last packet, at opuspkt.Rate
	madeUp    int   // frames made up in a row
	inserted  int64 // media made up while nothing was there, at opuspkt.Rate
	sound     []int16
	scratch   []int16
	last      int16 // sample pulled last
	correctAt time.Duration
}

type slot struct {
	used    bool
	seq     int64
	ts      int64
	info    opuspkt.Info
	payload []byte
}

// New makes an empty buffer.
func New(c Config) *Buffer {
	b := &Buffer{rate: c.SampleRate, decoder: c.Decoder, counters: c.Counters, frame: 960}
	if b.counters == nil {
		b.counters = new(Counters)
	}
	storage := make([]byte, ringSize*maxPayload)
	for i := range b.slots {
		b.slots[i].payload = storage[i*maxPayload : i*maxPayload : (i+1)*maxPayload]
	}
	longest := c.SampleRate * opuspkt.MaxSamples / opuspkt.Rate
	b.sound = make([]int16, 0, 4*longest)
	b.scratch = make([]int16, longest)
	b.est.reset()
	return b
}

// Close closes the decoder.
func (b *Buffer) Close() { b.decoder.Close() }

// Reset forgets all packets and all that was learned.
func (b *Buffer) Reset() {
	for i := range b.slots {
		b.slots[i].used = false
	}
	b.started, b.playing = false, false
	b.madeUp, b.inserted = 0, 0
	b.sound = b.sound[:0]
	b.est.reset()
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

// media converts a timestamp to time.
func media(ts int64) time.Duration {
	return time.Duration(ts/opuspkt.Rate)*time.Second + time.Duration(ts%opuspkt.Rate)*time.Second/opuspkt.Rate
}

// position is the timestamp of the next sample to be pulled.
func (b *Buffer) position() int64 {
	return b.nextTS - int64(len(b.sound))*opuspkt.Rate/int64(b.rate)
}

// Push takes a packet that arrived at now. The payload is copied.
func (b *Buffer) Push(p Packet, now time.Duration) {
	info, err := opuspkt.Parse(p.Payload)
	if err != nil || len(p.Payload) > maxPayload {
		b.counters.Invalid.Add(1)
		return
	}
	seq := b.newest + int64(int16(p.Sequence-uint16(b.newest)))
	ts := b.newTS + int64(int32(p.Timestamp-uint32(b.newTS)))
	if b.started && (p.SSRC != b.ssrc || abs(seq-b.newest) > maxSequenceJump || abs(ts-b.newTS) > maxTimestampJump) {
		b.counters.Resets.Add(1)
		b.Reset()
	}
	if !b.started {
		// Far from zero, so that what came a little earlier is not negative.
		seq, ts = 1<<32|int64(p.Sequence), 1<<40|int64(p.Timestamp)
		b.started, b.ssrc = true, p.SSRC
		b.newest, b.newTS, b.newEnd = seq-1, ts, ts
		b.nextSeq = seq - ringSize/2 // what was sent before the first that came may still come
	}
	s := &b.slots[seq&(ringSize-1)]
	switch {
	case s.used && s.seq == seq:
		b.counters.Duplicate.Add(1)
		return
	case seq < b.nextSeq || seq <= b.newest-ringSize:
		b.counters.Late.Add(1)
		return
	}
	reordered := seq < b.newest
	if reordered {
		b.counters.Reordered.Add(1)
	}
	b.est.order(reordered)
	afterSilence := seq == b.newest+1 && ts > b.newEnd
	b.est.observe(now, now-media(ts), !info.DTX && !afterSilence)

	*s = slot{used: true, seq: seq, ts: ts, info: info, payload: append(s.payload[:0], p.Payload...)}
	if !reordered {
		b.newest, b.newTS, b.newEnd = seq, ts, ts+int64(info.Samples())
	}
	b.bound()
}

// bound drops the oldest packets while there is too much.
func (b *Buffer) bound() {
	for {
		first := b.first()
		if first == nil || media(b.newEnd-first.ts) <= maxBuffered {
			return
		}
		first.used = false
		b.counters.Lost.Add(1)
		b.nextSeq = first.seq + 1
		if b.playing {
			b.playing = false // starts again at the target
			b.sound = b.sound[:0]
		}
	}
}

// first is the oldest packet that waits, nil if there is none.
func (b *Buffer) first() *slot {
	for seq := max(b.nextSeq, b.newest-ringSize+1); seq <= b.newest; seq++ {
		if s := &b.slots[seq&(ringSize-1)]; s.used && s.seq == seq {
			return s
		}
	}
	return nil
}

// Pull fills pcm, up to 60 ms, with what is to be heard at now, and tells whether that is
// silence.
func (b *Buffer) Pull(samples []int16, now time.Duration) Kind {
	b.est.advance(now)
	if b.playing && b.Delay(now) > 4*b.est.high() {
		b.playing = false
		b.sound = b.sound[:0]
	}
	if !b.playing {
		b.start(now)
	}
	b.fill(len(samples), true)
	b.correct(len(samples), now)
	n := copy(samples, b.sound)
	b.sound = b.sound[:copy(b.sound, b.sound[n:])]
	clear(samples[n:])
	if len(samples) > 0 {
		b.last = samples[len(samples)-1]
	}
	if pcm.Peak(samples) == 0 {
		return Silence
	}
	return Sound
}

// start begins to play once the oldest packet is as old as the target. Older ones than
// that are left out: a new spurt of talk starts with the right delay.
func (b *Buffer) start(now time.Duration) {
	var chosen *slot
	for s := b.first(); s != nil && b.est.delay(now, media(s.ts)) >= b.est.target; s = b.first() {
		if chosen != nil {
			b.counters.Late.Add(1)
		}
		chosen = s
		s.used = false
		b.nextSeq = s.seq + 1
	}
	if chosen == nil {
		return
	}
	chosen.used = true
	b.nextSeq, b.nextTS = chosen.seq, chosen.ts
	// There is nothing yet that could be faded out: silence before the first real packet
	// stays silence.
	b.playing, b.madeUp, b.inserted = true, len(fade), 0
	if b.last == 0 {
		return
	}
	// What was heard before was cut off: let the new sound grow out of its last sample.
	last := b.last
	b.fill(b.rate/fadeRate, true)
	n := min(b.rate/fadeRate, len(b.sound))
	for i := range n {
		b.sound[i] = crossFade(last, b.sound[i], i, n)
	}
}

// fill decodes until n samples wait. Unless it may make up what is missing, it stops
// there.
func (b *Buffer) fill(n int, makeUp bool) {
	for b.playing && len(b.sound) < n {
		if !makeUp {
			if s := &b.slots[b.nextSeq&(ringSize-1)]; !s.used || s.seq != b.nextSeq || s.ts > b.nextTS {
				return
			}
		}
		b.next()
	}
}

// next decodes the next packet, or makes up for it, or stops playing.
func (b *Buffer) next() {
	s := &b.slots[b.nextSeq&(ringSize-1)]
	if s.used && s.seq == b.nextSeq {
		gap := s.ts - b.nextTS
		if gap > 0 {
			// The sequence goes on but the timestamp jumped: the sender was silent.
			b.pause(int(min(gap, int64(b.frame))))
			return
		}
		b.decode(s)
		return
	}
	later := b.first()
	if later == nil {
		// Nothing is there. If it comes yet, it is played later than it should have been; if
		// it does not, what was made up here takes its place.
		b.inserted += int64(b.frame)
		b.makeUp(b.frame)
		return
	}
	gap := later.ts - b.nextTS
	lost := later.seq - b.nextSeq
	b.nextSeq++
	b.counters.Lost.Add(1)
	if gap <= 0 {
		return
	}
	size := gap
	if lost > 1 {
		size = min(gap, int64(b.frame))
	}
	b.nextTS += size
	if done := min(b.inserted, size); done > 0 {
		b.inserted -= done
		size -= done
	}
	for size > 0 {
		part := min(size, opuspkt.MaxSamples)
		size -= part
		if lost == 1 && size == 0 && opuspkt.HasLBRR(later.payload) && b.recover(later.payload, int(part)) {
			continue
		}
		b.makeUp(int(part))
	}
}

// decode appends a packet's sound.
func (b *Buffer) decode(s *slot) {
	s.used = false
	b.nextSeq = s.seq + 1
	b.nextTS = s.ts + int64(s.info.Samples())
	b.frame = s.info.Samples()
	b.inserted = 0
	if s.info.DTX {
		b.nextTS = s.ts
		b.pause(b.frame)
		return
	}
	n, err := b.decoder.Decode(s.payload, b.scratch)
	if err != nil {
		b.counters.Invalid.Add(1)
		b.makeUp(b.frame)
		return
	}
	b.counters.Normal.Add(1)
	b.madeUp = 0
	b.append(b.scratch[:n])
}

// recover appends a frame of so many samples at opuspkt.Rate from the packet after it.
func (b *Buffer) recover(packet []byte, samples int) bool {
	out := b.scratch[:samples*b.rate/opuspkt.Rate]
	if err := b.decoder.DecodeFEC(packet, out); err != nil {
		return false
	}
	b.counters.FEC.Add(1)
	b.madeUp = 0
	b.append(out)
	return true
}

// pause lets so much media pass in which the sender is silent.
func (b *Buffer) pause(samples int) {
	b.nextTS += int64(samples)
	b.makeUp(samples)
}

// makeUp appends so many samples at opuspkt.Rate of the decoder's guess, fading, or of
// silence when it has guessed for long enough. It stops playing when there is nothing to
// come after that.
//
// There is no comfort noise: whoever is silent adds nothing to the mix, which then needs
// no encoding of its own.
func (b *Buffer) makeUp(samples int) {
	out := b.scratch[:samples*b.rate/opuspkt.Rate]
	if b.madeUp >= len(fade) {
		if b.madeUp > len(fade) {
			b.playing = false
			return
		}
		b.madeUp++
		clear(out)
		b.append(out)
		return
	}
	// Opus guesses in units of 2.5 ms.
	unit := b.rate / 400
	whole := out[:len(out)/unit*unit]
	clear(out)
	if len(whole) > 0 {
		if err := b.decoder.Conceal(whole); err != nil {
			clear(whole)
		} else {
			b.counters.PLC.Add(1)
		}
	}
	from, to := fade[b.madeUp], int32(0)
	if b.madeUp++; b.madeUp < len(fade) {
		to = fade[b.madeUp]
	}
	ramp(out, from, to)
	b.append(out)
}

// append appends sound, dropping what exceeds the bound that Pull's callers never reach.
func (b *Buffer) append(samples []int16) {
	b.sound = append(b.sound, samples[:min(len(samples), cap(b.sound)-len(b.sound))]...)
}

func abs(n int64) int64 { return max(n, -n) }
