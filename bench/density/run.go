package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"

	"sectile/bench/target"
)

// row is one load.
type row struct {
	name                         string
	rooms, participants, talkers int
	speech                       bool
}

var rows = []row{
	{"1 room × 40, 3 talkers", 1, 40, 3, false},
	{"10 rooms × 4, 1 talker", 10, 4, 1, false},
	{"1 room × 20, all speak", 1, 20, 20, true},
	{"1 room × 200, 3 talkers", 1, 200, 3, false},
	{"100 rooms × 4, 1 talker", 100, 4, 1, false},
}

// speech is what talkers say: Debian's alsa-utils.
const speech = "/usr/share/sounds/alsa/*_*.wav"

// servers are who is compared.
var servers = []string{"sectile", "janus"}

// result is a report, or why there is none.
type result struct {
	*target.Report
	err error
}

func (o options) run() error {
	wanted, err := regexp.Compile(o.Rows)
	if err != nil {
		return err
	}
	var measured []row
	var results [][]result
	for _, r := range rows {
		if !wanted.MatchString(r.name) {
			continue
		}
		var pair []result
		for _, peer := range servers {
			fmt.Fprintf(os.Stderr, "== %s: %s\n", peer, r.name)
			report, err := o.measure(peer, r)
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
			} else {
				report.Print(os.Stderr)
			}
			pair = append(pair, result{report, err})
		}
		measured, results = append(measured, r), append(results, pair)
	}
	table(os.Stdout, measured, results)
	return nil
}

// measure starts a server and puts the load of a row on it.
func (o options) measure(peer string, r row) (report *target.Report, err error) {
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
	var output, errors bytes.Buffer
	cmd := exec.Command(o.Load, args...)
	cmd.Stdout, cmd.Stderr = &output, &errors
	cmd.SysProcAttr = target.WithParent()
	failed := cmd.Run()
	if err := json.Unmarshal(output.Bytes(), &report); err != nil {
		return nil, fmt.Errorf("%v: %s", failed, strings.TrimSpace(errors.String()))
	}
	return report, nil
}
