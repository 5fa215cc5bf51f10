package v20260401

import (
	"time"

	"samla/internal/account"
	"samla/internal/accounts"
	"samla/internal/api"
	"samla/internal/authn"
	"samla/internal/jsontext"
)

// The bodies of accounts (docs/reference/api.md 11.1).
type (
	accountBody struct {
		AccountID       string            `json:"accountId"`
		Type            string            `json:"type"`
		Company         string            `json:"company"`
		CompanyName     string            `json:"companyDisplayName"`
		Name            string            `json:"name,omitempty"`
		Number          string            `json:"number,omitempty"`
		IBAN            string            `json:"iban,omitempty"`
		BIC             string            `json:"bic,omitempty"`
		Currency        string            `json:"currency,omitempty"`
		State           account.State     `json:"state"`
		StateSince      string            `json:"stateSince"`
		FirstSeen       string            `json:"firstSeen"`
		LastSeen        string            `json:"lastSeen"`
		Balances        []account.Balance `json:"balances"`
		BalancesAt      string            `json:"balancesAt,omitempty"`
		Generation      int64             `json:"generation"`
		Links           []linkBody        `json:"links"`
		PossibleMatches []possibleBody    `json:"possibleMatches"`
		MergedFrom      []string          `json:"mergedFrom"`
	}
	linkBody struct {
		LinkID      string        `json:"linkId"`
		Company     string        `json:"company"`
		CompanyName string        `json:"companyDisplayName"`
		Type        string        `json:"type"`
		Name        string        `json:"name,omitempty"`
		Number      string        `json:"number,omitempty"`
		IBAN        string        `json:"iban,omitempty"`
		State       account.State `json:"state"`
		StateSince  string        `json:"stateSince"`
		FirstSeen   string        `json:"firstSeen"`
		LastSeen    string        `json:"lastSeen"`
		Through     []throughBody `json:"through"`
		Evidence    *evidenceBody `json:"evidence,omitempty"`
	}
	throughBody struct {
		ConsentID      string `json:"consentId,omitempty"`
		FirstConsentID string `json:"firstConsentId,omitempty"`
		FirstSeen      string `json:"firstSeen"`
		LastSeen       string `json:"lastSeen"`
	}
	evidenceBody struct {
		Strength account.Strength     `json:"strength"`
		Agreed   []account.Identifier `json:"agreed"`
		Differed []account.Identifier `json:"differed,omitempty"`
		FoundAt  string               `json:"foundAt"`
	}
	possibleBody struct {
		AccountID string               `json:"accountId"`
		Strength  account.Strength     `json:"strength"`
		Agreed    []account.Identifier `json:"agreed"`
		Differed  []account.Identifier `json:"differed,omitempty"`
	}
)

func accountOf(a *accounts.Listed) accountBody {
	newest := a.Newest()
	state, since := a.State()
	body := accountBody{AccountID: a.ID, Type: string(newest.Shown.Type), Company: newest.Company, CompanyName: newest.Name,
		Name: newest.Shown.Name, Number: newest.Shown.Number, IBAN: newest.Shown.IBAN, BIC: newest.Shown.BIC, Currency: newest.Shown.Currency,
		State: state, StateSince: jsontext.Time(since), FirstSeen: jsontext.Time(a.First()), LastSeen: jsontext.Time(a.Last()),
		Balances: append([]account.Balance{}, newest.Shown.Balances...), Generation: a.Generation,
		Links: make([]linkBody, len(a.Links)), PossibleMatches: make([]possibleBody, len(a.Possible)), MergedFrom: append([]string{}, a.Merged...)}
	if len(body.Balances) > 0 {
		body.BalancesAt = jsontext.Time(newest.Shown.At)
	}
	for i := range a.Links {
		body.Links[i] = linkOf(&a.Links[i])
	}
	for i, p := range a.Possible {
		body.PossibleMatches[i] = possibleBody{p.AccountID, p.Evidence.Strength, p.Evidence.Agreed, p.Evidence.Differed}
	}
	return body
}

func linkOf(l *account.Link) linkBody {
	state, since := l.State()
	body := linkBody{LinkID: l.ID, Company: l.Company, CompanyName: l.Name, Type: string(l.Shown.Type), Name: l.Shown.Name, Number: l.Shown.Number,
		IBAN: l.Shown.IBAN, State: state, StateSince: jsontext.Time(since), FirstSeen: jsontext.Time(l.First), LastSeen: jsontext.Time(l.Last),
		Through: make([]throughBody, len(l.Through))}
	for i, t := range l.Through {
		body.Through[i] = throughBody{string(t.Consent), string(t.Lineage), jsontext.Time(t.First), jsontext.Time(t.Last)}
	}
	if e := l.Evidence; e != nil {
		at := e.At
		if at.IsZero() {
			at = l.First
		}
		body.Evidence = &evidenceBody{e.Strength, e.Agreed, e.Differed, jsontext.Time(at.Truncate(time.Millisecond))}
	}
	return body
}

func accountsOf(list []accounts.Listed) []accountBody {
	body := make([]accountBody, len(list))
	for i := range list {
		body[i] = accountOf(&list[i])
	}
	return body
}

// ownerOf returns the caller, as the owner of accounts.
func ownerOf(c *api.Call) accounts.Owner {
	by := c.Caller()
	return accounts.Owner{ClientID: by.ClientID, UserID: by.UserID, KeyID: by.KeyID, Route: c.OperationID()}
}

func (o *operations) accounts(c *api.Call) error { return o.listAccounts(c, ownerOf(c)) }

func (o *operations) accountsOfUser(c *api.Call) error {
	u, err := o.user(c)
	if err != nil {
		return err
	}
	owner := ownerOf(c)
	owner.UserID = u.ID
	return o.listAccounts(c, owner)
}

func (o *operations) listAccounts(c *api.Call, of accounts.Owner) error {
	list, err := o.Accounts.List(c.Context(), of)
	if err != nil {
		return err
	}
	return c.WriteJSON(accountsOf(list))
}

// ownerOfAccount returns whose accounts the caller may change: its own, or for an API key
// those of the user who has the account in the path.
func (o *operations) ownerOfAccount(c *api.Call) (accounts.Owner, error) {
	owner := ownerOf(c)
	var err error
	if c.Caller().Kind != authn.Session {
		owner.UserID, err = o.Accounts.User(c.Context(), owner.ClientID, c.ID())
	}
	return owner, err
}

func (o *operations) mergeAccounts(c *api.Call) error {
	var r struct {
		With string `json:"with"`
	}
	if _, err := c.Decode(&r); err != nil {
		return err
	}
	owner, err := o.ownerOfAccount(c)
	if err != nil {
		return err
	}
	merged, err := o.Accounts.Merge(c.Context(), owner, c.ID(), r.With)
	if err != nil {
		return err
	}
	return c.WriteJSON(accountOf(&merged))
}

func (o *operations) splitAccount(c *api.Call) error {
	var r struct {
		LinkID string `json:"linkId"`
	}
	if _, err := c.Decode(&r); err != nil {
		return err
	}
	owner, err := o.ownerOfAccount(c)
	if err != nil {
		return err
	}
	both, err := o.Accounts.Split(c.Context(), owner, c.ID(), r.LinkID)
	if err != nil {
		return err
	}
	return c.WriteJSON(struct {
		Account accountBody `json:"account"`
		Split   accountBody `json:"split"`
	}{accountOf(&both[0]), accountOf(&both[1])})
}

func (o *operations) deleteAccount(c *api.Call) error {
	owner, err := o.ownerOfAccount(c)
	if err != nil {
		return err
	}
	if err := o.Accounts.Delete(c.Context(), owner, c.ID()); err != nil {
		return err
	}
	return c.WriteNothing()
}
