package room

// SetBandwidth tells how many bit/s of video the player can take, as estimated lately; 0 if
// that is not known. It should be told again about once a second, changed or not.
func (s *Subscription) SetBandwidth(bitsPerSecond int) {
	s.video.Lock()
	defer s.video.Unlock()
	s.bandwidth = bitsPerSecond
}
