package xs2a

import (
	"cmp"
	"strings"

	"samla/internal/consent"
	"samla/internal/institution"
)

// The kinds of question.
const (
	askAccounts     = "accounts"
	askCards        = "cards"
	askBalances     = "balances"
	askTransactions = "transactions"
)

// manner is how a question is asked: the Detail of a question. The zero value is the
// question as the profile has it, for a list of accounts without balances.
type manner struct {
	page        bool   // a further page: its address is called as it stands
	withBalance bool   // the list of accounts, with balances
	booked      bool   // the transactions, without the pending ones
	undated     bool   // the transactions, without a first booking date
	from        string // the transactions, from this day on instead of the question's
}

// The words of a Detail.
const (
	pageWord        = "page"
	withBalanceWord = "withBalance"
	bookedWord      = "booked"
	undatedWord     = "undated"
	fromWord        = "from="
)

// String returns the Detail.
func (m manner) String() string {
	var words []string
	for _, w := range []struct {
		said bool
		word string
	}{
		{m.page, pageWord}, {m.withBalance, withBalanceWord}, {m.booked, bookedWord}, {m.undated, undatedWord},
		{m.from != "", fromWord + m.from},
	} {
		if w.said {
			words = append(words, w.word)
		}
	}
	return strings.Join(words, " ")
}

// mannerOf parses a Detail. It ignores other words.
func mannerOf(detail string) (m manner) {
	for word := range strings.FieldsSeq(detail) {
		switch word {
		case pageWord:
			m.page = true
		case withBalanceWord:
			m.withBalance = true
		case bookedWord:
			m.booked = true
		case undatedWord:
			m.undated = true
		default:
			if from, said := strings.CutPrefix(word, fromWord); said {
				m.from = from
			}
		}
	}
	return m
}

// dateFrom returns the first booking date to ask for, or "" for none.
func (m manner) dateFrom(q institution.Question) string {
	if m.undated {
		return ""
	}
	return cmp.Or(m.from, q.From)
}

// mapping grows whenever Read decodes an answer differently.
const mapping = 2

// Mapping implements institution.Collector.
func (b *Bank) Mapping() int { return mapping }

// Start implements institution.Collector. It asks for the accounts, and for the cards
// if the bank has a separate list of them.
func (b *Bank) Start(scope consent.Scope, from string) []institution.Question {
	accounts := institution.Question{Kind: askAccounts, Essential: true, From: from}
	if b.wire.withBalance && scope.Balances {
		accounts.Detail = withBalanceWord
	}
	questions := []institution.Question{accounts}
	if b.wire.cards != "" {
		questions = append(questions, institution.Question{Kind: askCards, From: from})
	}
	return questions
}

// The keys of cards and of other accounts have different prefixes, because a bank may
// give a card and an account the same resourceId.
const (
	accountPrefix = "account/"
	cardPrefix    = "card/"
)

// keyOf returns the key of an account by its resourceId, or by a number if it has none.
func keyOf(card bool, id string) string {
	if card {
		return cardPrefix + id
	}
	return accountPrefix + id
}

// resource returns the path of the list that the account of a key is in, and its resourceId.
func (b *Bank) resource(key string) (list, id string) {
	if id, card := strings.CutPrefix(key, cardPrefix); card {
		return b.wire.paths.Cards, id
	}
	return b.wire.paths.Accounts, strings.TrimPrefix(key, accountPrefix)
}
