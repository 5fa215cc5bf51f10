package collect

import "samla/internal/institution"

// bounds limit what is read of one account, and in one collection. An institution
// whose pages never end must not keep a collection going, nor fill the memory of
// a node that reads many collections at once. What is beyond a bound is missing.
type bounds struct {
	accountAnswers, accountBytes int
	answers, bytes               int
}

// A person with ten transactions a day has 7 300 rows in the two years that are
// asked for: about 4 MB, in 730 pages where an institution gives ten rows a page.
// No bound is reached by a tenfold of that, in pages of a hundred rows. A
// collection has room for four such accounts, or for many ordinary ones.
var defaultBounds = bounds{accountAnswers: 1000, accountBytes: 40 << 20, answers: 4000, bytes: 80 << 20}

// usage is what has been read so far.
type usage struct{ answers, bytes int }

func (u *usage) add(more usage) {
	u.answers += more.answers
	u.bytes += more.bytes
}

// reached names the bound that forbids one more question; "" when none does. It
// is asked before a question, so that one answer may go beyond the bytes.
func (b bounds) reached(account, all usage) string {
	switch {
	case all.answers >= b.answers:
		return "answers of a collection"
	case all.bytes >= b.bytes:
		return "bytes of a collection"
	case account.answers >= b.accountAnswers:
		return "answers of an account"
	case account.bytes >= b.accountBytes:
		return "bytes of an account"
	}
	return ""
}

// cut is a question that is not asked because a bound was reached.
type cut struct {
	question institution.Question
	bound    string
}
