package room

import "time"

// Playout says when the sound of a stream is played: the sample with an RTP timestamp
// (RFC 7587, 4.1: 1/48000 s) at a moment of the engine's clock, and those around it in
// proportion.
type Playout struct {
	SSRC, Timestamp uint32
	At              time.Duration
}

// Playout returns when the newest sound that was played is played, however long ago. It is
// false before the first.
func (in *Input) Playout() (Playout, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.playout, in.playout.At != 0
}

// notePlayout notes what the pull of a tick played. It needs the lock of the buffer.
func (in *Input) notePlayout(deadline time.Duration) {
	if ssrc, next, ok := in.buffer.Playout(); ok {
		in.playout = Playout{SSRC: ssrc, Timestamp: next, At: deadline + in.room.frame}
	}
}
