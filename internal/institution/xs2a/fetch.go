package xs2a

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"samla/internal/institution"
)

// Fetch implements institution.Collector.
//
// It makes one exchange, with one exception: if the bank does not support
// bookingStatus both (it need not, docs/reference/banks.md 6.1), it asks again for
// booked transactions. If the bank answers the list of card accounts with an error
// because it has none, the answer is the empty list.
func (b *Bank) Fetch(ctx context.Context, a institution.Access, q institution.Question) (institution.Answer, error) {
	resp, err := b.fetch(ctx, a, q, "")
	var failed *institution.Error
	if errors.As(err, &failed) {
		switch {
		case q.Kind == askTransactions && b.wire.bookingStatus != booked && failed.Code == "PARAMETER_NOT_SUPPORTED":
			resp, err = b.fetch(ctx, a, q, booked)
		case q.Kind == askCards && meansNoCards(failed):
			resp, err = response{body: []byte(emptyAnswers[askCards])}, nil
		}
	}
	if err != nil {
		return institution.Answer{}, err
	}
	return institution.Answer{Question: q, Body: resp.body, FetchedAt: b.clock.Now()}, nil
}

func (b *Bank) fetch(ctx context.Context, a institution.Access, q institution.Question, bookingStatus string) (response, error) {
	op, err := operationOf(q)
	if err != nil {
		return response{}, err
	}
	address, err := b.address(q)
	if err != nil {
		return response{}, err
	}
	if bookingStatus != "" {
		address = withParameter(address, "bookingStatus", bookingStatus)
	}
	path, query, _ := strings.Cut(address, "?")
	target, err := b.client.Below(path, query)
	if err != nil {
		return response{}, transportError(err, "")
	}
	c := call{operation: op, method: http.MethodGet, target: target, psu: a.PSU, consentID: string(a.ConsentID), token: a.Token}
	resp, err := b.exchange(ctx, c)
	if err == nil {
		err = b.checkContent(&resp, c, q)
	}
	return resp, err
}

func operationOf(q institution.Question) (operation, error) {
	switch q.Kind {
	case askAccounts:
		return opAccountList, nil
	case askCards:
		return opCardList, nil
	case askBalances, askTransactions:
		if strings.HasPrefix(q.Account, cardPrefix) {
			return opCard, nil
		}
		return opAccount, nil
	}
	return 0, &institution.Error{Kind: institution.Refused}
}

// address returns the address of a question: of the page that its link leads to, or of
// a first page, with its parameters. A link to a first page may have parameters of its
// own: they are kept, except for the first booking date. Errors: as of standardAddress.
func (b *Bank) address(q institution.Question) (string, error) {
	if q.Detail == page {
		return q.Link, nil
	}
	address := q.Link
	if address == "" {
		var err error
		if address, err = b.standardAddress(q.Kind, q.Account); err != nil {
			return "", err
		}
	}
	switch q.Kind {
	case askAccounts:
		if q.Detail == withBalance {
			address = withParameter(address, "withBalance", "true")
		}
	case askTransactions:
		if own := parameterOf(address, "bookingStatus"); own != booked && own != both && own != "all" {
			address = withParameter(address, "bookingStatus", b.wire.bookingStatus)
		}
		if q.From != "" {
			address = withParameter(address, "dateFrom", q.From)
		}
		if q.Until != "" {
			address = withParameter(address, "dateTo", q.Until)
		}
	}
	return address, nil
}
