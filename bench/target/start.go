package target

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Server is a server that was started to be measured.
type Server struct {
	URL  string
	Auth string // of Sectile's control API
	PID  int

	cmd      *exec.Cmd
	isolated bool
}

// Stop ends the server.
func (s *Server) Stop() error {
	defer s.cmd.Stdout.(*os.File).Close()
	var link error
	if s.isolated {
		// The namespace goes with the server, but not before the next one wants the name.
		link = run("ip", "link", "delete", "load0")
	}
	// The sessions are over: none of them needs a goodbye.
	_ = s.cmd.Process.Signal(syscall.SIGKILL)
	var exit *exec.ExitError
	if err := s.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return errors.Join(err, link)
	}
	return link
}

// Log is what the server has written so far.
func (s *Server) Log() string {
	log, _ := io.ReadAll(io.NewSectionReader(s.cmd.Stdout.(*os.File), 0, 1<<20))
	return string(log)
}

// StartSectile starts the program in a network namespace; see Isolate.
func StartSectile(program string) (*Server, error) {
	const auth = "bench:bench"
	cmd, err := isolated(program, "serve", "--http", serverAddress+":8080", "--rtc", serverAddress+":8189", "--edit-auth", auth,
		"--max-load", "0") // the load is what is measured
	if err != nil {
		return nil, err
	}
	s := &Server{URL: "http://" + serverAddress + ":8080", Auth: auth, PID: cmd.Process.Pid, cmd: cmd, isolated: true}
	return s.ready(s.URL + "/healthz")
}

// StartSectileHere starts the program on free ports of loopback, with more variables in its
// environment.
func StartSectileHere(program string, env ...string) (*Server, error) {
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := tcp.Addr().String()
	if err := tcp.Close(); err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "serve", "--http", address, "--rtc", "127.0.0.1:0", "--max-load", "0")
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = WithParent()
	output, err := outputFile()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		output.Close()
		return nil, err
	}
	s := &Server{URL: "http://" + address, PID: cmd.Process.Pid, cmd: cmd}
	return s.ready(s.URL + "/healthz")
}

// outputFile is a file that lives as long as it is open.
func outputFile() (*os.File, error) {
	f, err := os.CreateTemp("", "sectile-bench-*.log")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

// Files of Janus's configuration. Sessions that do not poll are not to end.
var janusFiles = map[string]string{
	"janus.jcfg": `general: {
	debug_level = 2
	session_timeout = 0
}
nat: {
	nice_debug = false
}
plugins: {
	disable = "libjanus_duktape.so,libjanus_echotest.so,libjanus_lua.so,libjanus_nosip.so,libjanus_recordplay.so,libjanus_sip.so,libjanus_streaming.so,libjanus_textroom.so,libjanus_videocall.so,libjanus_videoroom.so,libjanus_voicemail.so"
}
transports: {
	disable = "libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_pfunix.so,libjanus_rabbitmq.so,libjanus_websockets.so"
}
`,
	"janus.transport.http.jcfg": `general: {
	json = "compact"
	base_path = "/janus"
	http = true
	port = 8088
	https = false
}
admin: {
	admin_http = false
}
`,
	"janus.plugin.audiobridge.jcfg": "",
}

// StartJanus starts Debian's Janus in a network namespace; see Isolate.
func StartJanus() (*Server, error) {
	dir, err := os.MkdirTemp("", "sectile-bench-janus-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) // it is read at the start only
	for name, text := range janusFiles {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	cmd, err := isolated("janus", "--configs-folder="+dir, "--config="+filepath.Join(dir, "janus.jcfg"), "--disable-colors")
	if err != nil {
		return nil, err
	}
	s := &Server{URL: "http://" + serverAddress + ":8088/janus", PID: cmd.Process.Pid, cmd: cmd, isolated: true}
	return s.ready(s.URL + "/info")
}

// ready waits until the server answers.
func (s *Server) ready(url string) (*Server, error) {
	var err error
	for range 100 {
		var resp *http.Response
		if resp, err = http.Get(url); err == nil {
			resp.Body.Close()
			return s, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil, errors.Join(fmt.Errorf("the server does not answer: %w\n%s", err, s.Log()), s.Stop())
}
