package collect_test

import (
	"context"
	"errors"
	"testing"

	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/flowtest"
	"samla/internal/idempotency"
	"samla/internal/store"
)

func TestStart_ValidatesStoredConsent(t *testing.T) {
	b := newEnv(t)
	authorized := b.authorizedConsent()
	waiting, err := b.consents.Draft(t.Context(), b.consentRequest())
	if err != nil {
		t.Fatal(err)
	}
	b.Write(func(tx store.Tx) error { return b.consents.Add(t.Context(), tx, waiting) })
	failed, revoked, expired := b.authorizedConsent(), b.authorizedConsent(), b.authorizedConsent()
	b.Write(func(tx store.Tx) error {
		failed.Status = consent.Failed
		_, err := tx.PutConsent(t.Context(), failed)
		return err
	})
	b.apply(revoked.ID, consent.Revocation{Cause: consent.CauseUser})
	b.apply(expired.ID, consent.Expiry{Cause: consent.CauseTime})
	inner := b.oneTime()

	for _, ip := range []string{"192.0.2.7", ""} {
		for name, test := range map[string]struct {
			change func(*collect.Request)
			want   fault.Code
		}{
			"unknown":           {func(r *collect.Request) { r.ConsentID = consent.ID(b.IDs.New()) }, fault.ConsentNotFound},
			"another client's":  {func(r *collect.Request) { r.ClientID = b.IDs.New() }, fault.ConsentNotFound},
			"another user's":    {func(r *collect.Request) { r.UserID = b.IDs.New() }, fault.ConsentNotFound},
			"another company's": {func(r *collect.Request) { r.Company = "se-another" }, fault.ConsentCompanyMismatch},
			"one-time":          {func(r *collect.Request) { r.ConsentID = inner.ConsentID }, fault.ConsentNotFound},
			"waiting":           {func(r *collect.Request) { r.ConsentID = waiting.ID }, fault.ConsentNotAuthorized},
			"failed":            {func(r *collect.Request) { r.ConsentID = failed.ID }, fault.ConsentNotAuthorized},
			"revoked":           {func(r *collect.Request) { r.ConsentID = revoked.ID }, fault.ConsentRevoked},
			"expired":           {func(r *collect.Request) { r.ConsentID = expired.ID }, fault.ConsentExpired},
		} {
			r := b.request(authorized, ip)
			test.change(&r)
			_, err := b.Start(t.Context(), r, nil)
			isFault(t, name, err, test.want)
		}
	}
	r := b.request(authorized, "")
	r.UserID = "" // the API key names no user: the consent's it is
	if c := b.start(r); c.UserID != b.User.ID || c.Attended {
		t.Errorf("started %+v", c)
	}
	b.Clock.Set(authorized.ExpiresAt) // its own flow has not been there yet
	_, err = b.Start(t.Context(), b.request(authorized, "192.0.2.7"), nil)
	isFault(t, "past its end", err, fault.ConsentExpired)
}

func TestStart_IsOneTransaction(t *testing.T) {
	b := newEnv(t)
	under := b.authorizedConsent()
	failed := errors.New("the answer failed")
	for name, r := range map[string]collect.Request{"stored": b.request(under, ""), "one-time": b.oneTimeRequest()} {
		_, err := b.Start(t.Context(), r, func(context.Context, collection.Collection) (*idempotency.Record, error) { return nil, failed })
		if !errors.Is(err, failed) {
			t.Errorf("%s, failed answer: %v", name, err)
		}
		_, err = b.Start(t.Context(), r, func(context.Context, collection.Collection) (*idempotency.Record, error) {
			return &idempotency.Record{}, nil
		})
		if !errors.Is(err, store.ErrConflict) {
			t.Errorf("%s, lost claim: %v", name, err)
		}
	}
	list, err := b.List(t.Context(), b.owner(), nil, false, store.Page{Limit: 10})
	if err != nil || len(list) != 0 {
		t.Errorf("%d collections are left, %v", len(list), err)
	}
	gone, _ := b.User.Anonymize(b.Clock.Now())
	b.Write(func(tx store.Tx) error { return tx.PutUser(t.Context(), b.User, gone) })
	for name, r := range map[string]collect.Request{"stored": b.request(under, ""), "one-time": b.oneTimeRequest()} {
		_, err := b.Start(t.Context(), r, nil)
		isFault(t, name, err, fault.Unauthorized)
	}
}

func TestStart_PreparesAnswerBeforeTransaction(t *testing.T) {
	b := newEnv(t)
	under := b.authorizedConsent()
	detector := &flowtest.WriteDetector{Store: b.Store}
	b.Service.Store = detector
	for name, r := range map[string]collect.Request{"stored": b.request(under, ""), "one-time": b.oneTimeRequest()} {
		var answered collection.Collection
		c, err := b.Start(t.Context(), r, func(_ context.Context, c collection.Collection) (*idempotency.Record, error) {
			if detector.InWrite() {
				t.Errorf("%s: the answer is prepared inside the transaction", name)
			}
			answered = c
			return nil, nil
		})
		if err != nil || answered.ID != c.ID {
			t.Errorf("%s: answered with %q, %v", name, answered.ID, err)
		}
	}
}

// slowStore keeps each transaction open for a while before it is committed.
type slowStore struct{ store.Store }

func (s slowStore) Write(ctx context.Context, fn func(store.Tx) error) error {
	return s.Store.Write(ctx, func(tx store.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		for range 20 {
			if _, err := tx.Clients(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// meanwhile is a store that calls happens before the next transaction.
type meanwhile struct {
	store.Store
	happens func()
}

func (m *meanwhile) Write(ctx context.Context, fn func(store.Tx) error) error {
	if happens := m.happens; happens != nil {
		m.happens = nil
		happens()
	}
	return m.Store.Write(ctx, fn)
}

// A refresh does not start under a consent that is revoked while it starts.
func TestStart_RefusesConsentRevokedMeanwhile(t *testing.T) {
	b := newEnv(t)
	under := b.authorizedConsent()
	m := &meanwhile{Store: b.Store}
	b.Store = m
	b.Service = b.service()
	m.happens = func() { b.apply(under.ID, consent.Revocation{Cause: consent.CauseUser}) }
	_, err := b.Start(t.Context(), b.request(under, ""), nil)
	isFault(t, "withdrawn meanwhile", err, fault.ConsentRevoked)
}
