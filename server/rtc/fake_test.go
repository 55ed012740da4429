package rtc

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"sectile/engine"
	"sectile/engine/h264"
	"sectile/engine/jitter"
	"sectile/engine/room"
)

// fakeEngine has the streams cam1 and cam2, the room meeting with v1, a1, a2 and a3, and
// the room talk with a1 only.
type fakeEngine struct {
	start time.Time

	mu           sync.Mutex
	flush        func()
	rooms        map[string][]room.TrackInfo
	streams      map[string]*fakePublication // nil: not published
	subs         []*fakeSubscription
	publications []*fakePublication // all there ever were
}

func newFakeEngine() *fakeEngine {
	audio := func(id, title string) room.TrackInfo {
		return room.TrackInfo{ID: id, Content: "audio", Codec: "opus", Title: title}
	}
	return &fakeEngine{
		start: time.Now(),
		rooms: map[string][]room.TrackInfo{
			"meeting": {
				{ID: "v1", Content: "video", Codec: "h264", Width: 1280, Height: 720, FPS: 25, Bitrate: 8_000_000},
				audio("a1", "all"), audio("a2", "cam1"), audio("a3", "cam2"),
			},
			"talk": {audio("a1", "all")},
		},
		streams: map[string]*fakePublication{"cam1": nil, "cam2": nil},
	}
}

func (e *fakeEngine) Around(_, flush func()) { e.flush = flush }

func (e *fakeEngine) Now() time.Duration { return time.Since(e.start) }

func (e *fakeEngine) HasStream(name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, ok := e.streams[name]
	return ok
}

func (e *fakeEngine) Describe(name string) ([]room.TrackInfo, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if list := e.rooms[name]; list != nil {
		return slices.Clone(list), nil
	}
	return nil, fmt.Errorf("room %q: %w", name, room.ErrNotFound)
}

type fakePublication struct {
	engine    *fakeEngine
	stream    string
	publisher engine.Publisher

	mu     sync.Mutex
	audio  []jitter.Packet
	video  []h264.Packet
	layers [engine.MaxLayers]int // packets of each
	target int                   // what VideoTarget returns
	clocks [2]engine.Report      // the newest of sound and picture
	ends   []int                 // layer and SSRC of each source that ended
	closed bool
}

func (e *fakeEngine) Publish(stream string, p engine.Publisher) (publication, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	before, ok := e.streams[stream]
	if !ok {
		return nil, room.ErrNotFound
	}
	if before != nil {
		before.publisher.Closed(engine.ErrTakenOver)
	}
	pub := &fakePublication{engine: e, stream: stream, publisher: p}
	e.streams[stream] = pub
	e.publications = append(e.publications, pub)
	return pub, nil
}

func (p *fakePublication) PushAudio(pkt jitter.Packet, _ time.Duration) {
	pkt.Payload = slices.Clone(pkt.Payload)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.audio = append(p.audio, pkt)
}

func (p *fakePublication) PushVideo(layer int, pkt h264.Packet) {
	pkt.Payload = slices.Clone(pkt.Payload)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.video = append(p.video, pkt)
	p.layers[layer]++
}

func (p *fakePublication) ReportAudio(r engine.Report)        { p.report(0, r) }
func (p *fakePublication) ReportVideo(_ int, r engine.Report) { p.report(1, r) }

func (p *fakePublication) EndVideo(layer int, ssrc uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ends = append(p.ends, layer, int(ssrc))
}

func (p *fakePublication) SetVideoRTT(int, time.Duration) {}

func (p *fakePublication) VideoTarget() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.target
}

func (p *fakePublication) report(kind int, r engine.Report) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clocks[kind] = r
}

func (p *fakePublication) Close() {
	p.engine.mu.Lock()
	defer p.engine.mu.Unlock()
	if p.engine.streams[p.stream] == p {
		p.engine.streams[p.stream] = nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
}

func (p *fakePublication) counts() (audio, video int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.audio), len(p.video)
}

// published is the publication of a stream at the moment.
func (e *fakeEngine) published(stream string) *fakePublication {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.streams[stream]
}

// fakeSubscription writes an Opus packet every 20 ms and a picture of three packets every
// 40 ms until it is closed.
type fakeSubscription struct {
	engine *fakeEngine
	sink   room.Sink
	stop   chan struct{}
	done   chan struct{}

	mu        sync.Mutex
	tracks    room.Tracks
	ended     bool
	keyframes int
	loss      []float64
	bandwidth room.Bandwidth
	wanted    int // bit/s
}

func (e *fakeEngine) Subscribe(name string, t room.Tracks, sink room.Sink) (subscription, error) {
	if _, err := e.Describe(name); err != nil {
		return nil, err
	}
	s := &fakeSubscription{engine: e, sink: sink, tracks: t, stop: make(chan struct{}), done: make(chan struct{})}
	e.mu.Lock()
	e.subs = append(e.subs, s)
	e.mu.Unlock()
	go s.run()
	return s, nil
}

func (s *fakeSubscription) run() {
	defer close(s.done)
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	au := &room.AccessUnit{Payloads: [][]byte{{0x67, 1}, {0x68, 2}, make([]byte, 1100)}}
	au.Payloads[2][0] = 0x65
	for n := uint32(0); ; n++ {
		select {
		case <-s.stop:
			return
		case <-ticker.C:
		}
		s.mu.Lock() // as the room's lock
		if !s.ended {
			if s.tracks.Audio > 0 {
				s.sink.WriteAudio([]byte{0xf8, byte(s.tracks.Audio), 3}, n*960)
				s.engine.flush()
			}
			if s.tracks.Video && n%2 == 0 {
				au.Timestamp, au.Key = n*1800, n == 0
				s.sink.WriteVideo(au)
			}
		}
		s.mu.Unlock()
	}
}

func (s *fakeSubscription) SetTracks(t room.Tracks) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tracks = t
	return nil
}

func (s *fakeSubscription) RequestKeyframe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keyframes++
}

func (s *fakeSubscription) ReportLoss(fraction float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loss = append(s.loss, fraction)
}

func (s *fakeSubscription) SetBandwidth(b room.Bandwidth) (wanted int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bandwidth = b
	return s.wanted
}

func (s *fakeSubscription) Close() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.engine.mu.Lock()
	s.engine.subs = slices.DeleteFunc(s.engine.subs, func(other *fakeSubscription) bool { return other == s })
	s.engine.mu.Unlock()
	close(s.stop)
	<-s.done
}

// closeSubscriptions ends all subscriptions as a room that is removed does.
func (e *fakeEngine) closeSubscriptions() {
	for _, s := range e.subscriptions() {
		s.mu.Lock()
		s.ended = true
		s.sink.Closed(room.ErrClosed)
		s.mu.Unlock()
	}
}

func (e *fakeEngine) subscriptions() []*fakeSubscription {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.subs)
}

// discardPublication takes packets and keeps nothing.
type discardPublication struct{}

func (discardPublication) PushAudio(jitter.Packet, time.Duration) {}
func (discardPublication) PushVideo(int, h264.Packet)             {}
func (discardPublication) VideoTarget() int                       { return 0 }
func (discardPublication) SetVideoRTT(int, time.Duration)         {}
func (discardPublication) ReportAudio(engine.Report)              {}
func (discardPublication) ReportVideo(int, engine.Report)         {}
func (discardPublication) EndVideo(int, uint32)                   {}
func (discardPublication) Close()                                 {}
