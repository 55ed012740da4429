// Package engine mixes chat rooms: it takes the packets that participants publish and
// hands out, for each room, one mix of everybody, one mix for each participant without
// their own voice, and one mosaic of all cameras.
//
// It speaks no network protocol and knows no codec library. Whoever embeds it hands in a
// codec.Factory, pushes RTP payloads into a Publication, and plays a room with a
// room.Sink.
//
// Data flows one way: Publication → jitter buffer → decoder → mix → encoder → sinks, and
// Publication → access units → decoder → mosaic → encoder → sinks.
package engine

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sectile/engine/codec"
	"sectile/engine/metrics"
	"sectile/engine/room"
	"sectile/engine/sched"
)

// MaxRooms bounds the rooms of one engine.
const MaxRooms = 10000

// Config is what an engine is made of.
type Config struct {
	Codecs codec.Factory
	Log    *slog.Logger // nil: silent
	// CPU tells the user and system time of the process, as a part of its load; nil: not known.
	CPU func() time.Duration
	// RealTime has sound use threads of real-time priority when there is much of it, there are
	// pictures, or the machine makes it late.
	RealTime bool
	// Workers is how many ticks of sound, ticks of pictures and decodes of pictures may run
	// at once, each: the number of processors. 0 is GOMAXPROCS.
	Workers int
}

// Engine holds rooms and streams. Its methods may be called from any goroutine.
//
// A stream exists while it is declared or in a room; it can be in several rooms. Locks
// are taken in the order engine, room, input; nothing that an engine calls may call back.
type Engine struct {
	codecs  codec.Factory
	log     *slog.Logger
	metrics *metrics.Engine
	start   time.Time
	audio   *sched.Scheduler
	video   *sched.Scheduler
	decodes chan struct{} // a place for each video decode that may run at once
	pool    *pool
	cameras sync.WaitGroup // workers of pool, cameras that are being freed, and what ticks leave aside

	pictures atomic.Uint64 // decoded so far: names the newest
	load     loadMeter

	mu      sync.Mutex
	closed  bool
	rooms   map[string]*room.Room
	streams map[string]*stream
}

// stream is one name that can be published.
type stream struct {
	name        string
	declared    bool          // exists without a room, too
	inputs      []*room.Input // one in each room
	publication *Publication  // nil while nobody publishes
}

// New starts an engine.
func New(c Config) *Engine {
	workers := cmp.Or(c.Workers, runtime.GOMAXPROCS(0))
	e := &Engine{
		codecs: c.Codecs, log: c.Log, metrics: metrics.New(), start: time.Now(),
		decodes: make(chan struct{}, workers), pool: newPool(workers),
		rooms: map[string]*room.Room{}, streams: map[string]*stream{},
	}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	newAudio := sched.NewPacked
	if c.RealTime {
		newAudio = sched.NewUrgent
	}
	e.audio = newAudio(workers, e.Now, e.metrics)
	e.video = sched.New(workers, e.Now, nil)
	for range workers {
		e.cameras.Go(e.pool.run)
	}
	e.load.start(e, workers, c.CPU)
	return e
}

// Around has intake called before ticks of sound that are due, and flush after them, on
// the goroutine that runs them. A transport can so bring in at once what has arrived, and
// send together what many sinks were handed. Several goroutines may call at the same time.
func (e *Engine) Around(intake, flush func()) { e.audio.Around(intake, flush) }

// Now is the engine's clock. RTP timestamps of all that it hands out count from its zero.
func (e *Engine) Now() time.Duration { return time.Since(e.start) }

// Metrics are the engine's counters.
func (e *Engine) Metrics() *metrics.Engine { return e.metrics }

// Close ends all rooms and publications and waits for everything to stop.
func (e *Engine) Close() {
	e.mu.Lock()
	e.closed = true
	for _, s := range e.streams {
		e.unpublish(s, room.ErrClosed)
	}
	rooms := slices.Collect(maps.Values(e.rooms))
	clear(e.rooms)
	clear(e.streams)
	e.mu.Unlock()
	e.audio.Close()
	e.video.Close()
	for _, r := range rooms {
		r.Close()
	}
	e.pool.close()
	e.cameras.Wait()
}

// AddRoom makes a room. A room of that name with equal options is left as it is; with
// others it is ErrConflict.
func (e *Engine) AddRoom(name string, o room.Options) error {
	if err := room.CheckName(name); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if r := e.rooms[name]; r != nil {
		if r.Options() == o {
			return nil
		}
		return fmt.Errorf("room %s exists with other settings: %w", name, room.ErrConflict)
	}
	r, err := room.New(name, o, e.env())
	if err != nil {
		return err
	}
	return e.enter(r)
}

// enter needs the lock.
func (e *Engine) enter(r *room.Room) error {
	switch {
	case e.closed:
		r.Close()
		return room.ErrClosed
	case len(e.rooms) >= MaxRooms:
		r.Close()
		return fmt.Errorf("%d rooms: %w", MaxRooms, room.ErrFull)
	}
	e.rooms[r.Name()] = r
	return nil
}

func (e *Engine) env() room.Env {
	return room.Env{
		Codecs: e.codecs, Audio: e.audio, Video: e.video, Now: e.Now, Pictures: e.load.pictures,
		Aside: e.cameras.Go, Metrics: e.metrics, Log: e.log,
	}
}

// RemoveRoom ends a room, everybody who plays it, and the publications of its streams
// that are in no other room.
func (e *Engine) RemoveRoom(name string) error {
	r, err := e.takeOut(name)
	if err != nil {
		return err
	}
	r.Close() // may wait for a picture being encoded, so without the lock
	return nil
}

// takeOut makes the engine forget a room.
func (e *Engine) takeOut(name string) (*room.Room, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, err := e.room(name)
	if err != nil {
		return nil, err
	}
	delete(e.rooms, name)
	for _, stream := range r.Streams() {
		e.leave(stream, r)
	}
	return r, nil
}

// RoomNames are the names of all rooms, sorted.
func (e *Engine) RoomNames() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Sorted(maps.Keys(e.rooms))
}

// Stats are the numbers of all rooms, sorted by name.
func (e *Engine) Stats() []room.Stats {
	stats := make([]room.Stats, 0)
	for _, name := range e.RoomNames() {
		if s, err := e.RoomStats(name); err == nil { // it may be gone by now
			stats = append(stats, s)
		}
	}
	return stats
}

// RoomStats are the numbers of one room.
func (e *Engine) RoomStats(name string) (room.Stats, error) {
	r, err := e.lookup(name)
	if err != nil {
		return room.Stats{}, err
	}
	return r.Stats(), nil
}

// Describe lists the tracks of a room.
func (e *Engine) Describe(name string) ([]room.TrackInfo, error) {
	r, err := e.lookup(name)
	if err != nil {
		return nil, err
	}
	return r.Describe(), nil
}

// Subscribe plays tracks of a room into sink.
func (e *Engine) Subscribe(name string, t room.Tracks, sink room.Sink) (*room.Subscription, error) {
	r, err := e.lookup(name)
	if err != nil {
		return nil, err
	}
	return r.Subscribe(t, sink)
}

// Declare makes a stream exist without being in a room.
func (e *Engine) Declare(name string) error {
	if err := room.CheckStreamName(name); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.streamOf(name).declared = true
	return nil
}

// HasStream tells whether a stream exists, so that it can be published.
func (e *Engine) HasStream(name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.streams[name] != nil
}

// AddStream adds a stream to a room and returns the number of the track that is the
// stream's own mix; again: the same.
func (e *Engine) AddStream(roomName, name string) (track int, err error) {
	if err := room.CheckStreamName(name); err != nil {
		return 0, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	r, err := e.room(roomName)
	if err != nil {
		return 0, err
	}
	in, err := r.AddStream(name)
	if err != nil {
		return 0, err
	}
	if err := e.join(in); err != nil {
		_, _ = r.RemoveStream(name) // it is there: it was added just now
		e.leave(name, r)
		return 0, err
	}
	return in.Track(), nil
}

// join makes the stream of in know it; it needs the lock.
func (e *Engine) join(in *room.Input) error {
	s := e.streamOf(in.Name())
	if slices.Contains(s.inputs, in) {
		return nil
	}
	s.inputs = append(s.inputs, in)
	if s.publication == nil {
		return nil
	}
	s.publication.route(s.inputs)
	return in.Connect(s.publication.camera.newView())
}

// RemoveStream removes a stream from a room, ends whoever plays its track, and ends its
// publication unless another room has the stream too.
func (e *Engine) RemoveStream(roomName, name string) (track int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, err := e.room(roomName)
	if err != nil {
		return 0, err
	}
	track, err = r.RemoveStream(name)
	if err != nil {
		return 0, err
	}
	e.leave(name, r)
	return track, nil
}

// leave makes a stream forget its input in r; it needs the lock.
func (e *Engine) leave(name string, r *room.Room) {
	s := e.streams[name]
	if s == nil {
		return
	}
	s.inputs = slices.DeleteFunc(s.inputs, func(in *room.Input) bool { return in.Room() == r })
	switch {
	case len(s.inputs) > 0:
		if s.publication != nil {
			s.publication.route(s.inputs)
		}
		return
	case !s.declared:
		delete(e.streams, name)
	}
	e.unpublish(s, fmt.Errorf("stream %s left room %s: %w", name, r.Name(), room.ErrClosed))
}

// Streams are the streams of a room in the order in which they were added.
func (e *Engine) Streams(roomName string) ([]string, error) {
	r, err := e.lookup(roomName)
	if err != nil {
		return nil, err
	}
	return r.Streams(), nil
}

// SetMuted mutes or unmutes the sound or picture of a stream in one room.
func (e *Engine) SetMuted(roomName, name string, kind room.Kind, muted bool) (track int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, err := e.room(roomName)
	if err != nil {
		return 0, err
	}
	track, err = r.SetMuted(name, kind, muted)
	if s := e.streams[name]; err == nil && s != nil && s.publication != nil {
		s.publication.route(s.inputs)
	}
	return track, err
}

// SetLook lets change alter how the mosaic of a room looks, and returns what it is then.
func (e *Engine) SetLook(roomName string, change func(*room.Look) error) (room.Look, error) {
	r, err := e.lookup(roomName)
	if err != nil {
		return room.Look{}, err
	}
	return r.SetLook(change)
}

// SetGain makes a stream louder or quieter in one room, by dB that room.CheckGain accepts.
func (e *Engine) SetGain(roomName, name string, dB float64) (track int, err error) {
	r, err := e.lookup(roomName)
	if err != nil {
		return 0, err
	}
	return r.SetGain(name, dB)
}

// Save returns the lasting part of all rooms, sorted by name.
func (e *Engine) Save() []room.Saved {
	saved := []room.Saved{}
	for _, name := range e.RoomNames() {
		if r, err := e.lookup(name); err == nil {
			saved = append(saved, r.Save())
		}
	}
	return saved
}

// Restore makes the rooms that were saved.
func (e *Engine) Restore(saved []room.Saved) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range saved {
		if e.rooms[s.Name] != nil {
			return fmt.Errorf("room %s: %w", s.Name, room.ErrConflict)
		}
		r, err := room.Restore(s, e.env())
		if err != nil {
			return err
		}
		if err := e.enter(r); err != nil {
			return err
		}
		for _, in := range r.Inputs() {
			if err := e.join(in); err != nil {
				return err
			}
		}
	}
	return nil
}

// Totals are numbers over all rooms.
type Totals struct{ Rooms, Participants, Talkers int }

// Totals counts rooms, the streams in them, and those who talk.
func (e *Engine) Totals() Totals {
	var t Totals
	for _, s := range e.Stats() {
		t.Rooms++
		t.Participants += s.Participants
		t.Talkers += len(s.Talking)
	}
	return t
}

func (e *Engine) lookup(name string) (*room.Room, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.room(name)
}

// room needs the lock.
func (e *Engine) room(name string) (*room.Room, error) {
	if r := e.rooms[name]; r != nil {
		return r, nil
	}
	return nil, fmt.Errorf("room %q: %w", name, room.ErrNotFound)
}

// streamOf is the stream of that name, made when new; it needs the lock.
func (e *Engine) streamOf(name string) *stream {
	s := e.streams[name]
	if s == nil {
		s = &stream{name: name}
		e.streams[name] = s
	}
	return s
}
