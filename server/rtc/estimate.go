package rtc

import (
	"sectile/engine/room"
	"sectile/server/congestion"
)

// Bounds of the estimates of players' bandwidth, in bit/s, and how many times the bitrate of
// the room's picture they are if that is more.
const (
	firstEstimate, firstTimes = 3_000_000, 2
	leastEstimate             = 30_000
	mostEstimate, mostTimes   = 30_000_000, 3
)

// pictureRate is the bitrate of a room's picture, in bit/s.
func pictureRate(list []room.TrackInfo) (bitrate int) {
	for _, t := range list {
		bitrate = max(bitrate, t.Bitrate)
	}
	return bitrate
}

// estimates bounds the estimates for players of a room whose picture has such a bitrate. They
// start above what it takes, since nothing is known against that: who has shown no congestion
// is not to be given less for want of time to show that there is none.
func estimates(bitrate int) congestion.Config {
	return congestion.Config{
		First: max(firstEstimate, firstTimes*bitrate), Least: leastEstimate, Most: max(mostEstimate, mostTimes*bitrate),
	}
}
