package nordea

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
)

// The kinds of question.
const (
	askAccounts     = "accounts"
	askCards        = "cards"
	askTransactions = "transactions"
)

// manner is how a question is asked: the Detail of a question.
type manner struct {
	balances bool   // a list, with balances
	rows     bool   // a list, whose accounts are asked for transactions
	from     string // transactions from this day on, instead of the question's
	key      string // continuation_key of a further page
}

// String returns the Detail.
func (m manner) String() string {
	v := url.Values{}
	if m.balances {
		v.Set("balances", "true")
	}
	if m.rows {
		v.Set("rows", "true")
	}
	if m.from != "" {
		v.Set("from", m.from)
	}
	if m.key != "" {
		v.Set("key", m.key)
	}
	return v.Encode()
}

// mannerOf parses a Detail. It ignores what it does not know.
func mannerOf(detail string) manner {
	v, _ := url.ParseQuery(detail)
	return manner{balances: v.Get("balances") == "true", rows: v.Get("rows") == "true", from: v.Get("from"), key: v.Get("key")}
}

// mapping grows whenever Read decodes an answer differently.
const mapping = 2

// Mapping implements institution.Collector.
func (b *Bank) Mapping() int { return mapping }

// Start implements institution.Collector. It asks for the accounts, and for the cards if
// they are asked for at all.
func (b *Bank) Start(scope consent.Scope, from string) []institution.Question {
	detail := manner{balances: scope.Balances, rows: scope.Transactions}.String()
	questions := []institution.Question{{Kind: askAccounts, Essential: true, From: from, Detail: detail}}
	if slices.Contains(b.config.CardScopes, scopeCards) {
		questions = append(questions, institution.Question{Kind: askCards, From: from, Detail: detail})
	}
	return questions
}

// The keys of cards and of accounts have different prefixes, because the bank may give a
// card and an account the same id.
const (
	accountPrefix = "account/"
	cardPrefix    = "card/"
)

// ofCard returns the id of a card, and reports whether the key is that of one.
func ofCard(key string) (id string, isCard bool) { return strings.CutPrefix(key, cardPrefix) }

// shortHistories are the days of transactions that are asked for in place of a longer
// period, after those of the profile without the person.
var shortHistories = []int{institution.CertainHistory, 30}

// Instead implements institution.Collector: the transactions of a shorter period, where the
// bank refuses the form of the question.
func (b *Bank) Instead(q institution.Question, e *institution.Error, day time.Time) (institution.Question, bool) {
	m := mannerOf(q.Detail)
	refused := e.Kind == institution.Refused && e.HTTPStatus == http.StatusBadRequest || e.Kind == institution.SCARequired
	if q.Kind != askTransactions || !refused || m.key != "" || e.Parameter == languageParameter {
		return q, false
	}
	before := m.first(q)
	if before == "" {
		return q, false
	}
	m.from = institution.Shorter(before, day, append([]int{b.profile.HistoryUnattended}, shortHistories...)...)
	if m.from == "" || q.Until != "" && m.from > q.Until {
		return q, false
	}
	q.Detail = m.String()
	return q, true
}

// first returns the first booking date to ask for, or "" for none.
func (m manner) first(q institution.Question) string {
	if m.from != "" {
		return m.from
	}
	return q.From
}
