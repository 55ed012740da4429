package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"sectile/bench/client"
	"sectile/engine/compose"
	"sectile/server/config"
)

// browser starts a real Chromium with fake devices: its camera is a pie on green, its
// microphone beeps once a second.
func browser(t *testing.T, more ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("chromium is missing; `make test-deps` installs it")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	t.Cleanup(cancel)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 800),
		chromedp.Flag("mute-audio", false), // else nothing is heard in getStats
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("use-fake-ui-for-media-stream", true), chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"), chromedp.Flag("allow-loopback-in-peer-connection", true),
	)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(options, more...)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal("chromium does not start:", err)
	}
	return ctx
}

// tab opens a page with cookies and devices of its own.
func tab(t *testing.T, browser context.Context, url string) context.Context {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// inbound is what a player received, by getStats.
type inbound struct {
	Frames float64 `json:"frames"`
	Energy float64 `json:"energy"`
	Width  float64 `json:"width"`
}

const inboundJS = `(async () => {
	const out = {frames: 0, energy: 0, width: 0};
	for (const s of (await window.sectile.player.getStats()).values()) {
		if (s.type !== 'inbound-rtp') continue;
		if (s.kind === 'video') { out.frames = s.framesDecoded; out.width = s.frameWidth; }
		if (s.kind === 'audio') out.energy = s.totalAudioEnergy;
	}
	return out;
})()`

// greenJS tells the share of green pixels, the fake camera's background, in each half of
// the mosaic.
const greenJS = `(() => {
	const video = document.querySelector('#mosaic'), canvas = document.createElement('canvas');
	canvas.width = 160; canvas.height = 90;
	const g = canvas.getContext('2d');
	g.drawImage(video, 0, 0, 160, 90);
	return [0, 80].map(x => {
		const px = g.getImageData(x, 0, 80, 90).data;
		let green = 0;
		for (let i = 0; i < px.length; i += 4) if (px[i+1] > px[i] + 60 && px[i+1] > px[i+2] + 60) green++;
		return green / (px.length / 4);
	});
})()`

// labelled is how much of a place for a label is white and how much is dark.
type labelled struct {
	Bright float64 `json:"bright"`
	Dark   float64 `json:"dark"`
}

// labelJS looks at where the label is in each half of the mosaic: right of the left edge
// and above the lower edge of the camera's picture.
const labelJS = `(() => {
	const video = document.querySelector('#mosaic'), canvas = document.createElement('canvas');
	const w = canvas.width = video.videoWidth, h = canvas.height = video.videoHeight;
	const g = canvas.getContext('2d');
	g.drawImage(video, 0, 0);
	return [0, w / 2].map(x => {
		const column = g.getImageData(x + w / 4, 0, 1, h).data;
		let bottom = h;
		while (bottom > h / 2 && column[4 * (bottom - 1) + 1] < 60) bottom--;
		const px = g.getImageData(x + 14, bottom - 30, 36, 18).data;
		let bright = 0, dark = 0;
		for (let i = 0; i < px.length; i += 4) {
			const low = Math.min(px[i], px[i+1], px[i+2]), high = Math.max(px[i], px[i+1], px[i+2]);
			if (low > 160) bright++;
			if (high < 120) dark++;
		}
		return {bright: bright / (px.length / 4), dark: dark / (px.length / 4)};
	});
})()`

// middleJS tells the share of green in the middle, near the upper edge, of the mosaic, where
// two equal cells of a wide camera have their borders.
const middleJS = `(() => {
	const video = document.querySelector('#mosaic'), canvas = document.createElement('canvas');
	canvas.width = 160; canvas.height = 90;
	const g = canvas.getContext('2d');
	g.drawImage(video, 0, 0, 160, 90);
	const px = g.getImageData(76, 14, 8, 6).data;
	let green = 0;
	for (let i = 0; i < px.length; i += 4) if (px[i+1] > px[i] + 60 && px[i+1] > px[i+2] + 60) green++;
	return green / (px.length / 4);
})()`

// meansJS tells the mean red, green and blue of rectangles of the mosaic, 0 to 255, or
// nothing while there is no picture of the size.
const meansJS = `((width, height, rects) => {
	const video = document.querySelector('video');
	if (video?.videoWidth !== width || video.videoHeight !== height) return [];
	const canvas = document.createElement('canvas');
	canvas.width = width; canvas.height = height;
	const g = canvas.getContext('2d');
	g.drawImage(video, 0, 0);
	return rects.map(r => {
		const px = g.getImageData(r.X, r.Y, r.W, r.H).data, sum = [0, 0, 0];
		for (let i = 0; i < px.length; i += 4) for (let c = 0; c < 3; c++) sum[c] += px[i+c];
		return sum.map(s => s / (px.length / 4));
	});
})`

// colourOf is what red, green and blue are in the mosaic's colours, BT.601 of limited range.
func colourOf(rgb []float64) client.Colour {
	r, g, b := rgb[0]/255, rgb[1]/255, rgb[2]/255
	y := 0.299*r + 0.587*g + 0.114*b
	return client.Colour{
		Y: byte(math.Round(16 + 219*y)), U: byte(math.Round(128 + 112*(b-y)/0.886)), V: byte(math.Round(128 + 112*(r-y)/0.701)),
	}
}

func evaluate[T any](t *testing.T, tab context.Context, js string) T {
	t.Helper()
	value, err := chromedp.Run(tab, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%.60s…: %v", js, err)
	}
	return value
}

// TestTwoParticipantsInChromium joins two people through the demo page.
func TestTwoParticipantsInChromium(t *testing.T) {
	ts := start(t, config.Config{})
	chrome := browser(t)
	tabs := map[string]context.Context{}
	for _, name := range []string{"alice", "bob"} {
		tabs[name] = tab(t, chrome, ts.base+"/?room=meeting&autojoin=1&name="+name)
	}
	for name, page := range tabs {
		eventually(t, 30*time.Second, func() string {
			if state := evaluate[string](t, page, `document.body.dataset.state`); state != "joined" {
				return fmt.Sprintf("%s is %s: %s", name, state, evaluate[string](t, page, `document.body.innerText`))
			}
			return ""
		})
	}
	for name, page := range tabs {
		before := evaluate[inbound](t, page, inboundJS)
		eventually(t, 20*time.Second, func() string {
			now := evaluate[inbound](t, page, inboundJS)
			switch {
			case now.Frames-before.Frames < 20:
				return fmt.Sprintf("%s decoded %v frames", name, now.Frames-before.Frames)
			case now.Energy <= before.Energy:
				return fmt.Sprintf("%s hears nothing", name)
			}
			return ""
		})
		eventually(t, 20*time.Second, func() string {
			for i, share := range evaluate[[]float64](t, page, greenJS) {
				if share < 0.2 { // a camera of 4:3 in a cell of 8:9 leaves borders
					return fmt.Sprintf("%s: only %.0f %% of half %d of the mosaic is a camera", name, 100*share, i)
				}
			}
			return ""
		})
		eventually(t, 5*time.Second, func() string {
			n := evaluate[int](t, page, `document.querySelectorAll('#participants [data-stream]').length`)
			if n != 2 {
				return fmt.Sprintf("%s sees %d participants", name, n)
			}
			return ""
		})
	}
	screenshot(t, tabs["alice"], "demo")

	// Each half of the mosaic has a label: a strip darker than the camera under white text.
	eventually(t, 10*time.Second, func() string {
		for i, l := range evaluate[[]labelled](t, tabs["alice"], labelJS) {
			if l.Bright < 0.02 || l.Bright > 0.5 || l.Dark < 0.3 {
				return fmt.Sprintf("half %d has no label: %+v", i, l)
			}
		}
		return ""
	})

	// Alice chooses another layout, and Bob, who is watching, sees it and that it is chosen.
	wide := func(want string) {
		t.Helper()
		eventually(t, 15*time.Second, func() string {
			if got := evaluate[string](t, tabs["bob"], `document.querySelector('#layouts input:checked')?.value ?? 'none'`); got != want {
				return fmt.Sprintf("the page of bob says that the layout is %s, want %s", got, want)
			}
			// In the sidebar the large cell reaches over the middle.
			green := evaluate[float64](t, tabs["bob"], middleJS)
			if got := green > 0.5; got != (want == "sidebar") {
				return fmt.Sprintf("layout %s: %.2f of the middle is a camera", want, green)
			}
			return ""
		})
	}
	wide("grid")
	for _, layout := range []string{"sidebar", "grid"} {
		if err := chromedp.Do(tabs["alice"], chromedp.Click(`#layouts label:has([value="`+layout+`"])`)); err != nil {
			t.Fatal(err)
		}
		wide(layout)
		screenshot(t, tabs["alice"], "demo-"+layout)
	}

	// Alice's picture hidden by the server: her own button says so, and shows it again.
	ts.must("meeting", "mute_video", "alice")
	camera := func(want string) {
		t.Helper()
		eventually(t, 10*time.Second, func() string {
			if on := evaluate[string](t, tabs["alice"], `document.querySelector('[data-action="toggle-camera"]').ariaPressed`); on != want {
				return fmt.Sprintf("the camera's button is pressed: %s, want %s", on, want)
			}
			return ""
		})
	}
	camera("false")
	if err := chromedp.Do(tabs["alice"], chromedp.Click(`[data-action="toggle-camera"]`)); err != nil {
		t.Fatal(err)
	}
	camera("true")

	// Alice's microphone muted by the server: Bob hears nothing new.
	ts.must("meeting", "mute_audio", "alice")
	time.Sleep(time.Second)
	before := evaluate[inbound](t, tabs["bob"], inboundJS)
	time.Sleep(3 * time.Second)
	if after := evaluate[inbound](t, tabs["bob"], inboundJS); after.Energy-before.Energy > 1e-4 {
		t.Errorf("bob hears %v of energy while alice is muted", after.Energy-before.Energy)
	}

	viewer := tab(t, chrome, ts.base+"/meeting/embed.html")
	eventually(t, 20*time.Second, func() string {
		if w := evaluate[float64](t, viewer, `document.querySelector('video')?.videoWidth ?? 0`); w == 0 {
			return "the viewer's page shows no picture"
		}
		return ""
	})
	screenshot(t, viewer, "viewer")

	// Leaving through the page leaves no stream behind.
	if err := chromedp.Do(tabs["bob"], chromedp.Click(`[data-action="leave"]`)); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, func() string {
		if n := ts.must("meeting", "stat")["count"]; n != 2.0 {
			return fmt.Sprintf("count is %v after one of two left", n)
		}
		return ""
	})
}

// TestMosaicInChromium: each cell that a browser shows has the colour of its stream.
func TestMosaicInChromium(t *testing.T) {
	ts := start(t, config.Config{})
	const width, height, count = 640, 360, 5
	ts.addRoom("r", map[string]any{"disable_video": false, "width": width, "height": height, "video_bitrate": 1000})
	for i := range count {
		name, tone := fmt.Sprintf("s%d", i), 0.
		if i == 2 {
			tone = 523 // talks
		}
		ts.addStream("r", name)
		ts.publish(name, client.Media{Tone: tone, Width: 320, Height: 180, Colour: colours[i]})
	}
	viewer := tab(t, browser(t), ts.base+"/r/embed.html")
	sees := func(what string, cells []compose.Rect, who ...int) {
		t.Helper()
		var middles []compose.Rect
		for _, r := range cells {
			middles = append(middles, compose.Rect{X: r.X + r.W*3/8, Y: r.Y + r.H*3/8, W: r.W / 4, H: r.H / 4})
		}
		rects, err := json.Marshal(middles)
		if err != nil {
			t.Fatal(err)
		}
		js := fmt.Sprintf("%s(%d, %d, %s)", meansJS, width, height, rects)
		eventually(t, 20*time.Second, func() string {
			means := evaluate[[][]float64](t, viewer, js)
			if len(means) != len(who) {
				return fmt.Sprintf("%s: %d cells, want %d", what, len(means), len(who))
			}
			for i, mean := range means {
				if got, want := colourOf(mean), colours[who[i]]; !near(got, want) {
					return fmt.Sprintf("%s: cell %d is %v, want %v", what, i, got, want)
				}
			}
			return ""
		})
	}
	sees("grid", compose.Grid(count, width, height), 0, 1, 2, 3, 4)
	screenshot(t, viewer, "colours")
	ts.must("r", "set_layout", "sidebar")
	sees("sidebar", compose.Sidebar.Cells(count, width, height, 0), 2, 0, 1, 3, 4)
	ts.must("r", "remove_stream", "s1")
	sees("without s1", compose.Sidebar.Cells(count-1, width, height, 0), 2, 0, 3, 4)
}

// TestRemovedInChromium: whom an operator removes is told so and does not come back by
// themself; whom a restart of the server threw out, or a reload, does. The page removes
// streams that nobody publishes.
func TestRemovedInChromium(t *testing.T) {
	ts := start(t, config.Config{})
	ts.must("", "add_room", "meeting")
	ts.addStream("meeting", "leftover")
	page := tab(t, browser(t), ts.base+"/?room=meeting&autojoin=1&name=carol")
	state := func(want string) {
		t.Helper()
		eventually(t, 30*time.Second, func() string {
			if got := evaluate[string](t, page, `document.body.dataset.state`); got != want {
				return fmt.Sprintf("the page is %s, want %s", got, want)
			}
			return ""
		})
	}
	alone := func() {
		t.Helper()
		eventually(t, 10*time.Second, func() string {
			clients := fmt.Sprint(ts.must("meeting", "stat")["clients"])
			if clients != "[all carol]" {
				return "in the room: " + clients
			}
			return ""
		})
	}
	told := func(title string) {
		t.Helper()
		if got := evaluate[string](t, page, `document.querySelector('#problem strong')?.innerText ?? ''`); got != title {
			t.Errorf("the page says %q, want %q", got, title)
		}
	}
	state("joined")
	alone()
	ts.addStream("meeting", "ghost")
	if err := chromedp.Do(page, chromedp.Click(`[data-stream="ghost"] [data-action="remove"]`)); err != nil {
		t.Fatal(err)
	}
	alone()
	// Without autojoin it is the tab that remembers.
	evaluate[string](t, page, `history.replaceState(null, '', '/'), location.href`)
	if err := chromedp.Do(page, chromedp.Reload()); err != nil {
		t.Fatal(err)
	}
	state("joined")
	alone()

	ts.must("meeting", "remove_stream", "carol")
	state("failed")
	told("You were removed from the room")
	time.Sleep(3 * time.Second)
	if clients := ts.must("meeting", "stat")["clients"].([]any); len(clients) != 1 {
		t.Errorf("%v are in the room after the removal", clients)
	}

	if err := chromedp.Do(page, chromedp.Click(`#join`)); err != nil {
		t.Fatal(err)
	}
	state("joined")
	ts.must("", "remove_room", "meeting")
	state("failed")
	told("The room was closed")
	if err := chromedp.Do(page, chromedp.Click(`#join`)); err != nil {
		t.Fatal(err)
	}
	state("joined")
	ts.restart(config.Config{})
	eventually(t, 40*time.Second, func() string {
		if status, answer := ts.request("meeting", "stat"); status != 200 || answer["count"] != 2.0 {
			return fmt.Sprintf("after a restart: %v", answer)
		}
		return ""
	})
	state("joined")
}

// screenshot keeps a picture of the page in the folder SECTILE_TEST_SCREENSHOTS names.
func screenshot(t *testing.T, tab context.Context, name string) {
	dir := os.Getenv("SECTILE_TEST_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(tab, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/"+name+".png", png, 0o644); err != nil {
		t.Fatal(err)
	}
}
