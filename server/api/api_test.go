package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sectile/engine/room"
)

// fixture is a Handler with what it says to its hooks.
type fixture struct {
	t        *testing.T
	rooms    *fakeRooms
	handler  *Handler
	log      bytes.Buffer
	changed  int
	rejected []string
}

func newFixture(t *testing.T, user, pass string) *fixture {
	f := &fixture{t: t, rooms: &fakeRooms{}}
	f.handler = New(Config{
		Rooms: f.rooms, User: user, Pass: pass,
		Log:      slog.New(slog.NewTextHandler(&f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Changed:  func() { f.changed++ },
		Rejected: func(reason string) { f.rejected = append(f.rejected, reason) },
	})
	return f
}

// newRequest is a command from this machine.
func newRequest(path, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:1234"
	return r
}

// do sends r and checks what holds for all answers.
func (f *fixture) do(r *http.Request) (status int, body string, header http.Header) {
	f.t.Helper()
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	body, header = w.Body.String(), w.Header()
	want := map[string]string{"Content-Type": "application/json", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
	for name, value := range want {
		if got := header.Get(name); got != value {
			f.t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	for name := range header {
		if strings.HasPrefix(name, "Access-Control-") {
			f.t.Errorf("there is a CORS header: %s", name)
		}
	}
	if !strings.HasSuffix(body, "}\n") || !json.Valid([]byte(body)) {
		f.t.Errorf("the answer is no line of JSON: %q", body)
	}
	if w.Code != http.StatusOK {
		var answer map[string]string
		if err := json.Unmarshal([]byte(body), &answer); err != nil || len(answer) != 1 || answer["error"] == "" {
			f.t.Errorf("the error is not {\"error\": …}: %q", body)
		}
	}
	return w.Code, strings.TrimSuffix(body, "\n"), header
}

func (f *fixture) post(path, body string) (status int, answer string) {
	f.t.Helper()
	status, answer, _ = f.do(newRequest(Path+path, body))
	return status, answer
}

// step is a command with its answer.
type step struct{ path, body, want string }

// run runs steps in one Handler; an answer that is wanted to start with a number is an
// error with that status and a text that contains the rest.
func (f *fixture) run(steps []step) {
	f.t.Helper()
	for _, s := range steps {
		rejected, changed := len(f.rejected), f.changed
		status, answer := f.post(s.path, s.body)
		if code, text, _ := strings.Cut(s.want, " "); len(code) == 3 {
			var e struct{ Error string }
			if err := json.Unmarshal([]byte(answer), &e); err != nil {
				f.t.Error(err)
			}
			if fmt.Sprint(status) != code || !strings.Contains(e.Error, text) {
				f.t.Errorf("%s %.300s\n got %d %.300s\nwant %s", s.path, s.body, status, answer, s.want)
			}
			if len(f.rejected) != rejected+1 {
				f.t.Errorf("%s: rejected %v", s.body, f.rejected[rejected:])
			}
			if f.changed != changed {
				f.t.Errorf("%s: is refused and reported as a change", s.body)
			}
			continue
		}
		if status != http.StatusOK || answer != s.want {
			f.t.Errorf("%s %.300s\n got %d %.300s\nwant 200 %s", s.path, s.body, status, answer, s.want)
		}
		if len(f.rejected) != rejected {
			f.t.Errorf("%s: is answered and rejected as %v", s.body, f.rejected[rejected:])
		}
	}
}

const stats1 = `{"name":"r","bitrate":64,"samplerate":48000,"samples":960,"gate":"on","disable_video":true,"width":1280,"height":720,"fps":25,"video_bitrate":1500,"preset":"superfast","layout":"grid","participants":0,"talking":[],"viewers":3,"publishing":[],"muted_audio":[],"muted_video":[],"not_shown":[],"gains":{}}`

func edited(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(stats1) }

// TestCommands: every command with every answer that the contract has.
func TestCommands(t *testing.T) {
	f := newFixture(t, "", "")
	f.run([]step{
		{"", `{"command": "list_room", "args": []}`, `{"rooms":[]}`},
		{"", `{"command": "stats", "args": []}`, `{"rooms":[]}`},

		{"", `{"command": "add_room", "args": ["r"]}`, stats1},
		{"", `{"command": "add_room", "args": ["r"]}`, stats1},
		{"", `{"command": "add_room", "args": ["r", "64", 48000, "960"], "options": {"fps": 25}}`, stats1},
		{"", `{"command": "add_room", "args": ["r", 65]}`, "409 room r exists with other settings"},
		{"", `{"command": "add_room", "args": ["R", "64", "48000", "480"]}`, edited(`"r"`, `"R"`, "960", "480")},
		{"", `{"command": "add_room", "args": ["a", 32], "options": {"disable_video": false, "fps": "30", "width": 640, "preset": "fast"}}`,
			edited(`"r"`, `"a"`, `"bitrate":64`, `"bitrate":32`, "true", "false", "1280", "640", `"fps":25`, `"fps":30`, "superfast", "fast")},
		{"", `{"command": "add_room", "args": [5], "options": {"disable_video": "false"}}`, edited(`"r"`, `"5"`, "true", "false")},
		{"", `{"command": "add-room", "args": ["b"], "options": {}}`, edited(`"r"`, `"b"`)},
		{"", `{"command": "add_room", "args": ["c"], "options": null}`, edited(`"r"`, `"c"`)},
		{"", `{"command": "list_room", "args": []}`, `{"rooms":["5","R","a","b","c","r"]}`},
		{"", `{"command": "list-room"}`, `{"rooms":["5","R","a","b","c","r"]}`},
		{"", `{"command": "remove_room", "args": [5]}`, `{"name":"5"}`},
		{"", `{"command": "remove-room", "args": ["a"]}`, `{"name":"a"}`},
		{"", `{"command": "remove_room", "args": ["a"]}`, `404 room "a": not found`},
		{"", `{"command": "remove_room", "args": ["b"]}`, `{"name":"b"}`},
		{"", `{"command": "remove_room", "args": ["c"]}`, `{"name":"c"}`},
		{"", `{"command": "list_room", "args": null}`, `{"rooms":["R","r"]}`},

		{"r", `{"command": "stat", "args": []}`, `{"count":1,"clients":["all"]}`},
		{"r", `{"command": "add_stream", "args": ["z"]}`, `{"track_id":"a2"}`},
		{"r", `{"command": "add-stream", "args": ["y"]}`, `{"track_id":"a3"}`},
		{"r/", `{"command": "add_stream", "args": [7]}`, `{"track_id":"a4"}`},
		{"r", `{"command": "add_stream", "args": ["y"]}`, `{"track_id":"a3"}`},
		{"%72", `{"command": "stat", "args": []}`, `{"count":4,"clients":["all","z","y","7"]}`},
		{"r", `{"command": "remove_stream", "args": ["y"]}`, `{"track_id":"a3"}`},
		{"r", `{"command": "remove-stream", "args": ["y"]}`, "404 room r: stream y: not found"},
		{"r", `{"command": "add_stream", "args": ["y"]}`, `{"track_id":"a5"}`},
		{"r", `{"command": "stat"}`, `{"count":4,"clients":["all","z","7","y"]}`},
		{"R", `{"command": "stat", "args": []}`, `{"count":1,"clients":["all"]}`},

		{"r", `{"command": "mute_audio", "args": ["z"]}`, `{"track_id":"a2"}`},
		{"r", `{"command": "mute-video", "args": ["y"]}`, `{"track_id":"a5"}`},
		{"", `{"command": "stats", "args": []}`, `{"rooms":[` + edited(`"r"`, `"R"`, "960", "480") + "," +
			edited(`"participants":0`, `"participants":3`, `"muted_audio":[]`, `"muted_audio":["z"]`, `"muted_video":[]`, `"muted_video":["y"]`) + `]}`},
		{"r", `{"command": "unmute-audio", "args": ["z"]}`, `{"track_id":"a2"}`},
		{"r", `{"command": "unmute_video", "args": ["y"]}`, `{"track_id":"a5"}`},
		{"r", `{"command": "mute-audio", "args": ["y"]}`, `{"track_id":"a5"}`},
		{"r", `{"command": "mute_video", "args": ["z"]}`, `{"track_id":"a2"}`},
		{"", `{"command": "add_room", "args": ["r"]}`, edited(`"participants":0`, `"participants":3`, `"muted_audio":[]`, `"muted_audio":["y"]`, `"muted_video":[]`, `"muted_video":["z"]`)},
		{"r", `{"command": "unmute_audio", "args": ["y"]}`, `{"track_id":"a5"}`},
		{"r", `{"command": "unmute-video", "args": ["z"]}`, `{"track_id":"a2"}`},
		{"r", `{"command": "mute_audio", "args": ["nobody"]}`, "404 room r: stream nobody: not found"},

		{"r", `{"command": "set_gain", "args": ["z", -6.5]}`, `{"track_id":"a2"}`},
		{"r", `{"command": "set-gain", "args": ["y", "20"]}`, `{"track_id":"a5"}`},
		{"r", `{"command": "set_gain", "args": ["7", -60]}`, `{"track_id":"a4"}`},
		{"r", `{"command": "set_gain", "args": ["7", 0]}`, `{"track_id":"a4"}`},
		{"", `{"command": "add_room", "args": ["r"]}`, edited(`"participants":0`, `"participants":3`, `"gains":{}`, `"gains":{"y":20,"z":-6.5}`)},
		{"r", `{"command": "set_gain", "args": ["z", 1e-320]}`, `{"track_id":"a2"}`},
		{"r", `{"command": "set_gain", "args": ["y", "+3.14159"]}`, `{"track_id":"a5"}`},
		{"r", `{"command": "set_gain", "args": ["7", -1.2345e1]}`, `{"track_id":"a4"}`},
		{"", `{"command": "add_room", "args": ["r"]}`, edited(`"participants":0`, `"participants":3`, `"gains":{}`, `"gains":{"7":-12.35,"y":3.14}`)},
		{"r", `{"command": "set_gain", "args": ["nobody", 1]}`, "404 room r: stream nobody: not found"},

		{"", `{"command": "add_room", "args": ["e8", 64, 8000]}`, edited(`"r"`, `"e8"`, "48000", "8000", "960", "160")},
		{"", `{"command": "add_room", "args": ["e8"], "options": {"samples": 160, "samplerate": 8000}}`, edited(`"r"`, `"e8"`, "48000", "8000", "960", "160")},
		{"", `{"command": "add_room", "args": ["e12"], "options": {"samplerate": 12000}}`, edited(`"r"`, `"e12"`, "48000", "12000", "960", "240")},
		{"", `{"command": "add_room", "args": ["e16"], "options": {"samplerate": 16000}}`, edited(`"r"`, `"e16"`, "48000", "16000")},
		{"", `{"command": "add_room", "args": ["open"], "options": {"gate": "off"}}`, edited(`"r"`, `"open"`, `"on"`, `"off"`)},
		{"", `{"command": "add_room", "args": ["open"]}`, "409 room open exists with other settings"},
	})
}

// onePixel is the smallest of pictures.
const onePixel = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

const half = `{"x":0,"y":0,"width":0.5,"height":1}`

// TestSetLayout: what is not named stays, what is not valid changes nothing.
func TestSetLayout(t *testing.T) {
	f := newFixture(t, "", "")
	f.run([]step{
		{"", `{"command": "add_room", "args": ["r"], "options": {"disable_video": false, "layout": "pip"}}`, edited("true", "false", "grid", "pip")},
		{"", `{"command": "add_room", "args": ["sound"]}`, edited(`"r"`, `"sound"`)},
		{"", `{"command": "add_room", "args": ["x"], "options": {"layout": "custom"}}`, `400 option layout: "custom" is not accepted, only grid, speaker, pip, sidebar`},
		{"r", `{"command": "set_layout", "args": ["speaker"]}`, `{"layout":"speaker","fit":"letterbox","gap":0,"background":"#090909","names":"on"}`},
		{"", `{"command": "stats"}`, `{"rooms":[` + edited("true", "false", "grid", "speaker") + "," + edited(`"r"`, `"sound"`) + `]}`},
		{"r", `{"command": "set-layout", "args": ["speaker"], "options": {"fit": "crop", "gap": 8, "background": "#A0b1c2", "names": "off"}}`,
			`{"layout":"speaker","fit":"crop","gap":8,"background":"#A0b1c2","names":"off"}`},
		{"r", `{"command": "set_layout", "args": ["sidebar"], "options": {"gap": "0"}}`, `{"layout":"sidebar","fit":"crop","gap":0,"background":"#A0b1c2","names":"off"}`},
		{"r", `{"command": "set_layout", "args": ["custom"], "options": {"names": "on", "cells": [` + half + `,{"x":0.5,"y":0.25,"width":0.5,"height":0.5,"stream":"bob"}]}}`,
			`{"layout":"custom","fit":"crop","gap":0,"background":"#A0b1c2","names":"on","cells":[` + half + `,{"x":0.5,"y":0.25,"width":0.5,"height":0.5,"stream":"bob"}]}`},
		{"r", `{"command": "set_layout", "args": ["custom"], "options": {"fit": "letterbox", "background": "#090909"}}`,
			`{"layout":"custom","fit":"letterbox","gap":0,"background":"#090909","names":"on","cells":[` + half + `,{"x":0.5,"y":0.25,"width":0.5,"height":0.5,"stream":"bob"}]}`},
		{"r", `{"command": "set_layout", "args": ["custom"], "options": {"cells": []}}`, `400 option cells: "0 cells" is not accepted, only 1 to 100 with layout custom`},
		// The cells stay for when the layout is custom again, and the layout for when none is named.
		{"r", `{"command": "set_layout", "args": ["grid"]}`, `{"layout":"grid","fit":"letterbox","gap":0,"background":"#090909","names":"on","cells":[` + half + `,{"x":0.5,"y":0.25,"width":0.5,"height":0.5,"stream":"bob"}]}`},
		{"r", `{"command": "set_layout", "args": [], "options": {"gap": 4}}`, `{"layout":"grid","fit":"letterbox","gap":4,"background":"#090909","names":"on","cells":[` + half + `,{"x":0.5,"y":0.25,"width":0.5,"height":0.5,"stream":"bob"}]}`},
		{"r", `{"command": "set_layout", "options": {"cells": [` + half + `]}}`, `400 option cells: "layout grid" is not accepted, only layout custom ("args": ["custom"])`},
		{"r", `{"command": "set_layout", "args": ["grid"], "options": {"cells": []}}`, `400 option cells: "layout grid" is not accepted`},
		{"r", `{"command": "set_layout", "args": ["custom"]}`, `{"layout":"custom","fit":"letterbox","gap":4,"background":"#090909","names":"on","cells":[` + half + `,{"x":0.5,"y":0.25,"width":0.5,"height":0.5,"stream":"bob"}]}`},
		{"r", `{"command": "set_layout", "options": {"gap": 0, "cells": [` + half + `]}}`, `{"layout":"custom","fit":"letterbox","gap":0,"background":"#090909","names":"on","cells":[` + half + `]}`},
		{"r", `{"command": "set_layout", "args": []}`, `{"layout":"custom","fit":"letterbox","gap":0,"background":"#090909","names":"on","cells":[` + half + `]}`},
		{"", `{"command": "remove_room", "args": ["r"]}`, `{"name":"r"}`}, // and its cells
		{"", `{"command": "add_room", "args": ["r"], "options": {"disable_video": false}}`, edited("true", "false")},

		{"r", `{"command": "set_layout", "args": ["custom"]}`, `400 option cells: "0 cells" is not accepted`},
		{"r", `{"command": "set_layout", "args": ["grid", "pip"]}`, "400 set_layout got 2 args; want [LAYOUT?]"},
		{"r", `{"command": "set_layout", "args": [""]}`, `400 option layout: "" is not accepted`},
		{"r", `{"command": "set_layout", "args": ["Grid"]}`, `400 option layout: "Grid" is not accepted, only grid, speaker, pip, sidebar, custom`},
		{"r", `{"command": "set_layout", "args": ["grid"], "options": {"fit": "stretch"}}`, `400 option fit: "stretch" is not accepted, only letterbox or crop`},
		{"r", `{"command": "set_layout", "args": ["grid"], "options": {"gap": 3}}`, `400 option gap: "3" is not accepted, only even numbers from 0 to 64`},
		{"r", `{"command": "set_layout", "args": ["grid"], "options": {"gap": 66}}`, `400 option gap: "66"`},
		{"r", `{"command": "set_layout", "args": ["grid"], "options": {"gap": -2}}`, `400 option gap: "-2"`},
		{"r", `{"command": "set_layout", "args": ["grid"], "options": {"gap": "wide"}}`, `400 option gap: "wide"`},
		{"r", `{"command": "set_layout", "args": ["grid"], "options": {"names": true}}`, `400 option names: "true" is not accepted, only on or off`},
		{"r", `{"command": "set_layout", "args": ["grid"], "options": {"background": "red"}}`, `400 option background: "red" is not accepted, only #rrggbb`},
		{"r", `{"command": "set_layout", "args": ["grid"], "options": {"background": "#12345"}}`, `400 option background`},
		{"r", `{"command": "set_layout", "args": ["grid"], "options": {"background": "1234567"}}`, `400 option background`},
		{"r", `{"command": "set_layout", "args": ["grid"], "options": {"background": "#-12345"}}`, `400 option background`},
		{"r", `{"command": "set_layout", "args": ["grid"], "options": {"colour": "red"}}`, `400 option "colour" is unknown; accepted are background, background_image, fit, gap, names, cells`},
		{"r", `{"command": "set_layout", "args": ["grid"], "options": {"background_image": "` + onePixel + `"}}`,
			`{"layout":"grid","fit":"letterbox","gap":0,"background":"#090909","names":"on","background_image":"` + onePixel + `"}`},
		{"r", `{"command": "set_layout", "args": ["grid"], "options": {"background_image": ""}}`, `{"layout":"grid","fit":"letterbox","gap":0,"background":"#090909","names":"on"}`},
		{"r", `{"command": "set_layout", "args": ["grid"], "options": {"background_image": "` + onePixel[:len(onePixel)-16] + `"}}`, `400 option background_image: "unexpected EOF" is not accepted, only a data URL with a PNG or JPEG`},
		{"r", `{"command": "set_layout", "args": ["grid"], "options": {"background_image": "` + strings.Replace(onePixel, "png", "jpeg", 1) + `"}}`, `400 option background_image: "not an image of that type"`},
		{"r", `{"command": "set_layout", "args": ["grid"], "options": {"background_image": "file:///etc/passwd"}}`, `400 option background_image: "file:///etc/passwd" is not accepted`},
		{"r", `{"command": "set_layout", "args": ["grid"], "options": {"background_image": "data:image/png;base64,####"}}`, `400 option background_image: "no base64"`},
		{"r", `{"command": "set_layout", "args": ["grid"], "options": {"cells": "x"}}`, `400 cells: want [{"x": 0,`},
		{"r", `{"command": "set_layout", "args": ["grid"], "options": {"fit": ["crop"]}}`, `400 option "fit" is ["crop"]; want a string`},
		{"r", `{"command": "set_layout", "args": ["grid"], "options": {"cells": [` + half + `]}}`, `400 option cells: "layout grid" is not accepted`},
		{"r", `{"command": "set_layout", "args": ["custom"], "options": {"cells": [` + strings.Repeat(half+",", 100) + half + `]}}`, `400 option cells: "101 cells" is not accepted`},
		{"r", `{"command": "set_layout", "args": ["custom"], "options": {"cells": [5]}}`, `400 cells:  is of type number; want [{"x"`},
		{"r", `{"command": "set_layout", "args": ["custom"], "options": {"cells": [{"x": "0"}]}}`, `400 cells: x is of type string; want`},
		{"r", `{"command": "set_layout", "args": ["custom"], "options": {"cells": [{"left": 0}]}}`, `400 cells: unknown field "left"; want`},
		{"r", `{"command": "set_layout", "args": ["custom"], "options": {"cells": [{"x":0,"y":0,"width":1}]}}`, `400 option cells[0]: "1×0 at (0,0)" is not accepted`},
		{"r", `{"command": "set_layout", "args": ["custom"], "options": {"cells": [` + half + `,{"x":0.6,"y":0,"width":0.5,"height":1}]}}`, `400 option cells[1]: "0.5×1 at (0.6,0)" is not accepted, only fractions of the canvas, inside of it`},
		{"r", `{"command": "set_layout", "args": ["custom"], "options": {"cells": [{"x":-0.1,"y":0,"width":0.5,"height":1}]}}`, `400 option cells[0]`},
		{"r", `{"command": "set_layout", "args": ["custom"], "options": {"cells": [{"x":0,"y":0,"width":1,"height":1,"stream":"a"},{"x":0,"y":0,"width":1,"height":1,"stream":"a"}]}}`, `400 option cells[1]: "stream a again" is not accepted`},
		{"r", `{"command": "set_layout", "args": ["custom"], "options": {"cells": [{"x":0,"y":0,"width":1,"height":1,"stream":"../a"}]}}`, `400 option cells[0]: "stream ../a"`},
		{"nowhere", `{"command": "set_layout", "args": ["grid"]}`, `404 room "nowhere": not found`},
		{"sound", `{"command": "set_layout", "args": ["grid"]}`, "409 room sound has no video"},
		{"", `{"command": "set_layout", "args": ["grid"]}`, "400 set_layout is a command of a room"},
		{"r", `{"command": "set_layout", "args": ["grid"]}`, `{"layout":"grid","fit":"letterbox","gap":0,"background":"#090909","names":"on"}`},
	})
}

func TestCommandErrors(t *testing.T) {
	f := newFixture(t, "", "")
	f.run([]step{{"", `{"command": "add_room", "args": ["r"]}`, stats1}})
	f.run([]step{
		// The body.
		{"", ``, "400 the body is empty"},
		{"", ` `, "400 the body is empty"},
		{"", `{"command": "stats"`, "400 the JSON ends too early"},
		{"", `{"command": "stats"}}`, "400 something follows the JSON object"},
		{"", `{"command": "stats"} {"command": "stats"}`, "400 something follows the JSON object"},
		{"", `{"command": "stats"} x`, "400 something follows the JSON object"},
		{"", `command=stats`, "400 body: invalid character 'c'"},
		{"", `[]`, "400 the body is of type array"},
		{"", `"stats"`, "400 the body is of type string"},
		{"", `null`, "400 command is missing"},
		{"", `{}`, "400 command is missing"},
		{"", `{"command": null}`, "400 command is missing"},
		{"", `{"command": 5}`, "400 command is of type number; want a string"},
		{"", `{"command": "stats", "args": "x"}`, "400 args is of type string; want an array of strings or numbers"},
		{"", `{"command": "stats", "args": {}}`, "400 args is of type object"},
		{"", `{"command": "remove_room", "args": [null]}`, "400 args[0] is null; want a string or a number"},
		{"", `{"command": "remove_room", "args": [true]}`, "400 args[0] is true; want a string or a number"},
		{"", `{"command": "add_room", "args": ["x", {}]}`, "400 args[1] is {}; want"},
		{"", `{"command": "add_room", "args": ["x", [1]]}`, "400 args[1] is [1]; want"},
		{"", strings.Repeat("[", 20000), "400 exceeded max depth"},

		// The command.
		{"", `{"command": ""}`, `400 unknown command ""; commands here are add_room, list_room, remove_room, stats`},
		{"", `{"command": "reboot"}`, `400 unknown command "reboot"`},
		{"", `{"command": "Stats"}`, `400 unknown command "Stats"`},
		{"r", `{"command": "reboot"}`, `400 unknown command "reboot"; commands here are add_stream, mute_audio, mute_video, remove_stream, set_gain, set_layout, stat, unmute_audio, unmute_video`},
		{"", `{"command": "add_stream", "args": ["x"]}`, "400 add_stream is a command of a room: send it to /flussonic/api/dynamic_mosaic/{room}"},
		{"", `{"command": "mute-audio", "args": ["x"]}`, "400 mute_audio is a command of a room"},
		{"r", `{"command": "add_room", "args": ["x"]}`, "400 add_room is not a command of a room: send it to /flussonic/api/dynamic_mosaic/"},
		{"", `{"command": "` + strings.Repeat("x", 60000) + `"}`, "400 unknown command"},

		// The number of arguments.
		{"", `{"command": "add_room"}`, "400 add_room got 0 args; want [NAME, bitrate?, samplerate?, samples?]"},
		{"", `{"command": "add_room", "args": ["a", 1, 2, 3, 4]}`, "400 add_room got 5 args"},
		{"", `{"command": "remove_room", "args": []}`, "400 remove_room got 0 args; want [NAME]"},
		{"", `{"command": "remove_room", "args": ["r", "r"]}`, "400 remove_room got 2 args"},
		{"", `{"command": "list_room", "args": ["x"]}`, "400 list_room got 1 args; want []"},
		{"", `{"command": "stats", "args": ["x"]}`, "400 stats got 1 args; want []"},
		{"r", `{"command": "stat", "args": ["x"]}`, "400 stat got 1 args; want []"},
		{"r", `{"command": "add_stream", "args": []}`, "400 add_stream got 0 args; want [NAME]"},
		{"r", `{"command": "remove_stream", "args": ["a", "b"]}`, "400 remove_stream got 2 args"},
		{"r", `{"command": "mute_audio"}`, "400 mute_audio got 0 args"},
		{"r", `{"command": "unmute_audio"}`, "400 unmute_audio got 0 args"},
		{"r", `{"command": "mute_video"}`, "400 mute_video got 0 args"},
		{"r", `{"command": "unmute_video"}`, "400 unmute_video got 0 args"},
		{"r", `{"command": "set_gain", "args": ["x"]}`, "400 set_gain got 1 args; want [NAME, dB]"},

		// Names.
		{"", `{"command": "add_room", "args": [""]}`, `400 name "" is not accepted`},
		{"", `{"command": "add_room", "args": [".x"]}`, `400 name ".x" is not accepted`},
		{"", `{"command": "add_room", "args": ["a/b"]}`, `400 name "a/b" is not accepted, only 1 to 64 of`},
		{"", `{"command": "add_room", "args": ["<script>"]}`, `400 name "<script>"`},
		{"", `{"command": "add_room", "args": ["` + strings.Repeat("x", 65) + `"]}`, `400 name "xxx`},
		{"", `{"command": "add_room", "args": [-1e+5]}`, `400 name "-1e+5" is not accepted`},
		{"", `{"command": "remove_room", "args": [".."]}`, `400 name ".."`},
		{"r", `{"command": "add_stream", "args": ["all"]}`, `400 name "all" is not accepted for a stream`},
		{"r", `{"command": "remove_stream", "args": ["all"]}`, `404 room r: stream all: not found`},
		{"r", `{"command": "add_stream", "args": ["a b"]}`, `400 name "a b"`},
		{"r", `{"command": "mute_audio", "args": ["é"]}`, `400 name "é"`},

		// Options.
		{"", `{"command": "add_room", "args": ["x", 5]}`, `400 option bitrate: "5" is not accepted, only 6 to 510`},
		{"", `{"command": "add_room", "args": ["x", "64k"]}`, `400 option bitrate: "64k" is not accepted`},
		{"", `{"command": "add_room", "args": ["x", 64.5]}`, `400 option bitrate: "64.5" is not accepted`},
		{"", `{"command": "add_room", "args": ["x", 64, 4800, 480]}`, `400 option samplerate: "4800" is not accepted, only 8000, 12000, 16000, 24000, 48000`},
		{"", `{"command": "add_room", "args": ["x", 64, 8000, 960]}`, `400 option samples: "960" is not accepted, only 20, 40`},
		{"", `{"command": "add_room", "args": ["x", 64, 8000, 481]}`, `400 option samples: "481" is not accepted, only 20, 40`},
		{"", `{"command": "add_room", "args": ["x"], "options": {"colour": "red"}}`, `400 option "colour" (value "red") is unknown; accepted are bitrate`},
		{"", `{"command": "add_room", "args": ["x"], "options": {"fps": 61}}`, `400 option fps: "61" is not accepted, only 1 to 60`},
		{"", `{"command": "add_room", "args": ["x"], "options": {"fps": true}}`, `400 option fps: "true" is not accepted`},
		{"", `{"command": "add_room", "args": ["x"], "options": {"disable_video": 1}}`, `400 option disable_video: "1" is not accepted, only true or false`},
		{"", `{"command": "add_room", "args": ["x"], "options": {"fps": null}}`, `400 option "fps" is null; want a string, a number or a boolean`},
		{"", `{"command": "add_room", "args": ["x"], "options": {"fps": [5]}}`, `400 option "fps" is [5]; want`},
		{"", `{"command": "add_room", "args": ["x"], "options": []}`, `400 options is of type array; want an object`},
		{"", `{"command": "add_room", "args": ["x", 64], "options": {"bitrate": 64}}`, "400 bitrate is given both in args and in options"},
		{"", `{"command": "stats", "args": [], "options": {"fps": 5}}`, "400 stats takes no options"},

		{"", `{"command": "add_room", "args": ["x"], "options": {"gate": true}}`, `400 option gate: "true" is not accepted, only on or off`},

		// Gains.
		{"r", `{"command": "set_gain", "args": ["x", 20.1]}`, "400 gain 20.1 dB is not accepted, only -60 to 20"},
		{"r", `{"command": "set_gain", "args": ["x", -61]}`, "400 gain -61 dB is not accepted, only -60 to 20"},
		{"r", `{"command": "set_gain", "args": ["x", "NaN"]}`, `400 gain "NaN" is not accepted`},
		{"r", `{"command": "set_gain", "args": ["x", 1e999]}`, `400 gain "1e999" is not accepted, only -60 to 20 (dB)`},
		{"r", `{"command": "set_gain", "args": ["x", "loud"]}`, `400 gain "loud" is not accepted, only -60 to 20 (dB)`},
		{"r", `{"command": "set_gain", "args": ["x", "0x1p3"]}`, `400 gain "0x1p3" is not accepted`},
		{"r", `{"command": "set_gain", "args": ["x", "1_0"]}`, `400 gain "1_0" is not accepted`},
		{"r", `{"command": "set_gain", "args": ["x", "+-1"]}`, `400 gain "+-1" is not accepted`},
		{"r", `{"command": "set_gain", "args": ["x", "null"]}`, `400 gain "null" is not accepted`},
		{"r", `{"command": "set_gain", "args": ["x", " 1"]}`, `400 gain " 1" is not accepted`},
		{"r", `{"command": "set_gain", "args": [".x", 3]}`, `400 name ".x"`},
		{"nowhere", `{"command": "set_gain", "args": ["x", 3]}`, `404 room "nowhere": not found`},

		// Rooms. What is malformed is so whether or not there is the room.
		{"nowhere", `{"command": "stat", "args": []}`, `404 room "nowhere": not found`},
		{"nowhere", `{"command": "add_stream", "args": ["x"]}`, `404 room "nowhere": not found`},
		{"nowhere", `{"command": "remove_stream", "args": ["x"]}`, `404 room "nowhere": not found`},
		{"nowhere", `{"command": "unmute_audio", "args": ["x"]}`, `404 room "nowhere": not found`},
		{"..%2f%0a", `{"command": "stat", "args": []}`, `404 room "../\n": not found`},
		{"nowhere", `{"command": "add_stream", "args": []}`, "400 got 0 args"},
		{"nowhere", `{`, "400 the JSON ends too early"},
	})
	f.run([]step{{"", `{"command": "list_room"}`, `{"rooms":["r"]}`}, {"r", `{"command": "stat"}`, `{"count":1,"clients":["all"]}`}})
	if strings.Contains(f.log.String(), "\n\"") || strings.Count(f.log.String(), "\n") != strings.Count(f.log.String(), "time=") {
		t.Error("a name starts a line of the log")
	}
}

func TestMethods(t *testing.T) {
	f := newFixture(t, "", "")
	for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "post", "QUERY"} {
		r := newRequest(Path, `{"command": "stats"}`)
		r.Method = method
		status, _, header := f.do(r)
		if status != http.StatusMethodNotAllowed || header.Get("Allow") != "POST" {
			t.Errorf("%s: %d, Allow: %q", method, status, header.Get("Allow"))
		}
	}
	if want := slices.Repeat([]string{"method"}, 8); !reflect.DeepEqual(f.rejected, want) {
		t.Errorf("rejected %v", f.rejected)
	}
}

func TestBodySize(t *testing.T) {
	f := newFixture(t, "", "")
	const start, end = `{"command": "list_room", "args": [`, `]}`
	fill := strings.Repeat(" ", maxBody-len(start)-len(end))
	f.run([]step{
		{"", start + fill + end, `{"rooms":[]}`},
		{"", start + fill + " " + end, "413 the body is larger than 65536 bytes"},
		{"", strings.Repeat("x", maxBody+1), "413 the body is larger"},
	})
	if want := []string{"size", "size"}; !reflect.DeepEqual(f.rejected, want) {
		t.Errorf("rejected %v, want %v", f.rejected, want)
	}
}

// TestChanged: each command that lasts is reported, once, when it is done.
func TestChanged(t *testing.T) {
	f := newFixture(t, "", "")
	for _, test := range []struct {
		path, body string
		changes    bool
	}{
		{"", `{"command": "add_room", "args": ["r"]}`, true},
		{"", `{"command": "list_room"}`, false},
		{"", `{"command": "stats"}`, false},
		{"r", `{"command": "stat"}`, false},
		{"r", `{"command": "add_stream", "args": ["s"]}`, true},
		{"r", `{"command": "mute_audio", "args": ["s"]}`, true},
		{"r", `{"command": "unmute_audio", "args": ["s"]}`, true},
		{"r", `{"command": "mute_video", "args": ["s"]}`, true},
		{"r", `{"command": "unmute_video", "args": ["s"]}`, true},
		{"r", `{"command": "set_gain", "args": ["s", -3]}`, true},
		{"r", `{"command": "remove_stream", "args": ["s"]}`, true},
		{"r", `{"command": "set_layout", "args": ["pip"]}`, false}, // it has no video
		{"", `{"command": "add_room", "args": ["v"], "options": {"disable_video": false}}`, true},
		{"v", `{"command": "set_layout", "args": ["pip"]}`, true},
		{"", `{"command": "remove_room", "args": ["v"]}`, true},
		{"", `{"command": "remove_room", "args": ["r"]}`, true},
		{"", `{"command": "remove_room", "args": ["r"]}`, false},
	} {
		before := f.changed
		f.post(test.path, test.body)
		if got := f.changed - before; got != map[bool]int{true: 1, false: 0}[test.changes] {
			t.Errorf("%s: %d changes", test.body, got)
		}
	}
}

// TestRoomsErrors: the errors of the engine have their status, and what it did not
// foresee stays inside.
func TestRoomsErrors(t *testing.T) {
	for _, test := range []struct {
		err    error
		status int
		text   string
		reason string
	}{
		{fmt.Errorf("x: %w", room.ErrFull), 503, "x: no more are possible", "unavailable"},
		{fmt.Errorf("x: %w", room.ErrClosed), 503, "x: closed", "unavailable"},
		{fmt.Errorf("x: %w", room.ErrConflict), 409, "x: conflict", "conflict"},
		{fmt.Errorf("x: %w", room.ErrNotFound), 404, "x: not found", "not_found"},
		{fmt.Errorf("x: %w", &room.OptionError{Name: "fps", Value: "0", Accepts: "1 to 60"}), 400, "x: option fps", "malformed"},
		{errors.New("secret"), 500, "internal error", ""},
	} {
		f := newFixture(t, "", "")
		f.rooms.fail = test.err
		for _, step := range []step{{"", `{"command": "add_room", "args": ["r"]}`, ""}, {"r", `{"command": "add_stream", "args": ["s"]}`, ""}} {
			status, answer := f.post(step.path, step.body)
			if status != test.status || !strings.Contains(answer, test.text) || strings.Contains(answer, "secret") {
				t.Errorf("%v: got %d %s, want %d %s", test.err, status, answer, test.status, test.text)
			}
		}
		if got := strings.Join(f.rejected, " "); got != strings.TrimSpace(test.reason+" "+test.reason) {
			t.Errorf("%v: rejected %q", test.err, got)
		}
	}
}

// TestLog: the log tells what a command named, in lines of bounded length.
func TestLog(t *testing.T) {
	f := newFixture(t, "", "")
	for _, test := range []struct{ path, body, want string }{
		{"", `{"command": "add_room", "args": ["r", 32], "options": {"fps": 30, "disable_video": false}}`, `command=add_room args="[r 32]" options.disable_video=false options.fps=30`},
		{"r", `{"command": "add-stream", "args": ["s"]}`, `room=r remote=127.0.0.1:1234 command=add_stream args=[s]`},
		{"r", `{"command": "set_layout", "options": {"gap": 4, "background": "#203040"}}`, `command=set_layout args=[] options.background=#203040 options.gap=4`},
		{"r", `{"command": "set_layout", "args": ["custom"], "options": {"cells": [` + strings.Repeat(half+",", 99) + half + `]}}`, `options.cells="[{\"x\":0,`},
		{"r", `{"command": "set_layout", "options": {"background_image": "` + onePixel + `"}}`, `options.background_image="data:image/png;base64,iVBO`},
		{"r", `{"command": "set_gain", "args": ["s", "1.` + strings.Repeat("0", 50000) + `"]}`, `command=set_gain args="[s 1.000`},
	} {
		f.log.Reset()
		if status, answer := f.post(test.path, test.body); status != http.StatusOK {
			t.Errorf("%.80s: %d %s", test.body, status, answer)
		}
		if line := f.log.String(); !strings.Contains(line, test.want) || strings.Count(line, "\n") != 1 || len(line) > 500 {
			t.Errorf("%.80s: %.600s\nwant %s", test.body, line, test.want)
		}
	}
}

func TestWithoutHooks(t *testing.T) {
	f := newFixture(t, "", "")
	f.handler = New(Config{Rooms: f.rooms})
	if status, answer := f.post("", `{"command": "add_room", "args": ["r"]}`); status != 200 {
		t.Error(status, answer)
	}
	if status, answer := f.post("", `{`); status != 400 {
		t.Error(status, answer)
	}
}

func TestOtherPath(t *testing.T) {
	f := newFixture(t, "", "")
	for _, path := range []string{"/", "/flussonic/api/", "/flussonic/api/dynamic_mosaics"} {
		if status, answer, _ := f.do(newRequest(path, `{"command": "stats"}`)); status != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
}

// TestDocumentedLines sends what the curl lines of Flussonic's documentation send, through
// a real server and mux, with the form type that `curl -d` has.
func TestDocumentedLines(t *testing.T) {
	f := newFixture(t, "user", "pass")
	mux := http.NewServeMux()
	f.handler.Register(mux)
	mux.HandleFunc("/{room}/whip", http.NotFound) // as others do beside it
	server := httptest.NewServer(mux)
	defer server.Close()
	base := strings.Replace(server.URL, "http://", "http://user:pass@", 1)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("redirected") }}
	defer client.CloseIdleConnections()
	for _, test := range []struct{ path, body, want string }{
		{"/flussonic/api/dynamic_mosaic/", `{"command" : "add_room", "args" : ["room"]}`, edited(`"r"`, `"room"`)},
		{"/flussonic/api/dynamic_mosaic/", `{"command" : "add_room", "args" : ["ROOM_NAME","64","48000","480"]}`, edited(`"r"`, `"ROOM_NAME"`, "960", "480")},
		{"/flussonic/api/dynamic_mosaic", `{"command" : "list_room", "args" : []}`, `{"rooms":["ROOM_NAME","room"]}`},
		{"/flussonic/api/dynamic_mosaic/", `{"command" : "remove_room", "args" : ["ROOM_NAME"]}`, `{"name":"ROOM_NAME"}`},
		{"/flussonic/api/dynamic_mosaic/", `{"command" : "stats", "args" : []}`, `{"rooms":[` + edited(`"r"`, `"room"`) + `]}`},
		{"/flussonic/api/dynamic_mosaic/room", `{"command" : "add_stream", "args" : ["STREAM_NAME"]}`, `{"track_id":"a2"}`},
		{"/flussonic/api/dynamic_mosaic/room", `{"command" : "stat", "args" : []}`, `{"count":2,"clients":["all","STREAM_NAME"]}`},
		{"/flussonic/api/dynamic_mosaic/room", `{"command" : "mute_video", "args" : ["STREAM_NAME"]}`, `{"track_id":"a2"}`},
		{"/flussonic/api/dynamic_mosaic/room", `{"command" : "mute-audio", "args" : ["STREAM_NAME"]}`, `{"track_id":"a2"}`},
		{"/flussonic/api/dynamic_mosaic/room", `{"command" : "remove_stream", "args" : ["STREAM_NAME"]}`, `{"track_id":"a2"}`},
	} {
		resp, err := client.Post(base+test.path, "application/x-www-form-urlencoded", strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		var answer bytes.Buffer
		answer.ReadFrom(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 200 || answer.String() != test.want+"\n" {
			t.Errorf("%s: got %d %s, want %s", test.body, resp.StatusCode, answer.String(), test.want)
		}
	}
}

// FuzzRequest: no body makes the API fail inside, nor leaves a room that is not valid.
func FuzzRequest(f *testing.F) {
	f.Add("", `{"command": "add_room", "args": ["r", "64", 48000], "options": {"fps": 5}}`)
	f.Add("r", `{"command": "mute-audio", "args": [1.5e3]}`)
	f.Add("r", `{"command": "stat", "args": [null, {}]}`)
	f.Add("r", `{"command": "set_layout", "args": ["custom"], "options": {"gap": 4, "cells": [{"x": 0.5, "width": 5e-1, "height": 1, "stream": "s"}]}}`)
	f.Add("r", `{"command": "set_layout", "args": ["pip"], "options": {"background_image": "`+onePixel+`", "fit": "crop"}}`)
	f.Fuzz(func(t *testing.T, path, body string) {
		x := newFixture(t, "", "")
		o := room.DefaultOptions()
		o.DisableVideo = false
		if err := x.rooms.AddRoom("r", o); err != nil {
			t.Fatal(err)
		}
		r := newRequest(Path, body)
		r.URL.Path = Path + path
		if status, answer, _ := x.do(r); status >= 500 {
			t.Fatalf("%q %q: %d %s", path, body, status, answer)
		}
		for _, s := range x.rooms.Stats() {
			if err := errors.Join(room.CheckName(s.Name), s.Options.Validate()); err != nil {
				t.Fatal(err)
			}
			if look := x.rooms.rooms[s.Name].look; look.Validate() != nil {
				t.Fatalf("look %+v", look)
			}
		}
	})
}
