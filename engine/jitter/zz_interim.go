package jitter

import (
	"sync/atomic"
	"time"

	"sectile/engine/codec"
)

type Packet struct {
	SSRC      uint32
	Sequence  uint16
	Timestamp uint32
	Payload   []byte
}
type Config struct {
	SampleRate int
	Decoder    codec.AudioDecoder
	Counters   *Counters
}
type Counters struct {
	Late, Lost, Reordered, Duplicate, Invalid, Resets, Normal, FEC, PLC atomic.Uint64
}
type Kind uint8

const (
	Silence Kind = iota
	Speech
)

type Buffer struct {
	c     Config
	queue [][]byte
	pcm   []int16
	play  bool
}

func New(c Config) *Buffer { return &Buffer{c: c} }
func (b *Buffer) Push(p Packet, now time.Duration) {
	b.queue = append(b.queue, append([]byte(nil), p.Payload...))
	if len(b.queue) > 3 {
		b.play = true
	}
}
func (b *Buffer) Pull(pcm []int16, now time.Duration) Kind {
	var buf [5760]int16
	for b.play && len(b.pcm) < len(pcm) && len(b.queue) > 0 {
		n, err := b.c.Decoder.Decode(b.queue[0], buf[:b.c.SampleRate*120/1000])
		b.queue = b.queue[1:]
		if err == nil {
			b.c.Counters.Normal.Add(1)
			b.pcm = append(b.pcm, buf[:n]...)
		}
	}
	if len(b.pcm) < len(pcm) {
		clear(pcm)
		b.play = false
		return Silence
	}
	copy(pcm, b.pcm)
	b.pcm = b.pcm[len(pcm):]
	return Speech
}
func (b *Buffer) Delay() time.Duration { return 0 }
func (b *Buffer) Reset()               { b.queue, b.pcm, b.play = nil, nil, false }
func (b *Buffer) Close()               { b.c.Decoder.Close() }
