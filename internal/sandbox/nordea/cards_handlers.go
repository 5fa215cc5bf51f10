package nordea

import (
	"slices"

	"samla/internal/sandbox/nordea/account"
	"samla/internal/sandbox/nordea/grant"
	"samla/internal/sandbox/persona"
)

func (c *call) listCards() (response, *apiError) {
	g, f := c.bearer(grant.Cards)
	if f != nil {
		return response{}, f
	}
	if _, f := c.query(); f != nil {
		return response{}, f
	}
	p := c.person(g)
	if f := personError(p); f != nil {
		return response{}, f
	}
	list := []account.Object{}
	for _, k := range account.CardsOf(p) {
		if slices.Contains(g.Cards, k.ID) {
			list = append(list, c.cardObject(k, p))
		}
	}
	if f := c.countRead(g, "cards"); f != nil {
		return response{}, f
	}
	return c.envelope(nil, account.Object{"cards": list}), nil
}

// card returns the grant of the request and the card of the path.
func (c *call) card(scope string) (grant.Grant, account.Card, *apiError) {
	g, f := c.bearer(scope)
	if f != nil {
		return g, account.Card{}, f
	}
	p := c.person(g)
	for _, k := range account.CardsOf(p) {
		if k.ID != c.id {
			continue
		}
		if !slices.Contains(g.Cards, k.ID) {
			return g, k, denied("The card is not shared.")
		}
		return g, k, personError(p)
	}
	return g, account.Card{}, c.unknown()
}

func (c *call) getCard() (response, *apiError) {
	g, k, f := c.card(grant.Cards)
	if f != nil {
		return response{}, f
	}
	if _, f := c.query(); f != nil {
		return response{}, f
	}
	if f := c.countRead(g, "card/"+k.ID); f != nil {
		return response{}, f
	}
	return c.envelope(nil, c.cardObject(k, c.person(g))), nil
}

func (c *call) listCardTransactions() (response, *apiError) {
	g, k, f := c.card(grant.CardTransactions)
	if f != nil {
		return response{}, f
	}
	w, f := c.window(g, k.ID)
	if f != nil {
		return response{}, f
	}
	if k.TransactionsStatus != 0 {
		return response{}, scripted(k.TransactionsStatus)
	}
	if w.Offset == 0 {
		if f := c.countRead(g, "card-transactions/"+k.ID); f != nil {
			return response{}, f
		}
	}
	ledger, _ := c.ledger(k.Account)
	list, key := c.page(w, k.Rows(ledger, w.From, w.To))
	transactions := []account.Object{}
	for _, r := range list {
		transactions = append(transactions, k.Transaction(r))
	}
	v := account.Object{"transactions": transactions}
	if key != "" {
		v["continuation_key"] = key // not in the envelope, as for accounts (docs/reference/families.md 3.7)
	}
	return c.envelope(nil, v), nil
}

func (c *call) cardObject(k account.Card, holder persona.Person) account.Object {
	ledger, _ := c.ledger(k.Account)
	return k.Object(holder, ledger)
}
