// Package store keeps what outlives the process: rooms with their streams, and declared
// streams. It is one JSON file, small enough to be written anew at each change.
package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"sectile/engine/room"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrLocked means that another server uses the directory.
	ErrLocked = errors.New("in use by another server")
	// ErrCorrupt means that the file is not one that Save wrote.
	ErrCorrupt = errors.New("cannot be used")
	// ErrClosed means that the Store is closed.
	ErrClosed = errors.New("store is closed")
)

// version of the file's format; a file with another one is refused.
const version = 1

const (
	fileName = "rooms.json"
	tempName = "rooms.json.tmp" // the next fileName while it is being written
	lockName = "lock"
)

// Snapshot is everything that is kept.
type Snapshot struct {
	Rooms   []room.Saved `json:"rooms"`
	Streams []string     `json:"streams"` // declared: they exist without a room, too
}

// document is the file.
type document struct {
	Version int `json:"version"`
	Snapshot
}

// Store is a directory that this process alone uses. Its methods may be called from any
// goroutine.
type Store struct {
	dir string

	mu   sync.Mutex
	lock *os.File // holds the lock while it is open; nil when closed
}

// Open locks dir, which is made when it does not exist. The kernel frees the lock when
// the process ends, however it ends.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := flock(lock); err != nil {
		lock.Close()
		return nil, fmt.Errorf("data directory %s: %w", dir, err)
	}
	// What a crash left behind; without the lock it could be another server's.
	if err := os.Remove(filepath.Join(dir, tempName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		lock.Close()
		return nil, fmt.Errorf("data directory: %w", err)
	}
	return &Store{dir: dir, lock: lock}, nil
}

// flock returns ErrLocked rather than wait.
func flock(f *os.File) error {
	for {
		switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err {
		case unix.EINTR:
		case unix.EWOULDBLOCK:
			return ErrLocked
		default:
			return os.NewSyscallError("flock", err)
		}
	}
}

// Close gives the directory free. It may be called again.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock == nil {
		return nil
	}
	err := s.lock.Close()
	s.lock = nil
	return err
}

// Load returns what was saved last, and an empty Snapshot when nothing ever was. The
// error is ErrCorrupt when the file is damaged or inconsistent; it is left as it is.
func (s *Store) Load() (Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock == nil {
		return Snapshot{}, ErrClosed
	}
	path := filepath.Join(s.dir, fileName)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Snapshot{}, nil
	}
	if err != nil {
		return Snapshot{}, fmt.Errorf("saved rooms: %w", err)
	}
	snapshot, err := decode(data)
	if err != nil {
		return Snapshot{}, fmt.Errorf("%s %w: %w (move it away to start without its rooms)", path, ErrCorrupt, err)
	}
	return snapshot, nil
}

// Save replaces what was saved before. After an error, or a crash at any moment, Load
// returns either the old or the new Snapshot in full.
func (s *Store) Save(snapshot Snapshot) error {
	data, err := encode(snapshot)
	if err != nil {
		return fmt.Errorf("save rooms: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock == nil {
		return ErrClosed
	}
	if err := s.replace(data); err != nil {
		return fmt.Errorf("save rooms: %w", err)
	}
	return nil
}

// replace writes the file under another name first: a rename is atomic, and it comes
// after the data has reached the disk. Syncing the directory makes the rename last.
func (s *Store) replace(data []byte) error {
	temp := filepath.Join(s.dir, tempName)
	if err := writeSync(temp, data); err != nil {
		os.Remove(temp)
		return err
	}
	if err := os.Rename(temp, filepath.Join(s.dir, fileName)); err != nil {
		os.Remove(temp)
		return err
	}
	dir, err := os.Open(s.dir)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func writeSync(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func encode(s Snapshot) ([]byte, error) {
	if s.Rooms == nil {
		s.Rooms = []room.Saved{}
	}
	if s.Streams == nil {
		s.Streams = []string{}
	}
	data, err := json.MarshalIndent(document{version, s}, "", "\t")
	return append(data, '\n'), err
}

func decode(data []byte) (Snapshot, error) {
	// The version comes first: another one may have other fields.
	var head struct{ Version int }
	if err := json.Unmarshal(data, &head); err != nil {
		return Snapshot{}, err
	}
	if head.Version != version {
		return Snapshot{}, fmt.Errorf("it has version %d, only %d is known", head.Version, version)
	}
	var doc document
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil {
		return Snapshot{}, err
	}
	if _, err := d.Token(); err != io.EOF {
		return Snapshot{}, errors.New("something follows the JSON object")
	}
	for i := range doc.Rooms {
		doc.Rooms[i].Options.Complete()
	}
	return doc.Snapshot, doc.check()
}

// check looks for what the server relies on: valid names and options, and no track
// number that two streams have or that a new stream would get again.
func (s Snapshot) check() error {
	rooms := map[string]bool{}
	for _, r := range s.Rooms {
		if err := checkNew(rooms, r.Name); err != nil {
			return fmt.Errorf("rooms: %w", err)
		}
		if err := r.Options.Validate(); err != nil {
			return fmt.Errorf("room %s: %w", r.Name, err)
		}
		if r.Look != nil {
			if err := r.Look.Validate(); err != nil {
				return fmt.Errorf("room %s: %w", r.Name, err)
			}
		}
		names, tracks := map[string]bool{}, map[int]bool{}
		for _, stream := range r.Streams {
			if err := checkNew(names, stream.Name); err != nil {
				return fmt.Errorf("room %s: streams: %w", r.Name, err)
			}
			if stream.Track < firstTrack || stream.Track >= r.NextTrack || tracks[stream.Track] {
				return fmt.Errorf("room %s: stream %s has track %d, next is %d", r.Name, stream.Name, stream.Track, r.NextTrack)
			}
			tracks[stream.Track] = true
			if err := room.CheckGain(stream.Gain); err != nil {
				return fmt.Errorf("room %s: stream %s: %w", r.Name, stream.Name, err)
			}
		}
		if r.NextTrack < firstTrack {
			return fmt.Errorf("room %s: next track is %d", r.Name, r.NextTrack)
		}
	}
	declared := map[string]bool{}
	for _, name := range s.Streams {
		if err := checkNew(declared, name); err != nil {
			return fmt.Errorf("streams: %w", err)
		}
	}
	return nil
}

// firstTrack is that of a room's first stream; a1 is the mix of everybody.
const firstTrack = 2

func checkNew(known map[string]bool, name string) error {
	if known[name] {
		return fmt.Errorf("%s is there twice", name)
	}
	known[name] = true
	return room.CheckName(name)
}
