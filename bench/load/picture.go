package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"sectile/asm/yuv"
	"sectile/bench/client"
	"sectile/bench/media"
	"sectile/bench/target"
	"sectile/engine/compose"
)

// size is read as 320x180.
type size struct{ Width, Height int }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *size) UnmarshalText(text []byte) error {
	_, err := fmt.Sscanf(string(text), "%dx%d", &s.Width, &s.Height)
	return err
}

// bitrate is about what browsers send for a picture of that size.
func (s size) bitrate(fps int) int { return s.Width * s.Height * fps * 13 / 100 }

// Cameras' colours: colourSteps values of both chroma components, so far apart that even
// the mean of a small cell in the mosaic tells them from each other.
const (
	colourSteps = 7
	colourStep  = 20
	colours     = colourSteps * colourSteps
)

func colour(number int) client.Colour {
	number %= colours
	return client.Colour{Y: 120, U: byte(68 + colourStep*(number/colourSteps)), V: byte(68 + colourStep*(number%colourSteps))}
}

// films are the layers of each colour.
type films [][]media.Film

func (o options) films() (films, error) {
	if len(o.Cameras) == 0 {
		return nil, nil
	}
	f := make(films, min(o.Participants, colours))
	for number := range f {
		for _, s := range o.Cameras {
			film, err := media.MakeFilm(media.Size{Width: s.Width, Height: s.Height, Bitrate: s.bitrate(o.FPS)}, o.FPS, colour(number), uint64(number))
			if err != nil {
				return nil, err
			}
			f[number] = append(f[number], film)
		}
	}
	return f, nil
}

// cameras gives everybody their film.
func (f films) cameras(all []*participant) (cameras []*media.Camera) {
	if f == nil {
		return nil
	}
	for _, p := range all {
		p.camera = media.Camera{Voice: p.Up, Films: f[p.number%len(f)]}
		cameras = append(cameras, &p.camera)
	}
	return cameras
}

// players play the mosaic of each room and decode it.
func (o options) players() (all []*client.Player, err error) {
	if len(o.Cameras) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for r := range o.Rooms {
		p, err := client.Link{Server: o.Server, Local: o.Local.Addr()}.Play(ctx, target.RoomName(r), "v1")
		if err != nil {
			return all, err
		}
		all = append(all, p)
	}
	return all, nil
}

func closeAll(players []*client.Player) {
	var wg sync.WaitGroup
	for _, p := range players {
		// The room may be gone, and with it what could be closed.
		wg.Go(func() { _ = p.Close() })
	}
	wg.Wait()
}

// count takes what the server counted over some time.
func (o options) count(p *target.Pictures, m target.Metrics, seconds float64) {
	stage := func(name string) float64 { return m[`sectile_video_frames_total{stage="`+name+`"}`] / seconds }
	p.Sent = float64(o.Rooms * o.Participants * len(o.Cameras) * o.FPS)
	p.Decoded, p.Dropped, p.Composed = stage("decoded"), stage("dropped"), stage("composed")/float64(o.Rooms)
	for name, n := range m {
		if strings.HasPrefix(name, "sectile_video_keyframes_total{") {
			p.Keyframes += n / seconds
		}
	}
}

// checkCells tells which cells of the mosaics do not show the colour of their camera. It looks
// more than once: a cell may just be without a picture.
func (o options) checkCells(players []*client.Player, p *target.Pictures) {
	for r, player := range players {
		members, err := target.Sectile{Server: o.Server, Auth: o.Auth}.Members(context.Background(), r)
		var wrong []string
		for range 5 {
			wrong = []string{"no picture"}
			if img, _, _ := player.Seen(); err != nil {
				wrong[0] = err.Error()
			} else if img != nil {
				wrong = wrongCells(img, members)
			}
			if len(wrong) == 0 {
				break
			}
			time.Sleep(time.Second)
		}
		p.Cells += o.Participants
		p.WrongCells += min(len(wrong), o.Participants)
		for _, text := range wrong {
			p.Wrong = append(p.Wrong, fmt.Sprintf("room %d: %s", r, text))
		}
	}
}

// wrongCells looks at the chroma in the middle of each cell; members are their participants'
// numbers.
func wrongCells(img *yuv.Image, members []int) (wrong []string) {
	for i, r := range compose.Grid(len(members), img.Width, img.Height) {
		got := client.Mean(img, (r.X+r.W/4)&^1, (r.Y+r.H/4)&^1, r.W/2&^1, r.H/2&^1)
		want := colour(members[i])
		if near := func(a, b byte) bool { return max(a, b)-min(a, b) < colourStep/2 }; !near(got.U, want.U) || !near(got.V, want.V) {
			wrong = append(wrong, fmt.Sprintf("the cell of participant %d is %v, want %v", members[i], got, want))
		}
	}
	return wrong
}
