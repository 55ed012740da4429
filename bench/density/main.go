// Density compares what rooms cost on this server and on Janus, under the same load, and
// prints a table in Markdown. Server and load are in network namespaces of their own.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/alecthomas/kong"

	"sectile/bench/target"
)

type options struct {
	Sectile  string        `default:"bin/sectile" help:"The server's program."`
	Load     string        `default:"bin/load" help:"The program of bench/load."`
	Rows     string        `placeholder:"REGEXP" help:"Only rows whose name matches."`
	Busy     float64       `default:"0.7" help:"Share of the machine that is busy where the lateness of ticks is measured; 0: not at all."`
	Warmup   time.Duration `default:"5s" help:"Of each row, not measured."`
	Duration time.Duration `default:"20s" help:"What is measured of each row."`
}

func main() {
	var o options
	kong.Parse(&o, kong.Description("Compares what rooms cost on this server and on Janus."))
	err := target.Isolate()
	if err == nil {
		err = o.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "density:", err)
		os.Exit(1)
	}
}
