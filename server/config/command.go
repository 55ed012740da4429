package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// Command is what the program is asked to do.
type Command struct {
	Name   string // "serve" or "version"
	Config Config // for serve
	Help   string // text, with ErrHelp and ErrNothing
}

// Errors of Parse with which the Command has a text.
var (
	// ErrHelp means that help is asked for.
	ErrHelp = errors.New("help requested")
	// ErrNothing means that nothing is asked for.
	ErrNothing = errors.New("no command")
)

// maxFile bounds a configuration file.
const maxFile = 1 << 20

// commandLine is the shape of the command line for kong. What is not given stays nil:
// kong's own defaults would hide whether the file may decide.
type commandLine struct {
	Serve struct {
		Config         *string `placeholder:"FILE" help:"Configuration in Flussonic's syntax."`
		HTTP           *string `name:"http" placeholder:"ADDR" help:"API, WHIP, WHEP, pages and metrics (:8080)."`
		HTTPS          *string `name:"https" placeholder:"ADDR" help:"The same over TLS (off)."`
		TLSCert        *string `name:"tls-cert" placeholder:"FILE" help:"Certificate chain of HTTPS, PEM (self-signed)."`
		TLSKey         *string `name:"tls-key" placeholder:"FILE" help:"Its private key, PEM."`
		RTC            *string `name:"rtc" placeholder:"ADDR" help:"The one UDP port of all WebRTC traffic (:8189)."`
		RTCAddress     *string `name:"rtc-address" placeholder:"IP,…" help:"Addresses announced in ICE candidates, behind NAT (those of the interfaces)."`
		Data           *string `placeholder:"DIR" help:"Where rooms and streams persist (only in memory)."`
		EditAuth       *string `name:"edit-auth" placeholder:"USER:PASS" help:"Credentials of the control API (none: it answers localhost only)."`
		TrustedProxies *string `name:"trusted-proxies" placeholder:"CIDR,…" help:"Reverse proxies whose X-Forwarded-For tells a client's address (none)."`
		MaxLoad        *string `name:"max-load" placeholder:"SHARE" help:"Load of the machine, 0 to 1, from which on new sessions are refused; 0: never (0.85)."`
		LogFormat      *string `name:"log-format" placeholder:"FORMAT" help:"text or json (text)."`
		LogLevel       *string `name:"log-level" placeholder:"LEVEL" help:"debug, info, warn or error (info)."`
	} `cmd:"" help:"Run the server."`
	Version struct{} `cmd:"" help:"Print the versions of the program and its codecs."`
}

// Parse reads the command line (without the program's name), the environment and the
// file that they name. A flag overrides its environment variable, which overrides the
// file. An error in the file is a *FileError. For --help, or help, the error is ErrHelp,
// and ErrNothing without arguments; the text is in the Command.
func Parse(args []string) (Command, error) {
	if len(args) == 0 {
		c, err := Parse([]string{"--help"})
		if errors.Is(err, ErrHelp) {
			err = ErrNothing
		}
		return c, err
	}
	switch args[0] {
	case "help":
		args = append(args[1:len(args):len(args)], "--help")
	case "--version", "-v":
		args = append([]string{"version"}, args[1:]...)
	}
	var line commandLine
	var help bytes.Buffer
	helped := false
	k, err := kong.New(&line,
		kong.Name("sectile"),
		kong.Description("A mixing server for chat rooms over WebRTC. A flag overrides its environment variable, which overrides the configuration file."),
		kong.DefaultEnvars("SECTILE"),
		kong.Writers(&help, io.Discard),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{NoExpandSubcommands: true}),
	)
	if err != nil {
		return Command{}, fmt.Errorf("command line: %w", err)
	}
	ctx, err := k.Parse(args)
	switch {
	case helped:
		return Command{Help: help.String()}, ErrHelp
	case err != nil:
		return Command{}, err
	}
	c := Command{Name: ctx.Command()}
	if c.Name != "serve" {
		return c, nil
	}
	c.Config, err = serveConfig(ctx, line.Serve.Config)
	return c, err
}

// serveConfig puts the file under the flags of ctx.
func serveConfig(ctx *kong.Context, path *string) (Config, error) {
	c := Default()
	lines := map[string]int{}
	name := ""
	if path != nil && *path != "" {
		name = *path
		text, err := readFile(name)
		if err != nil {
			return Config{}, fmt.Errorf("--config: %w", err)
		}
		if lines, err = parseFile(name, text, &c); err != nil {
			return Config{}, err
		}
	}
	onCommandLine := map[string]bool{}
	for _, p := range ctx.Path {
		if p.Flag != nil {
			onCommandLine[p.Flag.Name] = true
		}
	}
	for _, flag := range ctx.Flags() {
		key := strings.ReplaceAll(flag.Name, "-", "_")
		s, ok := settings[key]
		value, _ := flag.Target.Interface().(*string)
		if !ok || value == nil {
			continue
		}
		delete(lines, key)
		if err := override(&c, key, s, *value); err != nil {
			origin := "--" + flag.Name
			if !onCommandLine[flag.Name] {
				origin = flag.Envs[0]
			}
			return Config{}, fmt.Errorf("%s: %w", origin, err)
		}
	}
	if err := checkTLS(c, name, lines); err != nil {
		return Config{}, err
	}
	return c, nil
}

// override sets what a flag or its variable says.
func override(c *Config, key string, s setting, value string) error {
	switch {
	case value == "" && s.clear != nil:
		s.clear(c)
		return nil
	case key == "edit_auth":
		user, pass, ok := strings.Cut(value, ":")
		if !ok {
			return errors.New("want USER:PASS") // and do not repeat what may be a password
		}
		return s.apply(c, []string{user, pass})
	}
	return s.apply(c, []string{value})
}

// checkTLS checks what no setting can check alone.
func checkTLS(c Config, name string, lines map[string]int) error {
	given, missing := "tls_cert", "tls_key"
	switch {
	case (c.TLSCert == "") == (c.TLSKey == ""):
		if c.TLSCert == "" || c.HTTPS != "" {
			return nil
		}
		missing = "https"
	case c.TLSCert == "":
		given, missing = missing, given
	}
	if line := lines[given]; line != 0 {
		return &FileError{name, line, fmt.Sprintf("%s without %s", given, missing)}
	}
	dashes := strings.NewReplacer("_", "-")
	return fmt.Errorf("--%s without --%s", dashes.Replace(given), dashes.Replace(missing))
}

func readFile(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", err
	}
	if len(text) > maxFile {
		return "", fmt.Errorf("%s: larger than %d bytes", name, maxFile)
	}
	return string(text), nil
}
