package institution

import (
	"context"

	"samla/internal/dialogue"
	"samla/internal/psu"
)

// LoginRequest starts the login of a person.
type LoginRequest struct {
	RequestID   string // a retry sends the same
	LoginMethod string // docs/reference/api.md 6.3
	PSU         psu.Context
	Email       string // for the login method EMAIL; may be empty
	UserID      string // of the person at the institution; may be empty
}

// LoginSession is a login that the institution has begun. ID is secret. It is also what
// Access.Session is when the data is read.
type LoginSession struct {
	ID   string
	Turn dialogue.Turn
}

// Loginer logs a person in by a dialogue. Each effect has a request id: the institution
// acts once, and answers a repeated request with what it answered before.
type Loginer interface {
	// Login begins a login. A second call with the same request returns the same session.
	Login(ctx context.Context, r LoginRequest) (LoginSession, error)
	// Turn returns the current turn. It has no effect.
	Turn(ctx context.Context, session string) (dialogue.Turn, error)
	// Answer hands over an answer and returns the next turn. Errors: *Error of kind
	// QuestionOver if the question is not open any more, and not by this request id.
	Answer(ctx context.Context, session, requestID string, a dialogue.Answer) (dialogue.Turn, error)
	// EndLogin cancels a login, or ends the session after the data was read. A session
	// that has ended already, or that is not known, is not an error.
	EndLogin(ctx context.Context, session, requestID string) error
}
