package nordea

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"

	"samla/internal/institution"
	"samla/internal/institution/loose"
)

// emptyCards is the answer to the list of cards of a person whose consent has none.
const emptyCards = `{"response":{"cards":[]}}`

// Fetch implements institution.Collector. A consent that was opened without cards has the
// empty list of them, and the bank is not asked. It is the answer, too, if the bank itself
// says that there is no such list. That the bank denies it says nothing of the cards that the
// person has: the error is NotCovered.
func (b *Bank) Fetch(ctx context.Context, a institution.Access, q institution.Question) (institution.Answer, error) {
	c, err := b.callFor(q)
	if err != nil {
		return institution.Answer{}, err
	}
	if a.Token == "" {
		return institution.Answer{}, b.tokenError(a, &institution.Error{Kind: institution.TokenRefused, NotSent: true})
	}
	c.psu, c.token = a.PSU, a.Token
	none := institution.Answer{Question: q, Body: []byte(emptyCards), FetchedAt: b.clock.Now()}
	if asked, ok := askedIn(a.ConsentID); q.Kind == askCards && ok && asked.NoCards {
		return none, nil
	}
	resp, err := b.success(ctx, c)
	var refused *institution.Error
	switch {
	case errors.As(err, &refused) && refused.Kind == institution.NotCovered && q.Kind == askCards && !isDenial(refused):
		none.FetchedAt = b.clock.Now()
		return none, nil
	case refused != nil:
		return institution.Answer{}, b.tokenError(a, refused)
	case !loose.IsObject(resp.Body):
		return institution.Answer{}, &institution.Error{Kind: institution.MalformedResponse, HTTPStatus: resp.Status}
	}
	return institution.Answer{Question: q, Body: bytes.ToValidUTF8(resp.Body, []byte("\uFFFD")), FetchedAt: b.clock.Now()}, nil
}

// isDenial reports whether the bank says that we may not have something, and not that it is
// not there.
func isDenial(e *institution.Error) bool {
	return e.HTTPStatus == http.StatusForbidden || e.Code == codeDenied
}

// tokenError returns the error of a read. A token that is not accepted any more when the
// time of the consent is over says that the consent is over.
func (b *Bank) tokenError(a institution.Access, e *institution.Error) *institution.Error {
	if asked, ok := askedIn(a.ConsentID); ok && e.Kind == institution.TokenRefused && asked.isOver(b.clock.Now()) {
		e.Kind = institution.ConsentOver
	}
	return e
}

// callFor returns the request of a question. A further page has the members of the first
// one, and its key (docs/reference/families.md 3.6).
func (b *Bank) callFor(q institution.Question) (call, error) {
	c := call{method: http.MethodGet, query: url.Values{}}
	m := mannerOf(q.Detail)
	switch q.Kind {
	case askAccounts:
		c.operation, c.path = opList, []string{b.config.Versions.Accounts, "accounts"}
	case askCards:
		c.operation, c.path = opCards, []string{b.config.Versions.Cards, "cards"}
	case askTransactions:
		c.operation = opAccount
		set(c.query, fromParameter, m.first(q))
		set(c.query, toParameter, q.Until)
		if id, isCard := ofCard(q.Account); isCard {
			c.path = []string{b.config.Versions.Cards, "cards", id, "transactions"}
			break
		}
		c.path = []string{b.config.Versions.Accounts, "accounts", q.Account[min(len(accountPrefix), len(q.Account)):], "transactions"}
		set(c.query, languageParameter, b.config.Profile.Language)
	default:
		return call{}, &institution.Error{Kind: institution.Refused, NotSent: true}
	}
	set(c.query, keyParameter, m.key)
	return c, nil
}

func set(query url.Values, name, value string) {
	if value != "" {
		query.Set(name, value)
	}
}
