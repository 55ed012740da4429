package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"testing"
	"time"

	"sectile/bench/client"
	"sectile/server/config"
)

// relayed is a way to the server by a relay, for HTTP and media: a proxy that names the relay
// in place of the server's port in answers, and leaves the candidates out of offers, so that
// the server knows no other way back.
func (ts *testServer) relayed() (base string, relay *client.Relay) {
	ts.t.Helper()
	var port string
	target, err := url.Parse(ts.base)
	if err != nil {
		ts.t.Fatal(err)
	}
	candidates := regexp.MustCompile(`(?m)^a=candidate:.*\n`)
	change := func(h http.Header, length *int64, body *io.ReadCloser, f func([]byte) []byte) error {
		all, err := io.ReadAll(*body)
		if err != nil {
			return err
		}
		all = f(all)
		*length, *body = int64(len(all)), io.NopCloser(bytes.NewReader(all))
		h.Set("Content-Length", strconv.Itoa(len(all)))
		return nil
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			if r.In.Method == http.MethodPost {
				_ = change(r.Out.Header, &r.Out.ContentLength, &r.Out.Body, func(offer []byte) []byte {
					return candidates.ReplaceAll(offer, nil)
				})
			}
		},
		ModifyResponse: func(r *http.Response) error {
			if r.StatusCode != http.StatusCreated {
				return nil
			}
			return change(r.Header, &r.ContentLength, &r.Body, func(answer []byte) []byte {
				return bytes.ReplaceAll(answer, []byte(" 127.0.0.1 "+port+" "), fmt.Appendf(nil, " 127.0.0.1 %d ", relay.Addr().Port()))
			})
		},
	}
	rtc := ts.srv.rtc.Addr().String()
	if relay, err = client.NewRelay(netip.MustParseAddrPort(rtc)); err != nil {
		ts.t.Fatal(err)
	}
	port = strconv.Itoa(int(netip.MustParseAddrPort(rtc).Port()))
	web := httptest.NewServer(proxy)
	ts.t.Cleanup(func() {
		web.Close()
		relay.Close()
	})
	return web.URL, relay
}

// TestOtherAddress: a participant who sends from another address than before, as browsers
// do when another way looks shorter, is still heard and seen, and what is lost on the way to
// them is sent again.
func TestOtherAddress(t *testing.T) {
	ts := start(t, config.Config{})
	const width, height = 320, 180
	ts.addRoom("r", map[string]any{"disable_video": false, "width": width, "height": height, "fps": 25})
	ts.addStream("r", "s")
	base, relay := ts.relayed()
	link := client.Link{Server: base}
	publisher := ts.publishOver(link, "s", client.Media{Tone: tones[0], Level: -20, Width: width, Height: height, Colour: colours[0], Moving: 25})
	player := ts.playOver(link, "r", "v1a1")
	screen := watch(player)
	time.Sleep(3 * time.Second)
	_, before := publisher.Asked()
	for range 2 { // what was set up for the first of the other addresses is not by chance
		relay.Rebind(false)
		time.Sleep(4 * time.Second) // a pion client checks every two seconds
	}
	relay.Impair(client.Impairment{Loss: 0.1}, client.Impairment{Loss: 0.1})
	begin := time.Now()
	resent := ts.srv.rtc.Stats().Resent
	time.Sleep(4 * time.Second)
	list := screen.since(begin)
	if frozen := longest(list); len(list) < 50 || frozen > time.Second {
		t.Errorf("%d pictures, frozen for %v", len(list), frozen)
	}
	if n := ts.srv.rtc.Stats().Resent - resent; n < 10 {
		t.Errorf("%d packets were sent again", n)
	}
	if _, after := publisher.Asked(); after-before < 10 {
		t.Errorf("%d packets were asked for", after-before)
	}
	if problem := hears(player, []bool{true}); problem != "" {
		t.Error(problem)
	}
}

// TestLostWayOfChromium: when the way that a browser has chosen ends, and it goes over to
// another one of its own accord, so does the server; also if all that changes is how a NAT
// between them shows the browser.
func TestLostWayOfChromium(t *testing.T) {
	ts := start(t, config.Config{})
	const width, height, fps = 320, 180, 25
	ts.addRoom("r", map[string]any{"disable_video": false, "width": width, "height": height, "fps": fps})
	ts.addStream("r", "s")
	ts.publish("s", client.Media{Tone: tones[0], Level: -20, Width: width, Height: height, Colour: colours[0], Moving: fps})
	base, relay := ts.relayed()
	page := tab(t, browser(t), base+"/healthz")
	if refused := evaluate[string](t, page, playJS); refused != "" {
		t.Fatal(refused)
	}
	time.Sleep(6 * time.Second)
	rebind := func() { relay.Rebind(true) }
	// To and fro, since one of the ways has the lower priority.
	for _, change := range []func(){relay.Cut, relay.Cut, rebind} {
		change()
		begin := time.Now()
		before := evaluate[browserPlayed](t, page, playedJS)
		for after := before; after.Frames < before.Frames+25 || after.Sound < before.Sound+25; time.Sleep(100 * time.Millisecond) {
			if after = evaluate[browserPlayed](t, page, playedJS); time.Since(begin) > 15*time.Second {
				t.Fatalf("%+v, and before %+v", after, before)
			}
		}
		t.Logf("it went over within %v", time.Since(begin))
		time.Sleep(2 * time.Second)
	}
	evaluate[int](t, page, "leave()")
}
