// Package sourcecheck tests a running source against the source protocol
// (docs/source-protocol/README.md), for those who write one. It owns the checks and their
// report; package institution/source owns how turns and pages are read.
package sourcecheck

import (
	"context"
	"net/http"
	"strings"
	"time"

	"samla/internal/clock"
	"samla/internal/dialogue"
)

// Options say which source is tested, and with which person.
type Options struct {
	URL    string // base URL, before /v1
	Secret string // "" = none
	Client *http.Client
	// Anonymous is a client without our certificate; nil = none was given.
	Anonymous *http.Client

	Institution string // id; "" = the first that the source lists
	LoginMethod string // "" = the first of the institution
	Parameters  Parameters
	Answers     []dialogue.Answer // to the questions of the dialogue, in order, without ids
	Wait        time.Duration     // how long the person may need; default 2 minutes
	Clock       clock.Clock       // nil = the machine's
	// Tell is told what the person has to do; nil = nobody.
	Tell func(string)
}

// Parameters are what is known of the person.
type Parameters struct {
	PersonalNumber string
	Email          string
	UserID         string
}

// Report is the outcome of a run. It has no personal data and no secret.
type Report struct {
	Protocol    int      `json:"protocol"`
	Institution string   `json:"institution"`
	LoginMethod string   `json:"loginMethod"`
	Checks      []*Check `json:"checks"`
	Passed      int      `json:"passed"`
	Failed      int      `json:"failed"`
	Skipped     int      `json:"skipped"`
	// NeedsAnswer is the question at which the run stopped for want of an answer.
	NeedsAnswer *Question `json:"needsAnswer,omitempty"`
	OK          bool      `json:"ok"` // nothing failed, and the data was read
}

// Question is a question of the dialogue that no answer was given for.
type Question struct {
	Kind    string   `json:"kind"` // CODE, CHOICE, CONTACT, INPUT or DEVICE
	Message string   `json:"message,omitzero"`
	Choices []string `json:"choices,omitempty"` // ids
	Inputs  []string `json:"inputs,omitempty"`
}

// Check is one rule of the protocol.
type Check struct {
	Name    string   `json:"name"`
	Rule    string   `json:"rule"`
	Result  Result   `json:"result"`
	Details []string `json:"details,omitempty"` // what was found, the first 20
}

// Result is the outcome of a check.
type Result string

// The results.
const (
	Passed  Result = "passed"
	Failed  Result = "failed"
	Skipped Result = "skipped"
)

// Run makes all checks. It ends early where nothing more can be checked.
func Run(ctx context.Context, o Options) Report {
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	if o.Wait == 0 {
		o.Wait = 2 * time.Minute
	}
	if o.Tell == nil {
		o.Tell = func(string) {}
	}
	o.URL = strings.TrimRight(o.URL, "/")
	r := &run{Options: o, ctx: ctx, checks: map[string]*Check{}, questions: map[string]bool{}}
	for _, rule := range rules {
		c := &Check{Name: rule.name, Rule: rule.says, Result: Skipped}
		r.checks[rule.name] = c
		r.report.Checks = append(r.report.Checks, c)
	}
	r.all()
	return r.conclude()
}

// all makes the checks in the order of the rules.
func (r *run) all() {
	if !r.reachable() {
		return
	}
	r.credentials()
	if !r.institutions() {
		return
	}
	r.unknowns()
	r.badRequests()
	if !r.trial() {
		return
	}
	if r.dialogue() {
		r.pages()
	}
	r.end()
}

func (r *run) conclude() Report {
	for _, name := range always { // found in any exchange
		if c := r.checks[name]; r.exchanged && c.Result == Skipped {
			c.Result = Passed
		}
	}
	for _, c := range r.report.Checks {
		switch c.Result {
		case Passed:
			r.report.Passed++
		case Failed:
			r.report.Failed++
		case Skipped:
			r.report.Skipped++
		}
	}
	r.report.OK = r.report.Failed == 0 && r.checks["pages"].Result == Passed
	return r.report
}
