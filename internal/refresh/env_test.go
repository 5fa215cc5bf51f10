package refresh_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/collect"
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/fact"
	"samla/internal/flowtest"
	"samla/internal/idempotency"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/psu"
	"samla/internal/refresh"
	"samla/internal/store"
)

const theBank = "se-testbank"

// bank has one account without a history, and fails with err if it is set. It records when
// it is read, and from which day.
type bank struct {
	mu   sync.Mutex
	err  error
	read []time.Time
	from []string
	now  func() time.Time
}

func (b *bank) Start(_ consent.Scope, from string) []institution.Question {
	return []institution.Question{{Kind: "accounts", Essential: true, From: from}}
}

func (b *bank) Fetch(_ context.Context, _ institution.Access, q institution.Question) (institution.Answer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.read, b.from = append(b.read, b.now()), append(b.from, q.From)
	return institution.Answer{Question: q, Body: []byte("a"), FetchedAt: b.now()}, b.err
}

func (b *bank) Read(institution.Answer) (institution.Reading, error) {
	return institution.Reading{Facts: fact.Facts{Accounts: []fact.Account{{Key: "k", ID: "a", Currency: "SEK", Type: "CACC"}}}}, nil
}

func (b *bank) Instead(q institution.Question, _ *institution.Error, _ time.Time) (institution.Question, bool) {
	return q, false
}

func (b *bank) Mapping() int { return 1 }

func (b *bank) Revoke(context.Context, institution.Access) error { return nil }

func (b *bank) fails(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

// node is a node over a shared store: services without running workers.
type node struct {
	*refresh.Service
	collections *collect.Service
	consents    *authorize.Service
}

type env struct {
	*flowtest.Env
	node
	bank *bank
}

func newEnv(t testing.TB, database string) *env {
	b := &env{Env: flowtest.New(t, database), bank: &bank{}}
	b.bank.now = b.Clock.Now
	b.node = b.newNode()
	return b
}

func (b *env) newNode() node {
	log := slog.New(slog.DiscardHandler)
	banks := institution.Set{theBank: {Company: company.Company{ID: theBank, PSD2: true}, Profile: institution.Profile{Parallel: 1}.WithDefaults(),
		Collector: b.bank, Revoker: b.bank}}
	runner := jobs.New(b.Store, b.Clock, log)
	n := node{consents: authorize.New(authorize.Deps{Store: b.Store, Vault: b.Vault, Institutions: banks, Jobs: runner, Clock: b.Clock,
		IDs: b.IDs, Log: log, Subscribers: []authorize.EndSubscriber{refresh.Consents{Clock: b.Clock}}})}
	n.collections = collect.New(collect.Deps{Store: b.Store, Vault: b.Vault, Consents: n.consents, Institutions: banks, Jobs: runner,
		Clock: b.Clock, IDs: b.IDs, Log: log, KeepData: 30 * 24 * time.Hour, Workers: 4})
	n.Service = refresh.New(refresh.Deps{Store: b.Store, Collections: n.collections, Institutions: banks, Jobs: runner, Clock: b.Clock,
		IDs: b.IDs, Log: log})
	return n
}

// authorized stores a consent of a user that was authorized just now, for half a year.
func (b *env) authorized(userID string) consent.Consent {
	b.Helper()
	return b.grant(b.asked(userID))
}

// asked stores a consent of a user that waits for the person.
func (b *env) asked(userID string) consent.Consent {
	b.Helper()
	c, err := b.consents.Draft(b.Context(), authorize.Request{ClientID: b.User.ClientID, UserID: userID, Company: theBank,
		Scope: consent.Scope{Balances: true, Transactions: true}, PSU: psu.Context{IPAddress: "192.0.2.1"}})
	if err != nil {
		b.Fatal(err)
	}
	b.Write(func(tx store.Tx) error { return tx.AddConsent(b.Context(), c) })
	return b.Consent(c.ID)
}

// renewal stores a renewal of a consent, which waits for the person.
func (b *env) renewal(of consent.Consent) consent.Consent {
	b.Helper()
	c, err := b.consents.Renew(b.Context(), of.ClientID, of.UserID, of.ID, func(old authorize.Old) (authorize.Request, error) {
		return authorize.Request{Scope: old.Requested, PSU: psu.Context{IPAddress: "192.0.2.1"}}, nil
	}, func(authorize.Old) idempotency.Answer[consent.Consent] { return nil })
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// grant authorizes a consent that waits.
func (b *env) grant(c consent.Consent) consent.Consent {
	b.Helper()
	plain, err := json.Marshal(consent.Secret{RemoteID: "bank-1"})
	if err != nil {
		b.Fatal(err)
	}
	sealed, err := b.Vault.Seal(b.Context(), c.Subject(), authorize.SecretPlace(c.ID), plain)
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range []consent.Event{consent.Opened{}, consent.Instructed{}, consent.Granted{Scope: &c.Requested, ValidUntil: c.ExpiresAt}} {
		if c, err = c.Apply(e, b.Clock.Now()); err != nil {
			b.Fatal(err)
		}
	}
	c.Sealed, c.WakeAt = sealed, time.Time{}
	b.Write(func(tx store.Tx) error {
		after, err := tx.PutConsent(b.Context(), c)
		if err != nil {
			return err
		}
		return refresh.Consents{Clock: b.Clock}.ConsentAuthorized(b.Context(), tx, after)
	})
	return b.Consent(c.ID)
}

// due runs every job of schedules and collections that is due, on each of the nodes in
// turn, until none is.
func (b *env) due(nodes ...node) {
	b.Helper()
	for range 100 {
		ran := 0
		for _, n := range nodes {
			for q, handle := range map[store.Queue]func(context.Context, string) error{store.Schedules: n.Handle, store.Collections: n.collections.Handle} {
				claimed, err := b.Store.Claim(b.Context(), q, b.Clock.Now(), jobs.Lease, store.ClaimLimit{Rows: 1000})
				if err != nil {
					b.Fatal(err)
				}
				for _, j := range claimed {
					ran++
					if err := b.Run(b.Context(), handle, j.ID); err != nil {
						b.Fatalf("%s %s: %v", q, j.ID, err)
					}
				}
			}
		}
		if ran == 0 {
			return
		}
	}
	b.Fatal("the jobs do not come to rest")
}

// until runs what is due until the time end, at the times at which the schedules of the
// consents are due.
func (b *env) until(end time.Time, consents []consent.Consent, nodes ...node) {
	b.Helper()
	for {
		b.due(nodes...)
		next := end
		for _, c := range consents {
			if s, err := b.Store.Schedule(b.Context(), c.LineageID()); err == nil && s.WakeAt.Before(next) {
				next = s.WakeAt
			}
		}
		if !next.Before(end) {
			if end.After(b.Clock.Now()) {
				b.Clock.Set(end)
			}
			return
		}
		b.Clock.Set(next)
	}
}

func (b *env) request(c consent.Consent) collect.Request {
	return collect.Request{Owner: collect.Owner{ClientID: c.ClientID, UserID: c.UserID}, Company: theBank, ConsentID: c.ID}
}

func (b *env) plan(perDay int) refresh.Plan {
	b.Helper()
	p, err := b.PutPlan(b.Context(), b.User.ClientID, b.User.ID, perDay, nil)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func (b *env) part() refresh.Part {
	b.Helper()
	p, err := b.Plan(b.Context(), b.User.ClientID, b.User.ID)
	if err != nil || len(p.Parts) != 1 {
		b.Fatalf("%d parts, %v", len(p.Parts), err)
	}
	return p.Parts[0]
}

var errAway = &institution.Error{Kind: institution.Unreachable, NotCounted: true}

// most returns the most reads within any 24 hours.
func most(times []time.Time) (most int) {
	first := 0
	for i, at := range times {
		for at.Sub(times[first]) >= 24*time.Hour {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

func isNil(t testing.TB, err error) {
	t.Helper()
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
