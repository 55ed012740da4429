package engine

import (
	"bytes"
	"slices"
	"time"

	"sectile/engine/h264"
)

const (
	// MaxLayers is how many layers a publisher may send of its picture (simulcast,
	// RFC 8853).
	MaxLayers = 3

	// layerTimeout is after how long without a packet a layer counts as not sent: clients
	// stop sending the larger ones when their uplink is short.
	layerTimeout = 1500 * time.Millisecond
	// chooseEvery is how often the choice of the layer is looked at, and switchEvery the
	// least time between two changes of it.
	chooseEvery = 200 * time.Millisecond
	switchEvery = 2 * time.Second

	// unknownSide is the size of a picture that a room shows without saying how large.
	unknownSide = 1 << 14
)

// layer is one encoding of a publisher's picture.
type layer struct {
	clock         sourceClock
	seen          bool
	last          time.Duration // when its newest packet came
	sps           []byte        // the newest
	width, height int           // that it tells; 0: not known yet
	key           keyframeRequest
	rtt           time.Duration // to the publisher and back; 0: not known
}

// note looks at a packet, whether the layer is taken or not, and tells whether it begins
// with an SPS.
func (l *layer) note(payload []byte, now time.Duration) (starts bool) {
	l.seen, l.last = true, now
	sps := h264.FirstSPS(payload)
	if sps == nil {
		return false
	}
	if !bytes.Equal(sps, l.sps) {
		if parsed, err := h264.ParseSPS(sps); err == nil {
			l.sps = append(l.sps[:0], sps...)
			l.width, l.height = parsed.Width, parsed.Height
		}
	}
	return true
}

func (l *layer) alive(now time.Duration) bool { return l.seen && now-l.last < layerTimeout }

// extent is the size of the cell in which a picture is shown, and whether the picture is
// cropped to fill it.
type extent struct {
	width, height int
	crop          bool
}

// fits tells whether the layer is large enough for a cell: a quarter larger it looks as good.
func (l *layer) fits(cell extent) bool {
	wide, high := l.width*5 >= cell.width*4, l.height*5 >= cell.height*4
	return wide && high || !cell.crop && (wide || high)
}

// better tells whether the layer is to be taken rather than another one for a cell: the
// smallest that is large enough, or the largest.
func (l *layer) better(other *layer, cell extent) bool {
	fits, otherFits := l.fits(cell), other.fits(cell)
	switch {
	case l.width == 0 || other.width == 0:
		return l.width > 0
	case fits != otherFits:
		return fits
	case fits:
		return l.width*l.height < other.width*other.height
	}
	return l.width*l.height > other.width*other.height
}

// layers are those of one camera, and which of them is decoded.
type layers struct {
	all       [MaxLayers]layer
	taken     int // -1: none yet
	next      int // waits for a keyframe to be taken; -1: none
	assembler *h264.Assembler
	chosen    time.Duration // when it was looked at last
	switched  time.Duration // when taken changed
}

func (l *layers) init() {
	l.taken, l.next, l.chosen, l.switched = -1, -1, -chooseEvery, -switchEvery
	for i := range l.all {
		l.all[i].clock.rate = videoClock
	}
}

// count is how many layers are sent.
func (l *layers) count(now time.Duration) (n int) {
	for i := range l.all {
		if l.all[i].alive(now) {
			n++
		}
	}
	return n
}

// wanted is the cell in which the picture is shown by now, the greatest over all rooms; 0×0
// if it is not shown. It forgets the rooms that do not ask for it any more.
func (c *camera) wanted(now time.Duration) (cell extent) {
	c.views = slices.DeleteFunc(c.views, func(v *view) bool {
		gone := now-time.Duration(v.asked.Load()) >= cameraIdle
		v.listed.Store(!gone)
		return gone
	})
	for _, v := range c.views {
		switch size := v.size.Load(); size {
		case hidden:
		case 0:
			cell.width, cell.height = unknownSide, unknownSide
		default:
			cell.width = max(cell.width, int(size&^cropped>>32))
			cell.height = max(cell.height, int(uint32(size)))
			cell.crop = cell.crop || size&cropped != 0
		}
	}
	return cell
}

// choose chooses the layer. It is called for every packet, and looks every now and then.
func (c *camera) choose(now time.Duration) {
	s := &c.layers
	if s.taken >= 0 && now-s.chosen < chooseEvery {
		return
	}
	s.chosen = now
	cell := c.wanted(now)
	best := -1
	for i := range s.all {
		l := &s.all[i]
		if !l.alive(now) {
			continue
		}
		if best < 0 || l.better(&s.all[best], cell) {
			best = i
		}
	}
	switch {
	case best < 0 || best == s.taken:
		s.next = -1
	case s.taken < 0 || !s.all[s.taken].alive(now):
		// There is nothing to go on with meanwhile.
		s.taken, s.next, s.switched = best, -1, now
		c.size = [2]int{}
		c.assembler.Reset()
		c.needKey.Store(true)
		c.key = keyframeRequest{}
	case best != s.next && now-s.switched >= switchEvery && !c.paused.Load():
		if s.assembler == nil {
			s.assembler = newAssembler()
		}
		s.assembler.Reset()
		s.next = best
		s.all[best].key = keyframeRequest{}
	}
	if s.count(now) < 2 || c.paused.Load() {
		return
	}
	for i := range s.all {
		if l := &s.all[i]; l.alive(now) && l.width == 0 && l.key.due(now, l.rtt) {
			c.request(i) // its size comes with a keyframe
		}
	}
}

// pushNext takes a packet of the layer that is to be taken next. It is taken with its first
// keyframe; until then the one before goes on.
func (c *camera) pushNext(pkt h264.Packet, now time.Duration) {
	s := &c.layers
	s.assembler.Push(pkt, now)
	for {
		au, ok := s.assembler.Next(now)
		if !ok {
			break
		}
		if s.next >= 0 {
			if !au.Key || au.SPS == nil || !c.acceptable(au.SPS, now) {
				c.engine.metrics.FramesDropped.Add(1)
				continue
			}
			s.all[s.next].key.answered()
			s.taken, s.next, s.switched = s.next, -1, now
			c.size = [2]int{}
			c.needKey.Store(true)
		}
		c.take(au, now)
	}
	if s.next < 0 {
		c.assembler, s.assembler = s.assembler, c.assembler
		c.key = keyframeRequest{}
		return
	}
	if next := &s.all[s.next]; next.key.due(now, next.rtt) {
		c.request(s.next)
	}
}
