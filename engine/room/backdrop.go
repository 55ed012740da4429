package room

import (
	"sync"

	"sectile/asm/yuv"
	"sectile/engine/compose"
	"sectile/engine/sched"
)

// backdrop is the background image of a picture. To decode and scale one takes longer than
// many pictures, and other rooms' ticks would wait, too: so it is done aside, when the image
// is first needed, and meanwhile the one before is shown, or the colour.
type backdrop struct {
	room *Room

	mu        sync.Mutex
	wanted    string     // its data URL; "": none
	image     *yuv.Image // the newest that is prepared; nil: none, or it cannot be decoded
	preparing bool
}

// of returns what to show of an image for now. Once there is more, the room counts a change.
func (b *backdrop) of(url string) *yuv.Image {
	b.mu.Lock()
	defer b.mu.Unlock()
	if url == b.wanted {
		return b.image
	}
	b.wanted = url
	switch {
	case url == "":
		b.image = nil
	case !b.preparing:
		b.preparing = true
		b.room.env.Aside(b.prepare)
	}
	return b.image
}

// prepare prepares the image that is wanted, and if that is another one by then, also that.
func (b *backdrop) prepare() {
	var done string
	var image *yuv.Image
	for url := b.next(done, nil); url != ""; url = b.next(done, image) {
		sched.Background(func() { image = b.room.prepareImage(url) })
		done = url
	}
	b.room.mu.Lock()
	defer b.room.mu.Unlock()
	b.room.changes++
}

// next takes an image that is prepared, if it is still wanted, and returns which one is to be
// prepared next; "" if none is.
func (b *backdrop) next(done string, image *yuv.Image) (url string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch b.wanted {
	case done:
		b.image = image
	case "":
	default:
		return b.wanted
	}
	b.preparing = false
	return ""
}

// prepareImage makes a background of an image, nil if that cannot be decoded.
func (r *Room) prepareImage(url string) *yuv.Image {
	img, err := decodeImage(url)
	if err != nil {
		r.env.Log.Warn("no background image", "err", err)
		return nil
	}
	return compose.Backdrop(img, r.opts.Width, r.opts.Height)
}
