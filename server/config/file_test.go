package config

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/alecthomas/participle/v2/lexer"

	"sectile/engine/room"
)

func TestFileErrors(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		// Structure.
		{"http 8080", `1: ";" is missing after "8080"`},
		{"http 8080\nedit_auth a b;", `1: ";" is missing after "8080"`},
		{"\n\nhttp 8080\n\n# comment\nstream x { input publish://; }", `3: ";" is missing after "8080"`},
		{"stream x {\n  input publish://\n}", `2: ";" is missing after "publish://"`},
		{"stream x {\n  input publish://", `2: ";" is missing after "publish://"`},
		{"stream x {\n  input mosaic2://\n    fps=5\n  input publish://;\n}", `3: ";" is missing after "fps=5"`},
		{"http 1;\nstream x {\n  input publish://;\n", `2: the "{" of stream x has no "}"`},
		{"stream x {\n  input publish://;\nstream y { input publish://; }", `3: stream cannot be in stream x: is a "}" missing before it?`},
		{"stream x {\n  input publish://;\nhttp 1;", `3: http cannot be in stream x`},
		{"stream x\n  input publish://;\n}", `1: "{" is missing after stream "x"`},
		{"stream x;", `1: "{" is missing after stream "x"`},
		{"stream x", `1: "{" is missing after stream "x"`},
		{"stream;", `1: stream: the name is missing`},
		{"stream { input publish://; }", `1: stream: the name is missing`},
		{"\n}", `2: unexpected "}"`},
		{"http 1;;", `1: unexpected ";"`},
		{"{ }", `1: unexpected "{"`},
		{"stream x { ; }", `1: unexpected ";" in stream x`},
		{"stream x { input publish:// { } }", `1: ";" is missing after "publish://"`},
		{"stream x { { } }", `1: unexpected "{" in stream x`},
		{"http { 80; }", `1: http takes no {…}`},
		{"edit_auth a \"b;\nhttp 80;", `1: a string has no closing quote on its line`},
		{"stream \"x {\n", `1: a string has no closing quote on its line`},
		{"stream x { input \"publish://; }\n", `1: a string has no closing quote on its line`},
		{"\"", `1: a string has no closing quote on its line`},

		// Directives.
		{"http 1;\nrtmp 1935;", `2: unknown directive "rtmp"; known are data, edit_auth, http, https, log_format, log_level, max_load, rtc, rtc_address, tls_cert, tls_key, trusted_proxies, stream`},
		{"HTTP 1;", `1: unknown directive "HTTP"`},
		{"\"\" 1;", `1: unknown directive ""`},
		{"http 1;\n\nhttp 2;", `3: http is set twice, first in line 1`},
		{"http;", `1: http: wants ADDR:PORT or PORT, got 0 values`},
		{"http 1 2;", `1: http: wants ADDR:PORT or PORT, got 2 values`},
		{"http \"\";", `1: http: wants ADDR:PORT or PORT, got an empty value`},
		{"http 65536;", `1: http: "65536": want a port from 0 to 65535`},
		{"http -1;", `1: http: "-1": want a port`},
		{"http ::1;", `1: http: "::1" is no ADDR:PORT or PORT`},
		{"http http://x:1;", `1: http: "http://x:1" is no ADDR:PORT`},
		{"http \"a b:1\";", `1: http: "a b:1" has no valid address`},
		{"rtc_address;", `1: rtc_address: wants IP,IP,…, got 0 values`},
		{"rtc_address example.org;", `1: rtc_address: "example.org" is no IP address`},
		{"rtc_address fe80::1%eth0;", `1: rtc_address: "fe80::1%eth0" is no IP address`},
		{"rtc_address 224.0.0.1;", `1: rtc_address: 224.0.0.1 cannot be announced`},
		{"edit_auth admin;", `1: edit_auth: wants USER PASS, got 1 values`},
		{"edit_auth a:b c;", `1: edit_auth: the user name cannot have a colon`},
		{"log_format xml;", `1: log_format: "xml" is not accepted, only text, json`},
		{"max_load 1.5;", `1: max_load: "1.5" is not accepted, only 0 to 1`},
		{"max_load nan;", `1: max_load: "nan" is not accepted, only 0 to 1`},
		{"log_level WARN;", `1: log_level: "WARN" is not accepted, only debug, info, warn, error`},

		// Streams.
		{"stream .x { input publish://; }", `1: stream: name ".x" is not accepted, only 1 to 64 of A-Z a-z 0-9 _ . -, not starting with a dot`},
		{"stream a/b { input publish://; }", `1: stream: name "a/b" is not accepted`},
		{"stream \"\" { input publish://; }", `1: stream: name "" is not accepted`},
		{"stream " + strings.Repeat("x", 65) + " { input publish://; }", `1: stream: name "xxx`},
		{"stream a { input publish://; }\nstream a { input mosaic2://; }", `2: stream a is declared twice, first in line 1`},
		{"\nstream a { }", `2: stream a has no input`},
		{"stream a {\n input publish://;\n input mosaic2://;\n}", `3: stream a has a second input, first in line 2`},
		{"stream a {\n title x;\n}", `2: unknown directive "title" in stream a; known are input, url`},
		{"stream a {\n input;\n}", `2: input wants mosaic2:// or publish://`},
		{"stream a {\n url mosaic://;\n}", `2: source "mosaic://" is not accepted, only mosaic2://`},
		{"stream a { input mosaic2; }", `1: source "mosaic2" is not accepted`},
		{"stream a { input rtsp://camera; }", `1: source "rtsp://camera" is not accepted`},
		{"stream a { input publish:// x=1; }", `1: option "x=1": publish:// takes no options`},
		{"stream a { input publish://?x; }", `1: option "x": publish:// takes no options`},

		// Options of mosaic2, at their own line.
		{"stream a {\n input mosaic2://\n bitrate=128\n colour=red;\n}", `4: option "colour" (value "red") is unknown; accepted are bitrate, samplerate, samples, gate, disable_video, width, height, fps, video_bitrate, preset`},
		{"stream a {\n input mosaic2://\n bitrate=5\n fps=5;\n}", `3: option bitrate: "5" is not accepted, only 6 to 510`},
		{"stream a {\n input mosaic2://\n bitrate=64k;\n}", `3: option bitrate: "64k" is not accepted, only 6 to 510`},
		{"stream a { input mosaic2:// bitrate=; }", `1: option bitrate: "" is not accepted`},
		{"stream a { input mosaic2:// bitrate; }", `1: option "bitrate" has no value`},
		{"stream a { input mosaic2:// bitrate = 5; }", `1: option "bitrate" has no value`},
		{"stream a { input mosaic2:// =5; }", `1: option "" (value "5") is unknown`},
		{"stream a { input mosaic2:// fps=5\n fps=5; }", `2: option fps is given twice`},
		{"stream a { input mosaic2://?fps=5&fps=5; }", `1: option fps is given twice`},
		{"stream a {\n input mosaic2:// samples=960\n\n samplerate=8000; }", `2: option samples: "960" is not accepted, only 20, 40, 80, 160, 320, 480 at samplerate 8000`},
		{"stream a { input mosaic2:// disable_video=yes; }", `1: option disable_video: "yes" is not accepted, only true or false`},
		{"stream a { input mosaic2:// gate=yes; }", `1: option gate: "yes" is not accepted, only on or off`},
		{"stream a { input mosaic2:// width=1281; }", `1: option width: "1281" is not accepted, only even numbers`},
		{"stream all {\n input publish://; }", `2: stream: name "all" is not accepted for a stream`},
		{"stream a { input mosaic2:// samplerate=8001; }", `1: option samplerate: "8001" is not accepted`},
		{"stream a { input mosaic2:// preset=placebo; }", `1: option preset: "placebo" is not accepted, only ultrafast`},
	} {
		var c Config
		_, err := parseFile("FILE", test.text, &c)
		if err == nil || !strings.HasPrefix(err.Error(), "FILE:"+test.want) {
			t.Errorf("%s\n got %v\nwant FILE:%s", test.text, err, test.want)
		}
	}
}

func TestFileAccepts(t *testing.T) {
	for _, text := range []string{
		"", "\n", "# nothing", "#", "http 8080;# comment", "http\n8080\n;", `http "8080";`, "http [::]:80;", "http localhost:0;",
		"edit_auth admin se#cret;", `edit_auth admin a"; {"b;`, "stream a{input publish://;}stream b{url mosaic2://;}",
		"stream input { input publish://; }", "stream a { input mosaic2://? fps=5; }", "stream a { input mosaic2://?&fps=5&; }",
		"stream a { url mosaic2://bitrate=96 fps=5; }", "stream a { input mosaic2:// gate=off; }", "stream a { input mosaic2:// gate=on; }",
		"rtc_address 1.2.3.4 5.6.7.8, ::1,;", "stream all { input mosaic2://; }",
	} {
		var c Config
		if _, err := parseFile("FILE", text, &c); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestDefaultSamples: a rate alone has packets that go with it.
func TestDefaultSamples(t *testing.T) {
	for options, want := range map[string]int{
		"": 960, "samplerate=8000": 160, "samplerate=12000": 240, "samplerate=16000": 960, "samplerate=24000": 960,
		"samples=20 samplerate=8000": 20, "samplerate=16000 samples=320": 320,
	} {
		var c Config
		if _, err := parseFile("FILE", "stream a { input mosaic2:// "+options+"; }", &c); err != nil {
			t.Errorf("%s: %v", options, err)
		} else if got := c.Rooms[0].Options.Samples; got != want {
			t.Errorf("%s: %d samples, want %d", options, got, want)
		}
	}
}

// TestOpenQuote: an open quote takes the rest of its line. If each quote in it were looked
// at for itself, the time would grow with the square of the line's length.
func TestOpenQuote(t *testing.T) {
	l, err := tokens.LexString("FILE", strings.Repeat(`"\`, 1000)+"\n;")
	if err != nil {
		t.Fatal(err)
	}
	list, err := lexer.ConsumeAll(l)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 3 || len(list[0].Value) != 2000 || list[1].Value != ";" || !list[2].EOF() {
		t.Errorf("%d tokens, want the line, the semicolon and the end", len(list))
	}
}

// FuzzFile: whatever a file has, reading it ends with an error that names a line of it,
// or with a configuration that is valid.
func FuzzFile(f *testing.F) {
	f.Add(everything)
	f.Add("stream a {\n input mosaic2://\n bitrate=5 fps=\"5\";\n}")
	f.Add("edit_auth \"a\\\"b\" c\\;{}#")
	f.Add("stream x { input publish://")
	f.Add("\"\n}{;#")
	f.Fuzz(func(t *testing.T, text string) {
		c := Default()
		_, err := parseFile("f", text, &c)
		if err != nil {
			var at *FileError
			if !errors.As(err, &at) || at.Line < 1 || at.Line > strings.Count(text, "\n")+1 || at.Msg == "" {
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		names := map[string]bool{}
		for _, name := range c.Streams {
			names[name] = true
		}
		for _, r := range c.Rooms {
			names[r.Name] = true
			if err := r.Options.Validate(); err != nil {
				t.Fatal(err)
			}
		}
		if len(names) != len(c.Rooms)+len(c.Streams) {
			t.Fatalf("a name twice: %v %v", c.Rooms, c.Streams)
		}
		for name := range names {
			if err := room.CheckName(name); err != nil {
				t.Fatal(err)
			}
		}
		for _, ip := range c.RTCAddresses {
			if ip == (netip.Addr{}) {
				t.Fatal("no address")
			}
		}
		for _, addr := range []string{c.HTTP, c.RTC} {
			if !strings.Contains(addr, ":") {
				t.Fatalf("address %q", addr)
			}
		}
		if (c.EditUser == "") != (c.EditPass == "") || strings.Contains(c.EditUser, ":") {
			t.Fatalf("credentials %q %q", c.EditUser, c.EditPass)
		}
	})
}
