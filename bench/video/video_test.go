//go:build bench

package video

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sectile/engine/room"
)

var (
	dir   = flag.String("dir", "", "where inputs are kept, so that they are made once")
	quick = flag.Bool("quick", false, "costs only")
	only  = flag.Int("only", -1, "one row, from 0")
	alone = flag.Bool("alone", false, "without ffmpeg beside")
)

// row is one line of the table.
type row struct {
	what    string
	in      input
	cameras int
	fps     int
	kbit    int
	peer    bool // beside ffmpeg
}

var rows = []row{
	{"9 × 640×360 at 30/s", input{640, 360, 30, 600, people}, 9, 30, 1500, true},
	{"4 × 1280×720 at 24/s", input{1280, 720, 24, 1500, people}, 4, 30, 2000, true},
	{"9 × 640×360 at 30/s, a film", input{640, 360, 30, 600, movie}, 9, 30, 1500, true},
	{"9 × 640×360 at 30/s, frozen", input{640, 360, 30, 600, frozen}, 9, 30, 1500, false},
	{"25 × 320×180 at 25/s", input{320, 180, 25, 200, people}, 25, 25, 1500, false},
	{"49 × 320×180 at 25/s", input{320, 180, 25, 200, people}, 49, 25, 1500, false},
}

// TestVideo prints the table. CPU is in seconds a second of the mosaic.
func TestVideo(t *testing.T) {
	if *dir == "" {
		*dir = t.TempDir()
	}
	must(t, os.MkdirAll(*dir, 0o755))
	fmt.Println("| to 1280×720 | | CPU | decoding | encoding | rest | kbit/s | PSNR to area, bicubic | SSIM to area, bicubic |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|")
	for i, r := range rows {
		if *only >= 0 && i != *only {
			continue
		}
		opts := room.DefaultOptions()
		opts.DisableVideo, opts.FPS, opts.VideoBitrate = false, r.fps, r.kbit
		c, outputs := ours(t, r.in, r.cameras, opts)
		path := filepath.Join(t.TempDir(), "ours.h264")
		save(t, outputs, path)
		var times []time.Duration
		for _, o := range outputs {
			times = append(times, o.at)
		}
		fmt.Printf("| %s | sectile | %.3f | %.3f | %.3f | %.3f | %.0f | %s |\n", r.what, c.total, c.decode, c.encode,
			c.total-c.decode-c.encode, c.bytes*8/1000, r.judge(t, opts, path, times))
		if !r.peer || *alone {
			continue
		}
		for _, scaler := range []string{"bicubic", "area"} {
			path := filepath.Join(t.TempDir(), "peer.h264")
			used := ffmpeg(t, r.in, r.cameras, opts, scaler, path)
			info, err := os.Stat(path)
			must(t, err)
			fmt.Printf("| | ffmpeg, %s | %.3f | | | | %d | %s |\n", scaler, used,
				info.Size()*8/1000/seconds, r.judge(t, opts, path, nil))
		}
	}
}

// judge compares with both references, since either favours who scales like it.
func (r row) judge(t *testing.T, opts room.Options, path string, times []time.Duration) string {
	if *quick || !r.peer {
		return "|"
	}
	a := judge(t, r.in, r.cameras, opts, path, times, "area")
	b := judge(t, r.in, r.cameras, opts, path, times, "bicubic")
	return fmt.Sprintf("%.2f, %.2f | %.4f, %.4f", a.psnr, b.psnr, a.ssim, b.ssim)
}
