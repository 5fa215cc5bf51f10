// Package process builds samla and runs it as a separate process, as users do. It
// captures what the process prints and logs. The tests of the command line and the crash
// tests use it.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// waitTimeout is how long Wait waits for the end of a process.
const waitTimeout = 3 * time.Minute

// Build builds the program into dir and returns its path. It is built as make build does,
// for users: so the packages are compiled once for both.
func Build(dir string) (string, error) {
	path := filepath.Join(dir, "samla")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "samla/cmd/samla")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", errors.New("build samla: " + string(out))
	}
	return path, nil
}

// Main builds the program, stores its path in *program, and runs the tests of a package.
func Main(m *testing.M, program *string) int {
	dir, err := os.MkdirTemp("", "samla-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if *program, err = Build(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// Process is a running program.
type Process struct {
	tb       testing.TB
	cmd      *exec.Cmd
	Out, Log *Output // standard output and standard error
	done     chan struct{}
}

// Start starts a program. It is killed at the end of the test if it is still running. Its
// environment is that of the test without the variables SAMLA_….
func Start(tb testing.TB, program string, args ...string) *Process {
	tb.Helper()
	p := &Process{tb: tb, cmd: exec.Command(program, args...), Out: newOutput(), Log: newOutput(), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.Out, p.Log
	p.cmd.Env = environment()
	start(tb, p.cmd, func() {
		_ = p.cmd.Wait() // the exit status is in ProcessState
		close(p.done)
		p.Out.close()
		p.Log.close()
	})
	tb.Cleanup(p.Kill)
	return p
}

// StartChild starts a command for which the test itself waits, such as the test's own
// program that is to be killed. If the test does not get there, it is killed at the end of
// the test, or with the test: a child that lives on sends requests to ports that others get.
func StartChild(tb testing.TB, cmd *exec.Cmd) {
	tb.Helper()
	ended := make(chan struct{})
	start(tb, cmd, func() { <-ended })
	tb.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
		close(ended)
	})
}

// start starts a command that the kernel kills with the test, and runs then, which returns
// when the command has ended.
func start(tb testing.TB, cmd *exec.Cmd, then func()) {
	tb.Helper()
	cmd.SysProcAttr = killWithParent()
	started := make(chan error)
	go func() {
		// Pdeathsig depends on the thread that started the child, not on the process.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			then()
		}
	}()
	if err := <-started; err != nil {
		tb.Fatal(err)
	}
}

// environment returns the environment of the test without the variables SAMLA_…. Metrics are
// off: the programs of parallel tests cannot share the default address.
func environment() []string {
	env := []string{"SAMLA_METRICS=off"}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "SAMLA_") {
			env = append(env, v)
		}
	}
	return env
}

// Run runs a program until it ends and returns its standard output, its standard error
// and its exit status.
func Run(tb testing.TB, program string, args ...string) (out, log string, status int) {
	tb.Helper()
	p := Start(tb, program, args...)
	status = p.Wait()
	return p.Out.String(), p.Log.String(), status
}

// Kill kills the process, as in a crash, and waits until it has ended.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // fails if the process has already ended
	<-p.done
}

// Terminate sends SIGTERM to the process.
func (p *Process) Terminate() {
	p.tb.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.tb.Errorf("cannot send SIGTERM to the process: %v", err)
	}
}

// Wait waits for the end of the process and returns its exit status, or -1 if it was
// ended by a signal.
func (p *Process) Wait() int {
	p.tb.Helper()
	timer := time.NewTimer(waitTimeout)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		p.tb.Fatalf("the process did not end within %v; its log:\n%s", waitTimeout, p.Log.Tail())
	}
	return p.cmd.ProcessState.ExitCode()
}

// Work returns how much time of processors a process has used that has ended.
func (p *Process) Work() time.Duration {
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// Done returns a channel that is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// servingLine matches the log line with the whole address of the server: a write may be read
// in parts.
var servingLine = regexp.MustCompile(`msg=serving .*?address=(\S+)\s`)

// Address waits until the server is serving and returns its URL.
func (p *Process) Address(ctx context.Context) (string, error) {
	found, err := p.Log.Await(ctx, servingLine)
	if err != nil {
		return "", err
	}
	return "http://" + found[1], nil
}

// Output is what a process has written so far.
type Output struct {
	mu     sync.Mutex
	all    bytes.Buffer
	grown  chan struct{} // closed and replaced by each write
	closed bool
}

func newOutput() *Output { return &Output{grown: make(chan struct{})} }

// Write implements io.Writer.
func (t *Output) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all.Write(p)
	close(t.grown)
	t.grown = make(chan struct{})
	return len(p), nil
}

func (t *Output) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	close(t.grown)
}

// String returns everything that was written so far.
func (t *Output) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.all.String()
}

// Tail returns the last 4000 bytes, for failure messages.
func (t *Output) Tail() string {
	s := t.String()
	return s[max(0, len(s)-4000):]
}

// ErrEnded means that a process has ended without writing a line that matches.
var ErrEnded = errors.New("the process has ended")

// Await waits until a complete line matches and returns the first match with its groups.
// Errors are ErrEnded and that of ctx.
func (t *Output) Await(ctx context.Context, pattern *regexp.Regexp) ([]string, error) {
	for {
		t.mu.Lock()
		text, grown, closed := t.all.Bytes(), t.grown, t.closed
		text = text[:bytes.LastIndexByte(text, '\n')+1]
		found := pattern.FindSubmatch(text)
		groups := make([]string, len(found))
		for i, f := range found {
			groups[i] = string(f)
		}
		t.mu.Unlock()
		switch {
		case found != nil:
			return groups, nil
		case closed:
			return nil, ErrEnded
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
