package xs2a

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"samla/internal/httpclient"
	"samla/internal/institution"
)

// Fetch implements institution.Collector. It uses a link with a query as it is, and
// adds the parameters of a first page to a link without one.
//
// It makes one exchange, with one exception: if the bank does not support
// bookingStatus both (it need not, docs/reference/banks.md 6.1), it asks again for
// booked transactions. If the bank answers the list of card accounts with an error
// because it has none, the answer is the empty list.
func (b *Bank) Fetch(ctx context.Context, a institution.Access, q institution.Question) (institution.Answer, error) {
	resp, err := b.fetch(ctx, a, q, b.wire.bookingStatus)
	var failed *institution.Error
	if errors.As(err, &failed) {
		switch {
		case q.Kind == askTransactions && b.wire.bookingStatus != booked && failed.Code == "PARAMETER_NOT_SUPPORTED":
			resp, err = b.fetch(ctx, a, q, booked)
		case q.Kind == askCards && meansNoCards(failed):
			resp, err = response{body: []byte(`{"cardAccounts":[]}`)}, nil
		}
	}
	if err != nil {
		return institution.Answer{}, err
	}
	return institution.Answer{Question: q, Body: resp.body, FetchedAt: b.clock.Now()}, nil
}

func (b *Bank) fetch(ctx context.Context, a institution.Access, q institution.Question, bookingStatus string) (response, error) {
	op, err := operationOf(q.Kind)
	if err != nil {
		return response{}, err
	}
	target, err := b.target(q, bookingStatus)
	if err != nil {
		return response{}, transportError(err, "")
	}
	return b.exchange(ctx, call{
		operation: op, method: http.MethodGet, target: target, psu: a.PSU, consentID: string(a.ConsentID), token: a.Token,
	})
}

func operationOf(kind string) (operation, error) {
	switch kind {
	case askAccounts:
		return opAccountList, nil
	case askCards:
		return opCardList, nil
	case askBalances, askTransactions:
		return opAccount, nil
	}
	return 0, &institution.Error{Kind: institution.Refused}
}

func (b *Bank) target(q institution.Question, bookingStatus string) (httpclient.Target, error) {
	parameters := url.Values{}
	switch q.Kind {
	case askAccounts:
		if q.Detail == withBalance {
			parameters.Set("withBalance", "true")
		}
	case askTransactions:
		parameters.Set("bookingStatus", bookingStatus)
		if q.From != "" {
			parameters.Set("dateFrom", q.From)
		}
	}
	switch {
	case q.Link != "":
		return b.client.ResolveWithQuery(q.Link, parameters)
	case q.Kind == askAccounts:
		return b.client.NewTarget(parameters, "v1", "accounts")
	case q.Kind == askCards:
		return b.client.NewTarget(parameters, "v1", b.wire.cards)
	}
	list, id := b.resource(q.Account)
	return b.client.NewTarget(parameters, "v1", list, id, q.Kind)
}
