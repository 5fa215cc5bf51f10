package dialogue

import (
	"slices"
	"time"

	"samla/internal/psu"
)

// State is where a login stands. It is stored sealed with its collection: it has the
// session, and what is shown. Its zero value with a LoginID is a login that has not begun.
type State struct {
	LoginID string `json:"loginId"` // request ids: of the start of the login, and of its end
	EndID   string `json:"endId"`
	// Sent says that the start may have been sent to the institution.
	Sent    bool       `json:"sent,omitzero"`
	Session string     `json:"session,omitzero"` // empty: the institution has not answered yet
	Person  psu.Number `json:"person,omitzero"`  // who is asked to log in; may be empty

	Turn Turn `json:"turn,omitzero"` // what the institution said last
	// Began is when the login began, or began again while data was read. Since is when
	// the person, or the institution, began to do what the turn says.
	Began time.Time `json:"began,omitzero"`
	Since time.Time `json:"since,omitzero"`

	Pending  *Pending `json:"pending,omitzero"`  // an answer on its way to the institution
	Asked    []string `json:"asked,omitzero"`    // ids of all questions so far
	Answered []string `json:"answered,omitzero"` // of those that were answered, or are

	Turns   int `json:"turns,omitzero"`   // how many turns there were
	Devices int `json:"devices,omitzero"` // how many of them were requests of the device
	Logins  int `json:"logins,omitzero"`  // how often the person was in
	// InAt is when the person was in last. Person is then who logged in, if that is known.
	InAt  time.Time `json:"inAt,omitzero"`
	Ended Reason    `json:"ended,omitzero"` // why the login ended without success
}

// Pending is an answer that is stored and whose outcome is not known. It is handed over
// with the same request id until the institution says what comes next.
type Pending struct {
	Question  string `json:"question"`
	RequestID string `json:"requestId"`
}

// Start returns the state of a login that begins at the time now.
func Start(loginID, endID string, person psu.Number, now time.Time) State {
	return State{LoginID: loginID, EndID: endID, Person: person, Began: now, Since: now}
}

// In reports whether the person is logged in, so that data can be read.
func (s State) In() bool { return s.Ended == "" && s.Turn.In != nil }

// Open returns the id of the question that can be answered now, or "".
func (s State) Open() string {
	q := s.Turn.question()
	if s.Ended != "" || q == "" || slices.Contains(s.Answered, q) {
		return ""
	}
	return q
}

// ChoiceOpen reports whether the person has a method to choose.
func (s State) ChoiceOpen() bool {
	return s.Open() != "" && s.Turn.Ask != nil && s.Turn.Ask.Kind == Method
}

// question returns the id of the question of a turn, or "".
func (t Turn) question() string {
	switch {
	case t.Ask != nil:
		return t.Ask.Question
	case t.Device != nil:
		return t.Device.Question
	}
	return ""
}
