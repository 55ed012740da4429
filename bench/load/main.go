// Load puts WebRTC participants on a running server and prints what they cost it. Every
// participant publishes a stream and plays their own track. Talkers send a tone of their
// own, the others nothing, as a microphone with DTX does; at the end all mixes are checked
// by content: all other talkers must be in them, and the participant must not.
//
//	bin/sectile serve --http 127.0.0.1:8080 --rtc 127.0.0.1:8189 &
//	go run ./bench/load --pid $! --rooms 10 --participants 4 --talkers 1
//
// The server must be on this machine: its processor time is read from /proc, and all
// packets stay on loopback.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/alecthomas/kong"

	"sectile/bench/client"
)

type options struct {
	Server       string        `default:"http://127.0.0.1:8080" help:"URL of the server."`
	PID          int           `required:"" name:"pid" help:"Process of the server."`
	Rooms        int           `default:"1" help:"Number of rooms."`
	Participants int           `default:"40" help:"Participants in each room."`
	Talkers      int           `default:"3" help:"How many of them talk (at most 6)."`
	Warmup       time.Duration `default:"5s" help:"Not measured, after all have joined."`
	Duration     time.Duration `default:"20s" help:"What is measured."`
}

// tones are no harmonics of each other.
var tones = []float64{397, 523, 701, 907, 1117, 1361}

func main() {
	var o options
	kong.Parse(&o, kong.Description("Puts WebRTC participants on a running Sectile and prints what they cost it."))
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// participant is one who publishes and plays.
type participant struct {
	room, stream, track string
	tone                int // index of the tone, -1 for those who listen
	publisher           *client.Publisher
	player              *client.Player
}

func run(o options) error {
	if o.Talkers > min(len(tones), o.Participants) {
		return fmt.Errorf("%d talkers of %d participants: at most %d", o.Talkers, o.Participants, len(tones))
	}
	all, err := join(o)
	defer func() {
		for r := range o.Rooms {
			// A room that is not there is what is wanted.
			_, _ = command(o.Server, "", "remove_room", roomName(r))
		}
	}()
	if err != nil {
		return err
	}
	time.Sleep(o.Warmup)

	before, err := sample(o.PID, all)
	if err != nil {
		return err
	}
	time.Sleep(o.Duration)
	after, err := sample(o.PID, all)
	if err != nil {
		return err
	}

	seconds := after.at.Sub(before.at).Seconds()
	cpu := (after.cpu - before.cpu).Seconds()
	n := float64(len(all))
	fmt.Printf("rooms %d, participants %d each, talkers %d each, %.0f s\n", o.Rooms, o.Participants, o.Talkers, seconds)
	fmt.Printf("server CPU            %.2f ms a participant-second (%.2f of a core)\n", 1000*cpu/seconds/n, cpu/seconds)
	fmt.Printf("server memory         %.0f MiB, %.2f MiB a participant\n", float64(after.rss)/(1<<20), float64(after.rss)/(1<<20)/n)
	slowest, gaps := 1e9, 0
	for i := range all {
		slowest = min(slowest, float64(after.packets[i]-before.packets[i])/seconds)
		gaps += after.gaps[i] - before.gaps[i]
	}
	fmt.Printf("packets to the worst  %.1f a second; missing sequence numbers %d\n", slowest, gaps)
	wrong := check(o, all)
	fmt.Printf("mixes checked         %d, wrong %d\n", len(all), len(wrong))
	for _, w := range wrong {
		fmt.Println("  " + w)
	}
	if len(wrong) > 0 {
		return errors.New("some mixes are wrong")
	}
	return nil
}

func roomName(r int) string { return fmt.Sprintf("load%d", r) }

// join connects everybody, a few at a time.
func join(o options) ([]*participant, error) {
	var all []*participant
	for r := range o.Rooms {
		if _, err := command(o.Server, "", "add_room", roomName(r)); err != nil {
			return nil, err
		}
		for i := range o.Participants {
			p := &participant{room: roomName(r), stream: fmt.Sprintf("load%d-%d", r, i), tone: -1}
			if i < o.Talkers {
				p.tone = i
			}
			answer, err := command(o.Server, p.room, "add_stream", p.stream)
			if err != nil {
				return nil, err
			}
			p.track, _ = answer["track_id"].(string)
			all = append(all, p)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	link := client.Link{Server: o.Server}
	places := make(chan struct{}, 8)
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, p := range all {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			errs[i] = p.connect(ctx, link)
		})
	}
	wg.Wait()
	return all, errors.Join(errs...)
}

func (p *participant) connect(ctx context.Context, link client.Link) (err error) {
	m := client.Media{Tone: 1, Level: -20}
	if p.tone >= 0 {
		m.Tone = tones[p.tone]
	}
	if p.publisher, err = link.Publish(ctx, p.stream, m); err != nil {
		return fmt.Errorf("publish %s: %w", p.stream, err)
	}
	p.publisher.SetSilent(p.tone < 0)
	if p.player, err = link.Play(ctx, p.room, p.track); err != nil {
		return fmt.Errorf("play %s of %s: %w", p.track, p.room, err)
	}
	return nil
}

// check tells which mixes are wrong.
func check(o options, all []*participant) (wrong []string) {
	for _, p := range all {
		pcm := p.player.Heard(4 * time.Second)
		for i := range o.Talkers {
			level := client.ToneLevel(pcm, tones[i])
			switch {
			case i == p.tone && level > -50:
				wrong = append(wrong, fmt.Sprintf("%s hears themself: %.0f dBFS", p.stream, level))
			case i != p.tone && level < -30:
				wrong = append(wrong, fmt.Sprintf("%s does not hear talker %d: %.0f dBFS", p.stream, i, level))
			}
		}
	}
	return wrong
}

// command sends a command to the control API.
func command(server, room, name string, args ...string) (answer map[string]any, err error) {
	body, err := json.Marshal(map[string]any{"command": name, "args": args})
	if err != nil {
		return nil, err
	}
	resp, err := http.Post(server+"/flussonic/api/dynamic_mosaic/"+room, "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: status %d: %v", name, resp.StatusCode, answer["error"])
	}
	return answer, nil
}
