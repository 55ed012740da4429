// Sectile is a mixing server for chat rooms over WebRTC.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"sectile/asm/cpu"
	"sectile/server/codecs"
	"sectile/server/config"
)

// version is set by the linker.
var version = "unknown"

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program; it returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	command, err := config.Parse(args)
	switch {
	case errors.Is(err, config.ErrHelp):
		fmt.Fprint(stdout, command.Help)
		return 0
	case errors.Is(err, config.ErrNothing):
		fmt.Fprint(stderr, command.Help)
		return 2
	case err != nil:
		fmt.Fprintln(stderr, err)
		return 2
	}
	switch command.Name {
	case "version":
		printVersion(stdout)
		if err := cpu.EnvError(); err != nil {
			fmt.Fprintln(stderr, err)
			return 2
		}
		return 0
	default:
		return serve(command.Config, stderr)
	}
}

func printVersion(w io.Writer) {
	fmt.Fprintf(w, "sectile %s\ncpu tier %s\n", version, cpu.Current())
	for _, v := range codecs.Versions() {
		fmt.Fprintf(w, "%s %s\n", v.Name, v.Version)
	}
}

func serve(c config.Config, stderr io.Writer) int {
	prefer()
	log := newLogger(c, stderr)
	ctx, stop := untilSignal(log)
	defer stop()

	s, err := newServer(c, log)
	if err != nil {
		log.Error("cannot start", "err", err)
		return 1
	}
	log.Info("sectile", "version", version, "cpu", cpu.Current().String(), "rtc", s.rtc.Addr().String())
	log.Info("demo: " + pageURL("http", s.http.Addr()))
	if s.https != nil {
		log.Info("demo: " + pageURL("https", s.https.Addr()))
	}
	if c.EditUser == "" {
		log.Info("no --edit-auth: the control API answers localhost only; publishing and playing are open to all")
	}
	if err := s.run(ctx, c); err != nil {
		log.Error("server", "err", err)
		return 1
	}
	log.Info("bye")
	return 0
}

// untilSignal returns a context that is done with the first SIGTERM or SIGINT. The second
// one ends the process, as it would by default, but is logged. stop frees what that takes.
func untilSignal(log *slog.Logger) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals, stopped := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case s := <-signals:
				if ctx.Err() == nil {
					cancel()
					continue
				}
				log.Warn("second signal: exiting at once", "signal", s.String())
				signal.Reset(s)
				_ = syscall.Kill(os.Getpid(), s.(syscall.Signal)) // cannot fail: it is this process
			case <-stopped:
				return
			}
		}
	})
	return ctx, func() {
		signal.Stop(signals)
		close(stopped)
		wg.Wait()
		cancel()
	}
}

func newLogger(c config.Config, w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		panic(err) // config has checked it
	}
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// pageURL is where a browser on this machine finds what listens at addr.
func pageURL(scheme string, addr net.Addr) string {
	host, port, _ := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("%s://%s:%s", scheme, host, port)
}
