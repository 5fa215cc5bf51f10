//go:build unix && !aix && !solaris

package main

import "golang.org/x/sys/unix"

// stopEcho lets a terminal not show what is typed (termios(3), ECHO).
func stopEcho(terminal int) error {
	t, err := unix.IoctlGetTermios(terminal, getTerminal)
	if err != nil {
		return err
	}
	t.Lflag &^= unix.ECHO
	return unix.IoctlSetTermios(terminal, setTerminal, t)
}
