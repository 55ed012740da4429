package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sectile/bench/client"
	"sectile/engine/room"
	"sectile/server/api"
	"sectile/server/config"
)

// TestDocumentedCurlLines runs the lines that users of dynamic chat rooms know, with host
// and credentials filled in, through a shell and a real curl.
func TestDocumentedCurlLines(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("curl is missing; `make test-deps` installs it")
	}
	ts := start(t, config.Config{EditUser: "user", EditPass: "pass"})
	host := strings.TrimPrefix(ts.base, "http://")
	for _, step := range []struct{ line, want string }{
		{`curl -X POST -d '{"command" : "add_room", "args" : ["ROOM_NAME"]}' 'http://user:pass@HOST/flussonic/api/dynamic_mosaic/'`, `"name":"ROOM_NAME"`},
		{`curl -X POST -d '{"command" : "add_room", "args" : ["other","64","48000","480"]}' 'http://user:pass@HOST/flussonic/api/dynamic_mosaic/'`, `"samples":480`},
		{`curl -X POST -d '{"command" : "stats", "args" : []}' 'http://user:pass@HOST/flussonic/api/dynamic_mosaic/'`, `"participants":0`},
		{`curl -X POST -d '{"command" : "list_room", "args" : []}' 'http://user:pass@HOST/flussonic/api/dynamic_mosaic/'`, `{"rooms":["ROOM_NAME","other"]}`},
		{`curl -X POST -d '{"command" : "add_stream", "args" : ["STREAM_NAME"]}' 'http://user:pass@HOST/flussonic/api/dynamic_mosaic/ROOM_NAME'`, `{"track_id":"a2"}`},
		{`curl -X POST -d '{"command" : "stat", "args" : []}' 'http://user:pass@HOST/flussonic/api/dynamic_mosaic/ROOM_NAME'`, `{"count":2,"clients":["all","STREAM_NAME"]}`},
		{`curl -X POST -d '{"command" : "mute_video", "args" : ["STREAM_NAME"]}' 'http://user:pass@HOST/flussonic/api/dynamic_mosaic/ROOM_NAME'`, `{"track_id":"a2"}`},
		{`curl -X POST -d '{"command" : "mute-audio", "args" : ["STREAM_NAME"]}' 'http://user:pass@HOST/flussonic/api/dynamic_mosaic/ROOM_NAME'`, `{"track_id":"a2"}`},
		{`curl -X POST -d '{"command" : "remove_stream", "args" : ["STREAM_NAME"]}' 'http://user:pass@HOST/flussonic/api/dynamic_mosaic/ROOM_NAME'`, `{"track_id":"a2"}`},
		{`curl -X POST -d '{"command" : "remove_room", "args" : ["ROOM_NAME"]}' 'http://user:pass@HOST/flussonic/api/dynamic_mosaic/'`, `{"name":"ROOM_NAME"}`},
		{`curl -X POST -d '{"command" : "list_room", "args" : []}' 'http://user:wrong@HOST/flussonic/api/dynamic_mosaic/'`, `"error"`},
	} {
		line := strings.ReplaceAll(step.line, "HOST", host)
		out, err := exec.Command("sh", "-c", strings.Replace(line, "curl", "curl -sS", 1)).Output()
		if err != nil || !strings.Contains(string(out), step.want) {
			t.Errorf("%s\nanswered %s (%v), want %s", line, out, err, step.want)
		}
	}
}

// TestRoomsOutliveRestart: with a data folder, rooms, tracks and mutes come back.
func TestRoomsOutliveRestart(t *testing.T) {
	c := config.Config{Data: filepath.Join(t.TempDir(), "data")}
	ts := start(t, c)
	ts.addRoom("r", map[string]any{"bitrate": 32})
	ts.addStream("r", "a")
	ts.addStream("r", "gone")
	ts.must("r", "remove_stream", "gone")
	ts.must("r", "mute_audio", "a")
	if err := ts.stop(); err != nil {
		t.Fatal(err)
	}

	o := room.DefaultOptions()
	o.Bitrate = 48
	c.Rooms = []config.Room{{Name: "r", Options: o}} // the configuration's options hold
	ts = start(t, c)
	stats := ts.must("", "stats")["rooms"].([]any)[0].(map[string]any)
	if stats["bitrate"] != 48.0 || len(stats["muted_audio"].([]any)) != 1 {
		t.Errorf("after a restart: %v", stats)
	}
	if track := ts.addStream("r", "a"); track != "a2" {
		t.Errorf("a is on %s, was on a2", track)
	}
	if track := ts.addStream("r", "b"); track != "a4" {
		t.Errorf("a new stream is on %s, want a4: a3 was used before", track)
	}
}

// TestConfiguredStreams: what the configuration declares can be published and played.
func TestConfiguredStreams(t *testing.T) {
	ts := start(t, config.Config{Streams: []string{"cam1"}, Rooms: []config.Room{{Name: "meeting", Options: room.DefaultOptions()}}})
	ts.publish("cam1", client.Media{Tone: 523, Level: -20})
	ts.addStream("meeting", "cam1")
	p := ts.play("meeting", "")
	eventually(t, 10*time.Second, func() string { return hears(p, []bool{false, true}) })
}

// TestRemovalDisconnects: removing a stream or a room ends their sessions.
func TestRemovalDisconnects(t *testing.T) {
	ts := start(t, config.Config{})
	ts.must("", "add_room", "r")
	a, b := ts.addStream("r", "a"), ts.addStream("r", "b")
	ts.publish("a", client.Media{Tone: 523})
	ts.publish("b", client.Media{Tone: 701})
	ts.play("r", a)
	ts.play("r", b)
	sessions := func(publish, play int) {
		t.Helper()
		eventually(t, 5*time.Second, func() string {
			if s := ts.srv.rtc.Stats(); s.Publish != publish || s.Play != play {
				return fmt.Sprintf("%d publish and %d play, want %d and %d", s.Publish, s.Play, publish, play)
			}
			return ""
		})
	}
	sessions(2, 2)
	ts.must("r", "remove_stream", "a")
	sessions(1, 1)
	ts.must("", "remove_room", "r")
	sessions(0, 0)
}

// TestDrain: the first signal refuses new sessions and lets the others end.
func TestDrain(t *testing.T) {
	ts := start(t, config.Config{})
	ts.must("", "add_room", "r")
	ts.addStream("r", "a")
	pub := ts.publish("a", client.Media{Tone: 523})
	if status, _ := ts.get("/readyz"); status != http.StatusOK {
		t.Fatalf("readyz: %d before", status)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- ts.stop() }()
	eventually(t, 5*time.Second, func() string {
		if status, _ := ts.get("/readyz"); status != http.StatusServiceUnavailable {
			return "readyz is still ready"
		}
		return ""
	})
	resp, err := http.Get(ts.base + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.Header.Get("X-Draining") == "" {
		t.Error("no X-Draining, by which pages warn")
	}
	_, err = ts.link().Play(timeout(t), "r", "a1")
	if status, ok := err.(*client.StatusError); !ok || status.Status != http.StatusServiceUnavailable {
		t.Errorf("a new session while draining: %v", err)
	}
	if status, _ := ts.get("/healthz"); status != http.StatusOK {
		t.Errorf("healthz: %d while draining", status)
	}
	if err := pub.Close(); err != nil {
		t.Error(err)
	}
	select {
	case err := <-stopped:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(8 * time.Second):
		t.Error("still running after the last session ended")
	}
}

// TestOverload: under too much load new sessions are refused and the server is not ready;
// those who are there go on, and when the load has gone others come.
func TestOverload(t *testing.T) {
	var load atomic.Uint64 // percent
	load.Store(50)
	ts := start(t, config.Config{MaxLoad: 0.85}, func(s *server) {
		s.load = func() float64 { return float64(load.Load()) / 100 }
	})
	ts.must("", "add_room", "r")
	ts.addStream("r", "a")
	ts.publish("a", client.Media{Tone: tones[0], Level: -20})
	p := ts.play("r", "a1")
	eventually(t, 10*time.Second, func() string { return hears(p, []bool{true}) })
	ready := func(want int) {
		t.Helper()
		eventually(t, 10*time.Second, func() string {
			if status, text := ts.get("/readyz"); status != want {
				return fmt.Sprintf("readyz: %d %s, want %d", status, text, want)
			}
			return ""
		})
	}
	ready(http.StatusOK)
	for _, at := range []uint64{90, 80} { // 80 % is below the limit, but not by enough
		load.Store(at)
		ready(http.StatusServiceUnavailable)
		time.Sleep(2 * admitEvery)
		ready(http.StatusServiceUnavailable)
	}
	_, err := ts.link().Play(timeout(t), "r", "a1")
	if status, ok := err.(*client.StatusError); !ok || status.Status != http.StatusServiceUnavailable {
		t.Errorf("a new session under overload: %v", err)
	}
	if _, text := ts.get("/metrics"); !strings.Contains(text, `sectile_rejected_total{reason="overload"} 1`) {
		t.Error("the refusal is not counted")
	}
	eventually(t, 10*time.Second, func() string { return hears(p, []bool{true}) })
	load.Store(50)
	ready(http.StatusOK)
	other := ts.play("r", "a1")
	eventually(t, 10*time.Second, func() string { return hears(other, []bool{true}) })
}

// TestTrustedProxy: behind a reverse proxy on the same machine, whoever guesses passwords is
// locked out alone; and without credentials only who sits at the machine is heard.
func TestTrustedProxy(t *testing.T) {
	post := func(ts *testServer, pass, forwardedFor string) int {
		t.Helper()
		r, err := http.NewRequest(http.MethodPost, ts.base+api.Path, strings.NewReader(`{"command": "list_room"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("admin", pass)
		if forwardedFor != "" {
			r.Header.Set("X-Forwarded-For", forwardedFor)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	local := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	ts := start(t, config.Config{EditUser: "admin", EditPass: "secret", TrustedProxies: local})
	for i := range 10 {
		if status := post(ts, "wrong", fmt.Sprintf("198.51.100.%d, 192.0.2.1", i)); status != http.StatusUnauthorized {
			t.Fatalf("guess %d: %d", i, status)
		}
	}
	for from, want := range map[string]int{
		"192.0.2.1": http.StatusTooManyRequests, "192.0.2.2, 192.0.2.1": http.StatusTooManyRequests,
		"192.0.2.2": http.StatusOK, "198.51.100.1": http.StatusOK, "2001:db8::1": http.StatusOK, "": http.StatusOK,
	} {
		if status := post(ts, "secret", from); status != want {
			t.Errorf("%q after ten guesses of 192.0.2.1: %d, want %d", from, status, want)
		}
	}
	for name, test := range map[string]struct {
		trusted []netip.Prefix
		from    string
		want    int
	}{
		"the machine itself":         {local, "", http.StatusOK},
		"a browser beside the proxy": {local, "127.0.0.1", http.StatusOK},
		"another client":             {local, "192.0.2.1", http.StatusForbidden},
		"another one that lies":      {local, "127.0.0.1, 192.0.2.1", http.StatusForbidden},
		"garbage":                    {local, "localhost", http.StatusForbidden},
		"an unknown proxy":           {nil, "192.0.2.1", http.StatusForbidden},
		"an unknown proxy's lies":    {nil, "127.0.0.1", http.StatusForbidden},
	} {
		ts := start(t, config.Config{TrustedProxies: test.trusted})
		if status := post(ts, "", test.from); status != test.want {
			t.Errorf("%s: %d, want %d", name, status, test.want)
		}
	}
}

func TestHTTPS(t *testing.T) {
	ts := start(t, config.Config{HTTPS: "on"})
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get("https://" + ts.srv.https.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d", resp.StatusCode)
	}
	if cert := resp.TLS.PeerCertificates[0]; cert.VerifyHostname("localhost") != nil || cert.VerifyHostname("127.0.0.1") != nil {
		t.Errorf("certificate is for %v, %v", cert.DNSNames, cert.IPAddresses)
	}
}

// TestMetrics: every promised name is there, and moves with the work.
func TestMetrics(t *testing.T) {
	ts := start(t, config.Config{})
	ts.addRoom("r", map[string]any{"disable_video": false, "width": 320, "height": 180})
	ts.addStream("r", "a")
	ts.publish("a", client.Media{Tone: 523, Width: 320, Height: 180, Colour: colours[0]})
	p := ts.play("r", "")
	eventually(t, 10*time.Second, func() string { return hears(p, []bool{false, true}) })
	ts.request("", "no_such_command")
	_, text := ts.get("/metrics")
	value := func(metric string) string {
		for line := range strings.Lines(text) {
			if rest, ok := strings.CutPrefix(line, metric+" "); ok {
				return strings.TrimSpace(rest)
			}
		}
		return "missing"
	}
	for metric, want := range map[string]string{
		"sectile_rooms": "1", "sectile_participants": "1", "sectile_talkers": "1",
		`sectile_sessions{kind="publish"}`: "1", `sectile_sessions{kind="play"}`: "1",
	} {
		if got := value(metric); got != want {
			t.Errorf("%s is %s, want %s", metric, got, want)
		}
	}
	for _, metric := range []string{
		"sectile_tick_lateness_seconds_count", "sectile_tick_duration_seconds_count",
		`sectile_opus_encodes_total{kind="shared"}`, `sectile_opus_decodes_total{kind="normal"}`,
		"sectile_jitter_delay_seconds_count", "sectile_load",
		`sectile_video_frames_total{stage="decoded"}`, `sectile_video_frames_total{stage="composed"}`, `sectile_video_frames_total{stage="encoded"}`,
		`sectile_video_keyframes_total{reason="join"}`,
		`sectile_rtp_packets_total{direction="in"}`, `sectile_rtp_packets_total{direction="out"}`,
		`sectile_rtp_bytes_total{direction="in"}`, `sectile_rtp_bytes_total{direction="out"}`,
	} {
		if got := value(metric); got == "missing" || got == "0" {
			t.Errorf("%s is %s", metric, got)
		}
	}
	for _, metric := range []string{
		"sectile_ticks_skipped_total", `sectile_opus_encodes_total{kind="private"}`, `sectile_opus_decodes_total{kind="fec"}`,
		`sectile_opus_decodes_total{kind="plc"}`, "sectile_limiter_active_seconds_total", "sectile_opus_silence_packets_total", "sectile_jitter_late_packets_total",
		"sectile_jitter_lost_packets_total", "sectile_jitter_reordered_packets_total", "sectile_jitter_duplicate_packets_total",
		`sectile_video_frames_total{stage="dropped"}`,
	} {
		if value(metric) == "missing" {
			t.Errorf("%s is missing", metric)
		}
	}
	for _, part := range []string{"sectile_rejected_total{reason=", "sectile_cpu_tier_info{tier="} {
		if !strings.Contains(text, part) {
			t.Errorf("%s…} is missing", part)
		}
	}
	if strings.Contains(text, `"r"`) || strings.Contains(text, `"a"`) {
		t.Error("a room or a stream is a label")
	}
}

// TestAddressInUse: starting twice on one address is an error that names it.
func TestAddressInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var out strings.Builder
	status := run([]string{"serve", "--http", l.Addr().String(), "--rtc", "127.0.0.1:0"}, io.Discard, &out)
	if status != 1 || !strings.Contains(out.String(), l.Addr().String()) {
		t.Errorf("exit %d: %s", status, out.String())
	}
}

// TestSignals: the log says who may do what without credentials, and the second signal ends
// the process at once, but not without a word.
func TestSignals(t *testing.T) {
	if os.Getenv("SECTILE_TEST_SERVE") != "" {
		os.Exit(run([]string{"serve", "--http", "127.0.0.1:0", "--rtc", "127.0.0.1:0"}, os.Stdout, os.Stderr))
	}
	server := exec.Command(os.Args[0], "-test.run=^TestSignals$")
	server.Env = append(os.Environ(), "SECTILE_TEST_SERVE=1")
	out, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer server.Process.Kill()
	lines := bufio.NewScanner(out)
	var log strings.Builder
	until := func(text string) (line string) {
		t.Helper()
		for lines.Scan() {
			fmt.Fprintln(&log, lines.Text())
			if strings.Contains(lines.Text(), text) {
				return lines.Text()
			}
		}
		t.Fatalf("no %q in the log:\n%s", text, &log)
		return ""
	}
	// A session that has not connected yet keeps the server draining.
	base := until("demo: http")
	base = strings.TrimSuffix(base[strings.Index(base, "http://"):], `"`)
	until("the control API answers localhost only; publishing and playing are open to all")
	resp, err := http.Post(base+api.Path, "", strings.NewReader(`{"command": "add_room", "args": ["r"]}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	play, err := (&client.Link{Server: base}).Play(timeout(t), "r", "a1")
	if err != nil {
		t.Fatal(err)
	}
	defer play.Close()
	for _, text := range []string{"draining", "second signal: exiting at once"} {
		if err := server.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		until(text)
	}
	var exit *exec.ExitError
	if err := server.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("after two signals: %v", err)
	}
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		args        []string
		status      int
		out, stderr string
	}{
		{nil, 2, "", "serve"}, {[]string{"help"}, 0, "serve", ""}, {[]string{"--help"}, 0, "serve", ""},
		{[]string{"--version"}, 0, "sectile unknown", ""}, {[]string{"-v"}, 0, "sectile unknown", ""}, {[]string{"run"}, 2, "", "unexpected argument run"},
	} {
		var out, stderr strings.Builder
		status := run(test.args, &out, &stderr)
		if status != test.status || !strings.Contains(out.String(), test.out) || !strings.Contains(stderr.String(), test.stderr) ||
			(out.Len() > 0) != (test.out != "") || (stderr.Len() > 0) != (test.stderr != "") {
			t.Errorf("%v: exit %d, %q, %q", test.args, status, &out, &stderr)
		}
	}
}
