// Package congestion estimates how many bit/s the way to a receiver takes: Google congestion
// control (draft-ietf-rmcat-gcc-02) on transport-wide feedback
// (draft-holmer-rmcat-transport-wide-cc-extensions-01), with the trendline filter that
// libwebrtc has in place of the draft's Kalman filter. Time is an argument; there is neither
// a clock nor a goroutine.
package congestion
