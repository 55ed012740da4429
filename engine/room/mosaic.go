package room

import (
	"slices"
	"sync"
	"time"

	"sectile/engine/codec"
	"sectile/engine/h264"
	"sectile/engine/metrics"
)

const (
	videoClock = 90000 // RTP clock of H.264 (RFC 6184, 8.2.1)

	// keyframeFloor is the least time between two keyframes: requests that come sooner
	// wait and are answered together.
	keyframeFloor = 500 * time.Millisecond

	// payloadSize leaves room for RTP, SRTP, its header extensions, UDP and IPv6 in the
	// 1280 bytes that every IPv6 path carries (RFC 8200, 5).
	payloadSize = 1160
)

// mosaic encodes the room's picture, once for all players.
type mosaic struct {
	room   *Room
	period time.Duration

	// work is held for a whole video tick, and guards what only ticks use.
	work       sync.Mutex
	closed     bool
	picture    *picture
	encoder    codec.VideoEncoder // made when first needed
	packetizer h264.Packetizer
	unit       AccessUnit
	lastKey    time.Duration
	delivery   []*Subscription // who is given this tick's picture

	mu      sync.Mutex
	running bool
	players []*Subscription
	wanted  [metrics.KeyframeReasons]bool // why the next keyframe is asked for
}

func newMosaic(r *Room) *mosaic {
	return &mosaic{
		room: r, period: time.Second / time.Duration(r.opts.FPS),
		picture: newPicture(r), lastKey: -keyframeFloor,
	}
}

// list adds a player, who is owed a keyframe. It starts the ticks when it is the first.
func (m *mosaic) list(s *Subscription) {
	s.video.Lock()
	s.watching, s.started = true, false
	s.video.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.players = append(m.players, s)
	m.wanted[metrics.KeyframeJoin] = true
	if !m.running {
		m.running = true
		m.room.env.Video.Add(m.period, m.tick)
	}
}

// unlist removes a player. After it returns, no picture is handed to them.
func (m *mosaic) unlist(s *Subscription) {
	m.mu.Lock()
	m.players = slices.DeleteFunc(m.players, func(other *Subscription) bool { return other == s })
	m.mu.Unlock()
	s.video.Lock()
	s.watching = false
	s.video.Unlock()
}

func (m *mosaic) requestKeyframe() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wanted[metrics.KeyframeRequest] = true
}

// close frees the encoder once the tick that may be running is over.
func (m *mosaic) close() {
	m.work.Lock()
	defer m.work.Unlock()
	m.closed = true
	if m.encoder != nil {
		m.encoder.Close()
		m.encoder = nil
	}
}

// tick makes one picture.
func (m *mosaic) tick(deadline time.Duration) (again bool) {
	m.work.Lock()
	defer m.work.Unlock()
	if !m.watched() || m.closed {
		return false
	}
	m.picture.draw()
	m.room.env.Metrics.FramesComposed.Add(1)
	if err := m.encode(deadline); err != nil {
		m.room.env.Metrics.FramesDropped.Add(1)
		m.room.env.Log.Error("mosaic encoder", "err", err)
	}
	return true
}

// watched tells whether anybody plays the mosaic. If not, the ticks stop here, and the
// next player starts them again.
func (m *mosaic) watched() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running = len(m.players) > 0
	return m.running
}

// encode encodes the canvas and hands it to the players.
func (m *mosaic) encode(deadline time.Duration) error {
	if m.encoder == nil {
		encoder, err := m.room.env.Codecs.NewVideoEncoder(m.room.opts.videoParams())
		if err != nil {
			return err
		}
		m.encoder = encoder
	}
	m.mu.Lock()
	wanted := m.wanted
	due := deadline-m.lastKey >= keyframeFloor
	force := due && slices.Contains(wanted[:], true)
	if force {
		m.wanted = [metrics.KeyframeReasons]bool{}
	}
	m.mu.Unlock()

	pts := int64(deadline/time.Second)*videoClock + int64(deadline%time.Second)*videoClock/int64(time.Second)
	au, key, err := m.encoder.Encode(m.picture.canvas.Image(), pts, force)
	if err != nil {
		return err
	}
	counters := m.room.env.Metrics
	counters.FramesEncoded.Add(1)
	if key {
		m.lastKey = deadline
		counters.Keyframes[keyframeReason(wanted)].Add(1)
	}
	m.unit = AccessUnit{
		Payloads:  m.packetizer.Packetize(m.unit.Payloads[:0], au, payloadSize),
		Timestamp: uint32(pts), Key: key,
	}
	// Not under the lock: the room's lock waits for it, and with that its sound.
	m.mu.Lock()
	m.delivery = append(m.delivery[:0], m.players...)
	m.mu.Unlock()
	for _, s := range m.delivery {
		s.give(&m.unit)
	}
	clear(m.delivery)
	return nil
}

// give hands a picture to a player who watches and can decode it.
func (s *Subscription) give(au *AccessUnit) {
	s.video.Lock()
	defer s.video.Unlock()
	s.started = s.started || au.Key
	if s.watching && s.started {
		s.sink.WriteVideo(au)
	}
}

// keyframeReason names one of the reasons, the most telling one.
func keyframeReason(wanted [metrics.KeyframeReasons]bool) metrics.KeyframeReason {
	for _, reason := range []metrics.KeyframeReason{metrics.KeyframeJoin, metrics.KeyframeRequest} {
		if wanted[reason] {
			return reason
		}
	}
	return metrics.KeyframeStart
}
