//go:build bench

package video

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os/exec"
	"testing"
	"time"

	"sectile/engine/compose"
	"sectile/engine/room"
)

// quality compares luma with a lossless mosaic, over the cells.
type quality struct{ psnr, ssim float64 }

// plane is luma of one picture, without gaps.
type plane struct {
	w, h int
	v    []byte
}

func (p plane) sub(r compose.Rect) plane {
	q := plane{r.W, r.H, make([]byte, 0, r.W*r.H)}
	for y := range r.H {
		q.v = append(q.v, p.v[(r.Y+y)*p.w+r.X:][:r.W]...)
	}
	return q
}

// pictures decodes a file, scaled if a filter is given.
type pictures struct {
	t    *testing.T
	cmd  *exec.Cmd
	out  *bufio.Reader
	w, h int
}

func decode(t *testing.T, path string, w, h int, filter string) *pictures {
	t.Helper()
	args := []string{"-v", "error", "-f", "h264", "-i", path}
	if filter != "" {
		args = append(args, "-vf", filter)
	}
	cmd := exec.Command("ffmpeg", append(args, "-vsync", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-")...)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	return &pictures{t, cmd, bufio.NewReaderSize(out, 1<<20), w, h}
}

// next returns the luma of the next picture, or false after the last.
func (p *pictures) next() (plane, bool) {
	buf := make([]byte, p.w*p.h*3/2)
	if _, err := io.ReadFull(p.out, buf); err != nil {
		p.close()
		return plane{}, false
	}
	return plane{p.w, p.h, buf[:p.w*p.h]}, true
}

func (p *pictures) close() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// reference shows what a cell would without loss, around one picture of its camera.
type reference struct {
	source *pictures
	scale  func(plane) plane
	first  int // number of window[0]
	window []plane
	ended  bool
}

// around returns pictures n-1 to n+1, as far as there are any.
func (r *reference) around(n int) []plane {
	for !r.ended && r.first+len(r.window) <= n+1 {
		p, ok := r.source.next()
		if !ok {
			r.ended = true
			break
		}
		r.window = append(r.window, r.scale(p))
		if len(r.window) > 3 {
			r.window = r.window[1:]
			r.first++
		}
	}
	return r.window
}

// judge compares a mosaic with one whose cells are scaled by filter, "area" being an exact
// mean of the area in floating point and all else ffmpeg's. Which picture of a camera a
// cell shows is found by trying the three that it can be.
func judge(t *testing.T, in input, cameras int, opts room.Options, path string, times []time.Duration, filter string) quality {
	t.Helper()
	cells := compose.Grid(cameras, opts.Width, opts.Height)
	refs := make([]*reference, cameras)
	for i, r := range cells {
		ref := &reference{scale: func(p plane) plane { return p }}
		if filter == "area" {
			ref.source = decode(t, in.file(t, i), in.width, in.height, "")
			x, y := area(in.width, r.W), area(in.height, r.H)
			ref.scale = func(p plane) plane { return shrink(p, x, y) }
		} else {
			ref.source = decode(t, in.file(t, i), r.W, r.H, fmt.Sprintf("scale=%d:%d:flags=%s", r.W, r.H, filter))
		}
		refs[i] = ref
	}
	mosaic := decode(t, path, opts.Width, opts.Height, "")
	var squares, samples, similar, count float64
	for n := 0; ; n++ {
		picture, ok := mosaic.next()
		if !ok {
			break
		}
		at := time.Duration(n) * time.Second / time.Duration(opts.FPS)
		if times != nil {
			if n >= len(times) {
				t.Fatalf("more pictures than %d access units", len(times))
			}
			at = times[n]
		}
		if at < warm || at > seconds*time.Second-200*time.Millisecond {
			continue
		}
		for i, r := range cells {
			shown := picture.sub(r)
			best, like := math.Inf(1), 0.0
			number := int(at.Seconds() * float64(in.fps))
			window := refs[i].around(number)
			if refs[i].first+len(window) <= number {
				t.Fatalf("%s ends before picture %d", in.file(t, i), number)
			}
			for _, ref := range window {
				if d := distance(shown, ref); d < best {
					best, like = d, ssim(shown, ref)
				}
			}
			squares += best
			samples += float64(r.W * r.H)
			similar += like
			count++
		}
	}
	for _, r := range refs {
		r.source.close()
	}
	return quality{10 * math.Log10(255*255*samples/squares), similar / count}
}

// distance is the sum of squared differences.
func distance(a, b plane) float64 {
	sum := 0
	for i, v := range a.v {
		d := int(v) - int(b.v[i])
		sum += d * d
	}
	return float64(sum)
}

// ssim is the mean structural similarity of windows of 8×8, every 4 samples (Wang et al.,
// 2004, with uniform windows).
func ssim(a, b plane) float64 {
	const n, c1, c2 = 64, 0.01 * 255 * 0.01 * 255, 0.03 * 255 * 0.03 * 255
	sum, count := 0.0, 0
	for y := 0; y+8 <= a.h; y += 4 {
		for x := 0; x+8 <= a.w; x += 4 {
			var sa, sb, saa, sbb, sab int
			for j := range 8 {
				ra, rb := a.v[(y+j)*a.w+x:][:8], b.v[(y+j)*a.w+x:][:8]
				for i := range 8 {
					p, q := int(ra[i]), int(rb[i])
					sa, sb, saa, sbb, sab = sa+p, sb+q, saa+p*p, sbb+q*q, sab+p*q
				}
			}
			ma, mb := float64(sa)/n, float64(sb)/n
			va, vb, cov := float64(saa)/n-ma*ma, float64(sbb)/n-mb*mb, float64(sab)/n-ma*mb
			sum += (2*ma*mb + c1) * (2*cov + c2) / ((ma*ma + mb*mb + c1) * (va + vb + c2))
			count++
		}
	}
	return sum / float64(count)
}

// area returns for each of dst samples the source samples that it covers and their shares.
func area(src, dst int) [][]share {
	list := make([][]share, dst)
	ratio := float64(src) / float64(dst)
	for o := range list {
		begin, end := float64(o)*ratio, float64(o+1)*ratio
		for i := int(begin); i < src && float64(i) < end-1e-9; i++ {
			list[o] = append(list[o], share{i, (min(end, float64(i+1)) - max(begin, float64(i))) / ratio})
		}
	}
	return list
}

type share struct {
	i int
	w float64
}

func shrink(p plane, xs, ys [][]share) plane {
	rows := make([]float64, len(xs)*p.h)
	for y := range p.h {
		row := p.v[y*p.w:][:p.w]
		for o, shares := range xs {
			sum := 0.0
			for _, s := range shares {
				sum += s.w * float64(row[s.i])
			}
			rows[y*len(xs)+o] = sum
		}
	}
	q := plane{len(xs), len(ys), make([]byte, len(xs)*len(ys))}
	for o, shares := range ys {
		for x := range xs {
			sum := 0.5
			for _, s := range shares {
				sum += s.w * rows[s.i*len(xs)+x]
			}
			q.v[o*q.w+x] = byte(sum)
		}
	}
	return q
}
