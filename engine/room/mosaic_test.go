package room

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sectile/asm/yuv"
	"sectile/engine/codec"
	"sectile/engine/jitter"
	"sectile/engine/load"
	"sectile/engine/metrics"
	"sectile/engine/sched"
)

// videoCodecs stand in for x264: an access unit is one NAL unit that holds the number of
// the encoder and of the picture, and filler.
type videoCodecs struct {
	mu    sync.Mutex
	made  []*videoEncoder
	open  int
	bytes func(key bool) int // of an access unit
	takes time.Duration      // to encode
	lean  bool               // keeps no calls
	hold  int                // pictures are held back, and then there is a keyframe
}

type videoEncoder struct {
	codecs *videoCodecs
	params codec.VideoParams
	number int
	calls  []encodeCall
	rates  []int // that were set, bit/s

	au      []byte
	started bool
}

type encodeCall struct {
	at      time.Time
	pts     int64
	key     bool
	same    []byte
	picture *yuv.Image
}

func (c *videoCodecs) NewVideoEncoder(p codec.VideoParams) (codec.VideoEncoder, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := &videoEncoder{codecs: c, params: p, number: len(c.made)}
	c.made = append(c.made, e)
	c.open++
	return e, nil
}

func (e *videoEncoder) SetBitrate(bitsPerSecond int) error {
	e.codecs.mu.Lock()
	defer e.codecs.mu.Unlock()
	if !e.codecs.lean {
		e.rates = append(e.rates, bitsPerSecond)
	}
	return nil
}

func (e *videoEncoder) Encode(img *yuv.Image, pts int64, key bool, same []byte) ([]byte, bool, error) {
	if e.codecs.lean {
		e.au = append(e.au[:0], 0, 0, 0, 1, 0x41, 1, 2, 3)
		e.started, key = true, key || !e.started
		return e.au, key, nil
	}
	time.Sleep(e.codecs.takes)
	e.codecs.mu.Lock()
	defer e.codecs.mu.Unlock()
	if e.codecs.hold > 0 {
		if e.codecs.hold--; e.codecs.hold > 0 {
			return nil, false, nil
		}
		key = true
	}
	key = key || len(e.calls) == 0
	picture := yuv.NewImage(img.Width, img.Height)
	yuv.Copy(picture, img)
	e.calls = append(e.calls, encodeCall{time.Now(), pts, key, slices.Clone(same), picture})
	au := []byte{0, 0, 0, 1, 0x41}
	if key {
		au[4] = 0x65
	}
	au = binary.BigEndian.AppendUint32(au, uint32(e.number+1)<<16|uint32(len(e.calls)))
	size := 30
	if e.codecs.bytes != nil {
		size = e.codecs.bytes(key)
	}
	for len(au) < size {
		au = append(au, 0xFF)
	}
	return au, key, nil
}

func (e *videoEncoder) Close() {
	e.codecs.mu.Lock()
	defer e.codecs.mu.Unlock()
	e.codecs.open--
}

func (c *videoCodecs) NewVideoDecoder() (codec.VideoDecoder, error) {
	return nil, errors.New("no decoder here")
}
func (c *videoCodecs) NewAudioDecoder(int) (codec.AudioDecoder, error) { return stillVoice{}, nil }
func (c *videoCodecs) NewAudioEncoder(codec.AudioParams) (codec.AudioEncoder, error) {
	return stillVoice{}, nil
}

type stillVoice struct{}

func (stillVoice) Decode([]byte, []int16) (int, error)          { return 960, nil }
func (stillVoice) DecodeFEC([]byte, []int16) error              { return nil }
func (stillVoice) Conceal([]int16) error                        { return nil }
func (stillVoice) Encode(_ []int16, packet []byte) (int, error) { return copy(packet, "opus"), nil }
func (stillVoice) SetPacketLoss(int) error                      { return nil }
func (stillVoice) Reset() error                                 { return nil }
func (stillVoice) Close()                                       {}

// screen is a player that keeps what it is given, and notes what a decoder could not use.
type screen struct {
	t      *testing.T
	joined time.Time

	mu      sync.Mutex
	first   time.Time // of the first picture
	units   []unitSeen
	sounds  []soundSeen
	decoder uint32       // the picture that was decoded last
	takes   atomic.Int64 // nanoseconds to take a picture
}

type unitSeen struct {
	at        time.Time
	timestamp uint32
	key       bool
	picture   uint32 // number of the encoder and of its picture
}

type soundSeen struct {
	at        time.Time
	timestamp uint32
}

func (s *screen) WriteAudio(_ []byte, timestamp uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sounds = append(s.sounds, soundSeen{time.Now(), timestamp})
}

func (s *screen) Closed(error) {}

func (s *screen) WriteVideo(au *AccessUnit) {
	time.Sleep(time.Duration(s.takes.Load()))
	s.mu.Lock()
	defer s.mu.Unlock()
	nal := au.Payloads[0]
	header := 1
	if nal[0]&0x1f == 28 { // FU-A
		header = 2
	}
	u := unitSeen{time.Now(), au.Timestamp, au.Key, binary.BigEndian.Uint32(nal[header:])}
	if len(s.units) == 0 {
		s.first = u.at
	} else if last := s.units[len(s.units)-1]; int32(u.timestamp-last.timestamp) <= 0 {
		s.t.Errorf("timestamp %d after %d", u.timestamp, last.timestamp)
	}
	if !u.key && u.picture != s.decoder+1 {
		s.t.Errorf("picture %x after %x", u.picture, s.decoder)
	}
	s.decoder = u.picture
	s.units = append(s.units, u)
}

func (s *screen) seen() []unitSeen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.units)
}

// canvasCamera shows a picture of one colour and some noise of every sequence number, or
// the same again under a new number.
type canvasCamera struct {
	mu       sync.Mutex
	sequence uint64
	image    *yuv.Image
	takes    atomic.Int64 // nanoseconds to look at
}

func (c *canvasCamera) show(colour byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sequence++
	yuv.Fill(c.image, colour, 128, 128)
}

func (c *canvasCamera) Sequence() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sequence
}

// Shown implements Camera.
func (c *canvasCamera) Shown(int, int, bool) {}

func (c *canvasCamera) View(f func(*yuv.Image)) {
	time.Sleep(time.Duration(c.takes.Load()))
	c.mu.Lock()
	defer c.mu.Unlock()
	f(c.image)
}

// stage is a room with cameras in a bubble of virtual time.
type stage struct {
	t       *testing.T
	room    *Room
	codecs  *videoCodecs
	metrics *metrics.Engine
	made    atomic.Int32 // pictures of load.AllPictures
	cameras []*canvasCamera
	moves   sync.WaitGroup
	over    chan struct{}
}

func onStage(t *testing.T, cameras int, f func(*stage)) {
	t.Helper()
	onStageAt(t, 25, cameras, f)
}

func onStageAt(t *testing.T, fps, cameras int, f func(*stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		now := func() time.Duration { return time.Since(begin) }
		s := &stage{t: t, codecs: &videoCodecs{}, metrics: metrics.New(), over: make(chan struct{})}
		s.made.Store(load.AllPictures)
		env := Env{
			Codecs: s.codecs, Audio: sched.New(1, now, s.metrics), Video: sched.New(1, now, nil), Now: now,
			Pictures: func() int { return int(s.made.Load()) },
			Metrics:  s.metrics, Log: slog.New(slog.DiscardHandler),
		}
		opts := DefaultOptions()
		opts.DisableVideo, opts.Width, opts.Height, opts.VideoBitrate, opts.FPS = false, 128, 64, 1500, fps
		var err error
		if s.room, err = New("r", opts, env); err != nil {
			t.Fatal(err)
		}
		for i := range cameras {
			c := &canvasCamera{image: yuv.NewImage(64, 32)}
			in, err := s.room.AddStream(string(rune('a' + i)))
			if err != nil {
				t.Fatal(err)
			}
			if err := in.Connect(c); err != nil {
				t.Fatal(err)
			}
			c.show(byte(50 + i))
			s.cameras = append(s.cameras, c)
		}
		time.Sleep(7 * ms) // what happens whole ticks later is then between two of them
		f(s)
		close(s.over)
		s.moves.Wait()
		env.Audio.Close()
		env.Video.Close()
		s.room.Close()
		if s.codecs.open != 0 {
			t.Errorf("%d encoders left open", s.codecs.open)
		}
	})
}

func (s *stage) join() (*screen, *Subscription) {
	s.t.Helper()
	p := &screen{t: s.t, joined: time.Now()}
	sub, err := s.room.Subscribe(Tracks{Video: true, Audio: 1}, p)
	if err != nil {
		s.t.Fatal(err)
	}
	return p, sub
}

// move lets the first camera move from now on, at the rate of the room, until stop.
func (s *stage) move() (stop func()) {
	done := make(chan struct{})
	s.moves.Go(func() {
		for n := byte(0); ; n++ {
			s.cameras[0].show(n)
			select {
			case <-time.After(40 * ms):
			case <-done:
				return
			case <-s.over:
				return
			}
		}
	})
	return func() { close(done) }
}

// sleep lets time pass, and everything that is due happen before it returns.
func (s *stage) sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (s *stage) keyframes() (n uint64) {
	for i := range s.metrics.Keyframes {
		n += s.metrics.Keyframes[i].Load()
	}
	return n
}

// TestStillMosaic: what does not change is not encoded, but a few times right after the
// change and then often enough for no player to think the stream dead.
func TestStillMosaic(t *testing.T) {
	onStage(t, 2, func(s *stage) {
		p, _ := s.join()
		s.sleep(10 * time.Second)
		units := p.seen()
		if n := len(units); n < 6 || n > 10 {
			t.Errorf("%d pictures in ten still seconds", n)
		}
		for i := 1; i < len(units); i++ {
			if gap := units[i].at.Sub(units[i-1].at); gap > 2*time.Second+40*ms {
				t.Errorf("nothing for %v", gap)
			}
		}
		// A camera that sends the same picture again and again changes nothing.
		before := len(units)
		for range 250 {
			s.cameras[1].show(51)
			s.sleep(40 * ms)
		}
		if n := len(p.seen()) - before; n > 6 {
			t.Errorf("%d pictures in ten seconds of a frozen camera", n)
		}
		// One that moves is encoded at once, and only its cell is told to be new.
		before = len(p.seen())
		stop := s.move()
		s.sleep(2 * time.Second)
		stop()
		if n := len(p.seen()) - before; n < 48 || n > 51 {
			t.Errorf("%d pictures in two seconds of a moving camera, want 50", n)
		}
		calls := s.codecs.made[0].calls
		for _, c := range calls[len(calls)-40:] {
			want := []byte{0, 0, 0, 0, 1, 1, 1, 1}
			if !slices.Equal(c.same[8:16], want) {
				t.Fatalf("row of blocks %v, want %v", c.same[8:16], want)
			}
		}
		for i := 1; i < len(calls); i++ {
			a, b := calls[i-1], calls[i]
			same := make([]byte, len(b.same))
			yuv.SameBlocks(same, 8, a.picture, b.picture)
			if !slices.Equal(same, b.same) && !b.key {
				t.Fatalf("picture %d: blocks %v, told %v", i, same, b.same)
			}
			if step := b.pts - a.pts; step%3600 != 0 {
				t.Errorf("timestamps %d apart", step)
			}
		}
	})
}

// TestJoiners: a hundred players who come within a second cause at most two keyframes, and
// each has a picture in time, whether the mosaic moves or not.
func TestJoiners(t *testing.T) {
	for name, moving := range map[string]bool{"moving": true, "still": false} {
		t.Run(name, func(t *testing.T) {
			onStage(t, 2, func(s *stage) {
				s.codecs.bytes = func(key bool) int {
					if key {
						return 60_000
					}
					return 7500 // 1500 kbit/s
				}
				if moving {
					s.move()
				}
				s.join()
				s.sleep(2300 * ms)
				before := s.keyframes()
				var players []*screen
				for range 100 {
					p, _ := s.join()
					players = append(players, p)
					s.sleep(10 * ms)
				}
				if n := s.keyframes() - before; n > 2 || !moving && n > 0 {
					t.Errorf("%d keyframes", n)
				}
				s.sleep(3 * time.Second)
				for i, p := range players {
					units := p.seen()
					if len(units) == 0 || !units[0].key || p.first.Sub(p.joined) > 200*ms {
						t.Fatalf("player %d: %d pictures, the first after %v", i, len(units), p.first.Sub(p.joined))
					}
				}
				if s.metrics.Replays.Load() < 90 {
					t.Errorf("%d replays", s.metrics.Replays.Load())
				}
			})
		})
	}
}

// TestSlowMosaicJoins: who joins a mosaic of few pictures a second does not wait for the
// next one, and all go on to be given what they can decode, at the mosaic's rate.
func TestSlowMosaicJoins(t *testing.T) {
	for _, fps := range []int{1, 2, 4, 7} {
		onStageAt(t, fps, 1, func(s *stage) {
			s.codecs.bytes = func(key bool) int { return 30_000 }
			s.move()
			var players []*screen
			for n := range 40 {
				p, _ := s.join()
				players = append(players, p)
				if n%4 == 0 {
					p, _ := s.join()
					players = append(players, p)
				}
				s.sleep(time.Duration(50+37*n%300) * ms)
			}
			before := len(players[0].seen())
			s.sleep(10 * time.Second)
			for i, p := range players {
				if units := p.seen(); len(units) == 0 || !units[0].key || p.first.Sub(p.joined) > 200*ms {
					t.Errorf("%d fps: player %d: %d pictures, the first after %v", fps, i, len(units), p.first.Sub(p.joined))
				}
			}
			if n := len(players[0].seen()) - before; n < 10*fps-1 || n > 10*fps+1 {
				t.Errorf("%d fps: %d pictures in 10 s", fps, n)
			}
			if n := s.keyframes(); n > 16 {
				t.Errorf("%d fps: %d keyframes", fps, n)
			}
		})
	}
}

// TestKeyframeRequests: who asks gets a keyframe with the next picture, in bounds, and
// others see no more of it than one a second.
func TestKeyframeRequests(t *testing.T) {
	onStage(t, 1, func(s *stage) {
		s.codecs.bytes = func(bool) int { return 7500 }
		s.move()
		p, sub := s.join()
		other, _ := s.join()
		s.sleep(3 * time.Second)
		asked := time.Now()
		sub.RequestKeyframe()
		s.sleep(100 * ms)
		keys := func(p *screen, since time.Time) (n int) {
			for _, u := range p.seen() {
				if u.key && u.at.After(since) {
					n++
				}
			}
			return n
		}
		if n := keys(p, asked); n != 1 {
			t.Errorf("%d keyframes for a request", n)
		}
		start := time.Now()
		for range 1000 {
			sub.RequestKeyframe()
			s.sleep(10 * ms)
		}
		if n := keys(p, start); n < 15 || n > 21 {
			t.Errorf("%d keyframes in ten seconds for who asks all the time", n)
		}
		if n := keys(other, start); n > 11 {
			t.Errorf("%d keyframes in ten seconds for who does not", n)
		}
	})
}

// TestRenditions moves a player to the half size and back.
func TestRenditions(t *testing.T) {
	onStage(t, 2, func(s *stage) {
		s.codecs.bytes = func(bool) int { return 7500 }
		s.move()
		s.join()
		p, sub := s.join()
		estimate := func(bitsPerSecond int, d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); s.sleep(500 * ms) {
				sub.SetBandwidth(Bandwidth{Rate: bitsPerSecond, Probed: true})
			}
		}
		encoder := func() uint32 { units := p.seen(); return units[len(units)-1].picture >> 16 }
		estimate(3_000_000, 5*time.Second)
		if len(s.codecs.made) != 1 || encoder() != 1 {
			t.Fatalf("%d encoders, plays %d", len(s.codecs.made), encoder())
		}
		estimate(700_000, 4*time.Second)
		if len(s.codecs.made) != 2 || encoder() != 2 {
			t.Fatalf("%d encoders, plays %d", len(s.codecs.made), encoder())
		}
		e := s.codecs.made[1]
		if e.params.Width != 64 || e.params.Height != 32 || e.params.Bitrate != 500_000 {
			t.Errorf("half size is %+v", e.params)
		}
		for i, c := range e.calls {
			whole := s.codecs.made[0].calls
			at := slices.IndexFunc(whole, func(w encodeCall) bool { return w.pts == c.pts })
			if at < 0 {
				t.Fatalf("half picture %d is of no full one", i)
			}
			want := yuv.NewImage(64, 32)
			yuv.Halve(want, whole[at].picture)
			same := make([]byte, 8)
			yuv.SameBlocks(same, 4, want, c.picture)
			if slices.Contains(same, 0) {
				t.Fatalf("half picture %d: blocks %v are those of the full one", i, same)
			}
			if i > 0 {
				yuv.SameBlocks(same, 4, e.calls[i-1].picture, c.picture)
				if !slices.Equal(same, c.same) {
					t.Fatalf("half picture %d: blocks %v, told %v", i, same, c.same)
				}
			}
		}
		if s.codecs.open != 2 {
			t.Errorf("%d encoders open while both are played", s.codecs.open)
		}
		estimate(3_000_000, 4*time.Second)
		if encoder() != 1 || s.codecs.open != 1 {
			t.Errorf("plays %d, %d encoders open", encoder(), s.codecs.open)
		}
		if n := s.metrics.Keyframes[metrics.KeyframeMove].Load(); n == 0 {
			t.Error("no keyframe is counted for a move")
		}
		estimate(0, time.Second)
		if encoder() != 1 {
			t.Error("without an estimate the player does not get the full size")
		}
	})
}

// TestPictureHeldBack: a picture that the encoder holds back is offered at each tick until it
// is there, and a keyframe that nobody asked for is counted as such.
func TestPictureHeldBack(t *testing.T) {
	onStage(t, 1, func(s *stage) {
		p, _ := s.join()
		s.sleep(10500 * ms) // the next refresh is more than a second away
		before, dropped := len(p.seen()), s.metrics.FramesDropped.Load()
		s.codecs.mu.Lock()
		s.codecs.hold = 10
		s.codecs.mu.Unlock()
		s.cameras[0].show(99)
		changed := time.Now()
		s.sleep(time.Second)
		units := p.seen()[before:]
		if len(units) == 0 || !units[0].key || units[0].at.Sub(changed) > 400*ms {
			t.Errorf("after nine pictures held back: %+v", units)
		}
		if n := s.metrics.FramesDropped.Load() - dropped; n != 9 {
			t.Errorf("%d pictures are counted as held back, want 9", n)
		}
		if start, cut := s.metrics.Keyframes[metrics.KeyframeStart].Load(), s.metrics.Keyframes[metrics.KeyframeCut].Load(); start != 0 || cut != 1 {
			t.Errorf("%d keyframes are counted as the first, %d as of a cut", start, cut)
		}
		if floor := s.codecs.made[0].params.KeyframeFloor; floor != keyframeFloor {
			t.Errorf("the encoder is told to wait for %v", floor)
		}
	})
}

// TestUnwatched: without players there is no encoder, and who comes back is served.
func TestUnwatched(t *testing.T) {
	onStage(t, 1, func(s *stage) {
		p, sub := s.join()
		s.sleep(time.Second)
		sub.Close()
		s.sleep(time.Second)
		if s.codecs.open != 0 {
			t.Errorf("%d encoders open", s.codecs.open)
		}
		n := len(p.seen())
		again, _ := s.join()
		s.sleep(time.Second)
		if units := again.seen(); len(units) == 0 || !units[0].key {
			t.Error("nothing for who comes later")
		}
		if len(p.seen()) != n {
			t.Error("pictures after Close")
		}
	})
}

// TestSlowVideoLeavesSound: an encoder, a camera or a player that takes longer than a picture
// lasts costs pictures and no sound.
func TestSlowVideoLeavesSound(t *testing.T) {
	for _, slow := range []string{"encoder", "camera", "player"} {
		t.Run(slow, func(t *testing.T) { testSlowVideo(t, slow) })
	}
}

func testSlowVideo(t *testing.T, slow string) {
	onStage(t, 1, func(s *stage) {
		s.move()
		s.room.Inputs()[0].PushAudio(jitter.Packet{SSRC: 1, Payload: []byte{31 << 3, 0, 0}}, 0)
		const takes = 100 * ms
		if slow == "encoder" {
			s.codecs.takes = takes
		}
		p, _ := s.join()
		switch slow {
		case "camera":
			s.cameras[0].takes.Store(int64(takes))
		case "player":
			p.takes.Store(int64(takes))
		}
		s.sleep(5 * time.Second)
		p.mu.Lock()
		defer p.mu.Unlock()
		if n := len(p.units); n < 40 || n > 51 {
			t.Errorf("%d pictures in 5 s of 100 ms each", n)
		}
		if n := len(p.sounds); n < 248 {
			t.Errorf("%d packets of sound in 5 s", n)
		}
		for i := 1; i < len(p.sounds); i++ {
			a, b := p.sounds[i-1], p.sounds[i]
			if gap := b.at.Sub(a.at); gap != 20*ms || b.timestamp-a.timestamp != 960 {
				t.Fatalf("sound %d is %v and %d samples after the one before", i, gap, b.timestamp-a.timestamp)
			}
		}
	})
}

// TestPicturesAreLeftOut: a mosaic that is told to make fewer pictures spreads them evenly,
// and counts the others.
func TestPicturesAreLeftOut(t *testing.T) {
	onStage(t, 1, func(s *stage) {
		s.move()
		p, _ := s.join()
		s.sleep(2 * time.Second)
		for _, made := range []int32{3, 1, 2, load.AllPictures} {
			s.made.Store(made)
			before, dropped := len(p.seen()), s.metrics.FramesDropped.Load()
			s.sleep(4 * time.Second)
			units := p.seen()[before:]
			want := 100 * int(made) / load.AllPictures
			if n := len(units); n < want-1 || n > want+1 {
				t.Errorf("told to make %d of %d: %d pictures in 4 s, want %d", made, load.AllPictures, n, want)
			}
			if n := int(s.metrics.FramesDropped.Load() - dropped); n < 99-want || n > 101-want {
				t.Errorf("told to make %d of %d: %d pictures counted as left out, want %d", made, load.AllPictures, n, 100-want)
			}
			for i := 2; i < len(units); i++ {
				most := (load.AllPictures + time.Duration(made) - 1) / time.Duration(made) * 40 * ms
				if gap := units[i].at.Sub(units[i-1].at); gap > most {
					t.Errorf("told to make %d of %d: %v without a picture", made, load.AllPictures, gap)
				}
			}
		}
	})
}

// TestTickAllocs: neither a moving nor a still tick allocates, nor one that replays.
func TestTickAllocs(t *testing.T) {
	onStage(t, 4, func(s *stage) {
		s.codecs.lean = true
		moved := s.watch()
		moved.video.Lock()
		moved.selector.half = true
		moved.video.Unlock()
		asking := s.watch()
		s.sleep(3 * time.Second) // the buffers grow, and the cells get their scalers
		// From here to the end no time passes: all ticks are ours.
		m := s.room.mosaic
		deadline := s.room.env.Now()
		n := 0
		tick := func() {
			n++
			if n%2 == 0 {
				s.cameras[n%4].show(byte(n))
			}
			if n%30 == 0 {
				asking.RequestKeyframe()
			}
			deadline += m.period
			m.tick(deadline)
		}
		for range 300 {
			tick()
		}
		if allocs := testing.AllocsPerRun(300, tick); allocs != 0 {
			t.Errorf("%v allocations a tick", allocs)
		}
	})
}

// blind is a player that keeps nothing.
type blind struct{}

func (blind) WriteAudio([]byte, uint32) {}
func (blind) WriteVideo(*AccessUnit)    {}
func (blind) Closed(error)              {}

func (s *stage) watch() *Subscription {
	s.t.Helper()
	sub, err := s.room.Subscribe(Tracks{Video: true}, blind{})
	if err != nil {
		s.t.Fatal(err)
	}
	return sub
}
