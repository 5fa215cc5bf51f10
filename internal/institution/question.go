package institution

import "samla/internal/consent"

// Question is one read at an institution. It is plain data: JSON carries it
// unchanged, so that a collection can store what was asked and go on from there
// in another process. Two questions are the same when they are equal.
type Question struct {
	Kind string `json:"kind"` // what is asked, in the family's words; not personal
	// Account is the key of the account that the question is about; empty when it
	// is about none in particular.
	Account string `json:"account,omitempty"`
	Needs   Needs  `json:"needs,omitempty"`
	// Essential: without the answer there is nothing to show.
	Essential bool   `json:"essential,omitempty"`
	From      string `json:"from,omitempty"`   // first booking date wanted, YYYY-MM-DD
	Link      string `json:"link,omitempty"`   // where to ask, as the institution gave it
	Detail    string `json:"detail,omitempty"` // whatever else the family has to remember
}

// Needs says what a consent must cover for a question to be asked under it. The
// empty value is covered by every consent.
type Needs string

// What a consent may or may not cover.
const (
	NeedsBalances     Needs = "balances"
	NeedsTransactions Needs = "transactions"
)

// CoveredBy reports whether the question may be asked under a consent of the
// scope.
func (q Question) CoveredBy(s consent.Scope) bool {
	switch q.Needs {
	case "":
		return true
	case NeedsBalances:
		return s.Balances
	case NeedsTransactions:
		return s.Transactions
	}
	return false
}
