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
// cannot be used. It has all problems of the answer, in no particular order.
type InvalidError struct{ Problems []Problem }

// Problem is what is wrong with one part of an answer.
type Problem struct {
	Field   string // "code", "choice" or "inputs"
	Key     string // of inputs
	Missing bool   // the part is not there
	Text    string // for people, without subject; repeats no value
}

// Error implements error.
func (e *InvalidError) Error() string { return "dialogue: the answer cannot be used" }

// The longest code and the longest value of an input, in bytes: those of 255 and of 1000
// characters (docs/reference/api.md 5.8).
const (
	maxCode  = 4 * 255
	maxInput = 4 * 1000
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
	var problems []Problem
	switch {
	case a.Choice != "":
		if !slices.ContainsFunc(q.Choices, func(c Choice) bool { return c.ID == a.Choice }) {
			problems = append(problems, Problem{Field: "choice", Text: "must be the id of one of the choices"})
		}
	case a.Inputs != nil:
		problems = q.checkInputs(a.Inputs)
	case a.Code == "" || len(a.Code) > maxCode:
		problems = append(problems, Problem{Field: "code", Missing: a.Code == "", Text: "must be there, and not be too long"})
	}
	if len(problems) > 0 {
		return &InvalidError{problems}
	}
	return nil
}

func (q Ask) checkInputs(inputs map[string]string) (problems []Problem) {
	for key, value := range inputs {
		switch {
		case !slices.Contains(q.Inputs, key):
			problems = append(problems, Problem{Field: "inputs", Key: key, Text: "is not asked for"})
		case value == "" || len(value) > maxInput:
			problems = append(problems, Problem{Field: "inputs", Key: key, Missing: value == "", Text: "must be there, and not be too long"})
		}
	}
	for _, key := range q.Inputs {
		if _, given := inputs[key]; !given {
			problems = append(problems, Problem{Field: "inputs", Key: key, Missing: true, Text: "is missing"})
		}
	}
	return problems
}
