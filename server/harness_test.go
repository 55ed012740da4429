package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sectile/bench/client"
	"sectile/cgo/h264dec"
	"sectile/cgo/opus"
	"sectile/cgo/x264"
	"sectile/server/config"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		http.DefaultClient.CloseIdleConnections()
		if err := goleak.Find(); err != nil {
			fmt.Println(err)
			code = 1
		}
		for name, live := range map[string]int{"opus": opus.Live(), "x264": x264.Live(), "h264dec": h264dec.Live()} {
			if live != 0 {
				fmt.Printf("%d codecs of %s left open\n", live, name)
				code = 1
			}
		}
	}
	os.Exit(code)
}

// testServer is a server of its own for one test, on loopback.
type testServer struct {
	t     *testing.T
	base  string // http://127.0.0.1:PORT
	srv   *server
	stop  func() error
	begin usage // of CPU
}

// start starts a server, after change altered it. It ends with the test, or before by stop.
func start(t *testing.T, c config.Config, change ...func(*server)) *testServer {
	t.Helper()
	c.HTTP, c.RTC = cmp.Or(c.HTTP, "127.0.0.1:0"), cmp.Or(c.RTC, "127.0.0.1:0")
	if c.HTTPS != "" {
		c.HTTPS = "127.0.0.1:0"
	}
	log := slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelInfo}))
	srv, err := newServer(c, log)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(srv)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.run(ctx, c) }()
	ts := &testServer{t: t, base: "http://" + srv.http.Addr().String(), srv: srv, begin: measureUsage(t)}
	stopped := false
	ts.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-done
	}
	t.Cleanup(func() {
		if err := ts.stop(); err != nil {
			t.Error(err)
		}
	})
	return ts
}

// restart stops the server and starts another one at the same HTTP address.
func (ts *testServer) restart(c config.Config) {
	ts.t.Helper()
	c.HTTP = strings.TrimPrefix(ts.base, "http://")
	ts.srv.drainTime = 0
	if err := ts.stop(); err != nil {
		ts.t.Fatal(err)
	}
	*ts = *start(ts.t, c)
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// request sends a command to the control API and returns status and answer.
func (ts *testServer) request(path, command string, args ...any) (status int, answer map[string]any) {
	ts.t.Helper()
	if args == nil {
		args = []any{}
	}
	body, err := json.Marshal(map[string]any{"command": command, "args": args})
	if err != nil {
		ts.t.Fatal(err)
	}
	return ts.post(path, body)
}

func (ts *testServer) post(path string, body []byte) (status int, answer map[string]any) {
	ts.t.Helper()
	resp, err := http.Post(ts.base+"/flussonic/api/dynamic_mosaic/"+path, "application/x-www-form-urlencoded", bytes.NewReader(body))
	if err != nil {
		ts.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		ts.t.Fatalf("%s: answer is no JSON: %v", body, err)
	}
	return resp.StatusCode, answer
}

// must sends a command that has to succeed.
func (ts *testServer) must(path, command string, args ...any) map[string]any {
	ts.t.Helper()
	status, answer := ts.request(path, command, args...)
	if status != http.StatusOK {
		ts.t.Fatalf("%s %v: status %d: %v", command, args, status, answer)
	}
	return answer
}

// addRoom adds a room with options.
func (ts *testServer) addRoom(name string, options map[string]any) {
	ts.t.Helper()
	body, err := json.Marshal(map[string]any{"command": "add_room", "args": []string{name}, "options": options})
	if err != nil {
		ts.t.Fatal(err)
	}
	if status, answer := ts.post("", body); status != http.StatusOK {
		ts.t.Fatalf("add_room %s %v: status %d: %v", name, options, status, answer)
	}
}

// addStream adds a stream and returns its track.
func (ts *testServer) addStream(room, stream string) (track string) {
	ts.t.Helper()
	return ts.must(room, "add_stream", stream)["track_id"].(string)
}

func (ts *testServer) get(path string) (status int, body string) {
	ts.t.Helper()
	resp, err := http.Get(ts.base + path)
	if err != nil {
		ts.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		ts.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func timeout(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// link is a good way to the server.
func (ts *testServer) link() client.Link { return client.Link{Server: ts.base} }

func (ts *testServer) publish(stream string, m client.Media) *client.Publisher {
	ts.t.Helper()
	return ts.publishOver(ts.link(), stream, m)
}

func (ts *testServer) publishOver(l client.Link, stream string, m client.Media) *client.Publisher {
	ts.t.Helper()
	p, err := l.Publish(timeout(ts.t), stream, m)
	if err != nil {
		ts.t.Fatalf("publish %s: %v", stream, err)
	}
	ts.t.Cleanup(func() { p.Close() })
	return p
}

func (ts *testServer) play(room, tracks string) *client.Player {
	ts.t.Helper()
	return ts.playOver(ts.link(), room, tracks)
}

func (ts *testServer) playOver(l client.Link, room, tracks string) *client.Player {
	ts.t.Helper()
	p, err := l.Play(timeout(ts.t), room, tracks)
	if err != nil {
		ts.t.Fatalf("play %s %s: %v", room, tracks, err)
	}
	ts.t.Cleanup(func() { p.Close() })
	return p
}

// eventually waits until f returns "", and fails with what it says otherwise.
func eventually(t *testing.T, limit time.Duration, f func() string) {
	t.Helper()
	var problem string
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if problem = f(); problem == "" {
			return
		}
	}
	t.Fatal(problem)
}
