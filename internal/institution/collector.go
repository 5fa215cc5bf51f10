package institution

import (
	"context"
	"time"

	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/fact"
)

// Answer is the response to a question, with the body as received.
type Answer struct {
	Question  Question  `json:"question"`
	Body      []byte    `json:"body"`
	FetchedAt time.Time `json:"at"`
}

// Reading is the decoded content of an answer.
type Reading struct {
	Facts      fact.Facts
	Questions  []Question       // to ask next
	Deviations deviation.Counts // what the answer lacked, and what was irregular in it
}

// Collector reads account data by questions and answers. Start and Read make no
// exchange and keep no state: an answer can be stored as received, and reading it
// again later gives the same result.
type Collector interface {
	// Start returns the first questions under a consent of the scope, for
	// transactions booked on or after from (YYYY-MM-DD). At least one question is
	// Essential.
	Start(scope consent.Scope, from string) []Question
	// Fetch asks one question, in one exchange. Errors: *Error.
	Fetch(ctx context.Context, a Access, q Question) (Answer, error)
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
