package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"samla/internal/bench"
)

// startSandbox runs the banks of a crowd with this program, as a process of its own. It
// ends when its standard input does, so also when this process is killed. patience is how
// long BankID's orders wait.
func startSandbox(ctx context.Context, dir string, patience time.Duration) (_ *bench.Sandbox, err error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, "sandbox", "--crowd", "--patience", patience.String(), "--until-stdin", "--listen", "127.0.0.1:0", "--data", dir, "--json", "--log-level", "warn")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop := func() error { return errors.Join(in.Close(), cmd.Wait()) }
	var started struct{ Banks string }
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &started)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the sandbox did not start: %w", err), stop())
	}
	return &bench.Sandbox{Banks: started.Banks, Orders: filepath.Join(dir, "bankid.jsonl"), PID: cmd.Process.Pid, Stop: stop}, nil
}
