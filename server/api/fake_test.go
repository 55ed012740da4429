package api

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"sectile/engine/room"
)

// fakeRooms is Rooms as the engine has it, without media.
type fakeRooms struct {
	mu    sync.Mutex
	rooms map[string]*fakeRoom
	fail  error // of every command that may change something
}

type fakeRoom struct {
	options room.Options
	look    room.Look
	next    int
	streams []*fakeStream
}

type fakeStream struct {
	name  string
	track int
	muted [2]bool // by room.Kind
	gain  float64
}

func (f *fakeRooms) room(name string) (*fakeRoom, error) {
	if r := f.rooms[name]; r != nil {
		return r, nil
	}
	return nil, fmt.Errorf("room %q: %w", name, room.ErrNotFound)
}

func (f *fakeRooms) stream(roomName, name string) (*fakeRoom, int, error) {
	r, err := f.room(roomName)
	if err != nil {
		return nil, 0, err
	}
	i := slices.IndexFunc(r.streams, func(s *fakeStream) bool { return s.name == name })
	if i < 0 {
		return nil, 0, fmt.Errorf("room %s: stream %s: %w", roomName, name, room.ErrNotFound)
	}
	return r, i, nil
}

func (f *fakeRooms) AddRoom(name string, o room.Options) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return f.fail
	}
	if r := f.rooms[name]; r != nil {
		if r.options == o {
			return nil
		}
		return fmt.Errorf("room %s exists with other settings: %w", name, room.ErrConflict)
	}
	if f.rooms == nil {
		f.rooms = map[string]*fakeRoom{}
	}
	f.rooms[name] = &fakeRoom{options: o, next: 2, look: room.Look{Layout: o.Layout, Fit: "letterbox", Background: "#090909", Names: "on"}}
	return nil
}

func (f *fakeRooms) RemoveRoom(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := f.room(name)
	delete(f.rooms, name)
	return err
}

func (f *fakeRooms) RoomNames() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.rooms)) // nil when there are none
}

func (f *fakeRooms) Stats() []room.Stats {
	var stats []room.Stats
	for _, name := range f.RoomNames() {
		s, err := f.RoomStats(name)
		if err == nil {
			stats = append(stats, s)
		}
	}
	return stats
}

func (f *fakeRooms) RoomStats(name string) (room.Stats, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, err := f.room(name)
	if err != nil {
		return room.Stats{}, err
	}
	s := room.Stats{Name: name, Options: r.options, Participants: len(r.streams), Viewers: 3,
		Talking: []string{}, Publishing: []string{}, MutedAudio: []string{}, MutedVideo: []string{}, NotShown: []string{}, Gains: map[string]float64{}}
	s.Layout = r.look.Layout
	for _, stream := range r.streams {
		if stream.muted[room.Audio] {
			s.MutedAudio = append(s.MutedAudio, stream.name)
		}
		if stream.gain != 0 {
			s.Gains[stream.name] = stream.gain
		}
		if stream.muted[room.Video] {
			s.MutedVideo = append(s.MutedVideo, stream.name)
		}
	}
	return s, nil
}

func (f *fakeRooms) AddStream(roomName, name string) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return 0, f.fail
	}
	if r, i, err := f.stream(roomName, name); err == nil {
		return r.streams[i].track, nil
	}
	r, err := f.room(roomName)
	if err != nil {
		return 0, err
	}
	r.streams = append(r.streams, &fakeStream{name: name, track: r.next})
	r.next++
	return r.next - 1, nil
}

func (f *fakeRooms) RemoveStream(roomName, name string) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, i, err := f.stream(roomName, name)
	if err != nil {
		return 0, err
	}
	track := r.streams[i].track
	r.streams = slices.Delete(r.streams, i, i+1)
	return track, nil
}

func (f *fakeRooms) Streams(roomName string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, err := f.room(roomName)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range r.streams {
		names = append(names, s.name)
	}
	return names, nil
}

func (f *fakeRooms) SetMuted(roomName, name string, kind room.Kind, muted bool) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, i, err := f.stream(roomName, name)
	if err != nil {
		return 0, err
	}
	r.streams[i].muted[kind] = muted
	return r.streams[i].track, nil
}

func (f *fakeRooms) SetLook(roomName string, change func(*room.Look) error) (room.Look, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, err := f.room(roomName)
	if err != nil {
		return room.Look{}, err
	}
	if r.options.DisableVideo {
		return room.Look{}, fmt.Errorf("room %s has no video: %w", roomName, room.ErrConflict)
	}
	look := r.look
	if err := change(&look); err != nil {
		return room.Look{}, err
	}
	if err := look.Validate(); err != nil {
		return room.Look{}, err
	}
	r.look = look
	return look, nil
}

func (f *fakeRooms) SetGain(roomName, name string, dB float64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, i, err := f.stream(roomName, name)
	if err != nil {
		return 0, err
	}
	r.streams[i].gain = dB
	return r.streams[i].track, nil
}
