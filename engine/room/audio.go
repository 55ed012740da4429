package room

import (
	"time"

	"sectile/asm/pcm"
	"sectile/engine/mix"
)

// opusClock is the RTP clock of Opus, whatever the sample rate (RFC 7587, 4.1).
const opusClock = 48000

// timestamp converts a time of the engine's clock to RTP. Deadlines lie on whole samples,
// so consecutive ticks differ by exactly one frame.
func timestamp(t time.Duration, clock int64) uint32 {
	// Split, since nanoseconds × 90000 overflow after 28 hours.
	return uint32(int64(t/time.Second)*clock + int64(t%time.Second)*clock/int64(time.Second))
}

// audioTick makes the sound of one tick: every input is pulled once, summed once, and
// encoded as often as there are different mixes with a listener.
func (r *Room) audioTick(deadline time.Duration) (again bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := &r.audio
	if r.closed || a.connected == 0 {
		// Parked. The next Connect starts the ticks again.
		a.running = false
		return false
	}
	a.tick++
	a.bus.Reset()
	for _, in := range r.inputs {
		in.pull(deadline)
		if in.adds {
			a.bus.Add(in.pcm)
		}
	}
	a.bus.Sum()
	a.bus.All(a.all)
	r.countLimited(a.all)

	ts := timestamp(deadline, opusClock)
	shared := len(r.listeners) > 0
	for _, in := range r.inputs {
		in.private = in.route.Step(in.adds, r.frame)
		if len(in.listeners) > 0 && !in.private {
			shared = true
		}
	}
	if shared {
		if packet := r.encode(&a.shared, a.all); packet != nil {
			r.env.Metrics.EncodesShared.Add(1)
			deliverAudio(r.listeners, packet, ts)
			for _, in := range r.inputs {
				if !in.private {
					deliverAudio(in.listeners, packet, ts)
				}
			}
		}
	}
	for _, in := range r.inputs {
		if len(in.listeners) == 0 || !in.private {
			continue
		}
		own := a.all
		if in.adds {
			own = a.mix
			a.bus.Without(own, in.pcm)
			r.countLimited(own)
		}
		if packet := r.encode(&in.voice, own); packet != nil {
			r.env.Metrics.EncodesPrivate.Add(1)
			deliverAudio(in.listeners, packet, ts)
		}
	}
	a.history.Push(a.all)
	return true
}

// encode makes the voice if there is none yet. A failure costs this track this packet.
func (r *Room) encode(voice **mix.Voice, samples []int16) []byte {
	if *voice == nil {
		encoder, err := r.env.Codecs.NewAudioEncoder(r.opts.audioParams())
		if err != nil {
			r.env.Log.Error("no Opus encoder", "err", err)
			return nil
		}
		*voice = mix.NewVoice(encoder)
	}
	packet, err := (*voice).Encode(r.audio.tick, samples, r.audio.history)
	if err != nil {
		r.env.Log.Error("Opus encoder", "err", err)
		return nil
	}
	return packet
}

// countLimited counts a frame that reaches full scale, where the mix was saturated.
func (r *Room) countLimited(samples []int16) {
	if pcm.Peak(samples) >= 32767 {
		r.env.Metrics.Limited.Add(int64(r.frame))
	}
}

func deliverAudio(listeners []*Subscription, packet []byte, timestamp uint32) {
	for _, s := range listeners {
		s.sink.WriteAudio(packet, timestamp)
	}
}
