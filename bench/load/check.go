package main

import (
	"fmt"
	"time"

	"sectile/bench/client"
	"sectile/bench/media"
	"sectile/bench/target"
)

// tones are of the talkers, by their number, in Hz: none is near a harmonic of another.
var tones = []float64{397, 523, 701, 907, 1117, 1361, 439, 577, 643, 769, 829, 983, 1033, 1181, 1237, 1297, 1427, 1489, 1543, 1607}

// sounds are all that is sent.
type sounds struct {
	speech, burst, silence media.Clip
	tones                  []media.Clip // by talker
	level                  float64
	codec                  time.Duration // delay of the codecs
}

// sounds encodes what the options ask for. The tones are so quiet that all of them at once
// stay below full scale, and so loud that none is taken for a fan.
func (o options) sounds() (m sounds, err error) {
	if m.silence, err = media.Silence(); err != nil {
		return m, err
	}
	if o.Speech != "" {
		if m.speech, err = media.Speech(o.Speech); err != nil {
			return m, err
		}
	}
	if o.Bursts {
		if m.burst, err = media.Burst(); err != nil {
			return m, err
		}
		if m.codec, err = media.CodecDelay(m.burst); err != nil {
			return m, err
		}
	}
	m.level = -20
	if o.Talkers > 8 {
		m.level = -27
	}
	m.tones = make([]media.Clip, o.Talkers)
	for i := range m.tones {
		if m.tones[i], err = media.Tone(tones[i], m.level); err != nil {
			return m, err
		}
	}
	return m, nil
}

// talker is the index of a participant's tone, −1 for those who listen.
func (m sounds) talker(p *participant) int {
	if p.number < len(m.tones) {
		return p.number
	}
	return -1
}

// cast gives a participant what they send while it is measured. Everybody has an offset of
// their own.
func (m sounds) cast(p *participant) {
	offset := 37 * (p.number + 11*p.room)
	switch t := m.talker(p); {
	case t == 0 && m.burst != nil:
		p.Play(m.burst, 0)
	case t < 0 || m.burst != nil:
		p.Play(m.silence, offset)
	case m.speech != nil:
		p.Play(m.speech, offset)
	default:
		p.Play(m.tones[t], offset)
	}
}

// check tells which mixes are wrong. All talkers send their tones; a few participants at
// a time keep what they receive, since decrypting costs the processor that the server
// needs. Everything is decoded when all have been heard.
func (o options) check(m sounds, all []*participant, r *target.Report) {
	if m.speech != nil || m.burst != nil {
		for _, p := range all {
			if t := m.talker(p); t >= 0 {
				p.Play(m.tones[t], 0)
			}
		}
		time.Sleep(time.Second)
	}
	const group = 50
	heard := make([][]client.Packet, len(all))
	for from := 0; from < len(all); from += group {
		to := min(from+group, len(all))
		for _, p := range all[from:to] {
			p.Down.Keep(true)
		}
		time.Sleep(1600 * time.Millisecond)
		for i, p := range all[from:to] {
			heard[from+i] = p.Down.Keep(false)
		}
	}
	r.Checked = len(all)
	for i, p := range all {
		wrong := m.wrong(p, heard[i])
		r.Wrong = append(r.Wrong, wrong...)
		if len(wrong) > 0 {
			r.WrongMixes++
		}
	}
}

// wrong tells what is wrong with what a participant heard.
func (m sounds) wrong(p *participant, packets []client.Packet) (wrong []string) {
	pcm, err := media.Decode(packets)
	if err != nil {
		return []string{fmt.Sprintf("%v: %v", p, err)}
	}
	for i := range m.tones {
		level := client.ToneLevel(pcm, tones[i])
		switch own := i == m.talker(p); {
		case own && level > m.level-25:
			wrong = append(wrong, fmt.Sprintf("%v hears themself: %.0f dBFS", p, level))
		case !own && !(level > m.level-6):
			wrong = append(wrong, fmt.Sprintf("%v does not hear talker %d: %.0f dBFS", p, i, level))
		}
	}
	return wrong
}
