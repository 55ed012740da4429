package rtc

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
)

var (
	errDeleted      = errors.New("ended by its client")
	errClosed       = errors.New("connection closed by its client")
	errDisconnected = errors.New("connection lost")
	errConnect      = errors.New("not connected in time")
	errShutdown     = errors.New("server shuts down")
	errFlood        = errors.New("too many SSRCs")
)

// role is what a session does: publish or play.
type role interface {
	// connected is called once, when media can flow.
	connected() error
	// tick is called every second from then on.
	tick()
	// detach is called before the peer connection is closed, free after everything that
	// uses it has ended.
	detach()
	free()
}

// session is one peer connection and what hangs on it. One goroutine, run, owns its life;
// others tell it by end and up.
type session struct {
	server   *Server
	log      *slog.Logger
	name     string // of the stream or the room
	play     bool
	loopback bool   // the client is on this machine
	secret   string // in the session's URL; whoever knows it owns the session
	sid      string // X-Sid, the public id
	role     role
	pc       *webrtc.PeerConnection

	addresses addresses // of the client
	consent   consent   // the client's

	up   chan struct{} // gets one value when connected
	stop chan struct{} // closed by end
	done chan struct{} // closed when nothing of the session is left

	once   sync.Once
	reason error // before stop is closed

	wg      sync.WaitGroup // goroutines of the role
	beginMu sync.Mutex
	closing bool // no more of them

	counted bool   // as connected; under the server's lock
	number  uint64 // the same: how many were connected before

	mu    sync.Mutex // one negotiation at a time
	offer *offer
	etag  string
}

// token is 128 bits from a CSPRNG, for a URL.
func token() string {
	var b [16]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func newETag() string { return `"` + token() + `"` }

// index is the session's place in Server.active.
func (s *session) index() int {
	if s.play {
		return 1
	}
	return 0
}

// end has the session ended, soon. It does not block, and may be called from anywhere,
// any number of times: the first reason counts.
func (s *session) end(reason error) {
	s.once.Do(func() {
		s.reason = reason
		close(s.stop)
	})
}

// ended tells whether the session ends or has ended.
func (s *session) ended() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// begin enters a goroutine that the session waits for, unless it ends already.
func (s *session) begin() bool {
	s.beginMu.Lock()
	defer s.beginMu.Unlock()
	if s.closing {
		return false
	}
	s.wg.Add(1)
	return true
}

// wait waits until nothing of the session is left.
func (s *session) wait(ctx context.Context) error {
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stateChanged is pion's callback. It comes from a goroutine of its own each time, so in
// any order.
func (s *session) stateChanged(state webrtc.PeerConnectionState) {
	switch state {
	case webrtc.PeerConnectionStateConnected:
		select {
		case s.up <- struct{}{}:
		default: // again, after an ICE restart
		}
	case webrtc.PeerConnectionStateFailed:
		s.end(errDisconnected)
	case webrtc.PeerConnectionStateClosed:
		s.end(errClosed)
	}
}

// run is the session's goroutine.
func (s *session) run() {
	defer s.server.wg.Done()
	defer close(s.done)
	deadline := time.NewTimer(s.server.limits.Connect)
	defer deadline.Stop()
	select {
	case <-s.up:
		s.live()
	case <-deadline.C:
		s.server.rejected.add(rejectedTimeout)
		s.end(errConnect)
	case <-s.stop:
	}
	s.role.detach()
	s.server.forget(s)
	if err := s.pc.GracefulClose(); err != nil {
		s.log.Debug("closing", "err", err)
	}
	s.beginMu.Lock()
	s.closing = true
	s.beginMu.Unlock()
	s.wg.Wait()
	s.role.free()
	s.log.Info("session ended", "reason", s.reason)
}

// live runs a connected session until it ends.
func (s *session) live() {
	if err := s.role.connected(); err != nil {
		s.end(err)
		return
	}
	s.server.connected(s)
	s.consent.settle(s.server.engine.Now())
	s.log.Info("session connected")
	<-s.stop
}
