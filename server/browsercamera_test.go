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
