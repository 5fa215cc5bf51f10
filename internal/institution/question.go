package institution

import "samla/internal/consent"

// Question is one read at an institution. It is plain data that survives a round
// trip through JSON, so that a collection can store its questions and continue in
// another process. Two questions are the same if they are equal.
type Question struct {
	Kind string `json:"kind"` // what is asked, as the family names it; not personal
	// Account is the key of the account that the question is about; empty if it is
	// not about one account.
	Account string `json:"account,omitempty"`
	Needs   Needs  `json:"needs,omitempty"`
	// Essential: without the answer the collection fails.
	Essential bool   `json:"essential,omitempty"`
	From      string `json:"from,omitempty"`   // first booking date, YYYY-MM-DD
	Until     string `json:"until,omitempty"`  // last booking date, YYYY-MM-DD; empty: none
	Link      string `json:"link,omitempty"`   // where to read it, as the institution gave it
	Detail    string `json:"detail,omitempty"` // for the use of the family
	// BookedOnly: it asks for less than all transactions, without the pending ones.
	BookedOnly bool `json:"bookedOnly,omitempty"`
	// Onward: it continues a sequence. An answer that leads back to one that was asked
	// does not lead on, and the rest of the sequence is missing.
	Onward bool `json:"onward,omitempty"`
}

// Needs is the kind of data that a consent must cover for a question to be asked
// under it. Every consent covers the empty value.
type Needs string

// The kinds of data that a consent covers or does not.
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
