package room

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"sectile/asm/yuv"
	"sectile/engine/jitter"
	"sectile/engine/mix"
)

// Camera is the picture of a published stream.
type Camera interface {
	// Sequence names the newest picture, as no other camera's picture is named; 0 while
	// there is none to show.
	Sequence() uint64
	// View calls f with the newest picture, which f must not keep. It does not call f when
	// there is none.
	View(f func(*yuv.Image))
	// Shown tells the size of the cell in which a room shows the camera from now on, 0×0
	// when it does not, and whether the picture is cropped to fill it rather than shown as
	// a whole. It is called from the room's tick when that changes: it must not block nor
	// call back.
	Shown(width, height int, crop bool)
}

// Input is one stream's place in a room, whether it publishes at the moment or not.
type Input struct {
	room  *Room
	name  string
	track int

	mutedAudio atomic.Bool

	// Under the room's lock.
	mutedVideo bool
	connected  bool
	camera     Camera
	listeners  []*Subscription // of the input's own track
	// newListeners: all of them came since the last tick and have heard nothing yet.
	newListeners bool
	route        mix.Route
	voice        *mix.Voice // made when first needed
	talk         mix.Talk
	talking      bool
	talks        bool          // for speaker: talking when it looked last
	talksSince   time.Duration // for speaker
	fader        mix.Fader
	dB           float64 // of gain
	gain         int32   // of fader
	pcm          []int16
	times        int            // that pcm is added to this tick's mix
	private      bool           // this tick's packet comes from voice
	reportDue    time.Duration  // when the playout delay is observed next
	farewell     *jitter.Buffer // of a publication that has ended, for a frame in which it fades out

	// Packets come in while the room's lock may be held by a tick, so the buffer has its own.
	mu      sync.Mutex
	buffer  *jitter.Buffer
	playout Playout
}

const jitterReportEvery = time.Second

// Name returns the stream's name.
func (in *Input) Name() string { return in.name }

// Track returns the number of the stream's own mix.
func (in *Input) Track() int { return in.track }

// Room returns the room that the input belongs to.
func (in *Input) Room() *Room { return in.room }

// Connect starts a publication: sound comes by PushAudio, the picture from camera.
// It ends a publication before it.
func (in *Input) Connect(camera Camera) error {
	r := in.room
	decoder, err := r.env.Codecs.NewAudioDecoder(r.opts.SampleRate)
	if err != nil {
		return fmt.Errorf("room %s: stream %s: %w", r.name, in.name, err)
	}
	buffer := jitter.New(jitter.Config{SampleRate: r.opts.SampleRate, Decoder: decoder, Counters: &r.env.Metrics.Jitter})
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.input(in.name) != in {
		buffer.Close()
		return fmt.Errorf("room %s: stream %s: %w", r.name, in.name, ErrClosed)
	}
	in.disconnect()
	in.mu.Lock()
	in.buffer = buffer
	in.mu.Unlock()
	in.connected, in.camera = true, camera
	r.audio.connected++
	r.changes++
	r.startAudio()
	return nil
}

// Disconnect ends the publication.
func (in *Input) Disconnect() {
	in.room.mu.Lock()
	defer in.room.mu.Unlock()
	in.disconnect()
}

// disconnect needs the room's lock.
func (in *Input) disconnect() {
	if !in.connected {
		return
	}
	in.mu.Lock()
	last := in.buffer
	in.buffer, in.playout = nil, Playout{}
	in.mu.Unlock()
	if in.fader.Open() && in.farewell == nil {
		in.farewell = last
		in.room.audio.farewells++
	} else {
		last.Close()
	}
	in.connected, in.camera, in.talking, in.talk = false, nil, false, mix.Talk{}
	in.room.audio.connected--
	in.room.changes++
}

// endFarewell needs the room's lock.
func (in *Input) endFarewell() {
	if in.farewell != nil {
		in.farewell.Close()
		in.farewell = nil
		in.room.audio.farewells--
	}
}

// PushAudio takes one RTP packet of Opus, which arrived at now. The payload is copied.
func (in *Input) PushAudio(p jitter.Packet, now time.Duration) {
	if in.mutedAudio.Load() || !in.room.audio.running.Load() {
		return
	}
	in.mu.Lock()
	if in.buffer != nil {
		in.buffer.Push(p, now)
	}
	in.mu.Unlock()
}

// ShowsVideo tells whether the room shows the stream's picture.
func (in *Input) ShowsVideo() bool {
	in.room.mu.Lock()
	defer in.room.mu.Unlock()
	return in.room.mosaic != nil && !in.mutedVideo
}

func (in *Input) muteAudio(muted bool) {
	if in.mutedAudio.Swap(muted) == muted || in.fader.Open() {
		return // the next tick fades it out, or finds nothing changed
	}
	in.resetBuffer() // what was buffered before the mute must not sound after it
}

func (in *Input) resetBuffer() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.buffer != nil {
		in.buffer.Reset()
	}
}

// park forgets what was heard.
func (in *Input) park() {
	in.resetBuffer()
	in.endFarewell()
	in.talking, in.talk, in.fader = false, mix.Talk{}, mix.Fader{}
}

// pull takes one tick of sound out of the buffer and decides whether it goes into the mix:
// silence never does, and behind a gate only talk. What is muted or ends goes in once more,
// to fade out.
func (in *Input) pull(deadline time.Duration) {
	r := in.room
	on, sound := in.connected && !in.mutedAudio.Load() && in.farewell == nil, false
	switch {
	case in.farewell != nil:
		sound = in.farewell.Pull(in.pcm, deadline) != jitter.Silence
		in.endFarewell()
	case on:
		in.mu.Lock()
		sound = in.buffer.Pull(in.pcm, deadline) != jitter.Silence
		in.notePlayout(deadline)
		if sound && deadline >= in.reportDue {
			in.reportDue = deadline + jitterReportEvery
			r.env.Metrics.JitterDelay.Observe(in.buffer.Delay(deadline))
		}
		in.mu.Unlock()
	case in.connected && in.fader.Open():
		in.mu.Lock()
		sound = in.buffer.Pull(in.pcm, deadline) != jitter.Silence
		in.buffer.Reset()
		in.mu.Unlock()
	}
	heard := in.pcm
	if !sound || !on {
		heard = nil
	}
	in.talking = in.talk.Step(heard, r.frame) && on
	open := on && (in.talking || r.opts.Gate == GateOff)
	if sound {
		in.times = in.fader.Step(in.pcm, r.audio.wide, r.frame, in.gain, open)
	} else {
		in.times = 0
		in.fader.Skip(in.gain, open)
	}
}

func (in *Input) closeVoice() {
	if in.voice != nil {
		in.voice.Close()
		in.voice = nil
	}
}
