package engine

import (
	"time"

	"sectile/asm/yuv"
)

// inherited is the last picture of the publication that this one took over, shown until
// there is a newer one: who reconnects does not vanish for the time that it takes.
type inherited struct {
	image *yuv.Image // nil: none
	name  uint64     // its sequence
	until time.Duration
}

// sequence names the picture, 0 once it is too old.
func (b *inherited) sequence(now time.Duration) uint64 {
	if b.image == nil || now > b.until {
		*b = inherited{}
		return 0
	}
	return b.name
}

// inherit takes over what another camera of the stream shows. It copies the picture, for
// its decoder ends with that camera.
func (c *camera) inherit(from *camera) {
	if from.paused.Load() || !from.shown.Load() {
		return // nobody sees it
	}
	now := c.engine.Now()
	name := from.sequence(now)
	if name == 0 {
		return
	}
	from.picture.Lock()
	defer from.picture.Unlock()
	c.before = from.before
	if shown := &from.pictures.shown; shown.decoder != nil {
		image := yuv.NewImage(shown.image.Width, shown.image.Height)
		image.Colours = shown.image.Colours
		yuv.Copy(image, &shown.image)
		c.before = inherited{image, name, now + cameraStale}
	}
}
