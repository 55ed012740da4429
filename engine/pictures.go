package engine

import (
	"time"

	"sectile/asm/yuv"
	"sectile/engine/codec"
)

const (
	// maxWaiting is how many decoded pictures wait for their sound, and maxWait for how
	// long: the longest delay of a jitter buffer and something for what it corrects. What
	// would wait longer has a clock that cannot be trusted.
	maxWaiting = 8
	maxWait    = 300 * time.Millisecond

	// early is how much before its sound a picture may be shown, rather than a tick of the
	// mosaic after. Half of the period at 25 a second would make both err equally; this is
	// more, for what is shown earlier is less late, and yet within 40 ms at the player, who
	// hears the sound up to 12 ms later: the mix's limiter and Opus look ahead.
	early = 25 * time.Millisecond
)

// frame is a decoded picture.
type frame struct {
	image    yuv.Image
	decoder  *decoder // which holds it
	sequence uint64
	decoded  time.Duration

	timed    bool
	captured time.Duration // on the publisher's clock
}

// decoder is a codec.VideoDecoder that outlives its last picture.
type decoder struct {
	codec.VideoDecoder
	held    int
	retired bool // decodes no more
}

func (d *decoder) release() {
	d.Release()
	d.held--
	d.closeIfDone()
}

// retire closes the decoder as soon as nothing is left of it.
func (d *decoder) retire() {
	d.retired = true
	d.closeIfDone()
}

func (d *decoder) closeIfDone() {
	if d.retired && d.held == 0 {
		d.Close()
	}
}

// pictures are the decoded pictures of one camera: the one that is shown, and those that
// wait for the sound of the same moment to be played. All its frames are held by their
// decoders, and released in the order in which they were decoded.
type pictures struct {
	shown   frame // without a decoder if there is none
	waiting [maxWaiting]frame
	n       int
}

// push takes a frame. If there is no room, the oldest one is shown too early.
func (p *pictures) push(f frame) {
	f.decoder.held++
	if p.n == maxWaiting {
		p.next()
	}
	p.waiting[p.n] = f
	p.n++
}

// next shows the oldest one that waits.
func (p *pictures) next() {
	if p.shown.decoder != nil {
		p.shown.decoder.release()
	}
	p.shown = p.waiting[0]
	copy(p.waiting[:], p.waiting[1:p.n])
	p.n--
	p.waiting[p.n] = frame{}
}

// advance shows what is due by now: of moments of the publisher's clock offset earlier, or
// everything if that is not known.
func (p *pictures) advance(now, offset time.Duration, known bool) {
	for p.n > 0 {
		f := &p.waiting[0]
		due := f.captured + offset
		if known && f.timed && due > now+early && due < f.decoded+maxWait {
			return
		}
		p.next()
	}
}

// clear releases all.
func (p *pictures) clear() {
	for p.n > 0 {
		p.next()
	}
	if p.shown.decoder != nil {
		p.shown.decoder.release()
	}
	p.shown = frame{}
}
