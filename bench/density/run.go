package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"

	"sectile/bench/target"
)

// row is one load.
type row struct {
	name                         string
	rooms, participants, talkers int
	speech, bursts               bool
}

var rows = []row{
	{name: "1 room × 40, 3 talkers", rooms: 1, participants: 40, talkers: 3},
	{name: "10 rooms × 4, 1 talker", rooms: 10, participants: 4, talkers: 1},
	{name: "1 room × 20, all speak", rooms: 1, participants: 20, talkers: 20, speech: true},
	{name: "1 room × 200, 3 talkers", rooms: 1, participants: 200, talkers: 3},
	{name: "100 rooms × 4, 1 talker", rooms: 100, participants: 4, talkers: 1},
	{name: "added delay, 10 rooms × 4", rooms: 10, participants: 4, talkers: 1, bursts: true},
}

// busy is the row of as many rooms as make the whole machine busy to a share, by what n
// participants cost the server and the load.
func busy(share float64, cost *target.Report) row {
	n := float64(cost.Rooms) * share * float64(runtime.NumCPU()) / (cost.Cores + cost.LoadCores)
	rooms := min(max(int(n), 1), 250)
	return row{name: fmt.Sprintf("%d rooms × 4, 1 talker", rooms), rooms: rooms, participants: 4, talkers: 1}
}

// speech is what talkers say: Debian's alsa-utils.
const speech = "/usr/share/sounds/alsa/*_*.wav"

// result is a report, or why there is none.
type result struct {
	*target.Report
	err error
}

// compared are the results of one row.
type compared struct {
	row
	ours, theirs result
}

func (o options) run() error {
	wanted, err := regexp.Compile(o.Rows)
	if err != nil {
		return err
	}
	var all []compared
	for _, r := range rows {
		if wanted.MatchString(r.name) {
			all = append(all, compared{r, o.measure("sectile", r), o.measure("janus", r)})
		}
	}
	if all == nil {
		return fmt.Errorf("no row matches %q", o.Rows)
	}
	// Ticks have to keep their time on a machine with much to do, not on an idle one.
	var ticks *compared
	for _, c := range all {
		if c.rooms == 100 && c.ours.err == nil && o.Busy > 0 {
			r := busy(o.Busy, c.ours.Report)
			ticks = &compared{row: r, ours: o.measure("sectile", r)}
		}
	}
	fmt.Println()
	print(os.Stdout, all, ticks)
	return nil
}

// measure starts a server, puts the load of a row on it, and tells about it on stderr.
func (o options) measure(peer string, r row) result {
	fmt.Fprintf(os.Stderr, "== %s: %s\n", peer, r.name)
	report, err := o.load(peer, r)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		report.Print(os.Stderr)
	}
	return result{report, err}
}

func (o options) load(peer string, r row) (report *target.Report, err error) {
	var server *target.Server
	if peer == "janus" {
		server, err = target.StartJanus()
	} else {
		server, err = target.StartSectile(o.Sectile)
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := server.Stop(); err == nil && e != nil {
			err = e
		}
	}()
	args := []string{
		"--json", "--peer", peer, "--server", server.URL, "--pid", fmt.Sprint(server.PID), "--local", target.Participants,
		"--rooms", fmt.Sprint(r.rooms), "--participants", fmt.Sprint(r.participants), "--talkers", fmt.Sprint(r.talkers),
		"--warmup", o.Warmup.String(), "--duration", o.Duration.String(),
	}
	if server.Auth != "" {
		args = append(args, "--auth", server.Auth)
	}
	if r.speech {
		args = append(args, "--speech", speech)
	}
	if r.bursts {
		args = append(args, "--bursts")
	}
	var output, errors bytes.Buffer
	// Packets are to be sent in time and seen when they arrive, even if the server wants all
	// of the machine.
	cmd := exec.Command("nice", append([]string{"-n", "-10", o.Load}, args...)...)
	cmd.Stdout, cmd.Stderr = &output, &errors
	cmd.SysProcAttr = target.WithParent()
	failed := cmd.Run()
	if err := json.Unmarshal(output.Bytes(), &report); err != nil {
		return nil, fmt.Errorf("%v: %s", failed, strings.TrimSpace(errors.String()))
	}
	return report, nil
}
