//go:build bench

package video

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"sectile/asm/yuv"
	"sectile/engine"
	"sectile/engine/codec"
	"sectile/engine/h264"
	"sectile/engine/room"
	"sectile/server/codecs"
)

// cost is what a second of the mosaic takes, in seconds of CPU.
type cost struct {
	total, decode, encode float64
	encodes               float64 // pictures encoded a second
	bytes                 float64 // of them
}

// warm is how much of the beginning does not count: cameras come, the encoder begins.
const warm = 2 * time.Second

// output is one access unit of the mosaic.
type output struct {
	at time.Duration // since the cameras began
	au []byte
}

// ours plays the files through an engine, in virtual time: the clock goes on as soon as
// there is nothing left to do. Cameras send in phases spread over a picture.
func ours(t *testing.T, in input, cameras int, opts room.Options) (cost, []output) {
	t.Helper()
	files := make([][][]byte, cameras)
	for i := range files {
		files[i] = units(t, in.file(t, i))
	}
	var used cost
	var outputs []output
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		e := engine.New(engine.Config{Codecs: f})
		defer e.Close()
		must(t, e.AddRoom("r", opts))
		_, err := e.SetLook("r", func(l *room.Look) error { return l.Set("names", "off") }) // ffmpeg writes none
		must(t, err)
		sink := &recorder{buf: make([]byte, 0, opts.VideoBitrate*1000/8*2*seconds), units: make([]recorded, 0, 2*seconds*opts.FPS)}
		_, err = e.Subscribe("r", room.Tracks{Video: true}, sink)
		must(t, err)
		begin := e.Now()
		period := time.Second / time.Duration(in.fps)
		var wg sync.WaitGroup
		for i, file := range files {
			name := fmt.Sprint("camera", i)
			_, err := e.AddStream("r", name)
			must(t, err)
			p, err := e.Publish(name, ignore{})
			must(t, err)
			wg.Go(func() {
				time.Sleep(period * time.Duration(i) / time.Duration(cameras))
				send(p, file, in.fps, uint32(i+1))
			})
		}
		time.Sleep(warm)
		synctest.Wait()
		before, decode, encode := cpu(unix.RUSAGE_SELF), f.decode.Load(), f.encode.Load()
		pictures, size := len(sink.units), sink.size
		time.Sleep(seconds*time.Second - warm - time.Millisecond)
		synctest.Wait()
		d := seconds - warm.Seconds()
		used = cost{
			total:  (cpu(unix.RUSAGE_SELF) - before) / d,
			decode: float64(f.decode.Load()-decode) / 1e9 / d, encode: float64(f.encode.Load()-encode) / 1e9 / d,
			encodes: float64(len(sink.units)-pictures) / d, bytes: float64(sink.size-size) / d,
		}
		wg.Wait()
		for _, u := range sink.units {
			outputs = append(outputs, output{time.Duration(u.timestamp)*time.Second/90000 - begin, u.au})
		}
	})
	return used, outputs
}

// send publishes the access units of a file at their times.
func send(p *engine.Publication, file [][]byte, fps int, ssrc uint32) {
	var packetizer h264.Packetizer
	var payloads [][]byte
	start := time.Now()
	pkt := h264.Packet{SSRC: ssrc}
	for n, au := range file {
		time.Sleep(time.Until(start.Add(time.Duration(n) * time.Second / time.Duration(fps))))
		payloads = packetizer.Packetize(payloads[:0], au, 1160)
		pkt.Timestamp = uint32(n * 90000 / fps)
		for i, payload := range payloads {
			pkt.Payload, pkt.Marker = payload, i == len(payloads)-1
			p.PushVideo(0, pkt)
			pkt.Sequence++
		}
	}
}

// recorder keeps the mosaic.
type recorder struct {
	units []recorded
	buf   []byte // what they are made of; it does not grow while CPU time is measured
	size  int
}

type recorded struct {
	timestamp uint32
	au        []byte
}

func (r *recorder) WriteAudio([]byte, uint32) {}
func (r *recorder) Closed(error)              {}

func (r *recorder) WriteVideo(au *room.AccessUnit) {
	begin := len(r.buf)
	for _, p := range au.Payloads {
		switch p[0] & 0x1f {
		case 24: // STAP-A: sizes before each
			for rest := p[1:]; len(rest) > 2; {
				n := int(rest[0])<<8 | int(rest[1])
				r.buf = append(append(r.buf, 0, 0, 0, 1), rest[2:2+n]...)
				rest = rest[2+n:]
			}
		case 28: // FU-A
			if p[1]&0x80 != 0 {
				r.buf = append(r.buf, 0, 0, 0, 1, p[0]&0xe0|p[1]&0x1f)
			}
			r.buf = append(r.buf, p[2:]...)
		default:
			r.buf = append(append(r.buf, 0, 0, 0, 1), p...)
		}
	}
	r.units = append(r.units, recorded{au.Timestamp, r.buf[begin:len(r.buf):len(r.buf)]})
	r.size += len(r.buf) - begin
}

type ignore struct{}

func (ignore) RequestKeyframe(int) {}
func (ignore) Closed(error)        {}

// factory makes the server's codecs and measures the CPU time of video.
type factory struct {
	codecs.Factory
	decode, encode atomic.Int64 // nanoseconds
}

func (f *factory) NewVideoDecoder() (codec.VideoDecoder, error) {
	d, err := f.Factory.NewVideoDecoder()
	return &decoder{d, f}, err
}

func (f *factory) NewVideoEncoder(p codec.VideoParams) (codec.VideoEncoder, error) {
	e, err := f.Factory.NewVideoEncoder(p)
	return &encoder{e, f}, err
}

type decoder struct {
	codec.VideoDecoder
	f *factory
}

func (d *decoder) Decode(au []byte) (bool, error) {
	defer measure(&d.f.decode)()
	return d.VideoDecoder.Decode(au)
}

type encoder struct {
	codec.VideoEncoder
	f *factory
}

func (e *encoder) Encode(img *yuv.Image, pts int64, key bool, same []byte) ([]byte, bool, error) {
	defer measure(&e.f.encode)()
	return e.VideoEncoder.Encode(img, pts, key, same)
}

// measure adds the CPU time of this thread until the call of what it returns.
func measure(sum *atomic.Int64) func() {
	runtime.LockOSThread()
	var before, after unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &before)
	return func() {
		_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &after)
		runtime.UnlockOSThread()
		sum.Add(after.Nano() - before.Nano())
	}
}

// cpu is the CPU time used so far, of the system's work for us too, in seconds.
func cpu(who int) float64 {
	var u unix.Rusage
	_ = unix.Getrusage(who, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// save writes the mosaic as a file that ffmpeg reads.
func save(t *testing.T, outputs []output, path string) {
	t.Helper()
	var all []byte
	for _, o := range outputs {
		all = append(all, o.au...)
	}
	must(t, os.WriteFile(path, all, 0o644))
}
