package institution

import (
	"context"
	"time"

	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/fact"
)

// Answer is the response to a question, with the body as received, except that text is
// in UTF-8.
type Answer struct {
	Question  Question  `json:"question"`
	Body      []byte    `json:"body"`
	FetchedAt time.Time `json:"at"`
	// Refusal is set in place of Body if the institution refused the question and a
	// smaller one is asked instead. Read is not called with it.
	Refusal *Error `json:"refusal,omitempty"`
}

// Reading is the decoded content of an answer.
type Reading struct {
	Facts      fact.Facts
	Questions  []Question       // to ask next
	Deviations deviation.Counts // what the answer lacked, and what was irregular in it
}

// Collector reads account data by questions and answers. Start, Read and Instead make no
// exchange and keep no state: an answer can be stored as received, and reading it
// again later gives the same result.
type Collector interface {
	// Start returns the first questions under a consent of the scope, for
	// transactions booked on or after from (YYYY-MM-DD). At least one question is
	// Essential.
	Start(scope consent.Scope, from string) []Question
	// Fetch asks one question, in one exchange. Errors: *Error.
	Fetch(ctx context.Context, a Access, q Question) (Answer, error)
	// Instead returns the question to ask in place of q, which the institution has
	// refused with e: one for less, such as fewer parameters or a shorter period. It
	// reports whether there is one. It is about the same account, needs the same, is
	// as essential, and is never for a longer period. Asking in place of it again, and so
	// on, comes to an end. day is the day of the collection.
	Instead(q Question, e *Error, day time.Time) (Question, bool)
	// Read decodes an answer. It is lenient: it ignores members that it does not
	// know, and counts what it cannot decode as deviations. A question about an
	// account has the key of an account that Read returned before. Read may return
	// questions that the consent does not cover: the caller checks each question
	// with CoveredBy before it asks. Errors: *Error of kind MalformedResponse for
	// an answer without the expected content, of kind Refused for a question that
	// is not of this family.
	Read(a Answer) (Reading, error)
	// Mapping returns the version of Read: it grows when Read decodes an answer
	// differently.
	Mapping() int
}
