package target

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

// Addresses of the two ends: the server's, that of the load, and the network of which each
// participant has an address.
const (
	serverAddress = "10.99.0.2"
	loadAddress   = "10.99.0.1"
	Participants  = "10.98.0.0/16"
)

// inside is set in the environment of a process that has a namespace of its own.
const inside = "SECTILE_BENCH_NAMESPACE"

// Isolate runs this program again in a network namespace of its own and exits with its
// status; there it returns. It is to be called first in main. Neither the namespace nor
// the servers in theirs outlive the program, even if it is killed. It needs root.
func Isolate() error {
	runtime.LockOSThread() // Pdeathsig means the thread that started the process
	if os.Getenv(inside) != "" {
		return run("ip", "link", "set", "lo", "up")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	err = cmd.Run()
	if cmd.ProcessState == nil {
		return fmt.Errorf("a network namespace (which needs root): %w", err)
	}
	os.Exit(cmd.ProcessState.ExitCode())
	return nil
}

// isolated starts a command in another network namespace with a way between the two. Only
// a program that called Isolate may, and from main's goroutine.
func isolated(name string, args ...string) (*exec.Cmd, error) {
	// The shell waits until the network is there and then becomes the command.
	cmd := exec.Command("sh", append([]string{"-c", `read -r go && exec "$@"`, "sh", name}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	output, err := outputFile()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = output, output
	start, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	defer start.Close()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	there := fmt.Sprint(cmd.Process.Pid)
	for _, c := range []string{
		"ip link add load0 type veth peer name server0 netns " + there,
		"ip address add " + loadAddress + "/30 dev load0",
		"ip link set load0 up",
		"ip route replace local " + Participants + " dev lo",
		"nsenter -n -t " + there + " ip link set lo up",
		"nsenter -n -t " + there + " ip address add " + serverAddress + "/30 dev server0",
		"nsenter -n -t " + there + " ip link set server0 up",
		"nsenter -n -t " + there + " ip route add " + Participants + " via " + loadAddress,
	} {
		if err = run(strings.Fields(c)...); err != nil {
			break
		}
	}
	if err == nil {
		_, err = start.Write([]byte("go\n"))
	}
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, err
	}
	return cmd, nil
}

// WithParent makes a process end with this one.
func WithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

func run(command ...string) error {
	if output, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, output)
	}
	return nil
}
