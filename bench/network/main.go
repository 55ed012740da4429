// Network measures what bad networks do to sound, or with -video to pictures, and prints a
// table in Markdown. For each kind of network it starts a server on loopback; sockets between
// it and the participants lose, delay, hold and reorder packets.
//
// Four talkers in one room send a tone each and hear their own mix of it; in two further
// rooms one participant sends bursts, whose delay is measured at another. What is bad is
// the way from all of them to the server ("sent"), the way from the server ("played"), or
// both. What comes from the server is played by a jitter buffer like its own, and receiver
// reports tell the server about the loss.
//
// Of pictures, four cameras send a clock, a colour and noise, and a player reads them in the
// cells of what it decodes; it asks for lost packets and reports on those that come as
// browsers do. At the end of each row nothing passes for half a second.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/alecthomas/kong"
)

type options struct {
	Sectile  string        `default:"bin/sectile" help:"The server's program."`
	Rows     string        `placeholder:"REGEXP" help:"Only rows whose name matches."`
	Settle   time.Duration `default:"4s" help:"Of each row, not measured."`
	Duration time.Duration `default:"10s" help:"What is measured of each row."`
	Long     bool          `help:"Instead measure one bad network for 10 minutes, minute by minute."`
	Video    bool          `help:"Instead measure pictures."`
}

func main() {
	var o options
	kong.Parse(&o, kong.Description("Measures what bad networks do to sound and pictures."))
	run := o.matrix
	switch {
	case o.Long:
		run = o.long
	case o.Video:
		run = o.video
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "network:", err)
		os.Exit(1)
	}
}
