package jitter

// Playout returns the source that is played and the RTP timestamp of the sample that the
// next Pull begins with. It is false while nothing is played.
func (b *Buffer) Playout() (ssrc, timestamp uint32, ok bool) {
	return b.ssrc, uint32(b.position()), b.playing
}
