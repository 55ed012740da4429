package nack

import (
	"errors"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"
)

// step is how often a Reader looks for packets that were sent again.
const step = 10 * time.Millisecond

// Track is what a Reader reads, a webrtc.TrackRemote.
type Track interface {
	Read(b []byte) (int, interceptor.Attributes, error)
	SetReadDeadline(time.Time) error
	HasRTX() bool
}

// Reader reads a track so that what is sent again is not held up. pion looks for what came by
// RTX only when it begins to read: it would lie there until the next packet comes, which is
// of the next picture mostly.
type Reader struct {
	Track Track

	deadline time.Time // zero: none
}

// Read reads the next packet into buf. While packets are missing it returns an error from
// time to time of which Waited is true; then those that are due are to be asked for. resent
// is for Losses.Add: without RTX, any packet may have been sent again.
func (r *Reader) Read(buf []byte, missing bool) (n int, resent bool, err error) {
	if missing || !r.deadline.IsZero() {
		if err := r.wait(missing); err != nil {
			return 0, false, err
		}
	}
	n, attributes, err := r.Track.Read(buf)
	return n, !r.Track.HasRTX() || attributes.Get(webrtc.AttributeRtxSsrc) != nil, err
}

// wait moves the deadline, if it has passed or is of no more use.
func (r *Reader) wait(missing bool) error {
	now := time.Now()
	switch {
	case !missing:
		r.deadline = time.Time{}
	case r.deadline.After(now):
		return nil
	default:
		r.deadline = now.Add(step)
	}
	return r.Track.SetReadDeadline(r.deadline)
}

// Waited tells whether an error of Read means that no packet came for a while.
func Waited(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}
