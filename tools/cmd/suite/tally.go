package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Count is how many checks ended how.
type Count struct{ Passed, Failed, Skipped int }

// Plus adds two counts.
func (c Count) Plus(d Count) Count {
	return Count{c.Passed + d.Passed, c.Failed + d.Failed, c.Skipped + d.Skipped}
}

// Case is a test case that failed or was skipped, with what it printed.
type Case struct{ Name, Output string }

// place is where output comes from; without a test it is the package itself.
type place struct{ pkg, test string }

// Tally reads the output of one target. It is a writer: lines that are go test
// -json events are counted, all others are kept as plain output.
type Tally struct {
	Failures []Case
	Skips    []Case

	count   Count
	seen    bool                       // at least one event
	broken  map[string]bool            // packages with a failed test case of their own
	printed map[place]*strings.Builder // what was printed, and where
	plain   strings.Builder
	rest    []byte // the last, unfinished line
}

// event is the part of a test2json event that counts here (go doc test2json).
type event struct {
	Action, Package, ImportPath, Test, Output, FailedBuild string
}

// NewTally is an empty tally.
func NewTally() *Tally {
	return &Tally{broken: map[string]bool{}, printed: map[place]*strings.Builder{}}
}

// Write takes any piece of output; it never fails.
func (t *Tally) Write(p []byte) (int, error) {
	t.rest = append(t.rest, p...)
	for {
		line, rest, ok := bytes.Cut(t.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		t.rest = rest
		t.line(string(line))
	}
}

// Close ends the tally with the target's own error, nil for exit status 0. A
// target that fails without a failing test case is itself one failure, and one
// that passes without any test case is itself one check.
func (t *Tally) Close(err error) Count {
	if len(t.rest) > 0 {
		t.line(string(t.rest))
		t.rest = nil
	}
	switch {
	case err != nil && t.count.Failed == 0:
		t.fail(err.Error(), t.plain.String())
	case err == nil && !t.seen:
		t.count.Passed++
	}
	return t.count
}

func (t *Tally) line(line string) {
	var e event
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &e) != nil || e.Action == "" {
		t.plain.WriteString(line + "\n")
		return
	}
	t.seen = true
	switch {
	case e.Action == "output":
		t.output(e.Package, e.Test).WriteString(e.Output)
	case e.Action == "build-output":
		t.output(e.ImportPath, "").WriteString(e.Output)
	case e.Test != "":
		t.endTest(e)
	case e.Action == "fail":
		t.failPackage(e)
	}
}

func (t *Tally) endTest(e event) {
	switch e.Action {
	case "pass":
		t.count.Passed++
	case "fail":
		t.broken[e.Package] = true
		t.fail(e.Package+" "+e.Test, t.output(e.Package, e.Test).String())
	case "skip":
		t.count.Skipped++
		t.Skips = append(t.Skips, Case{e.Package + " " + e.Test, reason(t.output(e.Package, e.Test).String())})
	default:
		return
	}
	delete(t.printed, place{e.Package, e.Test})
}

// failPackage counts a package that failed by itself: it did not build, it
// panicked outside a test, or a race was found at its end.
func (t *Tally) failPackage(e event) {
	if t.broken[e.Package] {
		return
	}
	text := t.output(e.Package, "").String()
	if e.FailedBuild != "" && e.FailedBuild != e.Package {
		text += t.output(e.FailedBuild, "").String()
	}
	// A test that never ended holds the panic or the time-out.
	for k, b := range t.printed {
		if k.pkg == e.Package && k.test != "" {
			text += fmt.Sprintf("in %s:\n%s", k.test, b)
		}
	}
	t.fail(e.Package, text)
}

func (t *Tally) fail(name, output string) {
	t.count.Failed++
	t.Failures = append(t.Failures, Case{name, output})
}

func (t *Tally) output(pkg, test string) *strings.Builder {
	k := place{pkg, test}
	if t.printed[k] == nil {
		t.printed[k] = &strings.Builder{}
	}
	return t.printed[k]
}

// reason is why a test was skipped: the line the test itself wrote.
func reason(output string) string {
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") {
			return line
		}
	}
	return "no reason given"
}
