// Load puts WebRTC participants on a running server and prints what they cost it. Every
// participant publishes a stream and plays their own track. Talkers send a tone of their
// own, or speech, the others what a browser's microphone sends in silence, with DTX; at the
// end all mixes are checked by content: all other talkers must be in them, and the
// participant must not.
//
//	. scripts/env.sh
//	bin/sectile serve --http 127.0.0.1:8080 --rtc 127.0.0.1:8189 &
//	go run ./bench/load --pid $! --rooms 10 --participants 4 --talkers 1
//
// With --cameras everybody also sends a picture, in a colour of their own, and plays the
// mosaic of the room. The last packets of its pictures are counted; one real player in each
// room decodes it, and at the end the colours of its cells are checked.
//
// With --peer janus the server is a Janus gateway with its AudioBridge plugin, whose
// participants send and receive over one connection.
//
// The server must be on this machine: its processor time is read from /proc. All sound is
// encoded before, and while it is measured packets are counted and not decrypted, so that
// the load leaves the processor to the server.
package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/alecthomas/kong"

	"sectile/bench/target"
)

type options struct {
	Peer         string        `default:"sectile" enum:"sectile,janus" help:"What the server is: sectile or janus."`
	Server       string        `default:"http://127.0.0.1:8080" help:"URL of the server; of Janus that of its API, such as http://127.0.0.1:8088/janus."`
	Auth         string        `placeholder:"USER:PASS" help:"Credentials of Sectile's control API."`
	PID          int           `required:"" name:"pid" help:"Process of the server."`
	Local        netip.Prefix  `help:"Network on this machine, as a route of type local, of which each participant has an address (loopback)."`
	Rooms        int           `default:"1" help:"Number of rooms."`
	Participants int           `default:"40" help:"Participants in each room."`
	Talkers      int           `default:"-1" placeholder:"N" help:"How many of them talk (3, or all if they are fewer)."`
	Speech       string        `placeholder:"FILES" help:"Talkers speak: 16-bit mono WAV of 48 kHz, such as '/usr/share/sounds/alsa/*_*.wav'."`
	Bursts       bool          `help:"The first talker of each room sends short bursts of a tone, whose delay is measured; the others are silent meanwhile."`
	Cameras      []size        `placeholder:"WxH" help:"Everybody has a camera that sends these layers, such as 320x180,640x360."`
	FPS          int           `default:"25" name:"fps" help:"Pictures a second, of cameras and mosaics."`
	Mosaic       size          `default:"1280x720" help:"Size of the mosaics."`
	Warmup       time.Duration `default:"5s" help:"Not measured, after all have joined."`
	Duration     time.Duration `default:"20s" help:"What is measured."`
	JSON         bool          `name:"json" help:"Print the report as JSON."`
}

func main() {
	var o options
	kong.Parse(&o, kong.Description("Puts WebRTC participants on a running server and prints what they cost it."))
	if err := o.main(); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func (o options) main() error {
	r, err := o.run()
	if err != nil {
		return err
	}
	if o.JSON {
		if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
			return err
		}
	} else {
		r.Print(os.Stdout)
	}
	if n := r.WrongMixes; n > 0 {
		return fmt.Errorf("%d mixes are wrong", n)
	}
	if p := r.Picture; p != nil && p.WrongCells > 0 {
		return fmt.Errorf("%d cells are wrong", p.WrongCells)
	}
	return nil
}

// target is the server that the options name.
func (o options) target() target.Target {
	if o.Peer == "janus" {
		return &target.Janus{Server: o.Server}
	}
	return target.Sectile{
		Server: o.Server, Auth: o.Auth, Layers: len(o.Cameras),
		Mosaic: map[string]any{"disable_video": false, "width": o.Mosaic.Width, "height": o.Mosaic.Height, "fps": o.FPS},
	}
}
