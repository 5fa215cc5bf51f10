package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// readHidden asks on a terminal, and returns what is typed without showing it. The terminal
// shows nothing any more when the question appears: a program that answers at once is not
// shown either. When ctx ends, it returns its error, and the read ends with the process.
func readHidden(ctx context.Context, out io.Writer, question string) ([]byte, error) {
	stdin := int(os.Stdin.Fd())
	before, err := term.GetState(stdin)
	if err != nil {
		return nil, err
	}
	defer term.Restore(stdin, before) //nolint:errcheck // nothing else can be done for the terminal
	if err := stopEcho(stdin); err != nil {
		return nil, err
	}
	type answer struct {
		text []byte
		err  error
	}
	typed := make(chan answer, 1)
	fmt.Fprint(out, question)
	go func() {
		text, err := term.ReadPassword(stdin)
		typed <- answer{text, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case a := <-typed:
		fmt.Fprintln(out)
		return a.text, a.err
	}
}
