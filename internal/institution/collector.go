package institution

import (
	"context"
	"time"

	"samla/internal/consent"
	"samla/internal/fact"
)

// Answer is what an institution said, as it came.
type Answer struct {
	Question  Question  `json:"question"`
	Body      []byte    `json:"body"`
	FetchedAt time.Time `json:"at"`
}

// Reading is what an answer means.
type Reading struct {
	Facts     fact.Facts
	Questions []Question // what to ask next
	Skipped   int        // rows that could not be understood
}

// Collector reads account data by questions and answers. Start and Read do no
// exchange and keep no state: an answer can be stored as it came and read again
// later, and means the same then.
type Collector interface {
	// Start lists what to ask first under a consent of the scope, for
	// transactions booked on or after from (YYYY-MM-DD). At least one question is
	// Essential.
	Start(scope consent.Scope, from string) []Question
	// Fetch asks one question, in one exchange. Errors: *Error.
	Fetch(ctx context.Context, a Access, q Question) (Answer, error)
	// Read says what an answer means. It is lenient: what it does not know it
	// leaves out, and rows that it does not understand it counts. A question that
	// it asks about an account names an account that an answer has told; it may
	// ask more than the consent covers, for that is checked before a question is
	// asked. Errors: *Error of kind Garbled for an answer that is none, of kind
	// Refused for a question that is not this family's.
	Read(a Answer) (Reading, error)
	// Mapping is the version of Read: it grows when Read understands an answer in
	// another way.
	Mapping() int
}
