package rtc

import (
	"sectile/engine/room"
	"sectile/server/congestion"
)

// Bounds of the estimates of players' bandwidth, in bit/s, and how many times the bitrate of
// the room's picture they are if that is more.
const (
	firstEstimate, firstTimes = 3_000_000, 2
	leastEstimate             = 100_000
	mostEstimate, mostTimes   = 30_000_000, 3
)

// estimates bounds the estimates for players of a room. They start above what the mosaic
// takes, since nothing is known against that: who has shown no congestion is not to be given
// less for want of time to show that there is none.
func estimates(list []room.TrackInfo) congestion.Config {
	bitrate := 0
	for _, t := range list {
		bitrate = max(bitrate, t.Bitrate)
	}
	return congestion.Config{
		First: max(firstEstimate, firstTimes*bitrate), Least: leastEstimate, Most: max(mostEstimate, mostTimes*bitrate),
	}
}
