package concurrency

import (
	"context"
	"strconv"
	"sync"
	"time"

	"samla/internal/clock"
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/money"
)

const bankID = "se-test"

// bank answers from memory: the person signs at once, and there is one account. It
// recognises repeats, and keeps which consents are open.
type bank struct {
	mu      sync.Mutex
	byID    map[string]consent.RemoteID // by X-Request-ID
	open    map[consent.RemoteID]bool
	revoked map[consent.RemoteID]int
}

func newBank() *bank {
	return &bank{byID: map[string]consent.RemoteID{}, open: map[consent.RemoteID]bool{}, revoked: map[consent.RemoteID]int{}}
}

func (b *bank) institution() institution.Institution {
	return institution.Institution{Company: company.Company{ID: bankID}, Profile: institution.Profile{ReplaySafe: true}.WithDefaults(),
		Opener: b, Authorizer: b, ConsentReader: b, Revoker: b, Collector: b}
}

func (b *bank) OpenConsent(_ context.Context, r institution.OpenRequest) (institution.Opened, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	id, repeated := b.byID[r.RequestID]
	if !repeated {
		id = consent.RemoteID("bank-" + strconv.Itoa(len(b.byID)))
		b.byID[r.RequestID], b.open[id] = id, true
	}
	return institution.Opened{ConsentID: id}, nil
}

func (*bank) StartAuthorization(context.Context, institution.AuthorizeRequest) (institution.Authorization, error) {
	return institution.Authorization{ID: "authorization"}, nil
}

func (*bank) AuthorizationStatus(context.Context, institution.Access, string, string, bool) (institution.Authorization, error) {
	return institution.Authorization{State: institution.AuthorizationDone}, nil
}

func (b *bank) Consent(_ context.Context, a institution.Access) (institution.ConsentInfo, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open[a.ConsentID] {
		return institution.ConsentInfo{State: institution.ConsentRevoked}, nil
	}
	return institution.ConsentInfo{State: institution.ConsentValid, Scope: &consent.Scope{Balances: true},
		ValidUntil: clock.System().Now().AddDate(0, 1, 0)}, nil
}

func (b *bank) Revoke(_ context.Context, a institution.Access) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.open, a.ConsentID)
	b.revoked[a.ConsentID]++
	return nil
}

// openConsents is how many consents are open.
func (b *bank) openConsents() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.open)
}

func (*bank) Start(consent.Scope, string) []institution.Question {
	return []institution.Question{{Essential: true}}
}

func (*bank) Fetch(_ context.Context, _ institution.Access, q institution.Question) (institution.Answer, error) {
	return institution.Answer{Question: q, Body: []byte("100.00"), FetchedAt: clock.System().Now().Truncate(time.Microsecond)}, nil
}

func (*bank) Read(a institution.Answer) (institution.Reading, error) {
	balance, err := money.Parse(string(a.Body), "SEK")
	return institution.Reading{Facts: fact.Facts{Accounts: []fact.Account{{Key: "1", ID: "1", Name: "Account", Currency: "SEK"}},
		Balances: []fact.Balance{{Account: "1", Kind: fact.ClosingBooked, Amount: balance}}}}, err
}

func (*bank) Instead(q institution.Question, _ *institution.Error, _ time.Time) (institution.Question, bool) {
	return q, false
}
func (*bank) Mapping() int { return 1 }
