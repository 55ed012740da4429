//go:build bench

package video

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Real material that Debian has: people before a fixed camera, as in most rooms; and a
// film, in which everything moves and scenes change.
const (
	fixed = "/usr/share/doc/opencv-doc/examples/data/vtest.avi"
	film  = "/usr/share/doc/opencv-doc/examples/data/Megamind.avi"
)

// seconds is how long each input is.
const seconds = 10

// input is the kind of what cameras send.
type input struct {
	width, height, fps int
	kbit               int
	kind               kind
}

type kind string

const (
	people kind = "people"
	movie  kind = "film"
	frozen kind = "frozen"
)

func (in input) name(i int) string {
	return fmt.Sprintf("%dx%d-%d-%s-%d.h264", in.width, in.height, in.fps, in.kind, i)
}

// variants is how many different films there are of each kind; more cameras repeat them.
const variants = 9

// file makes the ith input, or finds it made: a part of a film from its own place in it.
func (in input) file(t *testing.T, i int) string {
	t.Helper()
	i %= variants
	path := filepath.Join(*dir, in.name(i))
	if _, err := os.Stat(path); err == nil {
		return path
	}
	// A cut of 16:9 of the film of 768×576 or 720×528, always another one.
	source, crop := fixed, fmt.Sprintf("crop=640:360:%d:%d", 14*i, 24*i)
	if in.kind == movie {
		source, crop = film, fmt.Sprintf("crop=640:360:%d:%d", 10*i, 20*i)
	}
	filter := fmt.Sprintf("%s,scale=%d:%d:flags=lanczos", crop, in.width, in.height)
	if in.kind == frozen {
		filter += ",loop=-1:1"
	}
	rate := []string{"-b:v", fmt.Sprintf("%dk", in.kbit), "-maxrate", fmt.Sprintf("%dk", in.kbit), "-bufsize", fmt.Sprintf("%dk", in.kbit)}
	if in.kind == frozen {
		rate = []string{"-qp", "27"} // rate control would improve the picture for ever
	}
	part := fmt.Sprintf("%s.%d", path, os.Getpid())
	args := []string{"-v", "error", "-y", "-stream_loop", "-1", "-r", fmt.Sprint(in.fps), "-ss", fmt.Sprint(i), "-i", source,
		"-an", "-vf", filter, "-t", fmt.Sprint(seconds), "-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency",
		"-profile:v", "baseline", "-g", "300", "-threads", "1", "-f", "h264"}
	run(t, "ffmpeg", append(append(args, rate...), part)...)
	if err := os.Rename(part, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// units reads the access units of a file, of one slice each.
func units(t *testing.T, path string) [][]byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var list [][]byte
	var unit []byte
	for _, nal := range bytes.Split(data, []byte{0, 0, 1})[1:] {
		nal = bytes.TrimRight(nal, "\x00")
		unit = append(append(unit, 0, 0, 0, 1), nal...)
		if kind := nal[0] & 0x1f; kind == 1 || kind == 5 {
			list = append(list, unit)
			unit = nil
		}
	}
	return list
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
}
