// Command withpg runs a command with a new PostgreSQL server: it starts the server,
// passes its URL to the command in SAMLA_TEST_POSTGRES, and stops it afterwards. Its
// exit status is that of the command.
//
//	withpg COMMAND [ARGUMENT...]
//
// If the machine has no server programs, it prints a warning and runs the command, whose
// PostgreSQL tests then fail or are skipped.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"samla/internal/testpg"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: withpg COMMAND [ARGUMENT...]")
		os.Exit(2)
	}
	os.Exit(run(os.Args[1], os.Args[2:]))
}

func run(name string, args []string) int {
	command := exec.Command(name, args...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	command.Env = os.Environ()

	server, err := testpg.Start()
	if err != nil {
		fmt.Fprintln(os.Stderr, "withpg:", err)
	} else {
		command.Env = append(command.Env, testpg.EnvURL+"="+server.URL())
		defer func() {
			if err := server.Close(); err != nil {
				fmt.Fprintln(os.Stderr, "withpg:", err)
			}
		}()
	}

	// The terminal sends Ctrl-C to the command too; SIGTERM must be passed on.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if err := command.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "withpg:", err)
		return 127
	}
	go func() {
		for s := range signals {
			if s == syscall.SIGTERM {
				_ = command.Process.Signal(s)
			}
		}
	}()
	err = command.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return exit.ExitCode()
	default:
		fmt.Fprintln(os.Stderr, "withpg:", err)
		return 1
	}
}
