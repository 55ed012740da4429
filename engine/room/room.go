// Package room is one chat room: its streams, the mixes and the mosaic made of them, and
// who plays which.
//
// A room has no goroutine of its own. Its sound is made in ticks of the audio scheduler,
// its picture in ticks of the video scheduler, so that slow pictures never delay sound.
// The room's lock is held for a whole audio tick; commands wait for that long at most.
// A picture is drawn and encoded without it.
package room

import (
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sectile/asm/pcm"
	"sectile/engine/codec"
	"sectile/engine/metrics"
	"sectile/engine/mix"
	"sectile/engine/sched"
)

// Env is what a room needs of the engine that it lives in.
type Env struct {
	Codecs       codec.Factory
	Audio, Video *sched.Scheduler
	Now          func() time.Duration // the clock of both schedulers
	Pictures     func() int           // how many of load.AllPictures pictures to make now
	Aside        func(f func())       // calls f on a goroutine of its own: what takes long
	Metrics      *metrics.Engine
	Log          *slog.Logger
}

// allTrack is the number of the mix of everybody; streams count up from the next.
const allTrack = 1

// Room is one chat room. Its methods may be called from any goroutine.
type Room struct {
	name  string
	opts  Options
	env   Env
	frame time.Duration // of one audio tick

	mu        sync.Mutex
	closed    bool
	inputs    []*Input // in the order of AddStream
	nextTrack int
	subs      []*Subscription
	listeners []*Subscription // of allTrack; each input has those of its own
	changes   uint64          // counts what the mosaic must look at
	audio     audioState
	mosaic    *mosaic // nil without video
	look      Look
	speaker   speaker
}

// audioState is what the audio tick works with, under the room's lock.
type audioState struct {
	running   atomic.Bool // packets are wanted; written under the room's lock
	connected int         // inputs with a publication
	farewells int         // inputs with a farewell
	leaving   []*Input    // with a farewell, off the room already
	tick      uint64
	bus       *mix.Bus
	history   *mix.History
	all, mix  []int16
	wide      []int32 // scratch
	format    mix.Format
	shared    *mix.Voice

	lossChanged bool      // the loss of a listener, or who is one
	losses      []float64 // scratch
}

// New makes an empty room. The options must be valid.
func New(name string, opts Options, env Env) (*Room, error) {
	if err := opts.Validate(); err != nil {
		return nil, fmt.Errorf("room %s: %w", name, err)
	}
	env.Log = env.Log.With("room", name)
	frame := time.Duration(opts.Samples) * time.Second / time.Duration(opts.SampleRate)
	r := &Room{
		name: name, opts: opts, env: env, frame: frame, nextTrack: allTrack + 1,
		look: defaultLook(opts.Layout),
		audio: audioState{
			bus:     mix.NewBus(opts.Samples),
			history: mix.NewHistory(opts.Samples, frame),
			all:     make([]int16, opts.Samples),
			mix:     make([]int16, opts.Samples),
			wide:    make([]int32, opts.Samples),
			format: mix.Format{Samples: opts.Samples, Frame: frame, NewEncoder: func() (codec.AudioEncoder, error) {
				return env.Codecs.NewAudioEncoder(opts.audioParams())
			}},
		},
	}
	r.audio.shared = mix.NewVoice(&r.audio.format)
	if !opts.DisableVideo {
		r.mosaic = newMosaic(r)
	}
	return r, nil
}

// Name returns the room's name.
func (r *Room) Name() string { return r.name }

// Options returns the room's settings.
func (r *Room) Options() Options { return r.opts }

// Close ends the room: all players are told, all codecs freed. Publications go on; the
// caller disconnects them.
func (r *Room) Close() {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return
	}
	r.closed = true
	gone := slices.Clone(r.subs)
	for _, s := range gone {
		s.leave()
	}
	for _, in := range r.inputs {
		in.disconnect()
		in.endFarewell()
		in.listeners = nil
		in.closeVoice()
	}
	r.dropLeaving()
	r.audio.shared.Close()
	r.mu.Unlock()
	end(gone, fmt.Errorf("room %s: %w", r.name, ErrClosed))
	if r.mosaic != nil {
		r.mosaic.close()
	}
}

// AddStream adds a stream and returns its input, or the one that it has already.
func (r *Room) AddStream(name string) (*Input, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, fmt.Errorf("room %s: %w", r.name, ErrClosed)
	}
	if in := r.input(name); in != nil {
		return in, nil
	}
	return r.addInput(name, r.nextTrack), nil
}

func (r *Room) addInput(name string, track int) *Input {
	in := &Input{room: r, name: name, track: track, pcm: make([]int16, r.opts.Samples), gain: pcm.GainUnity}
	r.inputs = append(r.inputs, in)
	r.nextTrack = max(r.nextTrack, track+1)
	r.changes++
	return in
}

// RemoveStream removes a stream and ends whoever plays its track.
func (r *Room) RemoveStream(name string) (track int, err error) {
	track, gone, err := r.removeStream(name)
	end(gone, fmt.Errorf("room %s: stream %s: %w", r.name, name, ErrClosed))
	return track, err
}

// removeStream returns who played the track.
func (r *Room) removeStream(name string) (track int, gone []*Subscription, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	in := r.input(name)
	if in == nil {
		return 0, nil, fmt.Errorf("room %s: stream %s: %w", r.name, name, ErrNotFound)
	}
	r.inputs = slices.DeleteFunc(r.inputs, func(other *Input) bool { return other == in })
	r.changes++
	in.disconnect()
	if in.farewell != nil {
		r.audio.leaving = append(r.audio.leaving, in)
	}
	gone = slices.Clone(in.listeners)
	for _, s := range gone {
		s.leave()
	}
	in.listeners = nil
	in.closeVoice()
	return in.track, gone, nil
}

// SetMuted mutes or unmutes the sound or picture of a stream. A muted stream is not even
// decoded.
func (r *Room) SetMuted(stream string, kind Kind, muted bool) (track int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	in := r.input(stream)
	if in == nil {
		return 0, fmt.Errorf("room %s: stream %s: %w", r.name, stream, ErrNotFound)
	}
	switch kind {
	case Audio:
		in.muteAudio(muted)
	case Video:
		in.mutedVideo = muted
		r.changes++
	}
	return in.track, nil
}

// arrange says where the mosaic shows whom; it needs the lock.
func (r *Room) arrange() []shownInput {
	return r.look.arrange(r.inputs, r.speaker.current, r.opts.Width, r.opts.Height)
}

// SetLook lets change alter the look of the mosaic, and returns it. If change fails, or
// what it makes is not valid (an *OptionError), nothing changes. The error is ErrConflict
// in a room without video.
func (r *Room) SetLook(change func(*Look) error) (Look, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mosaic == nil {
		return Look{}, fmt.Errorf("room %s has no video: %w", r.name, ErrConflict)
	}
	look := r.look
	if err := change(&look); err != nil {
		return Look{}, err
	}
	if err := look.Validate(); err != nil {
		return Look{}, err
	}
	r.look = look
	r.changes++
	return look, nil
}

// Streams returns the names of the streams in the order in which they were added.
func (r *Room) Streams() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := make([]string, len(r.inputs))
	for i, in := range r.inputs {
		names[i] = in.name
	}
	return names
}

// Inputs returns the inputs of all streams.
func (r *Room) Inputs() []*Input {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.inputs)
}

// Stats returns the room's numbers of this moment.
func (r *Room) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Stats{
		Name: r.name, Options: r.opts, Participants: len(r.inputs), Viewers: len(r.subs),
		Talking: []string{}, Publishing: []string{}, MutedAudio: []string{}, MutedVideo: []string{}, NotShown: []string{},
		Gains: map[string]float64{},
	}
	s.Layout = r.look.Layout
	shown := r.arrange()
	for _, in := range r.inputs {
		if in.talking {
			s.Talking = append(s.Talking, in.name)
		}
		if in.connected {
			s.Publishing = append(s.Publishing, in.name)
		}
		if in.mutedAudio.Load() {
			s.MutedAudio = append(s.MutedAudio, in.name)
		}
		if in.dB != 0 {
			s.Gains[in.name] = in.dB
		}
		if in.mutedVideo {
			s.MutedVideo = append(s.MutedVideo, in.name)
		}
		if r.mosaic != nil && !slices.ContainsFunc(shown, func(s shownInput) bool { return s.input == in }) {
			s.NotShown = append(s.NotShown, in.name)
		}
	}
	return s
}

// Describe lists the tracks that can be played.
func (r *Room) Describe() []TrackInfo {
	r.mu.Lock()
	defer r.mu.Unlock()
	var tracks []TrackInfo
	if r.mosaic != nil {
		tracks = append(tracks, TrackInfo{ID: "v1", Content: "video", Codec: "h264",
			Width: r.opts.Width, Height: r.opts.Height, FPS: r.opts.FPS, Bitrate: r.opts.videoParams().Bitrate})
	}
	tracks = append(tracks, TrackInfo{ID: TrackID(allTrack), Content: "audio", Codec: "opus", Title: allTitle})
	for _, in := range r.inputs {
		tracks = append(tracks, TrackInfo{ID: TrackID(in.track), Content: "audio", Codec: "opus", Title: in.name})
	}
	return tracks
}

// Saved is the lasting part of a room: what survives a restart.
type Saved struct {
	Name      string        `json:"name"`
	Options   Options       `json:"options"`
	NextTrack int           `json:"next_track"`
	Streams   []SavedStream `json:"streams"`
	Look      *Look         `json:"look,omitempty"` // nil: as the options say
}

// SavedStream is the lasting part of one stream in a room.
type SavedStream struct {
	Name       string  `json:"name"`
	Track      int     `json:"track"`
	MutedAudio bool    `json:"muted_audio,omitempty"`
	MutedVideo bool    `json:"muted_video,omitempty"`
	Gain       float64 `json:"gain,omitempty"` // dB
}

// Save returns what Restore needs.
func (r *Room) Save() Saved {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Saved{Name: r.name, Options: r.opts, NextTrack: r.nextTrack, Streams: []SavedStream{}}
	for _, in := range r.inputs {
		s.Streams = append(s.Streams, SavedStream{in.name, in.track, in.mutedAudio.Load(), in.mutedVideo, in.dB})
	}
	if look := r.look; !reflect.DeepEqual(look, defaultLook(r.opts.Layout)) {
		s.Look = &look
	}
	return s
}

// Restore makes the room that was saved.
func Restore(s Saved, env Env) (*Room, error) {
	r, err := New(s.Name, s.Options, env)
	if err != nil {
		return nil, err
	}
	for _, stream := range s.Streams {
		if err := CheckName(stream.Name); err != nil || stream.Track <= allTrack || r.input(stream.Name) != nil || r.byTrack(stream.Track) != nil {
			return nil, fmt.Errorf("room %s: saved stream %q with track %d is not valid", s.Name, stream.Name, stream.Track)
		}
		if err := CheckGain(stream.Gain); err != nil {
			return nil, fmt.Errorf("room %s: saved stream %s: %w", s.Name, stream.Name, err)
		}
		in := r.addInput(stream.Name, stream.Track)
		in.setGain(stream.Gain)
		in.mutedAudio.Store(stream.MutedAudio)
		in.mutedVideo = stream.MutedVideo
	}
	r.nextTrack = max(r.nextTrack, s.NextTrack)
	if s.Look != nil {
		if err := s.Look.Validate(); err != nil {
			return nil, fmt.Errorf("room %s: %w", s.Name, err)
		}
		r.look = *s.Look
	}
	return r, nil
}

func (r *Room) input(name string) *Input {
	for _, in := range r.inputs {
		if in.name == name {
			return in
		}
	}
	return nil
}

func (r *Room) byTrack(track int) *Input {
	for _, in := range r.inputs {
		if in.track == track {
			return in
		}
	}
	return nil
}

// TrackID is the public name of an audio track.
func TrackID(track int) string { return fmt.Sprintf("a%d", track) }
