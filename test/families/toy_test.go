package families_test

import (
	"context"
	"time"

	"samla/internal/consent"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/money"
	"samla/internal/strictjson"
)

// toy is a family whose institutions answer from memory: the least that a family
// has to be.
type toy struct {
	Balance string `json:"balance"` // of every account, in SEK
}

func (toy) Check() strictjson.Faults { return nil }
func (t toy) Open(institution.Deps) (institution.Institution, error) {
	return institution.Institution{Opener: t, Authorizer: t, ConsentReader: t, Collector: t}, nil
}
func (toy) OpenConsent(context.Context, institution.OpenRequest) (institution.Opened, error) {
	return institution.Opened{ConsentID: "toy-consent"}, nil
}
func (toy) StartAuthorization(context.Context, institution.AuthorizeRequest) (institution.Authorization, error) {
	return institution.Authorization{ID: "toy-authorization"}, nil
}
func (toy) AuthorizationStatus(context.Context, institution.Access, string, string, bool) (institution.Authorization, error) {
	return institution.Authorization{State: institution.AuthorizationDone}, nil
}
func (toy) Consent(context.Context, institution.Access) (institution.ConsentInfo, error) {
	return institution.ConsentInfo{State: institution.ConsentValid, Scope: &consent.Scope{Balances: true}, ValidUntil: time.Now().AddDate(0, 1, 0)}, nil
}
func (toy) Start(consent.Scope, string) []institution.Question {
	return []institution.Question{{Essential: true}}
}
func (t toy) Fetch(_ context.Context, _ institution.Access, q institution.Question) (institution.Answer, error) {
	return institution.Answer{Question: q, Body: []byte(t.Balance)}, nil
}
func (toy) Read(a institution.Answer) (institution.Reading, error) {
	balance, err := money.Parse(string(a.Body), "SEK")
	return institution.Reading{Facts: fact.Facts{Accounts: []fact.Account{{Key: "1", ID: "1", Name: "Toy account", Currency: "SEK"}},
		Balances: []fact.Balance{{Account: "1", Kind: fact.ClosingBooked, Amount: balance}}}}, err
}
func (toy) Instead(q institution.Question, _ *institution.Error, _ time.Time) (institution.Question, bool) {
	return q, false
}
func (toy) Mapping() int { return 1 }
