package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"sectile/bench/client"
	"sectile/bench/media"
	"sectile/bench/target"
)

// tones are of the talkers, Hz.
var tones = []float64{397, 523, 701, 907}

const (
	level      = -20 // dBFS, of the tones' peaks
	burstRooms = 2
)

// participant is one who sends and hears.
type participant struct {
	target.Member
	media.Source
}

// rig is a server with its participants, who send all the time.
type rig struct {
	server  *target.Server
	api     target.Sectile
	talkers []*participant    // of room 0
	bursts  [][2]*participant // of each further room: who sends and who listens
	codec   time.Duration     // delay of the codecs

	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// start starts all over good links. The talkers' sound is made by tone.
func (o options) start(tone func(hz, level float64) (media.Clip, error)) (r *rig, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	r = &rig{cancel: cancel}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.stop())
		}
	}()
	if r.server, err = target.StartSectileHere(o.Sectile); err != nil {
		return nil, err
	}
	r.api = target.Sectile{Server: r.server.URL}
	silence, err := media.Silence()
	if err != nil {
		return r, err
	}
	burst, err := media.Burst()
	if err != nil {
		return r, err
	}
	if r.codec, err = media.CodecDelay(burst); err != nil {
		return r, err
	}
	for _, hz := range tones {
		c, err := tone(hz, level)
		if err != nil {
			return r, err
		}
		p, err := r.join(ctx, 0, len(r.talkers), c)
		if err != nil {
			return r, err
		}
		r.talkers = append(r.talkers, p)
	}
	for room := range burstRooms {
		var pair [2]*participant
		for i, c := range []media.Clip{burst, silence} {
			if pair[i], err = r.join(ctx, room+1, i, c); err != nil {
				return r, err
			}
		}
		r.bursts = append(r.bursts, pair)
	}
	// A sender of its own for each, so that their packets and bursts are spread in time.
	for i, p := range r.all() {
		r.wg.Go(func() {
			select {
			case <-time.After(time.Duration(i) * 83 * time.Millisecond):
				media.Pace(ctx, []*media.Source{&p.Source})
			case <-ctx.Done():
			}
		})
	}
	return r, nil
}

func (r *rig) join(ctx context.Context, room, member int, c media.Clip) (*participant, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if member == 0 {
		if err := r.api.AddRoom(ctx, room); err != nil {
			return nil, err
		}
	}
	link := client.Link{Seed: uint64(100*room + member), Feedback: true}
	p := &participant{}
	var err error
	if p.Member, err = r.api.Join(ctx, link, room, member); err != nil {
		return nil, fmt.Errorf("room %d: %w", room, err)
	}
	p.Voice = p.Up
	p.Play(c, 0)
	return p, nil
}

// all are all participants.
func (r *rig) all() []*participant {
	all := append([]*participant(nil), r.talkers...)
	for _, pair := range r.bursts {
		all = append(all, pair[0], pair[1])
	}
	return all
}

// stop ends all of it.
func (r *rig) stop() error {
	r.cancel()
	r.wg.Wait()
	var wg sync.WaitGroup
	for _, p := range r.all() {
		wg.Go(p.Close)
	}
	wg.Wait()
	if r.server == nil {
		return nil
	}
	return r.server.Stop()
}

// impair makes the ways of all bad and returns when.
func (r *rig) impair(up, down client.Impairment) time.Time {
	for _, p := range r.all() {
		p.Up.Impair(up, client.Impairment{})
		p.Down.Impair(client.Impairment{}, down)
	}
	return time.Now()
}

// observation is what was seen in a stretch of time.
type observation struct {
	metrics target.Metrics    // their growth
	heard   [][]client.Packet // by each talker
	bursts  []media.Delay
}

// observe watches for so long.
func (r *rig) observe(d time.Duration) (*observation, error) {
	before, err := target.Scrape(context.Background(), r.api.Server)
	if err != nil {
		return nil, err
	}
	for _, p := range r.all() {
		p.Down.Keep(true)
	}
	time.Sleep(d)
	o := &observation{}
	for _, p := range r.talkers {
		o.heard = append(o.heard, p.Down.Keep(false))
	}
	for _, pair := range r.bursts {
		more, err := media.Delays(pair[0].Started(), pair[1].Down.Keep(false), r.codec)
		if err != nil {
			return nil, err
		}
		pair[0].Down.Keep(false)
		o.bursts = append(o.bursts, more...)
	}
	after, err := target.Scrape(context.Background(), r.api.Server)
	if err != nil {
		return nil, err
	}
	o.metrics = after.Since(before)
	return o, nil
}
