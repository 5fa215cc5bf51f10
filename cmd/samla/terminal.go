package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// terminal prints the steps of a demonstration, and asks the person who runs it.
type terminal struct {
	out   io.Writer
	moves bool          // the cursor can be moved: out is a terminal
	lines <-chan string // what the person types; nil: there is nobody to ask; closed: no more
	drawn int           // lines of a picture at the end of the output
	said  string        // the last line of live
}

// newTerminal returns a terminal that asks nobody.
func newTerminal(out io.Writer) terminal { return terminal{out: out, moves: isTerminal(out)} }

// isTerminal reports whether a person is at a stream. Nobody is at /dev/null, which is a
// device of characters too.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
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

// wipe takes the last picture away, if it is at the end of the output.
func (t *terminal) wipe() {
	if t.moves && t.drawn > 0 {
		fmt.Fprintf(t.out, "\x1b[%dA\x1b[J", t.drawn)
	}
	t.drawn = 0
}

// live says what goes on, in place of what was said before. On what is no terminal, a line
// is printed when text changes; more is not.
func (t *terminal) live(text, more string) {
	if t.moves {
		t.draw(text + more + "\n")
	} else if text != t.said {
		t.printf("%s", text)
	}
	t.said = text
}

// picture draws a code with a line below it. A code that changes is drawn on terminals only:
// elsewhere it would be too old at once.
func (t *terminal) picture(code, below string, changes bool) {
	switch {
	case t.moves:
		t.draw(code + below + "\n")
	case changes:
		t.live("The code changes each second and needs a terminal to be seen.", "")
	case t.said != below:
		t.printf("%s%s", code, below)
		t.said = below
	}
}

// aside prints a line above the picture, which is drawn again next time.
func (t *terminal) aside(text string) {
	t.wipe()
	t.printf("%s", text)
}
