package engine

import (
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"sectile/engine/codec"
	"sectile/engine/jitter"
	"sectile/engine/room"
)

// fakeCodecs stand in for Opus: a packet is a TOC byte of 20 ms and one sample value, and
// decodes to that constant. So a mix is one number, and it is exact.
type fakeCodecs struct {
	mu   sync.Mutex
	open int // codecs made and not closed

	losses        []int // that encoders were told of
	videoDecoders int   // made
}

func (f *fakeCodecs) made() { f.count(1) }

func (f *fakeCodecs) count(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open += n
}

func (f *fakeCodecs) Open() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open
}

func (f *fakeCodecs) NewAudioDecoder(int) (codec.AudioDecoder, error) {
	f.made()
	return &fakeDecoder{f}, nil
}

func (f *fakeCodecs) NewAudioEncoder(codec.AudioParams) (codec.AudioEncoder, error) {
	f.made()
	return &fakeEncoder{f}, nil
}

// toc is CELT, full band, one frame of 20 ms, mono (RFC 6716, 3.1).
const toc = 31 << 3

func packet(value int16) []byte {
	return binary.BigEndian.AppendUint16([]byte{toc}, uint16(value))
}

type fakeDecoder struct{ codecs *fakeCodecs }

func (d *fakeDecoder) Decode(p []byte, pcm []int16) (int, error) {
	if len(p) != 3 {
		return 0, errors.New("not a packet of the fake codec")
	}
	pcm = pcm[:960]
	for i := range pcm {
		pcm[i] = int16(binary.BigEndian.Uint16(p[1:]))
	}
	return 960, nil
}

func (d *fakeDecoder) DecodeFEC([]byte, []int16) error { return errors.New("no FEC") }
func (d *fakeDecoder) Conceal(pcm []int16) error       { clear(pcm); return nil }
func (d *fakeDecoder) Close()                          { d.codecs.count(-1) }

type fakeEncoder struct{ codecs *fakeCodecs }

func (e *fakeEncoder) Encode(pcm []int16, p []byte) (int, error) {
	return copy(p, packet(pcm[len(pcm)/2])), nil
}

func (e *fakeEncoder) SetPacketLoss(percent int) error {
	e.codecs.mu.Lock()
	defer e.codecs.mu.Unlock()
	e.codecs.losses = append(e.codecs.losses, percent)
	return nil
}
func (e *fakeEncoder) Reset() error { return nil }
func (e *fakeEncoder) Close()       { e.codecs.count(-1) }

// ear is a sink that keeps what it hears.
type ear struct {
	mu         sync.Mutex
	values     []int16
	timestamps []uint32
	closed     error
}

func (e *ear) WriteAudio(p []byte, timestamp uint32) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.values = append(e.values, int16(binary.BigEndian.Uint16(p[1:])))
	e.timestamps = append(e.timestamps, timestamp)
}

func (e *ear) WriteVideo(*room.AccessUnit) {}

func (e *ear) Closed(reason error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = reason
}

// last is the newest n values.
func (e *ear) last(n int) []int16 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.values[max(0, len(e.values)-n):])
}

func (e *ear) reason() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.closed
}

// talker publishes a constant every 20 ms.
type talker struct {
	*Publication
	mu     sync.Mutex
	value  int16
	silent bool
	closed error
	stop   chan struct{}
}

func (t *talker) RequestKeyframe(int) {}

func (t *talker) Closed(reason error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = reason
}

func (t *talker) reason() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed
}

func (t *talker) setSilent(silent bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.silent = silent
}

var nextSSRC uint32

func talk(t *testing.T, e *Engine, stream string, value int16) *talker {
	t.Helper()
	tk := &talker{value: value, stop: make(chan struct{})}
	p, err := e.Publish(stream, tk)
	if err != nil {
		t.Fatal(err)
	}
	tk.Publication = p
	nextSSRC++
	pkt := jitter.Packet{SSRC: nextSSRC, Sequence: 65530, Timestamp: 1 << 31} // wraps soon
	go func() {
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-tk.stop:
				return
			case <-ticker.C:
			}
			tk.mu.Lock()
			silent := tk.silent
			tk.mu.Unlock()
			if !silent {
				pkt.Payload = packet(value)
				p.PushAudio(pkt, p.engine.Now())
				pkt.Sequence++
			}
			pkt.Timestamp += 960 // DTX: time goes on, sequence numbers do not
		}
	}()
	t.Cleanup(func() {
		select {
		case <-tk.stop:
		default:
			close(tk.stop)
		}
	})
	return tk
}

func hear(t *testing.T, e *Engine, roomName string, track int) (*ear, *room.Subscription) {
	t.Helper()
	sink := &ear{}
	s, err := e.Subscribe(roomName, room.Tracks{Audio: track}, sink)
	if err != nil {
		t.Fatal(err)
	}
	return sink, s
}

func addStream(t *testing.T, e *Engine, roomName, stream string) (track int) {
	t.Helper()
	track, err := e.AddStream(roomName, stream)
	if err != nil {
		t.Fatal(err)
	}
	return track
}
