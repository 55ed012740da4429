package h264

import (
	"bytes"
	"cmp"
	"slices"
	"time"
)

// Limits of an Assembler.
const (
	window      = 512     // packets that may wait for a missing one
	maxJump     = 3000    // sequence numbers; more is another stream (RFC 3550, A.1: MAX_DROPOUT)
	maxPayload  = 4096    // bytes
	usualSize   = 1500    // bytes, for which memory of payloads is made
	maxUnit     = 2 << 20 // bytes
	maxSlices   = 64      // an access unit
	maxNALs     = 256     // an access unit
	maxParams   = 4096    // bytes of parameter sets
	defaultWait = 100 * time.Millisecond
)

// Packet is an RTP packet of H.264 (RFC 6184). Padding and header extensions are off.
type Packet struct {
	SSRC      uint32
	Sequence  uint16
	Timestamp uint32 // 90 kHz
	Marker    bool   // the access unit ends here
	Payload   []byte
}

// Config configures an Assembler.
type Config struct {
	// Wait is how long packets wait for a missing one before the Assembler is Overdue. 0
	// means 100 ms: time for two retransmissions on most paths.
	Wait time.Duration
	// Most is how long they wait before it counts as lost. 0 means Wait.
	Most time.Duration
	// Skip is how long they wait if a later keyframe is whole, which goes on without: long
	// enough for what it has only overtaken. 0 means Most.
	Skip time.Duration
}

// AU is one whole access unit.
type AU struct {
	Data      []byte // Annex B; valid until the next Next or Reset
	SSRC      uint32
	Timestamp uint32 // 90 kHz
	Key       bool   // has an IDR slice; parameter sets are before it if any were ever seen
	Gap       bool   // something before it was lost: it may refer to what is not there

	// SPS is an SPS in Data, the first that fails its Check or else the last; nil if there
	// is none. It is never changed.
	SPS *SPS
}

// Stats counts what an Assembler met.
type Stats struct {
	Units      uint64 // handed out
	Damaged    uint64 // units dropped because a part was lost or malformed
	Packets    uint64 // pushed
	Lost       uint64 // packets waited for in vain, or pushed out by newer ones
	Late       uint64 // packets that came when nobody waited any more
	Duplicates uint64
	Malformed  uint64 // packets and units that are no H.264 in packetization mode 0 or 1, or exceed a limit
	Resets     uint64 // new SSRCs and jumps of the sequence number
}

// Assembler puts packets in order and their payloads together to access units, of which
// it hands out only whole ones. It never blocks, and its memory is bounded by a window of
// packets and one unit. It is not safe for concurrent use.
type Assembler struct {
	wait  time.Duration
	most  time.Duration
	skips time.Duration
	stats Stats

	// The order. Sequence numbers are extended to 64 bits.
	started bool
	ssrc    uint32
	next    int64 // the next to consume
	highest int64 // the highest that came
	resume  int32 // where a jump would go on, or -1
	ring    [window]slot
	spare   [][]byte      // payloads' memory; so a stream in order always uses the same
	waiting bool          // next is missing and others wait
	since   time.Duration // for how long
	key     int64         // the highest that came with a part of a keyframe

	// The unit that is being assembled.
	building   bool
	sound      bool // nothing of it is missing or wrong so far
	fragmented byte // header of the NAL unit that goes on in the next packet, or 0
	timestamp  uint32
	unit       []byte
	carry      bool // unit has no picture and goes before the next

	clean  bool   // the next packet starts a unit, for the one before it ended one
	gap    bool   // something was lost since the last unit handed out
	params []byte // the newest SPS and what parameter sets came with and after it
	sps    *SPS   // in params, what AU.SPS was
	spsNAL []byte // that sps was read from
}

type slot struct {
	full      bool
	timestamp uint32
	marker    bool
	arrival   time.Duration
	payload   []byte
}

// NewAssembler makes an Assembler.
func NewAssembler(c Config) *Assembler {
	if c.Wait <= 0 {
		c.Wait = defaultWait
	}
	c.Most = max(c.Wait, c.Most)
	return &Assembler{wait: c.Wait, most: c.Most, skips: cmp.Or(c.Skip, c.Most), resume: -1}
}

// SetWait changes Config.Wait, up to Config.Most.
func (a *Assembler) SetWait(wait time.Duration) { a.wait = min(wait, a.most) }

// Overdue tells whether a missing packet was waited for so long that a keyframe should be
// asked for, which may be the faster way to the next picture. It is after Next.
func (a *Assembler) Overdue(now time.Duration) bool { return a.waiting && now-a.since >= a.wait }

// Stats returns what was counted.
func (a *Assembler) Stats() Stats { return a.stats }

// Reset forgets everything except Stats.
func (a *Assembler) Reset() {
	for i := range a.ring {
		a.free(&a.ring[i])
	}
	a.started, a.resume, a.waiting = false, -1, false
	a.building, a.carry, a.clean, a.gap = false, false, false, false
	a.params, a.spsNAL, a.sps = a.params[:0], a.spsNAL[:0], nil
}

// Push takes one packet. now is any monotonic time, the same as Next's. The payload is
// copied.
func (a *Assembler) Push(p Packet, now time.Duration) {
	a.stats.Packets++
	if len(p.Payload) > maxPayload {
		a.stats.Malformed++ // its sequence number will count as lost
		return
	}
	if a.started && p.SSRC != a.ssrc {
		a.restart()
	}
	if !a.started {
		a.started, a.ssrc = true, p.SSRC
		a.next, a.highest, a.key = int64(p.Sequence), int64(p.Sequence)-1, -1
	}
	jump := int64(int16(p.Sequence - uint16(a.highest)))
	if jump > maxJump || jump < -maxJump {
		// One stray packet is ignored; two in order are the stream going on elsewhere.
		if int32(p.Sequence) != a.resume {
			a.resume = int32(p.Sequence + 1)
			a.stats.Late++
			return
		}
		a.restart()
		a.started = true
		a.next, a.highest, a.key = int64(p.Sequence), int64(p.Sequence)-1, -1
		jump = 1
	}
	a.resume = -1
	sequence := a.highest + jump
	if sequence < a.next {
		a.stats.Late++
		return
	}
	if sequence-a.next >= window {
		a.skip(sequence - window + 1)
	}
	s := &a.ring[uint64(sequence)%window]
	if s.full {
		a.stats.Duplicates++
		return
	}
	*s = slot{true, p.Timestamp, p.Marker, now, a.clone(p.Payload)}
	a.highest = max(a.highest, sequence)
	if isKey(p.Payload) {
		a.key = max(a.key, sequence)
	}
	if sequence != a.next && !a.waiting && !a.at(a.next).full {
		a.waiting, a.since = true, now
	}
}

func (a *Assembler) clone(payload []byte) []byte {
	var buf []byte
	if n := len(a.spare); n > 0 {
		buf, a.spare = a.spare[n-1], a.spare[:n-1]
	}
	if cap(buf) < len(payload) {
		buf = make([]byte, 0, max(len(payload), usualSize))
	}
	return append(buf[:0], payload...)
}

// free empties a slot.
func (a *Assembler) free(s *slot) {
	if s.full {
		a.spare = append(a.spare, s.payload)
		*s = slot{}
	}
}

func (a *Assembler) restart() {
	a.Reset()
	a.gap = true
	a.stats.Resets++
}

func (a *Assembler) at(sequence int64) *slot { return &a.ring[uint64(sequence)%window] }

// skip gives up all packets before sequence.
func (a *Assembler) skip(sequence int64) {
	a.stats.Lost += uint64(sequence - a.next)
	for n := min(sequence-a.next, window); n > 0; n-- {
		a.free(a.at(sequence - n))
	}
	a.next, a.waiting = sequence, false
	if s := a.at(sequence); a.building && (!s.full || s.timestamp != a.timestamp) {
		a.stats.Damaged++ // or else the rest of the unit follows and will count
	}
	a.building, a.carry = false, false
	a.clean, a.gap = false, true
}

// Next returns the next whole access unit in order, if there is one by now.
func (a *Assembler) Next(now time.Duration) (AU, bool) {
	for {
		s := a.at(a.next)
		if !s.full {
			if !a.expired(now) {
				return AU{}, false
			}
			continue
		}
		a.waiting = false
		if a.building && s.timestamp != a.timestamp { // the marker is missing, or its packet was padding
			if au, ok := a.finish(); ok {
				return au, true
			}
			continue
		}
		a.next++
		a.take(s)
		marker := s.marker
		a.free(s)
		if marker && a.building {
			if au, ok := a.finish(); ok {
				return au, true
			}
		}
	}
}

// expired tells whether the missing packet was waited for long enough. If so, what is
// missing is skipped.
func (a *Assembler) expired(now time.Duration) bool {
	if a.highest < a.next || !a.started {
		return false
	}
	first := a.next + 1
	for !a.at(first).full {
		first++ // highest is there
	}
	if !a.waiting {
		a.waiting, a.since = true, a.at(first).arrival
	}
	switch waited := now - a.since; {
	case waited >= a.most:
		a.skip(first)
		return true
	case waited >= a.skips && a.key > a.next:
		start, ok := a.keyframe()
		if ok {
			a.skip(start)
		}
		return ok
	}
	return false
}

// keyframe finds the newest keyframe if it is whole and does not need anything before it.
func (a *Assembler) keyframe() (start int64, ok bool) {
	timestamp := a.at(a.key).timestamp
	part := func(sequence int64) bool {
		s := a.at(sequence)
		return sequence > a.next && sequence <= a.highest && s.full && s.timestamp == timestamp
	}
	for start = a.key; part(start - 1); start-- {
	}
	for end := a.key; part(end); end++ {
		if a.at(end).marker {
			return start, startsUnit(a.at(start).payload)
		}
	}
	return 0, false
}

// take adds the packet to the unit.
func (a *Assembler) take(s *slot) {
	if len(s.payload) == 0 {
		return // padding, which a bandwidth estimator sends as a probe
	}
	if !a.building {
		a.building, a.timestamp, a.fragmented = true, s.timestamp, 0
		if !a.carry {
			a.unit = a.unit[:0]
		}
		// After a loss only what must come first in a unit shows that this is its start
		// (ITU-T H.264, 7.4.1.2.3).
		a.sound = a.clean || startsUnit(s.payload)
	}
	a.clean = false
	if a.sound && !a.depacketize(s.payload) {
		a.stats.Malformed++
		a.sound = false
	}
}

func startsUnit(payload []byte) bool {
	if len(payload) == 0 {
		return false // padding
	}
	t := payload[0] & typeMask
	if t == typeSTAPA && len(payload) > 3 {
		t = payload[3] & typeMask
	}
	return t == typeSPS || t == typeAUD
}

// isKey tells whether a payload has a part of an IDR slice.
func isKey(payload []byte) bool {
	if len(payload) < fuHeader {
		return false
	}
	switch t := payload[0] & typeMask; t {
	case typeFUA:
		return payload[1]&typeMask == typeIDR
	case typeSTAPA:
		for rest := payload[stapHeader:]; len(rest) > 2; {
			if rest[2]&typeMask == typeIDR {
				return true
			}
			rest = rest[min(2+int(rest[0])<<8+int(rest[1]), len(rest)):]
		}
		return false
	default:
		return t == typeIDR
	}
}

// depacketize appends the NAL units of one payload to the unit (RFC 6184, 5.6 to 5.8).
func (a *Assembler) depacketize(payload []byte) bool {
	switch t := payload[0] & typeMask; {
	case payload[0]&forbid != 0:
		return false
	case t == typeFUA:
		return a.defragment(payload)
	case a.fragmented != 0:
		return false
	case t == typeSTAPA:
		for rest := payload[stapHeader:]; len(rest) > 0; {
			if len(rest) < 2 {
				return false
			}
			n := int(rest[0])<<8 | int(rest[1])
			rest = rest[2:]
			if n == 0 || n > len(rest) || rest[0]&forbid != 0 || !isNAL(rest[0]) || !a.append(startCode, rest[:n]) {
				return false
			}
			rest = rest[n:]
		}
		return true
	default:
		return isNAL(t) && a.append(startCode, payload)
	}
}

func (a *Assembler) defragment(payload []byte) bool {
	if len(payload) < fuHeader {
		return false
	}
	flags, header := payload[1], payload[0]&nriMask|payload[1]&typeMask
	switch {
	case flags&fuStart != 0:
		if a.fragmented != 0 || !isNAL(header) || !a.append(startCode, []byte{header}) {
			return false
		}
		a.fragmented = header
	case a.fragmented != header:
		return false
	}
	if flags&fuEnd != 0 {
		a.fragmented = 0
	}
	return a.append(payload[fuHeader:], nil)
}

// isNAL tells whether a header is that of a NAL unit, not of a packet of some.
func isNAL(header byte) bool {
	t := header & typeMask
	return t > 0 && t < typeSTAPA
}

func (a *Assembler) append(b, c []byte) bool {
	if len(a.unit)+len(b)+len(c) > maxUnit {
		return false
	}
	a.unit = append(append(a.unit, b...), c...)
	return true
}

// finish ends the unit and returns it if it is whole and has a picture.
func (a *Assembler) finish() (AU, bool) {
	a.building, a.carry, a.clean = false, false, true
	if !a.sound || a.fragmented != 0 {
		a.stats.Damaged++
		a.gap = true
		return AU{}, false
	}
	au, pictures, ok := a.inspect()
	if !ok {
		a.stats.Malformed++
		a.stats.Damaged++
		a.gap = true
		return AU{}, false
	}
	if pictures == 0 {
		a.carry = true
		return AU{}, false
	}
	a.stats.Units++
	au.Gap, a.gap = a.gap, false
	return au, true
}

// inspect looks at all NAL units as a decoder would find them, whatever packets they came
// in: a start code inside a payload hides nothing. It returns the number of slices too.
func (a *Assembler) inspect() (au AU, pictures int, ok bool) {
	var spsNAL []byte
	var count, params int
	for nal, rest := nextNAL(a.unit); len(nal) > 0; nal, rest = nextNAL(rest) {
		count++
		switch t := nal[0] & typeMask; {
		case t == typeIDR:
			au.Key = true
			pictures++
		case t == typeSlice:
			pictures++
		case t > typeSlice && t < typeIDR:
			return AU{}, 0, false // data partitions, of the extended profile
		case t == typeSPS:
			sps, err := a.parse(nal)
			if err != nil {
				return AU{}, 0, false
			}
			if au.SPS == nil || au.SPS.Check() == nil {
				au.SPS, spsNAL = sps, nal
			}
			params += len(startCode) + len(nal)
		case t == typePPS:
			params += len(startCode) + len(nal)
		}
	}
	if pictures > maxSlices || count > maxNALs || params > maxParams {
		return AU{}, 0, false
	}
	if au.SPS != nil {
		a.sps, a.spsNAL = au.SPS, append(a.spsNAL[:0], spsNAL...)
		a.params = a.params[:0]
	}
	if params > 0 {
		a.keep()
	}
	if au.Key && au.SPS == nil && a.sps != nil {
		// Some encoders send parameter sets only once; a decoder that is new needs them.
		a.unit = slices.Insert(a.unit, 0, a.params...)
		au.SPS = a.sps
	}
	au.Data, au.SSRC, au.Timestamp = a.unit, a.ssrc, a.timestamp
	return au, pictures, true
}

// parse reads an SPS; the same one again costs nothing.
func (a *Assembler) parse(nal []byte) (*SPS, error) {
	if a.sps != nil && bytes.Equal(nal, a.spsNAL) {
		return a.sps, nil
	}
	sps, err := ParseSPS(nal)
	if err != nil {
		return nil, err
	}
	return &sps, nil
}

// keep adds the parameter sets in the unit to those remembered.
func (a *Assembler) keep() {
	for nal, rest := nextNAL(a.unit); len(nal) > 0; nal, rest = nextNAL(rest) {
		if !isParameters(nal) || a.keptLast(nal) {
			continue
		}
		if len(a.params)+len(startCode)+len(nal) > maxParams {
			a.params, a.sps = a.params[:0], nil // better none than some
			return
		}
		a.params = append(append(a.params, startCode...), nal...)
	}
}

// keptLast tells whether nal is the last that was remembered, for some encoders repeat it
// with every picture.
func (a *Assembler) keptLast(nal []byte) bool {
	before, ok := bytes.CutSuffix(a.params, nal)
	return ok && bytes.HasSuffix(before, startCode)
}
