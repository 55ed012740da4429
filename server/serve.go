package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"sectile/asm/cpu"
	"sectile/engine"
	"sectile/server/api"
	"sectile/server/codecs"
	"sectile/server/config"
	"sectile/server/metrics"
	"sectile/server/procs"
	"sectile/server/proxy"
	"sectile/server/rtc"
	"sectile/server/store"
	"sectile/server/web"
)

// defaultDrainTime is how long sessions may go on after the first SIGTERM.
const defaultDrainTime = 10 * time.Second

// watchEvery spaces the warnings of overload.
const watchEvery = 10 * time.Second

// server is everything that serve starts.
type server struct {
	log      *slog.Logger
	engine   *engine.Engine
	rtc      *rtc.Server
	store    *store.Store // nil: rooms live in memory
	rejected rejections
	instance string // names this process
	procs    *procs.Fitter

	load       func() float64 // the engine's
	overloaded atomic.Bool    // new sessions are refused

	http  net.Listener
	https net.Listener // nil: off
	tls   tls.Certificate

	drainTime time.Duration

	saved chan struct{} // a change waits to be written
}

// newServer opens all sockets and restores the rooms, but answers nobody yet.
func newServer(c config.Config, log *slog.Logger) (s *server, err error) {
	s = &server{log: log, instance: rand.Text(), procs: procs.New(), drainTime: defaultDrainTime, saved: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if err := codecs.Check(); err != nil {
		return s, err
	}
	if err := cpu.EnvError(); err != nil {
		return s, err
	}
	s.engine = engine.New(engine.Config{Codecs: codecs.Factory{}, Log: log, RealTime: true, Workers: s.procs.Machine(), CPU: s.procs.CPUTime})
	s.load = s.engine.Load
	if err := s.restore(c); err != nil {
		return s, err
	}
	if s.rtc, err = rtc.New(rtc.Config{Engine: s.engine, Addr: c.RTC, Addresses: c.RTCAddresses, Log: log}); err != nil {
		return s, fmt.Errorf("--rtc: %w", err)
	}
	if s.http, err = net.Listen("tcp", c.HTTP); err != nil {
		return s, fmt.Errorf("--http: %w", err)
	}
	if c.HTTPS != "" {
		if s.tls, err = certificate(c.TLSCert, c.TLSKey); err != nil {
			return s, err
		}
		if s.https, err = net.Listen("tcp", c.HTTPS); err != nil {
			return s, fmt.Errorf("--https: %w", err)
		}
	}
	return s, nil
}

// restore makes the rooms of the store and of the configuration. Where both know a room,
// the configuration's options hold and the store's streams come back.
func (s *server) restore(c config.Config) error {
	if c.Data != "" {
		var err error
		if s.store, err = store.Open(c.Data); err != nil {
			return err
		}
		saved, err := s.store.Load()
		if err != nil {
			return err
		}
		for i, old := range saved.Rooms {
			for _, configured := range c.Rooms {
				if configured.Name == old.Name {
					saved.Rooms[i].Options = configured.Options
				}
			}
		}
		if err := s.engine.Restore(saved.Rooms); err != nil {
			return err
		}
	}
	for _, r := range c.Rooms {
		if err := s.engine.AddRoom(r.Name, r.Options); err != nil {
			return err
		}
	}
	for _, name := range c.Streams {
		if err := s.engine.Declare(name); err != nil {
			return err
		}
	}
	return nil
}

// run serves until ctx is done, then drains. It returns when nothing of the server runs
// any more.
func (s *server) run(ctx context.Context, c config.Config) error {
	handler := s.handler(c)
	httpServer := func() *http.Server {
		return &http.Server{
			Handler: handler, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
			ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
			IdleTimeout: 60 * time.Second, MaxHeaderBytes: 16 << 10,
		}
	}
	plain, secure := httpServer(), httpServer()
	failed := make(chan error, 2)
	var wg sync.WaitGroup
	serve := func(f func() error) {
		wg.Go(func() {
			if err := f(); !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		})
	}
	serve(func() error { return plain.Serve(s.http) })
	if s.https != nil {
		secure.TLSConfig = &tls.Config{Certificates: []tls.Certificate{s.tls}, MinVersion: tls.VersionTLS12}
		serve(func() error { return secure.ServeTLS(s.https, "", "") })
	}
	chores, stopChores := context.WithCancel(context.Background())
	var choresDone sync.WaitGroup
	choresDone.Go(func() { s.saver(chores) })
	choresDone.Go(func() { s.watch(chores) })
	choresDone.Go(func() { s.procs.Run(chores, s.busy()) })
	choresDone.Go(func() { s.admit(chores, c.MaxLoad) })

	var err error
	select {
	case <-ctx.Done():
		s.log.Info("draining", "for", s.drainTime.String())
		s.rtc.Drain()
		s.waitForSessions(s.drainTime)
	case err = <-failed:
	}
	deadline, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for _, server := range []*http.Server{plain, secure} {
		if shutdown := server.Shutdown(deadline); shutdown != nil {
			server.Close()
		}
	}
	wg.Wait()
	stopChores()
	choresDone.Wait()
	s.close()
	return err
}

// waitForSessions returns when there is no session, at the latest after d.
func (s *server) waitForSessions(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if st := s.rtc.Stats(); st.Publish+st.Play+st.Pending == 0 {
			return
		}
	}
}

// close frees everything that newServer made; what it did not come to make is nil.
func (s *server) close() {
	if s.rtc != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.rtc.Close(ctx); err != nil {
			s.log.Warn("sessions did not end", "err", err)
		}
	}
	if s.engine != nil {
		s.engine.Close()
	}
	for _, l := range []net.Listener{s.http, s.https} {
		if l != nil {
			l.Close()
		}
	}
	if s.store != nil {
		s.store.Close()
	}
}

func (s *server) handler(c config.Config) http.Handler {
	mux := http.NewServeMux()
	api.New(api.Config{Rooms: s.engine, User: c.EditUser, Pass: c.EditPass, Log: s.log,
		Changed: s.changed, Rejected: s.rejected.add}).Register(mux)
	s.rtc.Register(mux)
	var options []web.Option
	if s.https != nil {
		_, port, _ := net.SplitHostPort(s.https.Addr().String())
		options = append(options, web.HTTPSPort(port))
	}
	web.Register(mux, options...)
	mux.HandleFunc("GET /{room}/embed.html", s.embed)
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", metrics.Handler(metrics.Sources{
		Engine: s.engine, Sessions: s.rtc.Stats, Rejected: s.rejected.snapshot, Tier: cpu.Current().String(),
	}))
	return proxy.Handler(c.TrustedProxies, s.rousing(s.announcing(mux)))
}

// rousing readies the processors for what a client begins: the handshakes of a session, say.
func (s *server) rousing(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			s.procs.Rouse()
		}
		h.ServeHTTP(w, r)
	})
}

// announcing has each answer say X-Draining once new sessions are refused for good, so that
// pages, which ask about their rooms anyway, can warn before the sessions end.
func (s *server) announcing(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.rtc.Draining() {
			w.Header().Set("X-Draining", "1")
		}
		h.ServeHTTP(w, r)
	})
}

// busy returns what tells whether there were pictures since it was called last, or sound is
// urgent.
func (s *server) busy() func() bool {
	m := s.engine.Metrics()
	seen := uint64(0)
	return func() bool {
		pictures := m.FramesDecoded.Load() + m.FramesEncoded.Load()
		drawn := pictures != seen
		seen = pictures
		return drawn || s.engine.Urgent()
	}
}

// embed serves the viewer of a room. The page also comes for a room that does not exist
// (yet), with status 404: it says so and keeps trying.
func (s *server) embed(w http.ResponseWriter, r *http.Request) {
	if _, err := s.engine.RoomStats(r.PathValue("room")); err != nil {
		r.Header.Del("If-None-Match") // 304 would be a 404 without the page
		w = &notFound{ResponseWriter: w}
	}
	web.Embed(w, r)
}

// notFound turns the status of an answer with a body into 404.
type notFound struct{ http.ResponseWriter }

func (w *notFound) WriteHeader(int) { w.ResponseWriter.WriteHeader(http.StatusNotFound) }

// health tells that the process lives, and which one it is: clients can tell a restart
// from having been removed.
func (s *server) health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("X-Instance", s.instance)
	io.WriteString(w, "ok\n")
}

// ready tells whether new sessions are taken.
func (s *server) ready(w http.ResponseWriter, _ *http.Request) {
	if s.rtc.Draining() {
		http.Error(w, "draining", http.StatusServiceUnavailable)
		return
	}
	if s.overloaded.Load() {
		http.Error(w, "overloaded", http.StatusServiceUnavailable)
		return
	}
	io.WriteString(w, "ok\n")
}

// saver writes the rooms after each change until ctx is done, and a last time then.
// Changes that come while it writes are written together.
func (s *server) saver(ctx context.Context) {
	for {
		select {
		case <-s.saved:
		case <-ctx.Done():
			s.save()
			return
		}
		s.save()
	}
}

// watch warns when the machine cannot keep up, until ctx is done.
func (s *server) watch(ctx context.Context) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	seen := uint64(0)
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		skipped := s.engine.Metrics().TicksSkipped.Load()
		if n := skipped - seen; n > 0 {
			s.log.Warn("audio ticks came too late and were left out: the machine is overloaded", "ticks", n, "in", watchEvery.String())
		}
		seen = skipped
	}
}

func (s *server) save() {
	if s.store == nil {
		return
	}
	if err := s.store.Save(store.Snapshot{Rooms: s.engine.Save()}); err != nil {
		s.log.Error("rooms are not saved", "err", err)
	}
}

// changed has the rooms written, soon.
func (s *server) changed() {
	select {
	case s.saved <- struct{}{}:
	default:
	}
}

// rejections counts what the HTTP side refuses, by reason.
type rejections struct {
	mu sync.Mutex
	by map[string]uint64
}

func (r *rejections) add(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by == nil {
		r.by = map[string]uint64{}
	}
	r.by[reason]++
}

func (r *rejections) snapshot() map[string]uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.by)
}
