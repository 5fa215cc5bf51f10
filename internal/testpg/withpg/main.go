// Command withpg runs a command beside a PostgreSQL server of its own: it starts
// the server, names it to the command in SAMLA_TEST_POSTGRES, and stops it after.
// It ends with the command's exit status.
//
//	withpg COMMAND [ARGUMENT...]
//
// Without server programs on the machine the command runs all the same, with a
// warning: its tests of PostgreSQL then fail or skip one by one, visibly.
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

	// The command hears a Ctrl-C from the terminal itself; a TERM is passed on.
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
