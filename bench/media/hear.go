package media

import (
	"time"

	"sectile/bench/client"
	"sectile/cgo/opus"
	"sectile/engine/jitter"
)

// Decode decodes packets one after the other, as they came.
func Decode(packets []client.Packet) ([]int16, error) {
	decoder, err := opus.NewDecoder(Rate)
	if err != nil {
		return nil, err
	}
	defer decoder.Close()
	var pcm []int16
	frame := make([]int16, Rate*120/1000)
	for _, p := range packets {
		n, err := decoder.Decode(p.Payload, frame)
		if err != nil {
			return nil, err
		}
		pcm = append(pcm, frame[:n]...)
	}
	return pcm, nil
}

// Hear is what a player with a jitter buffer makes of packets, given when they came.
func Hear(packets []client.Packet) (pcm []int16, stats jitter.Stats, err error) {
	if len(packets) == 0 {
		return nil, stats, nil
	}
	decoder, err := opus.NewDecoder(Rate)
	if err != nil {
		return nil, stats, err
	}
	buffer := jitter.New(jitter.Config{SampleRate: Rate, Decoder: decoder})
	defer buffer.Close()
	start := packets[0].At
	for now := time.Duration(0); len(packets) > 0; now += length(samples) {
		for len(packets) > 0 && packets[0].At.Sub(start) <= now {
			p := packets[0]
			buffer.Push(jitter.Packet{SSRC: 1, Sequence: p.Sequence, Timestamp: p.Timestamp, Payload: p.Payload}, now)
			packets = packets[1:]
		}
		frame := make([]int16, samples)
		buffer.Pull(frame, now)
		pcm = append(pcm, frame...)
	}
	return pcm, buffer.Stats(), nil
}
