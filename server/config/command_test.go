package config

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"sectile/engine/room"
)

// clearEnv hides SECTILE_* of the environment that the test runs in.
func clearEnv(t *testing.T) {
	for _, entry := range os.Environ() {
		if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "SECTILE_") {
			os.Unsetenv(name)
			t.Cleanup(func() { os.Setenv(name, value) })
		}
	}
}

func write(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "sectile.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// everything is a file that sets all there is, and what it means.
const everything = `
# The example of the documentation, and more.
http 8080;
https 127.0.0.1:8443;   # TLS
rtc [::1]:9000;
rtc_address 192.0.2.1,192.0.2.2, 2001:db8::1;
tls_cert "/etc/my certs/cert.pem";
tls_key /etc/key.pem;
data /var/lib/sectile;
edit_auth admin "s;e{c}r \"e\" t\\#";
trusted_proxies 127.0.0.1 10.1.2.3/8, 2001:db8::/32;
max_load 0.7;
log_format json;
log_level debug;
stream meeting {
  input mosaic2:// bitrate=128 disable_video=false width=1280 height=720 fps=25;
}
stream cam1 { input publish://; }
stream old{url mosaic2:// samplerate=16000
	samples="320";}
stream query { input mosaic2://?bitrate=32&fps=30 preset=fast layout=speaker; }
stream "bare" { input mosaic2://?; }
stream cam2 { url publish://; }
`

func everythingConfig() Config {
	o := func(set func(o *room.Options)) room.Options {
		opts := room.DefaultOptions()
		set(&opts)
		return opts
	}
	return Config{
		HTTP: ":8080", HTTPS: "127.0.0.1:8443", RTC: "[::1]:9000",
		RTCAddresses: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("2001:db8::1")},
		TLSCert:      "/etc/my certs/cert.pem", TLSKey: "/etc/key.pem", Data: "/var/lib/sectile",
		EditUser: "admin", EditPass: `s;e{c}r "e" t\#`, MaxLoad: 0.7,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")},
		LogFormat:      "json", LogLevel: "debug",
		Rooms: []Room{
			{"meeting", o(func(o *room.Options) { o.Bitrate, o.DisableVideo = 128, false })},
			{"old", o(func(o *room.Options) { o.SampleRate, o.Samples = 16000, 320 })},
			{"query", o(func(o *room.Options) { o.Bitrate, o.FPS, o.Preset, o.Layout = 32, 30, "fast", "speaker" })},
			{"bare", room.DefaultOptions()},
		},
		Streams: []string{"cam1", "cam2"},
	}
}

func TestParseDefaults(t *testing.T) {
	clearEnv(t)
	c, err := Parse([]string{"serve"})
	if err != nil {
		t.Fatal(err)
	}
	want := Command{Name: "serve", Config: Config{HTTP: ":8080", RTC: ":8189", MaxLoad: 0.85, LogFormat: "text", LogLevel: "info"}}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v\nwant %+v", c, want)
	}
}

func TestParseFile(t *testing.T) {
	clearEnv(t)
	want := everythingConfig()
	for name, text := range map[string]string{
		"plain": everything,
		"CRLF":  strings.ReplaceAll(everything, "\n", "\r\n"),
		"BOM":   "\ufeff" + everything,
	} {
		c, err := Parse([]string{"serve", "--config", write(t, text)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !reflect.DeepEqual(c.Config, want) {
			t.Errorf("%s: got %+v\nwant %+v", name, c.Config, want)
		}
	}
}

// TestPrecedence: default < file < environment < flag, for every setting.
func TestPrecedence(t *testing.T) {
	file := write(t, everything)
	tests := []struct {
		flag, env, low, high string // low in the environment, high on the command line
		get                  func(c Config) string
		wantFile             string
	}{
		{"--http", "SECTILE_HTTP", ":1", ":2", func(c Config) string { return c.HTTP }, ":8080"},
		{"--https", "SECTILE_HTTPS", ":1", ":2", func(c Config) string { return c.HTTPS }, "127.0.0.1:8443"},
		{"--rtc", "SECTILE_RTC", ":1", ":2", func(c Config) string { return c.RTC }, "[::1]:9000"},
		{"--tls-cert", "SECTILE_TLS_CERT", "a", "b", func(c Config) string { return c.TLSCert }, "/etc/my certs/cert.pem"},
		{"--tls-key", "SECTILE_TLS_KEY", "a", "b", func(c Config) string { return c.TLSKey }, "/etc/key.pem"},
		{"--data", "SECTILE_DATA", "a", "b", func(c Config) string { return c.Data }, "/var/lib/sectile"},
		{"--log-format", "SECTILE_LOG_FORMAT", "json", "text", func(c Config) string { return c.LogFormat }, "json"},
		{"--log-level", "SECTILE_LOG_LEVEL", "warn", "error", func(c Config) string { return c.LogLevel }, "debug"},
		{"--edit-auth", "SECTILE_EDIT_AUTH", "u:p", "u:p:q", func(c Config) string { return c.EditUser + ":" + c.EditPass }, `admin:s;e{c}r "e" t\#`},
		{"--max-load", "SECTILE_MAX_LOAD", "0.5", "0", func(c Config) string { return fmt.Sprint(c.MaxLoad) }, "0.7"},
		{"--trusted-proxies", "SECTILE_TRUSTED_PROXIES", "10.0.0.0/8", "192.0.2.0/24", func(c Config) string { return c.TrustedProxies[0].String() }, "127.0.0.1/32"},
		{"--rtc-address", "SECTILE_RTC_ADDRESS", "::ffff:10.0.0.1", "10.0.0.2", func(c Config) string { return c.RTCAddresses[0].String() }, "192.0.2.1"},
	}
	for _, test := range tests {
		t.Run(test.flag, func(t *testing.T) {
			clearEnv(t)
			check := func(want string, args ...string) {
				t.Helper()
				c, err := Parse(append([]string{"serve", "--config", file}, args...))
				if err != nil {
					t.Error(err)
				} else if got := test.get(c.Config); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			check(test.wantFile)
			t.Setenv(test.env, test.low)
			check(strings.TrimPrefix(test.low, "::ffff:"))
			check(test.high, test.flag, test.high)
		})
	}
	if len(tests) != len(settings) {
		t.Errorf("%d settings, %d tested", len(settings), len(tests))
	}
}

// TestTrustedProxies: networks and addresses in all spellings, each once.
func TestTrustedProxies(t *testing.T) {
	clearEnv(t)
	for text, want := range map[string]string{
		"::1": "[::1/128]", "10.1.2.3/8,10.0.0.0/8": "[10.0.0.0/8]", "127.0.0.1, 127.0.0.1/32": "[127.0.0.1/32]",
		"::ffff:10.0.0.0/104,::ffff:192.0.2.1": "[10.0.0.0/8 192.0.2.1/32]", "0.0.0.0/0 ::/0": "[0.0.0.0/0 ::/0]",
	} {
		c, err := Parse([]string{"serve", "--trusted-proxies", text})
		if got := fmt.Sprint(c.Config.TrustedProxies); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
}

// TestFlagsAndSettings: each flag of serve is a setting and the other way round.
func TestFlagsAndSettings(t *testing.T) {
	k, err := kong.New(&commandLine{})
	if err != nil {
		t.Fatal(err)
	}
	flags := map[string]bool{}
	for _, command := range k.Model.Children {
		for _, flag := range command.Flags {
			flags[strings.ReplaceAll(flag.Name, "-", "_")] = true
		}
	}
	delete(flags, "config")
	for name := range settings {
		if !flags[name] {
			t.Errorf("%s has no flag", name)
		}
		delete(flags, name)
	}
	if len(flags) != 0 {
		t.Errorf("flags without a setting: %v", flags)
	}
}

func TestConfigFromEnvironment(t *testing.T) {
	clearEnv(t)
	t.Setenv("SECTILE_CONFIG", write(t, "http 81;"))
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"serve"}, ":81"},
		{[]string{"serve", "--config", write(t, "http 82;")}, ":82"},
		{[]string{"serve", "--config="}, ":8080"},
	} {
		if c, err := Parse(test.args); err != nil || c.Config.HTTP != test.want {
			t.Errorf("%v: HTTP = %q, %v; want %q", test.args, c.Config.HTTP, err, test.want)
		}
	}
}

// TestEmptyTakesBack: what the file switches on, an empty flag switches off.
func TestEmptyTakesBack(t *testing.T) {
	clearEnv(t)
	c, err := Parse([]string{"serve", "--config", write(t, everything), "--https=", "--tls-cert=", "--tls-key=", "--data=", "--edit-auth=", "--rtc-address=", "--trusted-proxies="})
	if err != nil {
		t.Fatal(err)
	}
	want := everythingConfig()
	want.HTTPS, want.TLSCert, want.TLSKey, want.Data, want.EditUser, want.EditPass, want.RTCAddresses, want.TrustedProxies = "", "", "", "", "", "", nil, nil
	if !reflect.DeepEqual(c.Config, want) {
		t.Errorf("got %+v\nwant %+v", c.Config, want)
	}
}

func TestVersionAndHelp(t *testing.T) {
	clearEnv(t)
	for _, version := range []string{"version", "--version", "-v"} {
		if c, err := Parse([]string{version}); err != nil || c.Name != "version" {
			t.Errorf("%s: %+v, %v", version, c, err)
		}
	}
	if c, err := Parse(nil); err != ErrNothing || !strings.Contains(c.Help, "serve") {
		t.Errorf("nothing: %+v, %v", c, err)
	}
	for _, test := range []struct {
		args []string
		want []string
	}{
		{[]string{"--help"}, []string{"serve", "version"}},
		{[]string{"-h"}, []string{"serve", "version"}},
		{[]string{"help"}, []string{"serve", "version"}},
		{[]string{"help", "serve"}, []string{"--rtc-address=IP", "$SECTILE_EDIT_AUTH", ":8189"}},
		{[]string{"serve", "--help"}, []string{"--rtc-address=IP", "$SECTILE_EDIT_AUTH", ":8189"}},
	} {
		c, err := Parse(test.args)
		if !errors.Is(err, ErrHelp) {
			t.Errorf("%v: %v, want ErrHelp", test.args, err)
		}
		for _, want := range test.want {
			if !strings.Contains(c.Help, want) {
				t.Errorf("%v: no %q in\n%s", test.args, want, c.Help)
			}
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, test := range []struct {
		name, file string
		env        [2]string
		args       []string
		want       string // FILE is the file's path
	}{
		{name: "only a flag", args: []string{"--http=:1"}, want: "unknown flag --http"},
		{name: "version of what", args: []string{"--version", "serve"}, want: "unexpected argument serve"},
		{name: "unknown command", args: []string{"run"}, want: "unexpected argument run"},
		{name: "unknown flag", args: []string{"serve", "--port=1"}, want: "unknown flag --port"},
		{name: "argument", args: []string{"serve", "x"}, want: "unexpected argument x"},
		{name: "no such file", args: []string{"serve", "--config=/does/not/exist"}, want: "--config: open /does/not/exist: no such file"},
		{name: "directory", args: []string{"serve", "--config=/"}, want: "--config: read /: is a directory"},
		{name: "address", args: []string{"serve", "--http=localhost"}, want: `--http: "localhost": want a port`},
		{name: "empty address", args: []string{"serve", "--rtc="}, want: "--rtc: wants ADDR:PORT or PORT, got an empty value"},
		{name: "environment", env: [2]string{"SECTILE_HTTP", ":x"}, args: []string{"serve"}, want: `SECTILE_HTTP: ":x": want a port`},
		{name: "flag over bad environment", env: [2]string{"SECTILE_HTTP", ":x"}, args: []string{"serve", "--http=:y"}, want: `--http: ":y"`},
		{name: "level", args: []string{"serve", "--log-level=loud"}, want: `--log-level: "loud" is not accepted, only debug, info, warn, error`},
		{name: "address list", args: []string{"serve", "--rtc-address=1.2.3.4,x"}, want: `--rtc-address: "x" is no IP address`},
		{name: "unspecified", args: []string{"serve", "--rtc-address=0.0.0.0"}, want: "0.0.0.0 cannot be announced"},
		{name: "commas", args: []string{"serve", "--rtc-address=,"}, want: "wants at least one IP address"},
		{name: "proxies", args: []string{"serve", "--trusted-proxies=10.0.0.0/33"}, want: `--trusted-proxies: "10.0.0.0/33" is no network (ADDR/BITS) or IP address`},
		{name: "proxies by name", args: []string{"serve", "--trusted-proxies=::1,localhost"}, want: `--trusted-proxies: "localhost" is no network`},
		{name: "proxies in a zone", args: []string{"serve", "--trusted-proxies=fe80::1%lo"}, want: `--trusted-proxies: "fe80::1%lo" is no network`},
		{name: "no proxies", args: []string{"serve", "--trusted-proxies=,"}, want: "--trusted-proxies: wants at least one network"},
		{name: "no colon", args: []string{"serve", "--edit-auth=hunter2"}, want: "--edit-auth: want USER:PASS"},
		{name: "no user", args: []string{"serve", "--edit-auth=:x"}, want: "--edit-auth: wants USER PASS, got an empty value"},
		{name: "no pass", args: []string{"serve", "--edit-auth=x:"}, want: "--edit-auth: wants USER PASS, got an empty value"},
		{name: "cert without key", args: []string{"serve", "--tls-cert=x"}, want: "--tls-cert without --tls-key"},
		{name: "cert without https", args: []string{"serve", "--tls-cert=x", "--tls-key=y"}, want: "--tls-cert without --https"},
		{name: "key without cert", args: []string{"serve", "--tls-key=x"}, want: "--tls-key without --tls-cert"},
		{name: "cert without key in the file", file: "\ntls_cert x;", want: "FILE:2: tls_cert without tls_key"},
		{name: "key taken back", file: "\ntls_cert x; tls_key y;", args: []string{"serve", "--tls-key="}, want: "FILE:2: tls_cert without tls_key"},
		{name: "file", file: "http x;", want: `FILE:1: http: "x": want a port from 0 to 65535`},
		{name: "bad file under a good flag", file: "http x;", args: []string{"serve", "--http=1"}, want: `FILE:1: http: "x"`},
		{name: "huge file", file: strings.Repeat("#", maxFile+1), want: "larger than"},
	} {
		t.Run(test.name, func(t *testing.T) {
			clearEnv(t)
			if test.env[0] != "" {
				t.Setenv(test.env[0], test.env[1])
			}
			args, want := test.args, test.want
			if test.file != "" {
				path := write(t, test.file)
				if args == nil {
					args = []string{"serve"}
				}
				args, want = append(args, "--config", path), strings.ReplaceAll(want, "FILE", path)
			}
			_, err := Parse(args)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Fatalf("got  %v\nwant %s", err, want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the error shows a secret")
			}
			if strings.Contains(test.want, "FILE:") && !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%v does not start with file and line", err)
			}
		})
	}
}
