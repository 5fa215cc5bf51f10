package obie

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/institution"
	"samla/internal/institution/loose"
)

// The kinds of question.
const (
	askAccounts     = "accounts"
	askBalances     = "balances"
	askTransactions = "transactions"
)

// manner is how a question is asked: the Detail of a question.
type manner struct {
	balances bool   // the accounts of the list are asked for balances
	rows     bool   // the accounts of the list are asked for transactions
	from     string // transactions from this day on, instead of the question's
}

// The words of a Detail.
const (
	balancesWord = "balances"
	rowsWord     = "rows"
	fromWord     = "from="
)

// String returns the Detail.
func (m manner) String() string {
	var words []string
	if m.balances {
		words = append(words, balancesWord)
	}
	if m.rows {
		words = append(words, rowsWord)
	}
	if m.from != "" {
		words = append(words, fromWord+m.from)
	}
	return strings.Join(words, " ")
}

// mannerOf parses a Detail. It ignores other words.
func mannerOf(detail string) (m manner) {
	for word := range strings.FieldsSeq(detail) {
		switch from, isFrom := strings.CutPrefix(word, fromWord); {
		case word == balancesWord:
			m.balances = true
		case word == rowsWord:
			m.rows = true
		case isFrom:
			m.from = from
		}
	}
	return m
}

// first returns the first booking date to ask for, or "" for none.
func (m manner) first(q institution.Question) string {
	if m.from != "" {
		return m.from
	}
	return q.From
}

// mapping grows whenever Read decodes an answer differently.
const mapping = 5

// Mapping implements institution.Collector.
func (*Bank) Mapping() int { return mapping }

// Start implements institution.Collector. The list of accounts has to be read before
// anything else (docs/reference/families.md 4.2 step 6).
func (*Bank) Start(scope consent.Scope, from string) []institution.Question {
	return []institution.Question{{Kind: askAccounts, Essential: true, From: from, Detail: manner{balances: scope.Balances, rows: scope.Transactions}.String()}}
}

// Fetch implements institution.Collector. Without a token nothing is asked: it alone says
// whose data is wanted.
func (b *Bank) Fetch(ctx context.Context, a institution.Access, q institution.Question) (institution.Answer, error) {
	c, err := callFor(q)
	if err != nil {
		return institution.Answer{}, err
	}
	if a.Token == "" {
		return institution.Answer{}, &institution.Error{Kind: institution.SCARequired, NotSent: true}
	}
	c.psu, c.token = a.PSU, a.Token
	resp, err := b.exchange(ctx, c)
	if err != nil {
		return institution.Answer{}, err
	}
	if !resp.ok() {
		return institution.Answer{}, b.refusal(c, resp)
	}
	if !loose.IsObject(resp.Body) {
		return institution.Answer{}, malformedIn(resp, "the answer must be a JSON object")
	}
	return institution.Answer{Question: q, Body: bytes.ToValidUTF8(resp.Body, []byte("\uFFFD")), FetchedAt: b.clock.Now()}, nil
}

// callFor returns the request of a question. A further page is where the bank's link says.
func callFor(q institution.Question) (call, error) {
	c := call{operation: opRead, method: http.MethodGet, link: q.Link}
	switch {
	case q.Kind == askAccounts:
		c.path = []string{"accounts"}
	case q.Kind == askBalances && q.Account != "":
		c.path = []string{"accounts", q.Account, "balances"}
	case q.Kind == askTransactions && q.Account != "":
		c.path, c.query = []string{"accounts", q.Account, "transactions"}, url.Values{}
		// A time zone in a filter is ignored, and the standard wants none there.
		if from := mannerOf(q.Detail).first(q); from != "" {
			c.query.Set(fromParameter, from+"T00:00:00")
		}
		if q.Until != "" {
			c.query.Set(toParameter, q.Until+"T23:59:59")
		}
	default:
		return call{}, &institution.Error{Kind: institution.Refused, NotSent: true}
	}
	return c, nil
}

// shortHistories are the days of transactions that are asked for in place of a longer
// period, after those of the profile without the person.
var shortHistories = []int{institution.CertainHistory, 30}

// Instead implements institution.Collector: the transactions of a shorter period, where the
// bank refuses the form of the question, or wants the person to sign for the longer one.
func (b *Bank) Instead(q institution.Question, e *institution.Error, day time.Time) (institution.Question, bool) {
	refused := e.Kind == institution.Refused && e.HTTPStatus == http.StatusBadRequest || e.Kind == institution.SCARequired
	m := mannerOf(q.Detail)
	before := m.first(q)
	if q.Kind != askTransactions || !refused || q.Link != "" || before == "" {
		return q, false
	}
	m.from = institution.Shorter(before, day, append([]int{b.profile.HistoryUnattended}, shortHistories...)...)
	if m.from == "" || q.Until != "" && m.from > q.Until {
		return q, false
	}
	q.Detail = m.String()
	return q, true
}

// Read implements institution.Collector.
func (b *Bank) Read(a institution.Answer) (institution.Reading, error) {
	switch a.Question.Kind {
	case askAccounts:
		return b.readAccounts(a)
	case askBalances:
		return b.readBalances(a)
	case askTransactions:
		return b.readTransactions(a)
	}
	return institution.Reading{}, &institution.Error{Kind: institution.Refused}
}

// links are those of an answer. Only the link to the next page is followed
// (docs/reference/families.md 4.6).
type links struct {
	Next loose.Text `json:"Next"`
}

const maxLink = 4096 // bytes

// next returns the question for the page that the link of an answer leads to, or nothing.
// A link that repeats the one that was asked does not lead on, and one to another place
// than the bank leads nowhere.
func (b *Bank) next(q institution.Question, l links, d *deviation.Counts) []institution.Question {
	link := strings.TrimSpace(string(l.Next))
	if link == "" || link == q.Link {
		return nil
	}
	if _, err := b.client.Resolve(link); err != nil || len(link) > maxLink {
		d.Add(deviation.UnusableLink, 1)
		return nil
	}
	q.Link, q.Onward = link, true
	q.Essential = false // what the page before it has is worth having
	return []institution.Question{q}
}
