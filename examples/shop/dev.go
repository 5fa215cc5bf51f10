package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// started is a `samla dev` that the shop has started, to be tried with one command.
type started struct {
	API, APIKey, Sandbox string
	command              *exec.Cmd
	dir                  string
}

// startSamla builds and starts one in a temporary folder, and registers the shop: it may
// frame the connect page.
func startSamla(ctx context.Context, origin string) (_ *started, err error) {
	s := &started{}
	if s.dir, err = os.MkdirTemp("", "samla-shop-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	program := filepath.Join(s.dir, "samla")
	fmt.Println("Building and starting Samla …")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/samla")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("run the shop in the folder of the source, or with -api and -key: %w", err)
	}
	return s, s.run(ctx, program, origin)
}

// run starts it.
func (s *started) run(ctx context.Context, program, origin string) error {
	data := filepath.Join(s.dir, "data")
	s.command = exec.Command(program, "dev", "--json", "--listen", "127.0.0.1:0", "--data", data)
	s.command.Stderr = os.Stderr                                // what it warns of, and why it does not start
	s.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the shop, which then stops it
	out, err := s.command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.command.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("samla dev does not start: %w", err)
	}
	if err := json.Unmarshal(line, s); err != nil {
		return err
	}
	register := exec.CommandContext(ctx, program, "client", "origin", "add", "Example", origin, "--data", data)
	if text, err := register.CombinedOutput(); err != nil {
		return fmt.Errorf("the shop cannot be registered: %w\n%s", err, text)
	}
	return nil
}

func (s *started) stop() {
	if s.command != nil && s.command.Process != nil {
		_ = s.command.Process.Signal(os.Interrupt)
		_ = s.command.Wait()
	}
	_ = os.RemoveAll(s.dir)
}
