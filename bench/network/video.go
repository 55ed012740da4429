package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"sectile/asm/yuv"
	"sectile/bench/client"
	"sectile/bench/target"
	"sectile/engine/compose"
)

// videoRow is one kind of network. The way up is that of the cameras' packets to the server,
// the way down that of the mosaic to the player; back says that reports and requests the
// other way are lost too.
type videoRow struct {
	name     string
	up, down client.Impairment
	back     bool
}

var videoRows = []videoRow{
	{name: "good"},
	{name: "sent, 1 % lost", up: client.Impairment{Loss: 0.01}},
	{name: "sent, 5 % lost", up: client.Impairment{Loss: 0.05}},
	{name: "sent, 10 % lost", up: client.Impairment{Loss: 0.1}},
	{name: "sent, 20 % lost", up: client.Impairment{Loss: 0.2}},
	{name: "sent, 10 % lost, bursts of 5", up: client.Impairment{Loss: 0.1, Burst: 5}},
	{name: "sent, ±30 ms out of order", up: client.Impairment{Jitter: 30 * time.Millisecond}},
	{name: "played, 1 % lost", down: client.Impairment{Loss: 0.01}},
	{name: "played, 5 % lost", down: client.Impairment{Loss: 0.05}},
	{name: "played, 10 % lost", down: client.Impairment{Loss: 0.1}},
	{name: "played, 20 % lost", down: client.Impairment{Loss: 0.2}},
	{name: "played, 10 % lost, bursts of 5", down: client.Impairment{Loss: 0.1, Burst: 5}},
	{name: "played, ±30 ms out of order", down: client.Impairment{Jitter: 30 * time.Millisecond}},
	{name: "both, 5 % lost each way", up: client.Impairment{Loss: 0.05}, down: client.Impairment{Loss: 0.05}, back: true},
	{name: "both, 10 % lost each way", up: client.Impairment{Loss: 0.1}, down: client.Impairment{Loss: 0.1}, back: true},
	{name: "both, 10 % lost each way, 30 ms longer", back: true,
		up:   client.Impairment{Loss: 0.1, Delay: 30 * time.Millisecond},
		down: client.Impairment{Loss: 0.1, Delay: 30 * time.Millisecond}},
	{name: "played, 2 Mbit/s", down: client.Impairment{Rate: 2_000_000}},
	{name: "played, 1 Mbit/s", down: client.Impairment{Rate: 1_000_000}},
	{name: "played, 500 kbit/s", down: client.Impairment{Rate: 500_000}},
}

// What the cameras send and the mosaic is.
const (
	cameras                   = 4
	videoRate                 = 25
	cameraWidth, cameraHeight = 320, 180
	mosaicWidth, mosaicHeight = 640, 360
	outage                    = 500 * time.Millisecond
)

// colours are of the cameras, far apart.
var videoColours = [cameras]client.Colour{{Y: 81, U: 90, V: 240}, {Y: 145, U: 54, V: 34}, {Y: 41, U: 240, V: 110}, {Y: 210, U: 16, V: 146}}

func (o options) video() error {
	wanted, err := regexp.Compile(o.Rows)
	if err != nil {
		return err
	}
	fmt.Println("| network | pictures/s | mosaic frozen, longest | a cell frozen, longest | after 500 ms of nothing: all cells move | cells damaged | half size | mosaic's keyframes | sent again to the player | asked of cameras: keyframes, packets |")
	fmt.Println("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
	for _, row := range videoRows {
		if !wanted.MatchString(row.name) {
			continue
		}
		if err := o.videoRow(row); err != nil {
			return fmt.Errorf("%s: %w", row.name, err)
		}
	}
	return nil
}

// videoRig is a server with its cameras and one player.
type videoRig struct {
	server  *target.Server
	cameras []*client.Publisher
	player  *client.Player
	screen
}

// startVideo starts all over good links.
func (o options) startVideo() (r *videoRig, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r = &videoRig{}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.stop())
		}
	}()
	if r.server, err = target.StartSectileHere(o.Sectile); err != nil {
		return nil, err
	}
	api := target.Sectile{Server: r.server.URL}
	const room = "video"
	err = api.AddMosaic(ctx, room, map[string]any{"disable_video": false, "width": mosaicWidth, "height": mosaicHeight, "fps": videoRate, "video_bitrate": 1500})
	if err != nil {
		return r, err
	}
	link := client.Link{Server: r.server.URL}
	for i, c := range videoColours {
		name := fmt.Sprintf("camera%d", i)
		if _, err := api.Command(ctx, room, "add_stream", name); err != nil {
			return r, err
		}
		link.Seed = uint64(i)
		camera, err := link.Publish(ctx, name, client.Media{Width: cameraWidth, Height: cameraHeight, Colour: c, Moving: videoRate, Bitrate: 600_000})
		if err != nil {
			return r, err
		}
		r.cameras = append(r.cameras, camera)
	}
	link.Seed = cameras
	if r.player, err = link.Play(ctx, room, "v1"); err != nil {
		return r, err
	}
	r.player.Observe(client.Observer{Picture: func(_ uint32, img *yuv.Image) { r.show(img, time.Now()) }})
	return r, nil
}

func (r *videoRig) stop() (err error) {
	if r.player != nil {
		err = r.player.Close()
	}
	for _, c := range r.cameras {
		err = errors.Join(err, c.Close())
	}
	if r.server != nil {
		err = errors.Join(err, r.server.Stop())
	}
	return err
}

// impair makes the ways bad as a row says.
func (r *videoRig) impair(row videoRow) {
	var back [2]client.Impairment // of the cameras' way down and the player's way up
	if row.back {
		back = [2]client.Impairment{row.down, row.up}
	}
	for _, c := range r.cameras {
		c.Impair(row.up, back[0])
	}
	r.player.Impair(back[1], row.down)
}

// videoRow measures one row and prints it.
func (o options) videoRow(row videoRow) (err error) {
	r, err := o.startVideo()
	if err != nil {
		return err
	}
	defer func() {
		if e := r.stop(); err == nil {
			err = e
		}
	}()
	if err := r.wait(10 * time.Second); err != nil {
		return err
	}
	r.impair(row)
	time.Sleep(o.Settle)
	before, err := target.Scrape(context.Background(), r.server.URL)
	if err != nil {
		return err
	}
	keyframesBefore, packetsBefore := r.asked()
	r.reset(time.Now())
	time.Sleep(o.Duration)
	seen := r.look(time.Now())
	after, err := target.Scrape(context.Background(), r.server.URL)
	if err != nil {
		return err
	}
	keyframesAsked, packetsAsked := r.asked()
	nothing := client.Impairment{Loss: 1}
	r.impair(videoRow{up: nothing, down: nothing, back: true})
	time.Sleep(outage)
	r.impair(row)
	end := time.Now()
	r.reset(end)
	recovered := "never"
	if err := r.wait(10 * time.Second); err == nil {
		recovered = fmt.Sprintf("%.0f ms", milliseconds(r.look(end).moving.Sub(end)))
	}
	keyframes := 0.0
	for name, n := range after.Since(before) {
		if strings.HasPrefix(name, "sectile_video_keyframes_total") {
			keyframes += n
		}
	}
	fmt.Printf("| %s | %.1f | %.0f ms | %.0f ms | %s | %d of %d | %.0f %% | %.0f | %.0f | %d, %d |\n",
		row.name, float64(seen.pictures)/o.Duration.Seconds(), milliseconds(seen.frozen), milliseconds(seen.cellFrozen), recovered,
		seen.damaged, seen.pictures*cameras, 100*float64(seen.half)/float64(max(seen.pictures, 1)), keyframes,
		after.Since(before)["sectile_rtp_resent_packets_total"], keyframesAsked-keyframesBefore, packetsAsked-packetsBefore)
	return nil
}

// asked sums up what was asked of the cameras.
func (r *videoRig) asked() (keyframes, packets int) {
	for _, c := range r.cameras {
		k, p := c.Asked()
		keyframes, packets = keyframes+k, packets+p
	}
	return keyframes, packets
}

// screen reads the mosaic that is shown.
type screen struct {
	mu   sync.Mutex
	seen looked
}

// looked is what was seen since a moment.
type looked struct {
	pictures, half, damaged int // damaged counts cells
	frozen, cellFrozen      time.Duration
	moving                  time.Time // when every cell had moved; zero: not yet

	last  time.Time // of a picture in which some cell had moved
	cells [cameras]struct {
		clock   int
		changed time.Time
		moved   bool
	}
}

func (s *screen) reset(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cells := s.seen.cells
	for i := range cells {
		cells[i].changed, cells[i].moved = now, false
	}
	s.seen = looked{last: now, cells: cells}
}

// look returns what was seen; what is frozen at the end counts.
func (s *screen) look(now time.Time) looked {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.seen
	l.frozen = max(l.frozen, now.Sub(l.last))
	for _, c := range l.cells {
		l.cellFrozen = max(l.cellFrozen, now.Sub(c.changed))
	}
	return l
}

// show takes the next picture.
func (s *screen) show(img *yuv.Image, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &s.seen
	l.pictures++
	if img.Width < mosaicWidth {
		l.half++
	}
	all, any := true, false
	for i, r := range compose.Grid(cameras, img.Width, img.Height) {
		m := client.LookAt(img, r.X, r.Y, r.W, r.H)
		c := &l.cells[i]
		switch {
		case !m.Clean || !m.Colour.Near(videoColours[i], 15):
			l.damaged++
		case m.Clock != c.clock:
			if !c.changed.IsZero() {
				l.cellFrozen = max(l.cellFrozen, now.Sub(c.changed))
			}
			c.clock, c.changed, c.moved, any = m.Clock, now, true, true
		}
		all = all && c.moved
	}
	if any {
		if !l.last.IsZero() {
			l.frozen = max(l.frozen, now.Sub(l.last))
		}
		l.last = now
	}
	if all && l.moving.IsZero() {
		l.moving = now
	}
}

// wait waits until all cells have moved.
func (s *screen) wait(most time.Duration) error {
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		s.mu.Lock()
		done := !s.seen.moving.IsZero()
		s.mu.Unlock()
		if done {
			return nil
		}
	}
	return errors.New("not all cells show their cameras")
}
