package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"sectile/bench/client"
	"sectile/bench/media"
	"sectile/bench/target"
)

// participant is one who sends and hears.
type participant struct {
	target.Member
	media.Source
	camera       media.Camera
	room, number int
}

func (p *participant) String() string {
	return fmt.Sprintf("participant %d of room %d", p.number, p.room)
}

// usualTalkers is how many talk when nothing is said.
const usualTalkers = 3

// setTalkers fills in how many talk and checks it.
func (o *options) setTalkers() error {
	switch {
	case o.Talkers < 0:
		o.Talkers = min(usualTalkers, o.Participants)
	case o.Talkers > o.Participants:
		return fmt.Errorf("--talkers %d: a room has only %d participants (--participants)", o.Talkers, o.Participants)
	case o.Talkers > len(tones):
		return fmt.Errorf("--talkers %d: at most %d, since there are so many tones", o.Talkers, len(tones))
	}
	return nil
}

// run makes the rooms, fills them, measures, and checks what is heard.
func (o options) run() (*target.Report, error) {
	if o.Peer != "sectile" && len(o.Cameras) > 0 {
		return nil, fmt.Errorf("%s has no mosaic", o.Peer)
	}
	if err := o.setTalkers(); err != nil {
		return nil, err
	}
	sounds, err := o.sounds()
	if err != nil {
		return nil, err
	}
	films, err := o.films()
	if err != nil {
		return nil, err
	}
	server := o.target()
	all, err := o.join(server)
	defer o.leave(server, all)
	if err != nil {
		return nil, err
	}

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	sources := make([]*media.Source, len(all))
	for i, p := range all {
		sources[i] = &p.Source
		sounds.cast(p)
	}
	var late []time.Duration
	var wg sync.WaitGroup
	wg.Go(func() { late = media.Pace(ctx, sources) })
	wg.Go(func() { media.Shoot(ctx, films.cameras(all), o.FPS) })
	defer wg.Wait()
	defer cancel()
	players, err := o.players()
	defer closeAll(players)
	if err != nil {
		return nil, err
	}
	time.Sleep(o.Warmup)

	r, err := o.measure(sounds, all)
	if err != nil {
		return nil, err
	}
	o.check(sounds, all, r)
	if r.Picture != nil {
		o.checkCells(players, r.Picture)
	}
	cancel()
	wg.Wait()
	r.SendLateP99 = media.Quantile(late, 0.99).Seconds()
	return r, nil
}

// join connects everybody, a few at a time.
func (o options) join(server target.Target) ([]*participant, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second+time.Duration(o.Rooms*o.Participants)*50*time.Millisecond)
	defer cancel()
	for r := range o.Rooms {
		if err := server.AddRoom(ctx, r); err != nil {
			return nil, fmt.Errorf("room %d: %w", r, err)
		}
	}
	places := make(chan struct{}, 8)
	all := make([]*participant, o.Rooms*o.Participants)
	errs := make([]error, len(all))
	local := o.Local.Addr()
	var wg sync.WaitGroup
	for i := range all {
		p := &participant{room: i / o.Participants, number: i % o.Participants}
		all[i] = p
		link := client.Link{}
		if o.Local.IsValid() {
			if local = local.Next(); !o.Local.Contains(local) {
				return all, fmt.Errorf("%v has fewer than %d addresses", o.Local, len(all))
			}
			link.Local = local
		}
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			if p.Member, errs[i] = server.Join(ctx, link, p.room, p.number); errs[i] != nil {
				errs[i] = fmt.Errorf("%v: %w", p, errs[i])
				return
			}
			p.Source.Voice = p.Up
		})
		if err := ctx.Err(); err != nil {
			break
		}
	}
	wg.Wait()
	return all, errors.Join(errs...)
}

// leave ends everything.
func (o options) leave(server target.Target, all []*participant) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for r := range o.Rooms {
		// A room that is not there is what is wanted.
		_ = server.RemoveRoom(ctx, r)
	}
	places := make(chan struct{}, 8)
	var wg sync.WaitGroup
	for _, p := range all {
		if p == nil {
			break // joining stopped here
		}
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			p.Close()
		})
	}
	wg.Wait()
}

// measure measures for o.Duration.
func (o options) measure(m sounds, all []*participant) (*target.Report, error) {
	flows := make([]client.Flow, len(all))
	for i, p := range all {
		p.Down.Record(true)
		if o.hearsBursts(p) {
			p.Down.Keep(true)
		}
		flows[i] = p.Down.Flow()
	}
	metrics, err := o.scrape()
	if err != nil {
		return nil, err
	}
	start, own := time.Now(), ownCPU()
	cpu, _, err := target.Process(o.PID)
	if err != nil {
		return nil, err
	}
	time.Sleep(o.Duration)
	seconds := time.Since(start).Seconds()
	cpuAfter, rss, err := target.Process(o.PID)
	if err != nil {
		return nil, err
	}
	own = ownCPU() - own
	after, err := o.scrape()
	if err != nil {
		return nil, err
	}

	r := &target.Report{
		Peer: o.Peer, Rooms: o.Rooms, Participants: o.Participants, Talkers: o.Talkers, Seconds: seconds,
		Cores: (cpuAfter - cpu).Seconds() / seconds, RSS: rss, LoadCores: own.Seconds() / seconds,
	}
	r.CPU = 1000 * r.Cores / float64(len(all))
	if o.Peer == "sectile" {
		r.Tick = after.Since(metrics).Ticks()
	}
	var gaps, pictureGaps []time.Duration
	pictures := &target.Pictures{FPS: o.FPS}
	for i, p := range all {
		arrivals, flow := p.Down.Record(false), p.Down.Flow()
		gaps = appendGaps(gaps, arrivals.Sound)
		pictureGaps = appendGaps(pictureGaps, arrivals.Pictures)
		worst, fewest := float64(len(arrivals.Sound))/seconds, float64(len(arrivals.Pictures))/seconds
		if i == 0 || worst < r.WorstRate {
			r.WorstRate = worst
		}
		if i == 0 || fewest < pictures.Worst {
			pictures.Worst = fewest
		}
		pictures.Mean += fewest / float64(len(all))
		r.Missing += flow.Gaps - flows[i].Gaps
	}
	if len(o.Cameras) > 0 {
		pictures.GapP99, pictures.Longest = media.Quantile(pictureGaps, 0.99).Seconds(), media.Quantile(pictureGaps, 1).Seconds()
		o.count(pictures, after.Since(metrics), seconds)
		r.Picture = pictures
	}
	r.InterArrivalP99 = media.Quantile(gaps, 0.99).Seconds()
	var bursts []time.Duration
	for i, p := range all {
		if !o.hearsBursts(p) {
			continue
		}
		more, err := media.Delays(all[i-p.number].Started(), p.Down.Keep(false), m.codec)
		if err != nil {
			return nil, err
		}
		for _, d := range more {
			bursts = append(bursts, d.Added)
		}
	}
	r.Bursts, r.DelayP50, r.DelayP95 = len(bursts), media.Quantile(bursts, 0.5).Seconds(), media.Quantile(bursts, 0.95).Seconds()
	return r, nil
}

func appendGaps(gaps []time.Duration, arrivals []time.Time) []time.Duration {
	for i := 1; i < len(arrivals); i++ {
		gaps = append(gaps, arrivals[i].Sub(arrivals[i-1]))
	}
	return gaps
}

// hearsBursts tells whether the delay is measured at this participant: one of each room.
func (o options) hearsBursts(p *participant) bool { return o.Bursts && p.number == o.Participants-1 }

// scrape reads the metrics of a Sectile.
func (o options) scrape() (target.Metrics, error) {
	if o.Peer != "sectile" {
		return nil, nil
	}
	return target.Scrape(context.Background(), o.Server)
}

// ownCPU is the processor time of this process.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it cannot fail for RUSAGE_SELF
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
