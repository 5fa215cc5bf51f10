package dialogue

import (
	"errors"
	"slices"
	"time"
)

// ErrNotExpected means that no question is open that the answer fits: none was asked, it
// was answered already, it is another one, or it asks for something else.
var ErrNotExpected = errors.New("dialogue: the answer is not expected")

// InvalidError means that an answer fits the question that is open, but its content
// cannot be used. Field names the member of Answer that is at fault.
type InvalidError struct {
	Field   string // "code", "choice" or "inputs"
	Key     string // of inputs; empty: the whole
	Problem string // for people; repeats no value
}

// Error implements error.
func (e *InvalidError) Error() string { return "dialogue: " + e.Field + " " + e.Problem }

// The longest code and the longest value of an input.
const (
	maxCode  = 200
	maxInput = 1000
)

// give takes an answer of the person. A question is answered once.
func (s State) give(g Given, now time.Time) (State, error) {
	open, a := s.Open(), g.Answer
	if open == "" || a.Question != "" && a.Question != open || !s.Turn.takes(a) {
		return s, ErrNotExpected
	}
	if s.Turn.Ask != nil {
		if err := s.Turn.Ask.check(a); err != nil {
			return s, err
		}
	}
	s.Answered = append(slices.Clip(s.Answered), open)
	s.Pending = &Pending{Question: open, RequestID: g.RequestID}
	s.Since = now
	return s, nil
}

// takes reports whether an answer is of the type that a turn asks for
// (docs/reference/api.md 5.8).
func (t Turn) takes(a Answer) bool {
	n := 0
	for _, set := range []bool{a.Code != "", a.Choice != "", a.Inputs != nil, a.Response != nil} {
		if set {
			n++
		}
	}
	switch {
	case n > 1:
		return false
	case t.Device != nil:
		return a.Response != nil
	case t.Ask == nil || a.Response != nil:
		return false
	case a.Choice != "":
		return len(t.Ask.Choices) > 0 && (t.Ask.Kind == Method || t.Ask.Kind == Code)
	case a.Inputs != nil:
		return t.Ask.Kind == Contact || t.Ask.Kind == Input
	}
	return t.Ask.Kind == Code
}

// check returns an *InvalidError if the content of an answer cannot be used.
func (q Ask) check(a Answer) error {
	switch {
	case a.Choice != "":
		if !slices.ContainsFunc(q.Choices, func(c Choice) bool { return c.ID == a.Choice }) {
			return &InvalidError{Field: "choice", Problem: "is not one of the choices"}
		}
	case a.Inputs != nil:
		for key, value := range a.Inputs {
			switch {
			case !slices.Contains(q.Inputs, key):
				return &InvalidError{Field: "inputs", Key: key, Problem: "has a key that was not asked for"}
			case value == "" || len(value) > maxInput:
				return &InvalidError{Field: "inputs", Key: key, Problem: "has a value that is empty or too long"}
			}
		}
		for _, key := range q.Inputs {
			if _, given := a.Inputs[key]; !given {
				return &InvalidError{Field: "inputs", Key: key, Problem: "lacks a key"}
			}
		}
	case a.Code == "" || len(a.Code) > maxCode:
		return &InvalidError{Field: "code", Problem: "is empty or too long"}
	}
	return nil
}
