package engine

const (
	// A picture of so many bits a pixel at so many pictures a second is as good as the
	// mosaic, which is encoded once more, can show.
	targetRate    = 30
	targetPerMill = 130 // thousandths of a bit a pixel
	// minTarget keeps a picture that nobody looks at alive, so that it is there at once.
	minTarget = 150_000
)

// VideoTarget is how many bit/s of video are worth sending for the size at which the
// picture is shown by now, over all layers; 0 means no limit.
func (p *Publication) VideoTarget() int { return p.camera.target() }

func (c *camera) target() int {
	now := c.engine.Now()
	c.in.Lock()
	defer c.in.Unlock()
	if !c.shown.Load() || !c.watched(now) {
		return minTarget
	}
	cell := c.wanted(now)
	if cell.width >= unknownSide {
		return 0
	}
	l := &c.layers.all[max(c.layers.taken, 0)]
	target := l.shownIn(cell) * targetRate * targetPerMill / 1000
	if c.layers.count(now) > 1 {
		// The layer may be larger than the cell; and the smaller layers are sent, too, each
		// of half the width and height.
		if l.fits(cell) {
			target = max(target, l.width*l.height*targetRate*targetPerMill/1000)
		}
		target += target * 2 / 5
	}
	return max(target, minTarget)
}

// shownIn is the size in pixels at which the layer's picture is shown in a cell; if the cell
// crops it, with what is cut off.
func (l *layer) shownIn(cell extent) int {
	if l.width == 0 {
		return cell.width * cell.height
	}
	wider := l.width*cell.height >= l.height*cell.width
	if wider == cell.crop {
		return cell.height * cell.height * l.width / l.height
	}
	return cell.width * cell.width * l.height / l.width
}
