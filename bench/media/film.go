package media

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"sectile/asm/yuv"
	"sectile/bench/client"
	"sectile/cgo/x264"
	"sectile/engine/codec"
	"sectile/engine/h264"
)

// Film is a picture encoded before the measurement, to be sent over and over: the RTP
// payloads of each picture, of which the first one is a keyframe.
type Film [][][]byte

// Size is that of a film, and how many bit/s it may have.
type Size struct{ Width, Height, Bitrate int }

// filmLength is of all films, in seconds.
const filmLength = 4

// MakeFilm encodes a film of fps pictures a second of somebody who moves before a fixed
// camera: a wall with a pattern, and before it, in the middle third, another pattern that
// never stands still. Both have the same mean colour.
func MakeFilm(s Size, fps int, colour client.Colour, seed uint64) (Film, error) {
	encoder, err := x264.NewEncoder(codec.VideoParams{Width: s.Width, Height: s.Height, FPS: fps, Bitrate: s.Bitrate, Preset: "superfast"})
	if err != nil {
		return nil, err
	}
	defer encoder.Close()
	rng := rand.New(rand.NewPCG(seed, 1))
	wall, somebody := pattern(s, rng), pattern(Size{Width: s.Width / 3, Height: s.Height * 2 / 3}, rng)
	img := yuv.NewImage(s.Width, s.Height)
	yuv.Fill(img, 0, colour.U, colour.V)
	var film Film
	var packetizer h264.Packetizer
	n := filmLength * fps
	for i := range n {
		for y := range s.Height {
			for x := range s.Width {
				img.Y[y*img.YStride+x] = colour.Y + wall.at(x, y)
			}
		}
		// A circle of the size of a nod, around a place that is never left for long.
		angle := 2 * math.Pi * float64(i) / float64(fps)
		left := s.Width/3 + int(float64(s.Width)/40*math.Cos(angle))
		top := s.Height/3 + int(float64(s.Height)/30*math.Sin(angle))
		for y := range min(somebody.h, s.Height-top) {
			for x := range somebody.w {
				img.Y[(top+y)*img.YStride+left+x] = colour.Y + somebody.at(x, y)
			}
		}
		au, _, err := encoder.Encode(img, int64(i+1)*90000/int64(fps), false, nil)
		if err != nil {
			return nil, err
		}
		var picture [][]byte
		for _, payload := range packetizer.Packetize(nil, au, 1160) {
			picture = append(picture, append([]byte(nil), payload...))
		}
		film = append(film, picture)
	}
	return film, nil
}

// texture is luma around 0, as bytes that wrap.
type texture struct {
	w, h int
	y    []byte
}

func (t texture) at(x, y int) byte { return t.y[y*t.w+x] }

// pattern is made of soft spots.
func pattern(s Size, rng *rand.Rand) texture {
	const spot, strength = 12, 30
	t := texture{s.Width, s.Height, make([]byte, s.Width*s.Height)}
	across := s.Width/spot + 2
	grid := make([]float64, across*(s.Height/spot+2))
	for i := range grid {
		grid[i] = strength * (2*rng.Float64() - 1)
	}
	for y := range t.h {
		for x := range t.w {
			fx, fy := float64(x%spot)/spot, float64(y%spot)/spot
			at := grid[y/spot*across+x/spot:]
			v := (at[0]*(1-fx)+at[1]*fx)*(1-fy) + (at[across]*(1-fx)+at[across+1]*fx)*fy
			t.y[y*t.w+x] = byte(int8(math.Round(v)))
		}
	}
	return t
}

// Camera is one participant's camera.
type Camera struct {
	Voice *client.Voice // where it goes
	Films []Film        // one for each layer

	positions []int // in the films, of the next picture
	timestamp uint32
}

// step sends one picture of each layer. Where a keyframe was asked for, the film begins
// again.
func (c *Camera) step(fps int) {
	if c.positions == nil {
		c.positions = make([]int, len(c.Films))
	}
	c.timestamp += uint32(90000 / fps)
	for i, film := range c.Films {
		if c.Voice.Asked(i) {
			c.positions[i] = 0
		}
		// An error means that the connection is down; then its cell shows no picture.
		_ = c.Voice.SendPicture(i, film[c.positions[i]], c.timestamp)
		c.positions[i] = (c.positions[i] + 1) % len(film)
	}
}

// Shoot sends all cameras' pictures at absolute times, spread over the time between two,
// until ctx is done.
func Shoot(ctx context.Context, cameras []*Camera, fps int) {
	if len(cameras) == 0 {
		return
	}
	start := time.Now()
	for n := 0; ; n++ {
		due := start.Add(time.Duration(n) * time.Second / time.Duration(fps*len(cameras)))
		if wait := time.Until(due); wait > 0 {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
		} else if ctx.Err() != nil {
			return
		}
		cameras[n%len(cameras)].step(fps)
	}
}
