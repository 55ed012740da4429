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
	target := cell.width * cell.height * targetRate * targetPerMill / 1000
	if c.layers.count(now) > 1 {
		// The layer may be larger than the cell; and the smaller layers are sent, too, each
		// of half the width and height.
		if l := &c.layers.all[max(c.layers.taken, 0)]; l.fits(cell) {
			target = max(target, l.width*l.height*targetRate*targetPerMill/1000)
		}
		target += target * 2 / 5
	}
	return max(target, minTarget)
}
