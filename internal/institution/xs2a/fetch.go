package xs2a

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"samla/internal/httpclient"
	"samla/internal/institution"
)

// mapping grows whenever a Read method understands an answer in another way.
const mapping = 1

// Mapping implements institution.Source.
func (b *Bank) Mapping() int { return mapping }

// Plan implements institution.Source.
func (b *Bank) Plan() []institution.Query {
	plan := []institution.Query{{Kind: institution.Accounts}}
	if b.wire.cards != "" {
		plan = append(plan, institution.Query{Kind: institution.Cards, Card: true})
	}
	return plan
}

// Fetch implements institution.Source. A link that carries a query of its own is called
// as it is; one without gets the parameters of a first page.
//
// It is one exchange but for one case: a bank that does not know bookingStatus
// both (it need not, docs/reference/banks.md 6.1) is asked again for what is booked. A bank
// without card accounts answers the list of them with an error; that is the
// empty list.
func (b *Bank) Fetch(ctx context.Context, a institution.Access, q institution.Query) (institution.Answer, error) {
	got, err := b.fetch(ctx, a, q, b.wire.bookingStatus)
	var failed *institution.Error
	if errors.As(err, &failed) {
		switch {
		case q.Kind == institution.Transactions && b.wire.bookingStatus != booked && failed.Code == "PARAMETER_NOT_SUPPORTED":
			got, err = b.fetch(ctx, a, q, booked)
		case q.Kind == institution.Cards && noCards(failed):
			got, err = answer{body: []byte(`{"cardAccounts":[]}`)}, nil
		}
	}
	if err != nil {
		return institution.Answer{}, err
	}
	return institution.Answer{Query: q, Body: got.body, FetchedAt: b.clock.Now()}, nil
}

func (b *Bank) fetch(ctx context.Context, a institution.Access, q institution.Query, bookingStatus string) (answer, error) {
	about, err := subjectOf(q.Kind)
	if err != nil {
		return answer{}, err
	}
	target, err := b.target(q, bookingStatus)
	if err != nil {
		return answer{}, unanswered(err, "")
	}
	return b.exchange(ctx, call{
		about: about, method: http.MethodGet, target: target, psu: a.PSU, consentID: string(a.ConsentID), token: a.Token,
	})
}

func subjectOf(k institution.Kind) (subject, error) {
	switch k {
	case institution.Accounts:
		return aboutList, nil
	case institution.Cards:
		return aboutCards, nil
	case institution.Balances, institution.Transactions:
		return aboutAccount, nil
	}
	return 0, &institution.Error{Kind: institution.Refused}
}

func (b *Bank) target(q institution.Query, bookingStatus string) (httpclient.Target, error) {
	parameters := url.Values{}
	switch q.Kind {
	case institution.Accounts:
		if b.wire.withBalance && !q.Bare {
			parameters.Set("withBalance", "true")
		}
	case institution.Transactions:
		parameters.Set("bookingStatus", bookingStatus)
		if !q.From.IsZero() {
			parameters.Set("dateFrom", q.From.UTC().Format(time.DateOnly))
		}
	}
	if q.Link != "" {
		return b.client.ResolveWith(q.Link, parameters)
	}
	list := "accounts"
	if q.Card || q.Kind == institution.Cards {
		list = b.wire.cards
	}
	segments := []string{"v1", list}
	if q.Kind == institution.Balances || q.Kind == institution.Transactions {
		segments = append(segments, q.Account, string(q.Kind))
	}
	return b.client.At(parameters, segments...)
}
