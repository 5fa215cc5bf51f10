package collect

import "samla/internal/institution"

// bounds limit what is read of one account and in one collection. Without them, an
// institution whose pages never end would keep a collection running and fill the
// memory of the node. A question beyond a bound counts as missing.
type bounds struct {
	accountAnswers, accountBytes int
	answers, bytes               int
	listAnswers                  int // to questions about no single account
	entries                      int // of the lists of accounts
}

// Ten transactions a day are 7 300 rows in the two years that are asked for: about
// 4 MB, or 730 answers of ten rows. Ten times as many fit too, if an answer has a
// hundred rows. The bounds of the collection allow two such accounts, or many usual
// ones. No person has two hundred pages of accounts.
var defaultBounds = bounds{accountAnswers: 1000, accountBytes: 40 << 20, answers: 4000, bytes: 80 << 20, listAnswers: 200, entries: 1000}

// usage counts what was read.
type usage struct{ answers, bytes int }

func (u *usage) add(more usage) {
	u.answers += more.answers
	u.bytes += more.bytes
}

// reached returns the name of the bound that forbids another question, or "". It is
// checked before a question: the last answer may exceed a bound in bytes. of is the use
// of the question's account, or of all questions about none.
func (b bounds) reached(account string, of, all usage) string {
	switch {
	case all.answers >= b.answers:
		return "answers of a collection"
	case all.bytes >= b.bytes:
		return "bytes of a collection"
	case account == "" && of.answers >= b.listAnswers:
		return "answers of the lists"
	case of.answers >= b.accountAnswers:
		return "answers of an account"
	case of.bytes >= b.accountBytes:
		return "bytes of an account"
	}
	return ""
}

// skipped is a question that is not asked because a bound was reached.
type skipped struct {
	question institution.Question
	bound    string
}
