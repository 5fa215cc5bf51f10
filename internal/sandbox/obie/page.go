package obie

import (
	"errors"
	"slices"

	"samla/internal/sandbox/bankpage"
	"samla/internal/sandbox/obie/grant"
	"samla/internal/sandbox/obie/resource"
	"samla/internal/sandbox/obie/signed"
)

var errNoLogin = errors.New("obie: no such login, or it is over")

// asked are what a person is asked to share, in the order of the page.
var asked = []struct{ permission, text string }{
	{resource.AccountsDetail, "the numbers and the names of your accounts"},
	{resource.AccountsBasic, "the names of your accounts"},
	{resource.Balances, "your balances"},
	{resource.TransactionsDetail, "your transactions, with the other party"},
	{resource.TransactionsBasic, "the amounts and dates of your transactions"},
	{resource.OwnParty, "your name"},
}

// Visit returns a login for the page (bankpage.Host). A consent that was authorised before
// waits for the person who did so.
func (b *Bank) Visit(id string) (bankpage.Visit, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.logins[id]
	if l == nil {
		return bankpage.Visit{}, bankpage.ErrNoVisit
	}
	c := b.consent(l.Consent)
	v := bankpage.Visit{
		Bank: b.DisplayName, Client: b.clients[l.Client].Name, PersonalNumber: c.Signer, Until: l.Started.Add(grant.LoginWithin), Choose: true,
	}
	for _, a := range asked {
		if c.Has(a.permission) {
			v.Asked = append(v.Asked, a.text)
		}
	}
	if !c.Expires.IsZero() {
		v.Asked = append(v.Asked, "until "+c.Expires.Format("2006-01-02"))
	}
	return v, nil
}

// Accounts returns the accounts that the person can share (bankpage.Host).
func (b *Bank) Accounts(_, personalNumber string) ([]bankpage.Account, error) {
	p, ok := b.customers.Person(personalNumber)
	if !ok {
		return nil, errors.New("obie: not a customer")
	}
	var list []bankpage.Account
	for _, a := range b.accounts(p) {
		list = append(list, bankpage.Account{ID: a.ID, Name: a.Name, Number: a.Number()})
	}
	return list, nil
}

// Decide ends a login and returns where the browser goes: to the client, with a code or an
// error in the fragment (bankpage.Host). The same login has the same address again. A
// consent that was never authorised is rejected by every end but an approval and a
// technical error.
func (b *Bank) Decide(id string, d bankpage.Decision) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.logins[id]
	switch {
	case l == nil:
		return "", errNoLogin
	case l.Over:
		return l.Address, nil
	}
	c := b.consent(l.Consent)
	refused := func(text string) (string, error) {
		_ = b.apply(c, grant.Refused{}) // one that is rejected already stays so
		return b.end(l, b.errorAddress(l, "access_denied", text)), nil
	}
	switch d.Outcome {
	case bankpage.Approved:
		if !l.Open(b.Clock.Now()) || !b.owns(d.PersonalNumber, d.Accounts) || b.apply(c, grant.Approved{Person: d.PersonalNumber, Accounts: d.Accounts}) != nil {
			return refused("the consent cannot be given")
		}
		address, err := b.approve(l, c)
		if err != nil {
			return "", err
		}
		return b.end(l, address), nil
	case bankpage.Failed:
		return b.end(l, b.errorAddress(l, "server_error", "")), nil
	case bankpage.TimedOut:
		return refused("the person did not answer in time")
	case bankpage.NotEligible:
		return refused("the customer must answer the bank's questions first")
	case bankpage.WrongPerson:
		return refused("another person logged in")
	}
	return refused("the person refused")
}

func (b *Bank) errorAddress(l *grant.Login, code, text string) string {
	return signed.ErrorRedirect(l.RedirectURI, code, text, l.State, b.answerIssuer())
}

func (b *Bank) end(l *grant.Login, address string) string {
	l.Over, l.Address = true, address
	b.write(entry{Login: l})
	return address
}

// approve makes a code and returns the address with it. The next variant that an operator
// set changes the answer. The caller holds mu.
func (b *Bank) approve(l *grant.Login, c *grant.Consent) (string, error) {
	text, err := b.secret()
	if err != nil {
		return "", err
	}
	now := b.Clock.Now()
	answer := signed.Answer{
		Token: signed.NewIDToken(b.Issuer(), l.Client, c.ID, l.Nonce, l.ACR, c.SCA, now),
		Code:  text, ForeignCode: b.foreign, State: l.State, Issuer: b.answerIssuer(),
	}
	if answer.Key, err = b.key(); err != nil {
		return "", err
	}
	if b.variant == signed.UnknownKey || b.variant == signed.KnownKeyID {
		if answer.OtherKey, err = b.keyAt(b.rotated + 1); err != nil { // the next one, not published yet
			return "", err
		}
	}
	if answer.ForeignCode == "" {
		if answer.ForeignCode, err = b.secret(); err != nil {
			return "", err
		}
	}
	address, err := answer.Redirect(l.RedirectURI, b.variant)
	if err != nil {
		return "", err
	}
	code := &grant.Code{
		Hash: grant.Hash(text), Consent: c.ID, Client: l.Client, RedirectURI: l.RedirectURI, Nonce: l.Nonce, Challenge: l.Challenge,
		ACR: l.ACR, Generation: c.Generation, Issued: now,
	}
	b.variant, b.foreign = "", text
	b.codes[code.Hash] = code
	b.write(entry{Code: code})
	return address, nil
}

// owns reports whether all accounts are the person's.
func (b *Bank) owns(person string, accounts []string) bool {
	p, ok := b.customers.Person(person)
	if !ok {
		return false
	}
	known := map[string]bool{}
	for _, a := range b.accounts(p) {
		known[a.ID] = true
	}
	return !slices.ContainsFunc(accounts, func(id string) bool { return !known[id] })
}
