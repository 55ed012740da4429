// Live puts rooms of WebRTC participants with cameras on a server of its own, on loopback,
// and prints a table in Markdown: the last rows are more than a small machine can do, to see
// what it leaves out.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"sectile/bench/target"
)

type options struct {
	Sectile  string        `default:"bin/sectile" help:"The server's program."`
	Load     string        `default:"bin/load" help:"The program of bench/load."`
	Warmup   time.Duration `default:"4s" help:"Of each row, not measured."`
	Duration time.Duration `default:"10s" help:"What is measured of each row."`
}

// row is one load; everybody sends layers of their picture.
type row struct {
	rooms, participants int
	layers              string
}

var rows = []row{
	{1, 9, "320x180"}, {1, 25, "320x180"}, {1, 49, "320x180"}, {1, 49, "160x90,320x180,640x360"},
	{1, 49, "640x360"}, {2, 49, "640x360"},
}

func main() {
	var o options
	kong.Parse(&o, kong.Description("Puts rooms with cameras on a server and prints what becomes of them."))
	fmt.Println("| participants, layers | cores of server, of load | mosaic pictures/s, mean, worst | longest gap | camera pictures/s sent, decoded, dropped | sound packets/s, worst | tick lateness p50, p99, p99.9 | ticks skipped | mixes right | cells right |")
	fmt.Println("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
	failed := false
	for _, r := range rows {
		report, err := o.run(r)
		if err != nil {
			fmt.Fprintln(os.Stderr, "live:", err)
			failed = true
			continue
		}
		r.print(report)
		failed = failed || report.WrongMixes+report.Picture.WrongCells > 0
	}
	if failed {
		os.Exit(1)
	}
}

// run starts a server for one row.
func (o options) run(r row) (report *target.Report, err error) {
	server, err := target.StartSectileHere(o.Sectile)
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := server.Stop(); err == nil && e != nil {
			err = e
		}
	}()
	// Packets are to be sent in time and seen when they arrive, even if the server wants all
	// of the machine.
	cmd := exec.Command("nice", "-n", "-10", o.Load, "--json", "--server", server.URL, "--pid", fmt.Sprint(server.PID),
		"--rooms", fmt.Sprint(r.rooms), "--participants", fmt.Sprint(r.participants), "--talkers", "3",
		"--cameras", r.layers, "--warmup", o.Warmup.String(), "--duration", o.Duration.String())
	var output, errors bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &errors
	cmd.SysProcAttr = target.WithParent()
	ran := cmd.Run()
	if err := json.Unmarshal(output.Bytes(), &report); err != nil {
		return nil, fmt.Errorf("%v: %s", ran, strings.TrimSpace(errors.String()))
	}
	for _, wrong := range append(report.Wrong, report.Picture.Wrong...) {
		fmt.Fprintln(os.Stderr, wrong)
	}
	return report, nil
}

func (r row) print(report *target.Report) {
	name := fmt.Sprintf("%d, %s", r.participants, strings.ReplaceAll(r.layers, ",", "+"))
	if r.rooms > 1 {
		name = fmt.Sprintf("%d rooms × %s", r.rooms, name)
	}
	p, t := report.Picture, report.Tick
	fmt.Printf("| %s | %.2f, %.2f | %.1f, %.1f | %.0f ms | %.0f, %.0f, %.0f | %.1f | %.2f, %.2f, %.2f ms | %.0f | %d of %d | %d of %d |\n",
		name, report.Cores, report.LoadCores, p.Mean, p.Worst, 1000*p.Longest, p.Sent, p.Decoded, p.Dropped, report.WorstRate,
		1000*t.P50, 1000*t.P99, 1000*t.P999, t.Skipped, report.Checked-report.WrongMixes, report.Checked, p.Cells-p.WrongCells, p.Cells)
}
