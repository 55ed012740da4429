package nack

import (
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"
)

// fakeTrack is a track as pion has it: what came by RTX is there at the begin of a call only.
type fakeTrack struct {
	rtx, packets chan byte
	deadline     time.Time
}

func (f *fakeTrack) Read(b []byte) (int, interceptor.Attributes, error) {
	select {
	case b[0] = <-f.rtx:
		return 1, interceptor.Attributes{webrtc.AttributeRtxSsrc: uint32(2)}, nil
	default:
	}
	var timeout <-chan time.Time
	if !f.deadline.IsZero() {
		timeout = time.After(time.Until(f.deadline))
	}
	select {
	case b[0] = <-f.packets:
		return 1, nil, nil
	case <-timeout:
		return 0, nil, os.ErrDeadlineExceeded
	}
}

func (f *fakeTrack) SetReadDeadline(t time.Time) error {
	f.deadline = t
	return nil
}

func (f *fakeTrack) HasRTX() bool { return true }

// TestReader: what is sent again is read soon, though no other packet comes; and nobody is
// woken for it while nothing is missing.
func TestReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		track := &fakeTrack{rtx: make(chan byte, 1), packets: make(chan byte, 1)}
		r, buf, start := Reader{Track: track}, make([]byte, 1), time.Now()
		go func() {
			time.Sleep(time.Second)
			track.packets <- 1
			time.Sleep(25 * ms)
			track.rtx <- 2
		}()
		if n, resent, err := r.Read(buf, false); n != 1 || resent || err != nil || buf[0] != 1 {
			t.Fatalf("%d bytes %v, sent again %v, %v", n, buf, resent, err)
		}
		waited := 0
		for {
			n, resent, err := r.Read(buf, true)
			if Waited(err) {
				waited++
				continue
			}
			if n != 1 || !resent || err != nil || buf[0] != 2 {
				t.Fatalf("%d bytes %v, sent again %v, %v", n, buf, resent, err)
			}
			break
		}
		if took := time.Since(start) - time.Second; took > 25*ms+step || waited != 3 {
			t.Errorf("read after %v, woken %d times", took, waited)
		}
		track.packets <- 3
		time.Sleep(time.Second)
		if n, resent, err := r.Read(buf, false); n != 1 || resent || err != nil || !track.deadline.IsZero() {
			t.Errorf("%d bytes, sent again %v, %v, deadline %v", n, resent, err, track.deadline)
		}
		if Waited(errors.New("closed")) || Waited(nil) {
			t.Error("any error is taken for a time out")
		}
	})
}
