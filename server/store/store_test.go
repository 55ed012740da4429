package store

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"sectile/engine/room"
)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func example() Snapshot {
	o := room.DefaultOptions()
	o.DisableVideo, o.Preset, o.Layout, o.Gate = false, "fast", "sidebar", room.GateOff
	return Snapshot{
		Rooms: []room.Saved{
			{Name: "empty", Options: room.DefaultOptions(), NextTrack: 5, Streams: []room.SavedStream{}},
			{Name: "meeting", Options: o, NextTrack: 9, Streams: []room.SavedStream{
				{Name: "b", Track: 2, MutedAudio: true}, {Name: "a", Track: 7, MutedVideo: true, Gain: -6.5},
			}, Look: &room.Look{
				Layout: "custom", Fit: "crop", Gap: 4, Background: "#102030", Names: "off",
				Cells: []room.LookCell{{Width: 1, Height: 0.5, Stream: "a"}, {Y: 0.5, Width: 0.25, Height: 0.5}},
			}},
		},
		Streams: []string{"cam1", "cam2"},
	}
}

func TestRoundTrip(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "when", "missing")
	s := open(t, dir)
	if got, err := s.Load(); err != nil || !reflect.DeepEqual(got, Snapshot{}) {
		t.Fatalf("before the first Save: %+v, %v", got, err)
	}
	for _, want := range []Snapshot{example(), {Rooms: []room.Saved{}, Streams: []string{"x"}}, example()} {
		if err := s.Save(want); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Load(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir)
		if got, err := s.Load(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("after a restart: got  %+v, %v\nwant %+v", got, err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, tempName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary file is still there: %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, fileName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// TestOlderRooms: a room saved before there was an option has its default.
func TestOlderRooms(t *testing.T) {
	data, err := encode(example())
	if err != nil {
		t.Fatal(err)
	}
	old := strings.Replace(string(data), `,
				"layout": "grid"`, "", 1)
	if old == string(data) {
		t.Fatal("no layout in the example")
	}
	if got, err := decode([]byte(old)); err != nil || !reflect.DeepEqual(got, example()) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, example())
	}
}

func TestEmptySnapshotIsNoNull(t *testing.T) {
	s := open(t, t.TempDir())
	if err := s.Save(Snapshot{}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(s.dir, fileName))
	if want := "{\n\t\"version\": 1,\n\t\"rooms\": [],\n\t\"streams\": []\n}\n"; err != nil || string(data) != want {
		t.Errorf("got %s, %v; want %s", data, err, want)
	}
	if _, err := s.Load(); err != nil {
		t.Error(err)
	}
}

// TestBeforeGates: a file that was written before rooms had gates and streams had gains
// is one of rooms with the default gate and of streams without gain.
func TestBeforeGates(t *testing.T) {
	data, err := encode(example())
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, field := range []string{`"gate": "on",`, `"gate": "off",`, `,` + "\n\t\t\t\t\t" + `"gain": -6.5`} {
		if !strings.Contains(text, field) {
			t.Fatalf("no %s in %s", field, text)
		}
		text = strings.Replace(text, field, "", 1)
	}
	want := example()
	for i := range want.Rooms {
		want.Rooms[i].Options.Gate = room.DefaultOptions().Gate
	}
	want.Rooms[1].Streams[1].Gain = 0
	if got, err := decode([]byte(text)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestCorrupt(t *testing.T) {
	valid, err := encode(example())
	if err != nil {
		t.Fatal(err)
	}
	replace := func(old, new string) string {
		if !strings.Contains(string(valid), old) {
			t.Fatalf("no %s in the example", old)
		}
		return strings.Replace(string(valid), old, new, 1)
	}
	for _, test := range []struct{ name, text, want string }{
		{"empty", "", "unexpected end of JSON input"},
		{"zeros", string(make([]byte, 100)), "invalid character"},
		{"cut", string(valid[:len(valid)/2]), "unexpected end of JSON input"},
		{"null", "null", "version 0"},
		{"array", "[]", "cannot unmarshal array"},
		{"twice", string(valid) + string(valid), "after top-level value"},
		{"no version", replace(`"version": 1,`, ""), "version 0, only 1 is known"},
		{"newer", replace(`"version": 1`, `"version": 2, "new": {}`), "version 2, only 1 is known"},
		{"unknown field", replace(`"rooms"`, `"colour": 1, "rooms"`), `unknown field "colour"`},
		{"type", replace(`"track": 2`, `"track": "a2"`), "cannot unmarshal string"},
		{"room name", replace(`"name": "empty"`, `"name": "../x"`), `name "../x" is not accepted`},
		{"room twice", replace(`"name": "empty"`, `"name": "meeting"`), "meeting is there twice"},
		{"option", replace(`"bitrate": 64`, `"bitrate": 1`), "room empty: option bitrate"},
		{"layout", replace(`"layout": "sidebar"`, `"layout": "custom"`), "room meeting: option layout"},
		{"look", replace(`"fit": "crop"`, `"fit": "crip"`), "room meeting: option fit"},
		{"gate", replace(`"gate": "on"`, `"gate": "shut"`), `gate "shut" is neither on nor off`},
		{"gain", replace(`"gain": -6.5`, `"gain": 21`), "room meeting: stream a: gain 21 dB is not accepted, only -60 to 20"},
		{"option missing", replace(`"bitrate": 64,`, ``), "room empty: option bitrate"},
		{"stream name", replace(`"name": "b"`, `"name": ""`), `room meeting: streams: name ""`},
		{"stream twice", replace(`"name": "b"`, `"name": "a"`), "room meeting: streams: a is there twice"},
		{"track of all", replace(`"track": 2`, `"track": 1`), "stream b has track 1"},
		{"track twice", replace(`"track": 2`, `"track": 7`), "stream a has track 7"},
		{"track to come", replace(`"track": 7`, `"track": 9`), "stream a has track 9, next is 9"},
		{"next track", replace(`"next_track": 5`, `"next_track": 0`), "room empty: next track is 0"},
		{"declared", replace(`"cam1"`, `"cam2"`), "streams: cam2 is there twice"},
		{"declared name", replace(`"cam1"`, `".cam"`), `streams: name ".cam"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t, t.TempDir())
			path := filepath.Join(s.dir, fileName)
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := s.Load()
			if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), path+" ") {
				t.Errorf("got %v, want %s … %s", err, path, test.want)
			}
			if data, err := os.ReadFile(path); err != nil || string(data) != test.text {
				t.Errorf("Load changed the file: %v", err)
			}
		})
	}
}

// TestCrashLeftovers: what a crash in the middle of Save leaves does not count, and goes.
func TestCrashLeftovers(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if err := s.Save(example()); err != nil {
		t.Fatal(err)
	}
	s.Close()
	temp := filepath.Join(dir, tempName)
	if err := os.WriteFile(temp, []byte(`{"version": 1, "roo`), 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if got, err := s.Load(); err != nil || !reflect.DeepEqual(got, example()) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := os.Stat(temp); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the leftover is still there: %v", err)
	}
	if err := s.Save(Snapshot{}); err != nil {
		t.Error(err)
	}
}

// TestFailedSave: when the new file cannot be put in place, the old one stays.
func TestFailedSave(t *testing.T) {
	s := open(t, t.TempDir())
	if err := s.Save(example()); err != nil {
		t.Fatal(err)
	}
	temp := filepath.Join(s.dir, tempName)
	if err := os.Mkdir(temp, 0o700); err != nil { // nobody, not even root, writes to this
		t.Fatal(err)
	}
	if err := s.Save(Snapshot{}); err == nil {
		t.Error("Save reports success")
	}
	if got, err := s.Load(); err != nil || !reflect.DeepEqual(got, example()) {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := s.Save(example()); err != nil {
		t.Errorf("the next Save: %v", err)
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if err := os.WriteFile(filepath.Join(dir, tempName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if other, err := Open(dir); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), dir) {
		t.Fatalf("second Open: %v, %v", other, err)
	}
	if _, err := os.Stat(filepath.Join(dir, tempName)); err != nil {
		t.Errorf("the second Open touched files of the first: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
}

// TestLockOfProcess: another process that holds the lock keeps us out, and no longer when
// it was killed.
func TestLockOfProcess(t *testing.T) {
	if dir := os.Getenv("STORE_TEST_HOLD"); dir != "" {
		if _, err := Open(dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("locked")
		select {}
	}
	dir := t.TempDir()
	holder := exec.Command(os.Args[0], "-test.run=^TestLockOfProcess$")
	holder.Env = append(os.Environ(), "STORE_TEST_HOLD="+dir)
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	defer holder.Process.Kill()
	var answer string
	if fmt.Fscan(out, &answer); answer != "locked" {
		t.Fatalf("the other process says %q", answer)
	}
	if _, err := Open(dir); !errors.Is(err, ErrLocked) {
		t.Errorf("Open = %v, want ErrLocked", err)
	}
	holder.Process.Kill()
	holder.Wait()
	open(t, dir)
}

func TestClosed(t *testing.T) {
	s := open(t, t.TempDir())
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := s.Save(example()); !errors.Is(err, ErrClosed) {
		t.Errorf("Save: %v", err)
	}
	if _, err := s.Load(); !errors.Is(err, ErrClosed) {
		t.Errorf("Load: %v", err)
	}
}

func TestOpenErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "x")} {
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "not a directory") {
			t.Errorf("Open(%s) = %v", dir, err)
		}
	}
}

// TestConcurrent: one of several Saves at once wins, whole.
func TestConcurrent(t *testing.T) {
	s := open(t, t.TempDir())
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 5 {
				if err := s.Save(Snapshot{Streams: []string{fmt.Sprintf("s%d", i)}}); err != nil {
					t.Error(err)
				}
				if got, err := s.Load(); err != nil || len(got.Streams) != 1 {
					t.Errorf("%+v, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}
