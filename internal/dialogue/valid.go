package dialogue

import (
	"encoding/json"
	"strings"
)

// maxTurn is how many bytes a turn may have: it is stored with the collection, and polls
// read it.
const maxTurn = 128 << 10

// maxID is the longest id of a turn, a question or a choice.
const maxID = 200

// valid reports whether a turn of an institution can be used.
func (t Turn) valid() bool {
	n := 0
	for _, set := range []bool{t.Wait != nil, t.Ask != nil, t.Device != nil, t.In != nil, t.Out != nil} {
		if set {
			n++
		}
	}
	if n != 1 || len(t.ID) > maxID || len(t.question()) > maxID {
		return false
	}
	if text, err := json.Marshal(t); err != nil || len(text) > maxTurn {
		return false
	}
	switch {
	case t.Wait != nil:
		return t.Wait.valid()
	case t.Ask != nil:
		return t.Ask.valid()
	case t.Device != nil:
		return t.Device.Question != "" && strings.HasPrefix(t.Device.Request.URL, "https://") && t.Device.Request.Method != ""
	}
	return true
}

func (w Wait) valid() bool {
	switch w.For {
	case BankID, App, EmailLink, Page, Source:
		return true
	}
	return false
}

// valid reports whether the person can answer the question.
func (a Ask) valid() bool {
	if a.Question == "" {
		return false
	}
	for _, c := range a.Choices {
		if c.ID == "" || len(c.ID) > maxID {
			return false
		}
	}
	switch a.Kind {
	case Code:
		return true
	case Method:
		return len(a.Choices) > 0
	case Contact, Input:
		return len(a.Inputs) > 0
	}
	return false
}
