package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"sectile/server/config"
)

// TestCameraOffInChromium: who turns the camera off is a card to the others soon, though
// browsers go on with sound and reports, and a picture again when it is on.
func TestCameraOffInChromium(t *testing.T) {
	ts := start(t, config.Config{})
	chrome := browser(t)
	tabs := map[string]context.Context{}
	for _, name := range []string{"alice", "bob"} {
		tabs[name] = tab(t, chrome, ts.base+"/?room=meeting&autojoin=1&name="+name)
		eventually(t, 30*time.Second, func() string {
			if state := evaluate[string](t, tabs[name], `document.body.dataset.state`); state != "joined" {
				return fmt.Sprintf("%s is %s", name, state)
			}
			return ""
		})
	}
	// sees waits until Bob sees pictures in the halves of the mosaic, or cards.
	sees := func(most time.Duration, alice, bob bool) {
		t.Helper()
		begin := time.Now()
		eventually(t, most, func() string {
			green := evaluate[[]float64](t, tabs["bob"], greenJS)
			for i, picture := range []bool{alice, bob} {
				if picture && green[i] < 0.2 || !picture && green[i] > 0.01 {
					return fmt.Sprintf("%.2f of half %d is green, want a picture: %v", green[i], i, picture)
				}
			}
			return ""
		})
		t.Logf("pictures %v and %v after %v", alice, bob, time.Since(begin))
	}
	sees(20*time.Second, true, true)
	for range 2 {
		if err := chromedp.Do(tabs["alice"], chromedp.Click(`[data-action="toggle-camera"]`)); err != nil {
			t.Fatal(err)
		}
		sees(4*time.Second, false, true)
		screenshot(t, tabs["bob"], "cameraoff")
		time.Sleep(3 * time.Second)
		sees(time.Second, false, true)
		if err := chromedp.Do(tabs["alice"], chromedp.Click(`[data-action="toggle-camera"]`)); err != nil {
			t.Fatal(err)
		}
		sees(5*time.Second, true, true)
	}
}

// TestWithoutCameraInChromium: who follows a link that says so joins with the microphone only, also
// in a room with video, and can switch the camera on there.
func TestWithoutCameraInChromium(t *testing.T) {
	ts := start(t, config.Config{})
	ts.addRoom("r", map[string]any{"disable_video": false})
	page := tab(t, browser(t), ts.base+"/?room=r&name=ann&video=0&autojoin=1")
	sends := func() []string {
		return evaluate[[]string](t, page, `(window.sectile?.publisher?.getSenders() ?? []).map((s) => s.track?.kind).filter(Boolean)`)
	}
	eventually(t, 20*time.Second, func() string {
		if kinds := sends(); len(kinds) != 1 || kinds[0] != "audio" {
			return fmt.Sprintf("sent are %v", kinds)
		}
		return ""
	})
	time.Sleep(2 * time.Second)
	if kinds := sends(); len(kinds) != 1 {
		t.Errorf("later sent are %v", kinds)
	}
	evaluate[any](t, page, `document.querySelector('[data-action="toggle-camera"]').click()`)
	eventually(t, 10*time.Second, func() string {
		if kinds := sends(); len(kinds) != 2 {
			return fmt.Sprintf("with the camera on sent are %v", kinds)
		}
		return ""
	})
}
