// Package doctor looks at an installation as an operator would who has a list: settings,
// keys, database, clock, certificates, banks, and the way back from them. Each check says what it has found and, if
// something is wrong, what to do. It changes nothing.
package doctor

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// State is the judgment of a check.
type State string

// The states.
const (
	OK      State = "ok"
	Warning State = "warning" // works today
	Failed  State = "failed"  // does not work
	Skipped State = "skipped" // could not be checked, because of an earlier failure or as asked
)

// Check is what was found out about one thing.
type Check struct {
	Name  string `json:"name"`         // such as "database"
	State State  `json:"state"`        //
	Found string `json:"found"`        // without secrets
	Do    string `json:"do,omitempty"` // what the operator should do; empty if all is well
}

// Report is a list of checks.
type Report []Check

// ok, warn and failed append a check.
func (r *Report) ok(name, format string, args ...any) {
	*r = append(*r, Check{name, OK, fmt.Sprintf(format, args...), ""})
}

func (r *Report) warn(name, do, format string, args ...any) {
	*r = append(*r, Check{name, Warning, fmt.Sprintf(format, args...), do})
}

func (r *Report) failed(name, do, format string, args ...any) {
	*r = append(*r, Check{name, Failed, fmt.Sprintf(format, args...), do})
}

// Skip appends a check that was not made.
func (r *Report) Skip(name, why string) { *r = append(*r, Check{name, Skipped, why, ""}) }

// Judge appends a check that has failed with err, or else is well and has found text.
func (r *Report) Judge(name, found string, err error, do string) {
	if err != nil {
		r.failed(name, do, "%v", err)
		return
	}
	r.ok(name, "%s", found)
}

// Count returns how many checks have a state.
func (r Report) Count(s State) (n int) {
	for _, c := range r {
		if c.State == s {
			n++
		}
	}
	return n
}

// Print writes the report for people, a check a line, what to do below it.
func (r Report) Print(out io.Writer) error {
	width := 0
	for _, c := range r {
		width = max(width, len(c.Name))
	}
	var b strings.Builder
	for _, c := range r {
		found := strings.ReplaceAll(cmp.Or(c.Found, "-"), "\n", "\n"+strings.Repeat(" ", width+11))
		fmt.Fprintf(&b, "%-7s  %-*s  %s\n", c.State, width, c.Name, found)
		if c.Do != "" {
			fmt.Fprintf(&b, "%*s→ %s\n", width+11, "", c.Do)
		}
	}
	fmt.Fprintf(&b, "%d ok, %d warnings, %d failed, %d skipped\n", r.Count(OK), r.Count(Warning), r.Count(Failed), r.Count(Skipped))
	_, err := io.WriteString(out, b.String())
	return err
}
