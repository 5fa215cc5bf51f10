package connect_test

import (
	"log/slog"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/company"
	"samla/internal/connect"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/flow"
	"samla/internal/flowtest"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/store"
)

const (
	bank   = "se-bank"   // consents, BankID
	page   = "se-page"   // consents, on a page of its own
	list   = "se-list"   // consents, on a page of its own, after a login that lists accounts
	source = "se-source" // logins by dialogue

	maja = "198412099296"
)

var visitor = connect.Visitor{Address: "192.0.2.7", UserAgent: "Browser"}

// silent is an institution that nobody asks in these tests: the jobs do not run. What a bank
// would say is written to the rows.
type silent struct {
	institution.Opener
	institution.Authorizer
	institution.Collector
	institution.Loginer
}

type env struct {
	*flowtest.Env
	*connect.Service
	consents    *authorize.Service
	collections *collect.Service
}

func newEnv(t testing.TB) *env {
	t.Helper()
	b := &env{Env: flowtest.New(t, t.TempDir())}
	log := slog.New(slog.DiscardHandler)
	bankID := []string{"SWEDISH_MOBILE_BANKID_OTHER_DEVICE", "SWEDISH_MOBILE_BANKID_SAME_DEVICE"}
	set := institution.Set{
		bank: {Company: company.Company{ID: bank, DisplayName: "Bank", PSD2: true, LoginMethods: bankID},
			Profile: institution.Profile{NeedsPSUID: true}.WithDefaults(), Opener: silent{}, Authorizer: silent{}, Collector: silent{}},
		page: {Company: company.Company{ID: page, DisplayName: "Page", PSD2: true, LoginMethods: bankID},
			Profile: institution.Profile{Redirects: true}.WithDefaults(), Opener: silent{}, Authorizer: silent{}, Collector: silent{}},
		list: {Company: company.Company{ID: list, DisplayName: "List", PSD2: true, LoginMethods: bankID},
			Profile: institution.Profile{Redirects: true, LoginFirst: true, ListsAccounts: true}.WithDefaults(), Opener: silent{}, Authorizer: silent{}, Collector: silent{}},
		source: {Company: company.Company{ID: source, DisplayName: "Source", LoginMethods: append(bankID, "EMAIL", "SWEDISH_MOBILE_BANKID_SAME_DEVICE_CLIENT_SIDE_AUTHENTICATION"),
			Needs: []string{company.NeedsPersonalNumber}}, Profile: institution.Profile{}.WithDefaults(), Loginer: silent{}, Collector: silent{}},
	}
	runner := jobs.New(b.Store, b.Clock, log)
	b.consents = authorize.New(authorize.Deps{Store: b.Store, Vault: b.Vault, Institutions: set, Jobs: runner, Clock: b.Clock, IDs: b.IDs, Log: log,
		PublicURL: func() string { return "https://samla.example" }})
	b.collections = collect.New(collect.Deps{Store: b.Store, Vault: b.Vault, Consents: b.consents, Institutions: set, Jobs: runner, Clock: b.Clock, IDs: b.IDs,
		Log: log, KeepData: 30 * 24 * time.Hour, Workers: 1})
	b.Service = connect.New(connect.Deps{Store: b.Store, Vault: b.Vault, Consents: b.consents, Collections: b.collections, Institutions: set,
		Health: &company.Health{}, Clock: b.Clock, IDs: b.IDs, Log: log, PublicURL: func() string { return "https://samla.example" }})
	return b
}

// link makes a link, whose terms a test may change.
func (b *env) link(change func(*connect.LinkRequest)) connect.NewLink {
	b.Helper()
	l, err := b.CreateLink(b.Context(), b.request(change), nil)
	if err != nil {
		b.Fatal(err)
	}
	return l
}

func (b *env) request(change func(*connect.LinkRequest)) connect.LinkRequest {
	r := connect.LinkRequest{ClientID: b.User.ClientID, UserID: b.User.ID,
		Terms: flow.Terms{Balances: true, Transactions: true, Purpose: "show your accounts", Language: "sv"}}
	if change != nil {
		change(&r)
	}
	return r
}

// person is a browser on the connect page.
type person struct {
	*env
	id, key string
	view    connect.View
}

// opens opens a link with the terms.
func (b *env) opens(change func(*connect.LinkRequest)) *person {
	b.Helper()
	f, key, err := b.Open(b.Context(), secretOf(b.link(change)))
	if err != nil {
		b.Fatal(err)
	}
	p := &person{env: b, id: f.ID, key: key}
	p.looks()
	return p
}

func secretOf(l connect.NewLink) string {
	return l.URL[len("https://samla.example"+connect.LinkPath):]
}

// did takes what an act has returned.
func (p *person) did(v connect.View, err error) connect.View {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
	p.view = v
	return v
}

func (p *person) looks() connect.View {
	p.Helper()
	return p.did(p.View(p.Context(), p.id, p.key, visitor))
}

// rev is that of the state that the person sees.
func (p *person) rev() int64 { return p.view.Flow.Rev }

func (p *person) chooses(id string) connect.View {
	p.Helper()
	return p.did(p.Choose(p.Context(), p.id, p.key, p.rev(), id, visitor))
}

func (p *person) begins(kind connect.WayKind) connect.View {
	p.Helper()
	return p.did(p.Begin(p.Context(), p.id, p.key, p.rev(), connect.Begin{Kind: kind, Typed: flow.Typed{PersonalNumber: maja}}, visitor))
}

func (p *person) acts(e flow.Event) connect.View {
	p.Helper()
	return p.did(p.Act(p.Context(), p.id, p.key, p.rev(), e, visitor))
}

// in checks the state that the person sees.
func (p *person) in(want flow.State) {
	p.Helper()
	if p.view.Flow.State != want {
		p.Fatalf("the person is in %s, not %s", p.view.Flow.State, want)
	}
}

// bankSays applies events to the consent of the flow, as the bank's answers would.
func (p *person) bankSays(events ...consent.Event) {
	p.Helper()
	_, err := store.UpdateConsent(p.Context(), p.Store, p.view.Flow.ConsentID, func(c consent.Consent) (consent.Consent, func(store.Tx) error, error) {
		for _, e := range events {
			next, err := c.Apply(e, p.Clock.Now())
			if err != nil {
				return c, nil, err
			}
			c = next
		}
		return c, nil, nil
	})
	if err != nil {
		p.Fatal(err)
	}
}

// stands puts the flow into a state that the bank's answers would lead to.
func (p *person) stands(s flow.State) {
	p.Helper()
	f, err := store.UpdateConnectFlow(p.Context(), p.Store, p.id, func(f flow.Flow) (flow.Flow, func(store.Tx) error, error) {
		next, err := f.Apply(flow.See{Sight: flow.Sight{State: s}}, p.Clock.Now())
		return next, nil, err
	})
	if err != nil {
		p.Fatal(err)
	}
	p.view.Flow = f
}

func (p *person) signs() {
	p.Helper()
	c := p.Consent(p.view.Flow.ConsentID)
	p.bankSays(consent.Opened{}, consent.Instructed{}, consent.Granted{Scope: &c.Requested, ValidUntil: c.ExpiresAt})
}

// collection returns the collection of the flow.
func (p *person) collection() collection.Collection {
	p.Helper()
	c, err := p.Store.Collection(p.Context(), p.view.Flow.CollectionID)
	if err != nil {
		p.Fatal(err)
	}
	return c
}

// collected applies events to the collection of the flow.
func (p *person) collected(events ...collection.Event) {
	p.Helper()
	_, err := store.UpdateCollection(p.Context(), p.Store, p.view.Flow.CollectionID, func(c collection.Collection) (collection.Collection, func(store.Tx) error, error) {
		for _, e := range events {
			next, err := c.Apply(e, p.Clock.Now())
			if err != nil {
				return c, nil, err
			}
			c = next
		}
		return c, nil, nil
	})
	if err != nil {
		p.Fatal(err)
	}
}

func codeOf(err error) fault.Code {
	if err == nil {
		return ""
	}
	return fault.CodeOf(err)
}
