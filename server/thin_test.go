package main

import (
	"slices"
	"sync"
	"testing"
	"time"

	"sectile/asm/yuv"
	"sectile/bench/client"
	"sectile/server/config"
)

// screen notes what a player shows of a moving picture that fills the mosaic.
type screen struct {
	mu    sync.Mutex
	shown []shown
}

type shown struct {
	at    time.Time
	width int
	client.Moving
}

func watch(p *client.Player) *screen {
	s := &screen{}
	p.Observe(client.Observer{Picture: func(_ uint32, img *yuv.Image) {
		one := shown{time.Now(), img.Width, client.LookAt(img, 0, 0, img.Width, img.Height)}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.shown = append(s.shown, one)
	}})
	return s
}

// since are the pictures that were shown after a moment.
func (s *screen) since(begin time.Time) []shown {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.shown, func(one shown) bool { return one.at.After(begin) })
	if i < 0 {
		return nil
	}
	return slices.Clone(s.shown[i:])
}

// longest is the longest time for which the clock in the picture stood still.
func longest(list []shown) (freeze time.Duration) {
	if len(list) == 0 {
		return time.Hour
	}
	moved := list[0]
	for _, one := range list[1:] {
		if one.Clock != moved.Clock {
			freeze, moved = max(freeze, one.at.Sub(moved.at)), one
		}
	}
	return freeze
}

// The picture of movingRoom.
const movingWidth, movingRate = 640, 25

// movingRoom makes the room r, whose picture is all of one camera's that moves.
func (ts *testServer) movingRoom() {
	ts.t.Helper()
	const height = 360
	ts.addRoom("r", map[string]any{"disable_video": false, "width": movingWidth, "height": height, "fps": movingRate, "video_bitrate": 1500})
	ts.addStream("r", "s")
	ts.publish("s", client.Media{Tone: tones[0], Level: -20, Width: movingWidth, Height: height, Colour: colours[0], Moving: movingRate, Bitrate: 3_000_000})
}

// TestThinLinks: players behind links of limited rate are given the half picture, which goes
// on moving, and sound that goes on too, without a queue that stays; those behind wide ones
// the full picture all the while. When a link is wide again its player is given the full
// picture again.
func TestThinLinks(t *testing.T) {
	ts := start(t, config.Config{})
	const width, fps = movingWidth, movingRate
	ts.movingRoom()
	type player struct {
		*client.Player
		*screen
		name  string
		rates []int // kbit/s, one after the other
	}
	players := []*player{
		{name: "wide", rates: []int{0, 0, 0}},
		{name: "900", rates: []int{900, 900, 900}},
		{name: "500", rates: []int{500, 500, 500}},
		{name: "changing", rates: []int{2000, 600, 2000}},
	}
	limit := func(phase int) {
		for _, p := range players {
			p.Impair(client.Impairment{}, client.Impairment{Rate: 1000 * p.rates[phase]})
		}
	}
	for _, p := range players {
		link := ts.link()
		link.Down.Rate = 1000 * p.rates[0]
		p.Player = ts.playOver(link, "r", "v1a1")
		p.screen = watch(p.Player)
	}
	shows := func(p *player, want int, most time.Duration) {
		t.Helper()
		got := 0
		for end := time.Now().Add(most); got != want; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				ts.failed("%s: a picture of a width of %d, want %d", p.name, got, want)
				return
			}
			if list := p.since(time.Now().Add(-time.Second)); len(list) > 0 {
				got = list[len(list)-1].width
			}
		}
	}
	// check looks at a stretch of time in which the links did not change.
	check := func(d time.Duration) {
		t.Helper()
		begin := time.Now()
		var sound [4]int
		for i, p := range players {
			audio, _ := p.Flows()
			sound[i] = audio.Packets
		}
		var queued [4][]time.Duration
		for time.Since(begin) < d {
			time.Sleep(20 * time.Millisecond)
			for i, p := range players {
				queued[i] = append(queued[i], p.Queued())
			}
		}
		took := time.Since(begin)
		for i, p := range players {
			list := p.since(begin)
			freeze := longest(list)
			audio, _ := p.Flows()
			heard := float64(audio.Packets-sound[i]) / took.Seconds()
			slices.Sort(queued[i])
			queue := queued[i][len(queued[i])*3/4]
			dirty := 0
			for _, one := range list {
				if !one.Clean || !near(one.Colour, colours[0]) {
					dirty++
				}
			}
			t.Logf("%s: %.1f pictures/s, frozen for %v at most, %.1f packets of sound/s, 3/4 of the time at most %v in the queue", p.name, float64(len(list))/took.Seconds(), freeze, heard, queue)
			made := min(len(players[0].since(begin)), int(fps*took.Seconds())) // the machine may be busy
			if freeze > time.Second || len(list) < made/2 {
				ts.failed("%s: %d pictures in %v, frozen for %v at most", p.name, len(list), took, freeze)
			}
			if dirty > 0 {
				ts.failed("%s: %d of %d pictures are damaged", p.name, dirty, len(list))
			}
			if heard < 45 {
				ts.failed("%s: %.1f packets of sound a second", p.name, heard)
			}
			if level := client.ToneLevel(p.Heard(took), tones[0]); level < -23 || level > -17 {
				ts.failed("%s: the tone is at %.1f dBFS", p.name, level)
			}
			if queue > 150*time.Millisecond {
				ts.failed("%s: %v in the queue", p.name, queue)
			}
		}
	}
	for _, p := range players {
		want := width
		if p.name == "900" || p.name == "500" {
			want /= 2
		}
		shows(p, want, 5*time.Second)
	}
	time.Sleep(2 * time.Second)
	check(2 * time.Second)
	keyframes := func() (n uint64) {
		for i := range ts.srv.engine.Metrics().Keyframes {
			n += ts.srv.engine.Metrics().Keyframes[i].Load()
		}
		return n
	}
	before, began := keyframes(), time.Now()
	limit(1)
	shows(players[3], width/2, 3*time.Second)
	freeze := longest(players[3].since(began.Add(-time.Second)))
	t.Logf("frozen for %v when the link became thin", freeze)
	if freeze > 1500*time.Millisecond {
		ts.failed("frozen for %v when the link became thin", freeze)
	}
	time.Sleep(time.Second)
	check(3 * time.Second)
	limit(2)
	wide := time.Now()
	shows(players[3], width, 15*time.Second)
	t.Logf("the full picture again %v after the link became wide", time.Since(wide))
	check(2 * time.Second)
	if n, took := keyframes()-before, time.Since(began); n > 6+uint64(took/(2*time.Second)) {
		ts.failed("%d keyframes in %v", n, took)
	}
	for _, one := range players[0].since(time.Time{}) {
		if one.width != width {
			ts.failed("the player behind the wide link was given the half picture")
			break
		}
	}
}

// TestHardlyMoreThanSound: on a link that hardly carries more than the sound that is heard, and
// there are pictures now and then.
func TestHardlyMoreThanSound(t *testing.T) {
	ts := start(t, config.Config{})
	ts.movingRoom()
	link := ts.link()
	link.Down.Rate = 160_000
	player := ts.playOver(link, "r", "v1a1")
	pictures := watch(player)
	time.Sleep(8 * time.Second)
	begin := time.Now()
	before, _ := player.Flows()
	time.Sleep(6 * time.Second)
	after, _ := player.Flows()
	if n := after.Packets - before.Packets; n < 260 {
		t.Errorf("%d packets of sound in 6 s, want 300", n)
	}
	if n := len(pictures.since(begin)); n < 10 {
		t.Errorf("%d pictures in 6 s", n)
	}
}

// TestWideRoom: in a room whose picture takes more than usual, who joins over a good link gets
// it from the begin, and who joins over a thin one the half picture soon.
func TestWideRoom(t *testing.T) {
	ts := start(t, config.Config{})
	const width, height, fps = 1280, 720, 12
	ts.addRoom("r", map[string]any{"disable_video": false, "width": width, "height": height, "fps": fps, "video_bitrate": 5000})
	ts.addStream("r", "s")
	ts.publish("s", client.Media{Tone: tones[0], Level: -20, Width: width, Height: height, Colour: colours[0], Moving: fps, Bitrate: 5_000_000})
	before := ts.play("r", "v1a1")
	time.Sleep(4 * time.Second) // what is sent is known by then
	// On a machine that is busy for a moment the packets wait as on a thin link.
	whole := false
	for range 3 {
		newcomer := ts.play("r", "v1a1")
		wide := watch(newcomer)
		time.Sleep(time.Second)
		before.Close() // each one is work
		before = newcomer
		time.Sleep(2 * time.Second)
		list := wide.since(time.Time{})
		whole = len(list) > fps && !slices.ContainsFunc(list, func(one shown) bool { return one.width != width })
		if whole {
			break
		}
	}
	if !whole {
		ts.failed("players behind wide links were given the half picture")
	}
	link := ts.link()
	link.Down.Rate = 1_500_000
	thin := watch(ts.playOver(link, "r", "v1a1"))
	time.Sleep(5 * time.Second)
	list := thin.since(time.Time{})
	if len(list) == 0 || list[len(list)-1].width != width/2 {
		ts.failed("the player behind the thin link was not given the half picture")
	}
}
