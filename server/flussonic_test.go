package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"sectile/bench/client"
	"sectile/engine/compose"
	"sectile/server/config"
)

// flussonicLibrary is Flussonic's published browser library.
const flussonicLibrary = "@flussonic/flussonic-webrtc-player@24.7.1-0-g20fa1ce"

const flussonicPage = `<!DOCTYPE html><meta charset=utf-8><video id=preview muted></video><video id=player></video>
<script src=/lib.js></script>`

// TestFlussonicLibrary publishes and plays with Flussonic's own browser library, as it is,
// on a page of another origin.
func TestFlussonicLibrary(t *testing.T) {
	dir := t.TempDir()
	for _, command := range [][]string{{"npm", "pack", "--silent", flussonicLibrary}, {"sh", "-c", "tar xzf *.tgz"}} {
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", command, err, out)
		}
	}
	site := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/lib.js" {
			http.ServeFile(w, r, filepath.Join(dir, "package", "dist", "index.js"))
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, flussonicPage)
	}))
	defer site.Close()

	ts := start(t, config.Config{HTTPS: "on"})
	ts.addRoom("r", map[string]any{"disable_video": false, "width": 640, "height": 360})
	track := ts.addStream("r", "me")
	ts.addStream("r", "other")
	ts.publish("other", client.Media{Tone: tones[1], Level: -20, Width: 320, Height: 180, Colour: colours[0]})
	server := "https://" + ts.srv.https.Addr().String()

	page := tab(t, browser(t, chromedp.IgnoreCertErrors), site.URL)
	run := func(js string) { t.Helper(); evaluate[bool](t, page, "(() => {"+js+"; return true})()") }
	run(fmt.Sprintf(`window.lib = window.FlussonicWebRTC;
		window.publisher = new lib.Publisher(%q, {preview: document.querySelector('#preview'), constraints: {audio: true, video: {width: 640, height: 360}}});
		publisher.start()`, server+"/me"))
	me := ts.play("r", "v1"+track)
	viewer := ts.play("r", "")
	cell := colours[0]
	eventually(t, 30*time.Second, func() string {
		if s := ts.must("", "stats")["rooms"].([]any)[0].(map[string]any)["publishing"].([]any); len(s) != 2 {
			return fmt.Sprintf("publishing: %v", s)
		}
		img, _, _ := viewer.Seen()
		if problem := shows(img, 640, 360, []*client.Colour{nil, &cell}); problem != "" {
			return problem
		}
		// The fake camera is a pie that turns, all of it green, and no card is.
		if c := middle(img, compose.Grid(2, 640, 360)[0]); c.U > 100 || c.V > 100 {
			return fmt.Sprintf("the published cell is %v, want green", c)
		}
		return ""
	})
	eventually(t, 10*time.Second, func() string { return prefix("own mix", hears(me, []bool{false, true})) })

	run(fmt.Sprintf(`window.info = null;
		window.player = new lib.Player(document.querySelector('#player'), %q, {autoplay: true, start_track: 'v1a1', onMediaInfo: tracks => window.info = tracks});
		player.play()`, server+"/r"))
	eventually(t, 30*time.Second, func() string {
		if w := evaluate[float64](t, page, `document.querySelector('#player').videoWidth`); w != 640 {
			return fmt.Sprintf("the player's picture is %v wide", w)
		}
		return ""
	})
	// What the server answers to a change of tracks is what the session then plays.
	run(`const fetch = window.fetch; window.switched = '';
		window.fetch = async (...args) => {
			const response = await fetch(...args);
			if (String(args[0]).includes('request_tracks')) window.switched = await response.clone().text();
			return response;
		}`)
	run(fmt.Sprintf(`player.changeTracks(['v1', %q])`, track))
	eventually(t, 10*time.Second, func() string {
		if got, want := evaluate[string](t, page, `window.switched`), fmt.Sprintf(`{"tracks":["v1",%q]}`, track); strings.TrimSpace(got) != want {
			return fmt.Sprintf("changing tracks answered %q, want %s", got, want)
		}
		return ""
	})
	if n := evaluate[int](t, page, `window.info?.length ?? -1`); n != 4 {
		t.Errorf("media info has %d tracks, want v1, a1 and two more", n)
	}
}
