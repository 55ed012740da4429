package codecs_test

import (
	"fmt"
	"log"
	"math"
	"sync/atomic"
	"time"

	"sectile/cgo/opus"
	"sectile/engine"
	"sectile/engine/jitter"
	"sectile/engine/room"
	"sectile/server/codecs"
)

// ear is a player who listens for whether there is anything to hear.
type ear struct {
	decoder *opus.Decoder
	loud    atomic.Bool
}

func (e *ear) WriteAudio(packet []byte, _ uint32) {
	pcm := make([]int16, 960)
	if n, err := e.decoder.Decode(packet, pcm); err == nil {
		for _, v := range pcm[:n] {
			if v > 1000 {
				e.loud.Store(true)
			}
		}
	}
}
func (*ear) WriteVideo(*room.AccessUnit) {}
func (*ear) Closed(error)                {}

// microphone is a publisher without a camera.
type microphone struct{}

func (microphone) RequestKeyframe(int) {}
func (microphone) Closed(error)        {}

// Two participants meet in an engine that is part of another program. Bob sings; Alice hears
// him, and he does not hear himself.
func Example() {
	if err := codecs.Check(); err != nil {
		log.Fatal(err)
	}
	e := engine.New(engine.Config{Codecs: codecs.Factory{}})
	defer e.Close()
	if err := e.AddRoom("meeting", room.DefaultOptions()); err != nil {
		log.Fatal(err)
	}
	ears := map[string]*ear{}
	for _, name := range []string{"alice", "bob"} {
		track, err := e.AddStream("meeting", name) // the mix without them
		if err != nil {
			log.Fatal(err)
		}
		decoder, err := opus.NewDecoder(48000)
		if err != nil {
			log.Fatal(err)
		}
		ears[name] = &ear{decoder: decoder}
		playing, err := e.Subscribe("meeting", room.Tracks{Audio: track}, ears[name])
		if err != nil {
			log.Fatal(err)
		}
		defer decoder.Close()
		defer playing.Close() // before its decoder
	}

	bob, err := e.Publish("bob", microphone{})
	if err != nil {
		log.Fatal(err)
	}
	defer bob.Close()
	encoder, err := opus.NewEncoder(48000, 64000, 5)
	if err != nil {
		log.Fatal(err)
	}
	defer encoder.Close()
	pcm, payload := make([]int16, 960), make([]byte, 1275)
	for n := range 50 { // packets of 20 ms, as RTP brings them
		for i := range pcm {
			pcm[i] = int16(10000 * math.Sin(2*math.Pi*440*float64(960*n+i)/48000))
		}
		size, err := encoder.Encode(pcm, payload)
		if err != nil {
			log.Fatal(err)
		}
		bob.PushAudio(jitter.Packet{SSRC: 1, Sequence: uint16(n), Timestamp: uint32(960 * n), Payload: payload[:size]}, e.Now())
		time.Sleep(20 * time.Millisecond)
	}
	fmt.Println("alice hears bob:", ears["alice"].loud.Load())
	fmt.Println("bob hears himself:", ears["bob"].loud.Load())
	// Output:
	// alice hears bob: true
	// bob hears himself: false
}
