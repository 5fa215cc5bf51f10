package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

// terminal prints the steps of a demonstration, and asks the person who runs it.
type terminal struct {
	out   io.Writer
	moves bool          // the cursor can be moved: out is a terminal
	lines <-chan string // what the person types; nil: there is nobody to ask; closed: no more
	drawn int           // lines of a picture at the end of the output
}

// newTerminal returns a terminal that asks nobody.
func newTerminal(out io.Writer) terminal { return terminal{out: out, moves: isTerminal(out)} }

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// canAsk reports whether a person sees the questions and can answer them.
func (t *terminal) canAsk(in, out *os.File) bool { return isTerminal(in) && isTerminal(out) }

// listen reads the lines that the person types. The reader ends with the process.
func (t *terminal) listen(in io.Reader) {
	lines := make(chan string)
	t.lines = lines
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(in); s.Scan(); {
			lines <- strings.TrimSpace(s.Text())
		}
	}()
}

func (t *terminal) printf(format string, args ...any) {
	fmt.Fprintf(t.out, format+"\n", args...)
	t.drawn = 0
}

// draw prints a picture. If the last output was a picture too, it takes its place, or on
// what is no terminal, is left out.
func (t *terminal) draw(picture string) {
	lines := strings.Count(picture, "\n")
	if t.drawn > 0 && !t.moves {
		return
	}
	if t.drawn > 0 {
		fmt.Fprintf(t.out, "\x1b[%dA\x1b[J", t.drawn)
	}
	fmt.Fprint(t.out, picture)
	t.drawn = lines
}
