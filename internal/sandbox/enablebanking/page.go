package enablebanking

import (
	"cmp"
	"fmt"
	"net/url"

	"samla/internal/sandbox/bankpage"
)

// host is the gateway as its page knows it (bankpage.Host).
type host struct{ *Gateway }

// Visit implements bankpage.Host. The person must be the one whom the credentials name.
func (h host) Visit(id string) (bankpage.Visit, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.current(h.logins[id])
	if l == nil {
		return bankpage.Visit{}, bankpage.ErrNoVisit
	}
	asked := []string{"your accounts and their names"}
	if l.Access.Balances {
		asked = append(asked, "their balances")
	}
	if l.Access.Transactions {
		asked = append(asked, "their transactions")
	}
	asked = append(asked, "until "+l.Access.ValidUntil.UTC().Format("2006-01-02"))
	return bankpage.Visit{
		Bank: l.Bank.Name, Client: "Samla, through Enable Banking (sandbox)", PersonalNumber: l.Named,
		Until: l.Created.Add(loginTime), Asked: asked, Choose: true,
	}, nil
}

// Accounts implements bankpage.Host.
func (h host) Accounts(id, number string) ([]bankpage.Account, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.logins[id]
	if l == nil {
		return nil, bankpage.ErrNoVisit
	}
	var list []bankpage.Account
	for _, p := range h.accountsAt(h.find(l.Bank), number) {
		list = append(list, bankpage.Account{ID: p.key, Name: p.Account.Name, Number: cmp.Or(p.IBAN, p.MaskedPAN, p.BBAN)})
	}
	return list, nil
}

// Decide implements bankpage.Host. A decided login returns the same address again.
func (h host) Decide(id string, d bankpage.Decision) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.logins[id]
	if l == nil {
		return "", bankpage.ErrNoVisit
	}
	var event any
	switch {
	case l.Status != Pending:
		return l.returnTo()
	case d.Outcome == bankpage.Approved:
		code, err := h.newID()
		if err != nil {
			return "", err
		}
		event = approved{code, d.PersonalNumber, d.Accounts}
	case d.Outcome == bankpage.Refused:
		event = cancelled{}
	default:
		event = broken{}
	}
	l, err := h.change(id, event)
	if err != nil {
		return "", err
	}
	return l.returnTo()
}

// returnTo is the address with which the browser leaves the page. Of the errors only
// access_denied is known; the others are a choice.
func (l *login) returnTo() (string, error) {
	at, err := url.Parse(l.Return)
	if err != nil {
		return "", fmt.Errorf("enablebanking: redirect address: %w", err)
	}
	q := at.Query()
	q.Set("state", l.State)
	switch {
	case l.Code != "":
		q.Set("code", l.Code)
	case l.Status == Cancelled:
		q.Set("error", "access_denied")
		q.Set("error_description", "Cancelled by the user")
	default:
		q.Set("error", "server_error")
		q.Set("error_description", "The bank could not complete the login")
	}
	at.RawQuery = q.Encode()
	return at.String(), nil
}
