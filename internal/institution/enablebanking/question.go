package enablebanking

import (
	"context"
	"errors"
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
	askSession      = "session"      // which accounts there are
	askDetails      = "details"      // what an account is: like an entry of a list
	askBalances     = "balances"     // of an account
	askTransactions = "transactions" // a page of an account
)

// manner is how a question is asked: the Detail of a question.
type manner struct {
	uid     string // of the account in its session
	longest bool   // the transactions with the strategy that finds the longest period
	alone   bool   // without the headers about the person
	session bool   // the details from the session, which has the hash only
	from    string // the transactions from this day on instead of the question's
	// doubt: from is later because of an error that may have had another cause. If the bank
	// answers, what is before is asked for, too.
	doubt bool
	older bool   // the transactions before a period that was asked for in doubt
	page  string // continuation_key
}

const (
	uidWord     = "uid="
	longestWord = "longest"
	aloneWord   = "alone"
	sessionWord = "session"
	fromWord    = "from="
	doubtWord   = "doubt"
	olderWord   = "older"
	pageWord    = "page="
)

// String returns the Detail.
func (m manner) String() string {
	var words []string
	for _, w := range []struct {
		said bool
		word string
	}{
		{m.uid != "", uidWord + m.uid}, {m.longest, longestWord}, {m.alone, aloneWord}, {m.session, sessionWord},
		{m.from != "", fromWord + m.from}, {m.doubt, doubtWord}, {m.older, olderWord}, {m.page != "", pageWord + url.QueryEscape(m.page)},
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
		switch {
		case word == longestWord:
			m.longest = true
		case word == aloneWord:
			m.alone = true
		case word == sessionWord:
			m.session = true
		case word == doubtWord:
			m.doubt = true
		case word == olderWord:
			m.older = true
		case strings.HasPrefix(word, uidWord):
			m.uid = word[len(uidWord):]
		case strings.HasPrefix(word, fromWord):
			m.from = word[len(fromWord):]
		case strings.HasPrefix(word, pageWord):
			m.page, _ = url.QueryUnescape(word[len(pageWord):])
		}
	}
	return m
}

// mapping grows whenever Read decodes an answer differently.
const mapping = 2

// Mapping implements institution.Collector.
func (*Bank) Mapping() int { return mapping }

// Start implements institution.Collector. The session says which accounts there are, and
// whether it is still valid.
func (*Bank) Start(_ consent.Scope, from string) []institution.Question {
	return []institution.Question{{Kind: askSession, Essential: true, From: from}}
}

// noRows is the answer for transactions that the bank does not give.
const noRows = `{"transactions":[]}`

// Fetch implements institution.Collector. Older transactions that the bank refuses with the
// same error again, after it has given newer ones, are more than it gives: the answer has
// none.
func (b *Bank) Fetch(ctx context.Context, a institution.Access, q institution.Question) (institution.Answer, error) {
	m := mannerOf(q.Detail)
	var body []byte
	var err error
	switch {
	case q.Kind == askSession, q.Kind == askDetails && m.session:
		if body, err = b.getSession(ctx, a.ConsentID); err == nil {
			err = checkSession(body)
		}
	default:
		var c call
		if c, err = b.read(a, q, m); err == nil {
			body, err = b.exchange(ctx, c)
		}
		if m.older && isTooLong(err) {
			body, err = []byte(noRows), nil
		}
	}
	if err != nil {
		return institution.Answer{}, err
	}
	if err := loose.Decode(body, &struct{}{}); err != nil { // such as the page of something between us and the gateway
		return institution.Answer{}, err
	}
	return institution.Answer{Question: q, Body: body, FetchedAt: b.clock.Now()}, nil
}

// checkSession returns the error for a session under which nothing can be read.
func checkSession(body []byte) error {
	var s session
	if err := loose.Decode(body, &s); err != nil {
		return err
	}
	state, ok := s.state()
	switch {
	case !ok:
		return malformed("status is not documented")
	case state == institution.ConsentExpired:
		return &institution.Error{Kind: institution.ConsentOver, HTTPStatus: http.StatusOK}
	case state == institution.ConsentRevoked, state == institution.ConsentRejected:
		return &institution.Error{Kind: institution.ConsentGone, HTTPStatus: http.StatusOK}
	case state != institution.ConsentValid:
		return &institution.Error{Kind: institution.SCARequired, HTTPStatus: http.StatusOK}
	}
	return nil
}

// read returns the call for data of an account.
func (b *Bank) read(a institution.Access, q institution.Question, m manner) (call, error) {
	if !uuidRE.MatchString(m.uid) {
		return call{}, &institution.Error{Kind: institution.Refused, NotSent: true}
	}
	c := call{operation: opRead, method: http.MethodGet, path: []string{"accounts", m.uid, q.Kind}}
	if !m.alone {
		c.psu, c.attended = b.headers(a.PSU)
	}
	switch q.Kind {
	case askDetails, askBalances:
	case askTransactions:
		c.query = url.Values{}
		from := q.From
		if m.from != "" {
			from = m.from
		}
		if from != "" {
			c.query.Set("date_from", from)
		}
		if q.Until != "" {
			c.query.Set("date_to", q.Until)
		}
		if m.longest {
			c.query.Set("strategy", "longest")
		}
		if m.page != "" {
			c.query.Set("continuation_key", m.page)
		}
		c.long = m.page == "" && from < institution.DaysBefore(b.clock.Now(), institution.CertainHistory)
	default:
		return call{}, &institution.Error{Kind: institution.Refused, NotSent: true}
	}
	return c, nil
}

// shortHistory is the fewest days of transactions that are asked for in place of a longer
// period.
const shortHistory = 30

// Instead implements institution.Collector.
//
//   - Headers about the person that the bank does not accept are left out.
//   - Details that cannot be had are replaced by what the session has.
//   - A period that the bank does not give is asked for in another way, and then shorter. If
//     the error can mean something else, what is left out is asked for once more
//     (readTransactions).
func (b *Bank) Instead(q institution.Question, e *institution.Error, day time.Time) (institution.Question, bool) {
	m := mannerOf(q.Detail)
	switch {
	case e.Kind == institution.Refused && (e.Code == psuHeaderMissing || e.Code == psuHeaderInvalid) && !m.alone && q.Kind != askSession:
		m.alone = true
	case q.Kind == askDetails && !m.session && (e.Kind == institution.Refused || e.Kind == institution.NotCovered):
		m.session = true
	case q.Kind == askTransactions && m.page == "" && !m.older && e.Kind == institution.Refused:
		m.doubt = m.doubt || e.Code == bankError
		from := q.From
		if m.from != "" {
			from = m.from
		}
		switch {
		case m.longest:
			m.longest = false
		default:
			if m.from = institution.Shorter(from, day, institution.CertainHistory, shortHistory); m.from == "" {
				return q, false
			}
		}
	default:
		return q, false
	}
	q.Detail = m.String()
	return q, true
}

// isTooLong reports whether a bank refuses a period, as far as its answer says so.
func isTooLong(err error) bool {
	var refused *institution.Error
	return errors.As(err, &refused) && refused.Kind == institution.Refused && (refused.Code == bankError || refused.Code == wrongPeriod)
}

// Read implements institution.Collector.
func (b *Bank) Read(a institution.Answer) (institution.Reading, error) {
	switch m := mannerOf(a.Question.Detail); {
	case a.Question.Kind == askSession:
		return readSession(a)
	case a.Question.Kind == askDetails && m.session:
		return readBare(a, m)
	case a.Question.Kind == askDetails:
		return readDetails(a, m)
	case a.Question.Kind == askBalances:
		return readBalances(a)
	case a.Question.Kind == askTransactions:
		return readTransactions(a, m)
	}
	return institution.Reading{}, &institution.Error{Kind: institution.Refused}
}

// note counts a deviation if what is said of it is true.
func note(d *deviation.Counts, k deviation.Kind, said bool) {
	if said {
		d.Add(k, 1)
	}
}
