package xs2a

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"samla/internal/institution"
	"samla/internal/institution/httperror"
)

// Fetch implements institution.Collector. If the bank answers the list of card accounts
// with an error because it has none, the answer is the empty list.
func (b *Bank) Fetch(ctx context.Context, a institution.Access, q institution.Question) (institution.Answer, error) {
	op, err := operationOf(q)
	if err != nil {
		return institution.Answer{}, err
	}
	address, err := b.address(q)
	if err != nil {
		return institution.Answer{}, err
	}
	path, query, _ := strings.Cut(address, "?")
	target, err := b.client.Below(path, query)
	if err != nil {
		return institution.Answer{}, httperror.Transport(err, "")
	}
	c := call{operation: op, method: http.MethodGet, target: target, psu: a.PSU, consentID: string(a.ConsentID), token: a.Token}
	resp, err := b.exchange(ctx, c)
	if err == nil {
		err = b.checkContent(&resp, c, q)
	}
	var failed *institution.Error
	if q.Kind == askCards && errors.As(err, &failed) && meansNoCards(failed) {
		resp, err = response{body: []byte(emptyAnswers[askCards])}, nil
	}
	if err != nil {
		return institution.Answer{}, err
	}
	return institution.Answer{Question: q, Body: withLinkHeader(resp.body, resp.header), FetchedAt: b.clock.Now()}, nil
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

// The query parameters of first pages.
const (
	statusParameter  = "bookingStatus"
	fromParameter    = "dateFrom"
	untilParameter   = "dateTo"
	balanceParameter = "withBalance"
)

// address returns the address of a question: of the page that its link leads to, or of
// a first page, with its parameters. A link to a first page may have parameters of its
// own: they are kept, except for the first booking date. Errors: as of standardAddress.
func (b *Bank) address(q institution.Question) (string, error) {
	m := mannerOf(q.Detail)
	if m.page {
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
		if m.withBalance {
			address = withParameter(address, balanceParameter, "true")
		}
	case askTransactions:
		if own := parameterOf(address, statusParameter); m.booked || own != booked && own != both && own != "all" {
			address = withParameter(address, statusParameter, b.statusOf(m))
		}
		if from := m.dateFrom(q); from != "" {
			address = withParameter(address, fromParameter, from)
		}
		if q.Until != "" {
			address = withParameter(address, untilParameter, q.Until)
		}
		address = b.wire.pages.first(address)
	}
	return address, nil
}

// statusOf returns the booking status to ask for.
func (b *Bank) statusOf(m manner) string {
	if m.booked {
		return booked
	}
	return b.wire.bookingStatus
}
