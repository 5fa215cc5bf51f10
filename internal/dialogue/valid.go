package dialogue

import (
	"strings"

	"samla/internal/jsontext"
)

// MaxTurn is how many bytes of JSON a turn may have: it is stored with the collection, and
// polls read it. It has room for the largest picture of a code
// (docs/source-protocol/README.md, Limits).
const MaxTurn = 512 << 10

// TooLarge reports whether a turn has more than MaxTurn.
func (t Turn) TooLarge() bool {
	text, err := jsontext.Marshal(t)
	return err != nil || len(text) > MaxTurn
}

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
	if t.TooLarge() {
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
func (q Ask) valid() bool {
	if q.Question == "" {
		return false
	}
	for _, c := range q.Choices {
		if c.ID == "" || len(c.ID) > maxID {
			return false
		}
	}
	switch q.Kind {
	case Code:
		return true
	case Method:
		return len(q.Choices) > 0
	case Contact, Input:
		return len(q.Inputs) > 0
	}
	return false
}
