//go:build bench

package video

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sectile/engine/compose"
	"sectile/engine/room"
)

// ffmpeg makes the same mosaic by ffmpeg's xstack, each part on one thread, with the scaler
// named. It returns CPU seconds a second, those of starting up left out.
func ffmpeg(t *testing.T, in input, cameras int, opts room.Options, scaler, path string) float64 {
	t.Helper()
	use := func(duration int, path string) float64 {
		before := cpu(unix.RUSAGE_CHILDREN)
		args := []string{"-v", "error", "-y"}
		for i := range cameras {
			args = append(args, "-threads", "1", "-r", fmt.Sprint(in.fps), "-t", fmt.Sprint(duration), "-i", in.file(t, i))
		}
		before = cpu(unix.RUSAGE_CHILDREN) // the inputs are made by now
		args = append(args, "-filter_threads", "1", "-filter_complex_threads", "1",
			"-filter_complex", graph(cameras, opts, scaler), "-map", "[out]", "-r", fmt.Sprint(opts.FPS),
			"-c:v", "libx264", "-preset", "superfast", "-tune", "zerolatency", "-profile:v", "baseline", "-threads", "1",
			"-b:v", fmt.Sprintf("%dk", opts.VideoBitrate), "-maxrate", fmt.Sprintf("%dk", opts.VideoBitrate),
			"-bufsize", fmt.Sprintf("%dk", opts.VideoBitrate/2), "-g", "100000", "-f", "h264", path)
		run(t, "ffmpeg", args...)
		return cpu(unix.RUSAGE_CHILDREN) - before
	}
	short := int(warm.Seconds())
	begin := use(short, os.DevNull)
	return (use(seconds, path) - begin) / float64(seconds-short)
}

// graph scales the inputs into the cells that a room has for them.
func graph(cameras int, opts room.Options, scaler string) string {
	var scale, stack, layout strings.Builder
	for i, r := range compose.Grid(cameras, opts.Width, opts.Height) {
		fmt.Fprintf(&scale, "[%d:v]scale=%d:%d:flags=%s[c%d];", i, r.W, r.H, scaler, i)
		fmt.Fprintf(&stack, "[c%d]", i)
		if i > 0 {
			layout.WriteByte('|')
		}
		fmt.Fprintf(&layout, "%d_%d", r.X, r.Y)
	}
	return fmt.Sprintf("%s%sxstack=inputs=%d:layout=%s:fill=black,pad=%d:%d:0:0[out]",
		scale.String(), stack.String(), cameras, layout.String(), opts.Width, opts.Height)
}
