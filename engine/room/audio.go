package room

import (
	"sync/atomic"
	"time"

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

// audible tells whether there is sound to make: somebody publishes and somebody plays.
// Who plays only the mosaic counts, too, since it shows who talks.
func (r *Room) audible() bool { return r.audio.connected+r.audio.farewells > 0 && len(r.subs) > 0 }

// startAudio starts the ticks if they should run and do not.
func (r *Room) startAudio() {
	a := &r.audio
	if a.running.Load() || r.closed || !r.audible() {
		return
	}
	// No mix or encoder goes on from before the pause.
	a.tick++
	a.history.Clear()
	a.shared.Reset()
	a.running.Store(true)
	r.env.Audio.Add(r.frame, r.audioTick)
}

// parkAudio ends the ticks: the room costs nothing until startAudio, no decode and no
// encoder's memory.
func (r *Room) parkAudio() {
	r.audio.running.Store(false)
	for _, in := range r.inputs {
		in.park()
		in.closeVoice()
	}
	r.audio.shared.Close()
	r.dropLeaving()
}

// dropLeaving forgets streams that were to fade out.
func (r *Room) dropLeaving() {
	for _, in := range r.audio.leaving {
		in.endFarewell()
	}
	clear(r.audio.leaving)
	r.audio.leaving = r.audio.leaving[:0]
}

// audioTick makes the sound of one tick: every input is pulled once, summed once, and
// encoded as often as there are different mixes with a listener that are not silent.
func (r *Room) audioTick(deadline time.Duration) (again bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := &r.audio
	// When the last one leaves, what the limiters hold back of the fade-out comes in one more.
	if r.closed || !r.audible() && (len(r.subs) == 0 || a.shared.Silent()) {
		r.parkAudio()
		return false
	}
	a.tick++
	a.bus.Reset()
	for _, in := range r.inputs {
		in.pull(deadline)
		a.bus.Add(in.pcm, in.times)
	}
	for _, in := range a.leaving {
		in.pull(deadline)
		a.bus.Add(in.pcm, in.times)
	}
	a.bus.Sum()
	r.dropLeaving()
	r.expectLoss()

	// What comes out of the limiters was pulled for a moment before the deadline.
	ts := timestamp(deadline-mix.LookAhead, opusClock)
	shared := len(r.listeners) > 0
	for _, in := range r.inputs {
		differs := in.times > 0 || in.voice != nil && in.voice.Differs(a.tick, a.shared)
		in.private = in.route.Step(differs, r.frame)
		switch {
		case len(in.listeners) == 0:
		case in.private:
			if in.voice == nil {
				in.voice = mix.NewVoice(&a.format)
				in.expectLoss()
			}
			in.voice.Follow(a.tick, a.shared, differs, in.newListeners)
		default:
			shared = true
		}
		in.newListeners = false
	}
	r.mix(a.shared, a.all, nil, 0)
	if shared {
		if packet := r.encode(a.shared, a.all, &r.env.Metrics.EncodesShared); packet != nil {
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
		r.mix(in.voice, a.mix, in.pcm, in.times)
		if packet := r.encode(in.voice, a.mix, &r.env.Metrics.EncodesPrivate); packet != nil {
			deliverAudio(in.listeners, packet, ts)
		}
	}
	a.history.Push(a.all)
	r.env.Metrics.EncodesWarm.Add(uint64(a.format.Fed(a.tick)))
	return true
}

// mix makes a voice's mix of this tick, of everybody but own, which was added so many times.
func (r *Room) mix(v *mix.Voice, dst, own []int16, times int) {
	if limited := v.Mix(r.audio.tick, dst, r.audio.bus, own, times); limited > 0 {
		r.env.Metrics.Limited.Add(int64(limited))
	}
}

// encode counts the encode, or the packet of silence that takes none. A failure costs this
// track this packet, and so does beginning together with many others.
func (r *Room) encode(v *mix.Voice, samples []int16, encodes *atomic.Uint64) []byte {
	packet, encoded, err := v.Encode(r.audio.tick, samples, r.audio.history)
	switch {
	case err != nil:
		r.env.Log.Error("Opus encoder", "err", err)
		return nil
	case encoded:
		encodes.Add(1)
	case packet == nil:
		r.env.Metrics.PacketsLeftOut.Add(1)
	default:
		r.env.Metrics.SilencePackets.Add(1)
	}
	return packet
}

func deliverAudio(listeners []*Subscription, packet []byte, timestamp uint32) {
	for _, s := range listeners {
		s.sink.WriteAudio(packet, timestamp)
	}
}
