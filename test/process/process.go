// Package process runs samla as its users do: the built program, as a process of
// its own, with what it prints and logs at hand. It owns the build and the
// processes it starts, and hands them to the tests of the command line and of
// crashes.
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

// patience is how long a process may take for what it is waited for.
const patience = time.Minute

// Build builds the program into dir and returns its path. It is built without
// the race detector: it is the one that users run.
func Build(dir string) (string, error) {
	path := filepath.Join(dir, "samla")
	out, err := exec.Command("go", "build", "-o", path, "samla/cmd/samla").CombinedOutput()
	if err != nil {
		return "", errors.New("build samla: " + string(out))
	}
	return path, nil
}

// Main runs the tests of a package with the program built once for them, whose
// path it keeps in *program.
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
	Out, Log *Text // standard output and standard error
	done     chan struct{}
}

// Start starts a program; it is killed at the end of the test if it still runs.
// Settings of this environment that are meant for samla do not reach it.
func Start(tb testing.TB, program string, args ...string) *Process {
	tb.Helper()
	p := &Process{tb: tb, cmd: exec.Command(program, args...), Out: newText(), Log: newText(), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.Out, p.Log
	p.cmd.SysProcAttr = endsWithUs()
	p.cmd.Env = environment()
	started := make(chan error)
	go func() {
		// The system ties the child to the thread that made it, not to the process.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // the exit status is in ProcessState
			close(p.done)
			p.Out.close()
			p.Log.close()
		}
	}()
	if err := <-started; err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(p.Kill)
	return p
}

// environment is ours without SAMLA_ settings.
func environment() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "SAMLA_") {
			env = append(env, v)
		}
	}
	return env
}

// Run runs a program to its end and returns what it printed and its exit status.
func Run(tb testing.TB, program string, args ...string) (out, log string, status int) {
	tb.Helper()
	p := Start(tb, program, args...)
	status = p.Wait()
	return p.Out.String(), p.Log.String(), status
}

// Kill ends the process as a crash would, and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.done
}

// Terminate asks the process to stop.
func (p *Process) Terminate() {
	p.tb.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.tb.Errorf("the process cannot be told to stop: %v", err)
	}
}

// Wait waits for the end of the process and returns its exit status; -1 stands
// for a signal.
func (p *Process) Wait() int {
	p.tb.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		p.tb.Fatalf("the process does not end; it logged:\n%s", p.Log.Tail())
	}
	return p.cmd.ProcessState.ExitCode()
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// serving is the line with which a server says where it serves.
var serving = regexp.MustCompile(`msg=serving .*?address=(\S+)`)

// Address waits until the process serves and returns where.
func (p *Process) Address(ctx context.Context) (string, error) {
	found, err := p.Log.Await(ctx, serving)
	if err != nil {
		return "", err
	}
	return "http://" + found[1], nil
}

// Text is what a process has written so far.
type Text struct {
	mu     sync.Mutex
	all    bytes.Buffer
	grown  chan struct{} // closed and made anew with each write
	closed bool
}

func newText() *Text { return &Text{grown: make(chan struct{})} }

// Write implements io.Writer.
func (t *Text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all.Write(p)
	close(t.grown)
	t.grown = make(chan struct{})
	return len(p), nil
}

func (t *Text) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	close(t.grown)
}

// String is all of it.
func (t *Text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.all.String()
}

// Tail is its end, for messages.
func (t *Text) Tail() string {
	s := t.String()
	return s[max(0, len(s)-4000):]
}

// ErrEnded says that a process ended without writing what was waited for.
var ErrEnded = errors.New("the process has ended")

// Await waits until a whole line matches and returns the first match with its
// groups. Errors: ErrEnded, and ctx's.
func (t *Text) Await(ctx context.Context, pattern *regexp.Regexp) ([]string, error) {
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
