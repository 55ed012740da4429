package x264

import (
	"bytes"
	"math"
)

// Quantizers. A picture of the worst is hardly one; better than the best ones nobody sees,
// and they would cost the more the less there is to see.
const (
	worstQP       = 51
	bestQP        = 22 // of pictures that nothing stands out of
	bestRefreshQP = 19
	bestKeyQP     = 18
)

const (
	// Every refreshEvery of a second a picture is quantized finer. What stands still keeps its
	// quality from then on, for libx264 skips what is good enough, so each bit of it is spent
	// once and seen in all the pictures after: before fixed cameras the same bitrate gives
	// 2 dB more than with one quantizer for all. More seldom, and finer, would give 0.5 dB
	// more yet, but what moves would pulse.
	refreshEvery = 4. / 15
	// refreshLeast and refreshMost are by how much finer: if all moves and nothing lasts, and
	// if all but a bit stands still. Before fixed cameras, luma of a cell then gains or loses
	// 0.6 dB from one picture to the next (root mean square); with 10 at most it would be
	// 0.75 dB, for 0.15 dB more in the mean.
	refreshLeast, refreshMost = 2, 8

	// keyGain is how much finer a keyframe is than the picture before, for the same reason.
	keyGain = 4

	// usual is how much of the buffer is filled most of the time. The rest is for pictures
	// that turn out larger: a camera moves, a speaker changes.
	usual = 0.3
)

// kind is what a picture is to rate control. Each costs bits in its own way.
type kind uint8

const (
	plain   kind = iota
	refresh      // a finer one
	key
	kinds
)

// rate chooses one quantizer for each picture, so that the stream passes a leaky bucket:
// what is sent in any time exceeds bitrate by no more than the bucket holds, but for a
// picture of up to 0.6 of it that turned out larger than foreseen. libx264 could
// do so too, row by row, but needs a search of its own for it in a half as large picture,
// a quarter of all that encoding costs; and rows of changing quality are worse than a
// picture of the same quality throughout.
//
// The model is that a picture costs work × cost × 2^(-QP/6) bits, work being what changed
// in it, and cost what its kind was found to.
type rate struct {
	bitrate, capacity float64 // bit/s, bits
	period            float64 // seconds
	level             float64 // bits in the bucket
	blocks            int

	qp     float64        // of plain pictures
	cost   [kinds]float64 // 0: not known yet
	still  float64        // share of the picture that stands still, on average
	finest float64        // quantizer since the last key
	since  float64        // seconds since the last refresh or key
	idle   bool           // nothing changed in this picture
	work   float64        // of this picture
	kind   kind
	cut    bool // this picture is of new things, with the cost of a key
	chosen int  // QP of this picture
}

func newRate(bitrate, fps, width, height, blocks int) rate {
	r := rate{period: 1 / float64(fps), blocks: blocks}
	r.limit(bitrate)
	// Until it is known: half a bit a sample at QP 26, about what a camera's picture takes.
	r.cost[key] = float64(width*height) / 2 * scale(26) / float64(blocks)
	return r
}

// limit sets the bitrate. Half a second of it also bounds a keyframe: about a dozen usual
// pictures. Below four pictures a second it is two pictures' worth, so that a keyframe can
// still be bigger than its neighbours.
func (r *rate) limit(bitrate int) {
	r.bitrate = float64(bitrate)
	r.capacity = r.bitrate * max(0.5, 2*r.period)
	r.level = min(r.level, r.capacity)
}

// scale is 2^(qp/6), by how much the quantizer grows.
func scale(qp float64) float64 { return math.Exp2(qp / 6) }

// qpFor is the quantizer with which a picture takes about that many bits, not rounded.
func (r *rate) qpFor(k kind, bits float64) float64 {
	return 6 * math.Log2(max(r.work*r.cost[k], 1)/max(bits, 1))
}

// pass takes the time since the picture before.
func (r *rate) pass(elapsed float64) {
	r.level = max(r.level-elapsed*r.bitrate, 0)
	r.since += elapsed
}

// begin takes what changed, and chooses the quantizer of the next picture. cut is of one
// that shows new things but must not be a keyframe.
func (r *rate) begin(isKey, cut bool, same []byte) int {
	changed := r.blocks
	if same != nil {
		changed = bytes.Count(same, []byte{0})
	}
	r.idle = changed == 0
	if !r.idle {
		r.still += (1 - float64(changed)/float64(r.blocks) - r.still) / 16
	}
	// What stays is not for free: it is refined, and a skip must be written.
	r.work = float64(changed) + float64(r.blocks)/16
	r.kind, r.cut = plain, cut
	switch {
	case isKey:
		r.kind, r.work = key, float64(r.blocks)
	case cut:
		r.kind = key // as for its cost
	case r.since >= refreshEvery-r.period/2:
		r.kind = refresh
	}
	r.choose()
	return r.chosen
}

// gain is how much finer a refresh is quantized than plain pictures.
func (r *rate) gain() float64 { return refreshLeast + (refreshMost-refreshLeast)*r.still }

// choose sets the quantizer of this picture.
func (r *rate) choose() {
	room := r.capacity - r.level
	var qp float64
	switch r.kind {
	case key:
		part := 0.8
		qp = bestKeyQP
		switch {
		case r.cut:
			qp, part = r.qp, 0.5 // for there is no second try
		case r.qp > 0:
			qp = max(qp, r.qp-keyGain)
		}
		qp = max(qp, r.qpFor(key, part*room))
	default:
		r.settle()
		qp = r.qp
		if r.kind == refresh {
			qp = max(qp-r.gain(), bestRefreshQP)
		}
		if r.cost[r.kind] > 0 {
			qp = max(qp, r.qpFor(r.kind, 0.7*room))
		}
		qp = r.refine(qp, 0.7*room)
	}
	r.chosen = int(min(max(math.Round(qp), bestKeyQP), worstQP))
}

// refine bounds how much finer than ever since the keyframe a picture may be, for all of
// what stands still is refined then, which takes many bits at once. A step takes about a
// quarter of what a keyframe would with its quantizer, six steps all of that.
func (r *rate) refine(qp, bits float64) float64 {
	fine := r.finest
	for ; fine > qp; fine-- {
		part := min(0.25+(r.finest-fine)/8, 1)
		if part*float64(r.blocks)*r.cost[key]/scale(fine-1) > bits {
			break
		}
	}
	return max(fine, qp)
}

// settle moves the quantizer of plain pictures to where they and the refreshes between
// take the bitrate, and a little more or less while the bucket is fuller or emptier than
// usual. It moves by a step a picture at most, except out of danger.
func (r *rate) settle() {
	if r.cost[plain] == 0 || r.idle {
		if r.idle {
			r.qp = max(r.qp-1, bestQP)
		}
		return
	}
	n := refreshEvery / r.period // pictures from one refresh to the next
	mean := r.cost[plain]
	if r.cost[refresh] > 0 && n > 1 {
		mean = ((n-1)*r.cost[plain] + r.cost[refresh]*scale(r.gain())) / n
	}
	full := (r.level - usual*r.capacity) / r.capacity
	target := r.bitrate * r.period * (1 - min(full, 0.7))
	want := 6 * math.Log2(max(r.work*mean, 1)/target)
	step := 1.
	if full > 0.4 {
		step = 4
	}
	r.qp = min(max(want, r.qp-1, bestQP), r.qp+step, worstQP)
}

// again tells whether the picture is too large to be sent, and must be encoded again, as a
// keyframe, with the quantizer that choose returns from now on. Only a new picture can be
// that large: of one in which much merely moves, a keyframe would be larger.
func (r *rate) again(bits int) bool {
	size := float64(bits)
	if r.level+size <= r.capacity || size <= r.capacity*0.6 || r.chosen == worstQP {
		return false
	}
	if r.kind != key {
		// It is not sent, but the next of its kind must fit: or there would be keyframes only.
		r.cost[r.kind] = max(r.cost[r.kind], size*scale(float64(r.chosen))/r.work)
	}
	// A P picture of new things costs about what a keyframe does.
	r.kind, r.cut, r.work = key, false, float64(r.blocks)
	r.cost[key] = size * scale(float64(r.chosen)) / r.work
	last := r.chosen
	r.choose()
	r.chosen = max(r.chosen, min(last+2, worstQP))
	return true
}

// end takes the bits that the picture took.
func (r *rate) end(bits int) {
	size := float64(bits)
	r.level += size
	if r.kind != plain {
		r.since = 0
	}
	if r.kind == key || float64(r.chosen) < r.finest {
		r.finest = float64(r.chosen)
	}
	if r.kind == key && (r.qp == 0 || r.qp < float64(r.chosen)) {
		r.qp = float64(r.chosen + keyGain)
	}
	if r.idle && r.kind != key {
		return // that says nothing of pictures that change
	}
	now := size * scale(float64(r.chosen)) / r.work
	before := &r.cost[r.kind]
	if r.cut {
		now = max(now, *before) // it need not have been new all over
	}
	switch {
	case r.kind == key || *before == 0:
		*before = now
	case now > *before:
		*before += (now - *before) / 3
	default:
		*before += (now - *before) / 8
	}
}
