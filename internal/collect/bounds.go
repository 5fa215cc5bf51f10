package collect

import (
	"time"

	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/product"
)

// bounds limit what is read of one account and in one collection. Without them, an
// institution whose pages never end would keep a collection running and fill the
// memory of the node. A question beyond a bound counts as missing.
type bounds struct {
	accountAnswers, accountBytes, accountRows int
	accountTime                               time.Duration // from its first answer; 0 = no bound
	answers, bytes, rows                      int
	listAnswers                               int // to questions about no single account
	entries                                   int // of the lists of accounts
	products                                  int // that the institution gives as such
}

// Ten transactions a day are 7 300 rows in the two years that are asked for: about
// 4 MB, or 730 answers of ten rows. Four times as many fit too, if an answer has fifty
// rows. The bounds of the collection allow two such accounts, or many usual ones. In
// memory, an answer takes several times its size, and a small product many times. No
// person has two hundred pages of accounts, or five thousand products.
var defaultBounds = bounds{accountAnswers: 1000, accountBytes: 16 << 20, accountRows: 50_000, answers: 4000, bytes: 32 << 20, rows: 100_000,
	listAnswers: 200, entries: 1000, products: 5000}

// usage counts what was read.
type usage struct {
	answers, bytes, rows, products int
	since                          time.Time // when the institution gave the first rows; zero: none yet
}

func (u *usage) add(more usage) {
	u.answers += more.answers
	u.bytes += more.bytes
	u.rows += more.rows
	u.products += more.products
	if u.since.IsZero() || !more.since.IsZero() && more.since.Before(u.since) {
		u.since = more.since
	}
}

// usageOf returns what an answer of this size with these facts has used.
func usageOf(size int, facts fact.Facts) usage {
	u := usage{bytes: size, products: len(facts.Products)}
	for _, h := range facts.Histories {
		u.add(usage{rows: len(h.Transactions), since: h.At})
	}
	return u
}

// reached returns the name of the bound that forbids another question, or "". It is
// checked before a question: the last answer may exceed a bound in bytes. of is the use
// of the question's account, or of all questions about none.
func (b bounds) reached(account string, of, all usage, now time.Time) string {
	switch {
	case all.answers >= b.answers:
		return "answers of a collection"
	case all.bytes >= b.bytes:
		return "bytes of a collection"
	case all.rows >= b.rows:
		return "rows of a collection"
	case all.products >= b.products:
		return "products of a collection"
	case account == "": // the other bounds are those of an account
		if of.answers >= b.listAnswers {
			return "answers of the lists"
		}
	case of.answers >= b.accountAnswers:
		return "answers of an account"
	case of.bytes >= b.accountBytes:
		return "bytes of an account"
	case of.rows >= b.accountRows:
		return "rows of an account"
	case b.accountTime > 0 && !of.since.IsZero() && now.Sub(of.since) >= b.accountTime:
		return "time of an account"
	}
	return ""
}

// cut removes the rows and products of facts for which there is no room, and returns their
// number. One answer can have many more of them than a bound allows, if they are small.
func (b bounds) cut(account string, facts *fact.Facts, of, all usage) (removed int) {
	if most := max(0, b.products-all.products); len(facts.Products) > most {
		removed = len(facts.Products) - most
		facts.Products = append([]product.Product(nil), facts.Products[:most]...)
	}
	room := b.rows - all.rows
	if account != "" {
		room = min(room, b.accountRows-of.rows)
	}
	room = max(0, room)
	for i := range facts.Histories {
		h := &facts.Histories[i]
		if n := len(h.Transactions) - room; n > 0 {
			h.Transactions = append([]fact.Transaction(nil), h.Transactions[:room]...)
			removed += n
		}
		room -= len(h.Transactions)
	}
	return removed
}

// skipped is a question that is not asked because a bound was reached.
type skipped struct {
	question institution.Question
	bound    string
}
