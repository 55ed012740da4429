// Package rtc is the WebRTC side of the server: publishing by WHIP (RFC 9725), playing by
// WHEP (draft-ietf-wish-whep), and what Flussonic's browser library asks for beside them.
//
// A session is one peer connection. It publishes a stream into the engine or plays tracks
// of a room, and owns everything that it starts: when it ends, nothing of it is left. All
// sessions share one UDP port.
package rtc

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor"

	"sectile/engine"
)

// Config is what a Server is made of.
type Config struct {
	Engine    *engine.Engine
	Addr      string       // of the UDP port, such as ":8189"; port 0 picks one
	Addresses []netip.Addr // to announce in candidates instead of the interfaces' own
	Log       *slog.Logger // nil: silent
	Limits    Limits
}

// Server holds the sessions. Its methods may be called from any goroutine.
type Server struct {
	engine              backend
	log                 *slog.Logger
	pionLog             pionLog
	limits              Limits
	socket              *socket
	epoch               time.Time // wall clock at the zero of the engine's clock
	publishInterceptors *interceptor.Registry
	posts, changes      *addressLimiter
	pacer               *pacer

	rejected rejections
	counters counters
	draining atomic.Bool
	overload atomic.Bool
	wg       sync.WaitGroup // goroutines of sessions
	ticking  sync.WaitGroup // tick
	stopTick chan struct{}
	stopOnce sync.Once

	mu       sync.Mutex
	closed   bool
	bySecret map[string]*session
	bySID    map[string]*session
	number   uint64 // of sessions that were connected
	pending  int    // not connected yet
	active   [2]int // connected: publish, play
}

type counters struct {
	packetsIn, packetsOut, bytesIn, bytesOut, resent atomic.Uint64
}

// Stats are numbers of a moment. Sessions count once they are connected.
type Stats struct {
	Publish, Play, Pending int
	PacketsIn, PacketsOut  uint64 // RTP
	Resent                 uint64 // packets of video that were sent again, not among PacketsOut
	BytesIn, BytesOut      uint64 // of RTP packets with their headers
	Rejected               map[string]uint64
}

// New opens the UDP port.
func New(c Config) (*Server, error) { return newServer(c, realEngine{c.Engine}) }

func newServer(c Config, engine backend) (*Server, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Limits.setDefaults()
	s := &Server{
		engine: engine, log: c.Log, pionLog: pionLog{c.Log}, limits: c.Limits,
		epoch: time.Now().Add(-engine.Now()),
		posts: newAddressLimiter(c.Limits.Posts), changes: newAddressLimiter(c.Limits.Changes),
		bySecret: map[string]*session{}, bySID: map[string]*session{},
		stopTick: make(chan struct{}),
	}
	if err := checkAssociation(); err != nil {
		return nil, fmt.Errorf("webrtc: %w", err)
	}
	s.pacer = newPacer(s.wg.Go) // by a session, which counts itself until it is closed
	var err error
	if s.publishInterceptors, err = publishRegistry(s.pionLog); err != nil {
		return nil, err
	}
	stray := func() { s.rejected.add(rejectedStray) }
	if s.socket, err = listen(c.Addr, c.Addresses, engine.Now, s.pionLog, stray); err != nil {
		return nil, fmt.Errorf("webrtc: %w", err)
	}
	engine.Around(s.socket.poll, s.socket.finish)
	s.ticking.Go(s.tick)
	return s, nil
}

// Addr is the address of the UDP port.
func (s *Server) Addr() net.Addr { return net.UDPAddrFromAddrPort(s.socket.local) }

// Register adds the routes: everything below a stream's or room's name that no more
// specific pattern of mux takes.
func (s *Server) Register(mux *http.ServeMux) { mux.Handle("/{name}/{rest...}", s.Handler()) }

// Drain refuses new sessions from now on; those that are go on.
func (s *Server) Drain() { s.draining.Store(true) }

// Draining tells whether new sessions are refused for good.
func (s *Server) Draining() bool { return s.draining.Load() }

// SetOverloaded refuses new sessions, or takes them again.
func (s *Server) SetOverloaded(overloaded bool) { s.overload.Store(overloaded) }

// Stats returns the numbers of this moment.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	stats := Stats{Publish: s.active[0], Play: s.active[1], Pending: s.pending}
	s.mu.Unlock()
	stats.PacketsIn, stats.PacketsOut = s.counters.packetsIn.Load(), s.counters.packetsOut.Load()
	stats.Resent = s.counters.resent.Load()
	stats.BytesIn, stats.BytesOut = s.counters.bytesIn.Load(), s.counters.bytesOut.Load()
	stats.Rejected = s.rejected.snapshot()
	return stats
}

// Close ends all sessions and waits for them, at most until ctx is done, then closes the
// UDP port.
func (s *Server) Close(ctx context.Context) error {
	s.Drain()
	s.mu.Lock()
	s.closed = true
	for _, session := range s.bySecret {
		session.end(errShutdown)
	}
	s.mu.Unlock()
	gone := make(chan struct{})
	go func() {
		s.wg.Wait()
		close(gone)
	}()
	var err error
	select {
	case <-gone:
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.stopOnce.Do(func() { close(s.stopTick) })
	s.ticking.Wait()
	if e := s.socket.close(); err == nil {
		err = e
	}
	return err
}

// tick has each connected session do what it does every second. One timer serves them
// all: waking a goroutine for each costs more than what it does then.
func (s *Server) tick() {
	const turns = 10 // a tenth of the sessions each, so that no burst delays the sound
	ticker := time.NewTicker(time.Second / turns)
	defer ticker.Stop()
	var now []*session
	for turn := uint64(0); ; turn++ {
		select {
		case <-ticker.C:
		case <-s.stopTick:
			return
		}
		s.mu.Lock()
		for _, session := range s.bySID {
			if session.counted && session.number%turns == turn%turns && !session.ended() {
				now = append(now, session)
			}
		}
		s.mu.Unlock()
		s.socket.together(func() {
			for _, session := range now {
				session.role.tick()
			}
		})
		clear(now)
		now = now[:0]
	}
}

// reserve takes a place among the sessions that are not connected yet.
func (s *Server) reserve() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed || s.draining.Load():
		return refuse(http.StatusServiceUnavailable, rejectedDraining, "the server is shutting down")
	case s.pending >= s.limits.Pending:
		return refuse(http.StatusServiceUnavailable, rejectedPending, "too many sessions are connecting")
	}
	s.pending++
	s.wg.Add(1)
	return nil
}

// release gives a place back that came to be no session.
func (s *Server) release() {
	s.mu.Lock()
	s.pending--
	s.mu.Unlock()
	s.wg.Done()
}

// enter starts a session in its reserved place.
func (s *Server) enter(session *session) {
	s.mu.Lock()
	s.bySecret[session.secret], s.bySID[session.sid] = session, session
	if s.closed { // while it was made
		session.end(errShutdown)
	}
	s.mu.Unlock()
	go session.run()
}

func (s *Server) connected(session *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	session.counted = true
	session.number = s.number
	s.number++
	s.pending--
	s.active[session.index()]++
}

func (s *Server) forget(session *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.bySecret, session.secret)
	delete(s.bySID, session.sid)
	if session.counted {
		s.active[session.index()]--
	} else {
		s.pending--
	}
}

// find finds the session of a URL.
func (s *Server) find(name, secret string, play bool) (*session, error) {
	s.mu.Lock()
	found := s.bySecret[secret]
	s.mu.Unlock()
	if found == nil || found.name != name || found.play != play || found.ended() {
		return nil, notFound("no such session")
	}
	return found, nil
}

// findSID finds a session by its public id.
func (s *Server) findSID(name, sid string) (*session, error) {
	s.mu.Lock()
	found := s.bySID[sid]
	s.mu.Unlock()
	if found == nil || found.name != name || found.ended() {
		return nil, notFound("no such session")
	}
	return found, nil
}
