package rtc

import "sectile/server/congestion"

// estimates bounds the estimates of players' bandwidth, in bit/s. They start above the usual
// mosaic, since nothing is known against that.
var estimates = congestion.Config{First: 3_000_000, Least: 100_000, Most: 30_000_000}
