package collect_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/flowtest"
	"samla/internal/idempotency"
	"samla/internal/institution"
	"samla/internal/product"
	"samla/internal/store"
	"samla/internal/testpg"
)

func TestUsableConsents(t *testing.T) {
	b := newBench(t)
	authorized := b.granted()
	waiting, err := b.consents.Draft(t.Context(), b.consentRequest())
	if err != nil {
		t.Fatal(err)
	}
	b.Write(func(tx store.Tx) error { return b.consents.Add(t.Context(), tx, waiting) })
	failed, revoked, expired := b.granted(), b.granted(), b.granted()
	b.Write(func(tx store.Tx) error {
		failed.Status = consent.Failed
		_, err := tx.PutConsent(t.Context(), failed)
		return err
	})
	b.comes(revoked.ID, consent.Revocation{Cause: consent.CauseUser})
	b.comes(expired.ID, consent.Expiry{Cause: consent.CauseTime})
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

func TestStartIsOneTransaction(t *testing.T) {
	b := newBench(t)
	under := b.granted()
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
	b := newBench(t)
	under := b.granted()
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

// TestQuota: of five background refreshes at once exactly four start; the next
// may as soon as the first is a day old (RTS art. 36(5)).
func TestQuota(t *testing.T) {
	for name, database := range map[string]func(testing.TB) string{
		"sqlite": func(t testing.TB) string { return t.TempDir() }, "postgres": testpg.URL,
	} {
		t.Run(name, func(t *testing.T) {
			dsn := database(t)
			b := newBenchOn(t, dsn)
			b.Store = slowStore{b.Store}
			nodes := []*collect.Service{b.service()}
			if name == "postgres" { // a second node shares nothing with the first but the rows
				b.Store = slowStore{flowtest.Open(t, dsn)}
				nodes = append(nodes, b.service())
			}
			quota(t, b, nodes)
		})
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

func quota(t *testing.T, b *bench, nodes []*collect.Service) {
	under := b.granted()
	b.Clock.Advance(time.Hour)
	for range 3 { // the person being there takes no place
		b.start(b.request(under, "192.0.2.7"))
	}
	var (
		wg      sync.WaitGroup
		results = make(chan error, 5)
	)
	for i := range cap(results) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, err := nodes[i%len(nodes)].Start(t.Context(), b.request(under, ""), nil)
			results <- err
		}()
	}
	wg.Wait()
	close(results)
	started := 0
	for err := range results {
		if err == nil {
			started++
			continue
		}
		f := isFault(t, "one too many", err, fault.BackgroundRefreshLimit)
		if want := morning.Add(25 * time.Hour); !f.NextAllowedAt.Equal(want) || f.RetryAfter != 24*time.Hour {
			t.Errorf("the next at %s, in %s", f.NextAllowedAt, f.RetryAfter)
		}
	}
	if started != 4 {
		t.Errorf("%d of 5 started", started)
	}
	b.start(b.request(b.granted(), "")) // another consent has its own places
	b.Clock.Advance(24*time.Hour - time.Second)
	_, err := b.Start(t.Context(), b.request(under, ""), nil)
	isFault(t, "a second early", err, fault.BackgroundRefreshLimit)
	b.Clock.Advance(time.Second)
	b.start(b.request(under, ""))
}

// meanwhile is a store in which something happens between the reading and the
// writing of whoever uses it.
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

// A consent that is withdrawn while a refresh starts gives it no place.
func TestWithdrawnWhileStarting(t *testing.T) {
	b := newBench(t)
	under := b.granted()
	m := &meanwhile{Store: b.Store}
	b.Store = m
	b.Service = b.service()
	m.happens = func() { b.comes(under.ID, consent.Revocation{Cause: consent.CauseUser}) }
	_, err := b.Start(t.Context(), b.request(under, ""), nil)
	isFault(t, "withdrawn meanwhile", err, fault.ConsentRevoked)
}

func TestQuotaRolls(t *testing.T) {
	b := newBench(t)
	under := b.granted()
	for range 4 {
		b.start(b.request(under, ""))
		b.Clock.Advance(5 * time.Hour)
	}
	_, err := b.Start(t.Context(), b.request(under, ""), nil) // at 20 h
	if f := isFault(t, "the fifth", err, fault.BackgroundRefreshLimit); f.RetryAfter != 4*time.Hour {
		t.Errorf("the next in %s", f.RetryAfter)
	}
	b.profile(func(p *institution.Profile) { p.DailyLimit = 2 }) // what the operator lowers holds at once
	_, err = b.Start(t.Context(), b.request(under, ""), nil)
	if f := isFault(t, "the fifth of two", err, fault.BackgroundRefreshLimit); f.RetryAfter != 14*time.Hour {
		t.Errorf("the next in %s", f.RetryAfter)
	}
	b.profile(func(p *institution.Profile) { p.DailyLimit = 4 })
	b.Clock.Advance(4 * time.Hour)
	b.start(b.request(under, ""))
	_, err = b.Start(t.Context(), b.request(under, ""), nil)
	if f := isFault(t, "the sixth", err, fault.BackgroundRefreshLimit); f.RetryAfter != 5*time.Hour {
		t.Errorf("the next in %s", f.RetryAfter)
	}
}

func (b *bench) oneTimeRequest() collect.Request {
	inner := b.consentRequest()
	return collect.Request{Owner: b.owner(), Company: theBank, LoginMethod: "SWEDISH_MOBILE_BANKID_OTHER_DEVICE", OneTime: &inner}
}

// oneTime starts a one-time collection.
func (b *bench) oneTime() collection.Collection {
	b.Helper()
	return b.start(b.oneTimeRequest())
}

func TestOneTime(t *testing.T) {
	for name, owner := range map[string]string{"a user's": "", "nobody's": "key"} {
		b := newBench(t)
		r := b.oneTimeRequest()
		if owner == "key" {
			r.UserID = ""
		}
		c := b.start(r)
		inner := b.Consent(c.ConsentID)
		if inner.CollectionID != c.ID || inner.Status != consent.Initiated || inner.UserID != r.UserID || c.Mode != collection.OneTime || !c.Leased() {
			t.Fatalf("%s: started %+v under %+v", name, c, inner)
		}
		if c = b.look(c.ID); c.Status != collection.Running || !c.WakeAt.Equal(c.LeaseEnds()) {
			t.Errorf("%s: before the bank has said anything %s, looked at again at %s", name, c.Status, c.WakeAt)
		}
		b.comes(inner.ID, consent.Opened{}, consent.Instructed{})
		if c = b.look(c.ID); c.Status != collection.Login {
			t.Errorf("%s: while the person signs %s", name, c.Status)
		}
		if view, _, err := b.Poll(t.Context(), r.Owner, c.ID); err != nil || view.Consent == nil || view.Consent.ID != inner.ID {
			t.Errorf("%s: polled %+v, %v", name, view, err)
		}
		b.comes(inner.ID, consent.Granted{Scope: inner.Requested, ValidUntil: inner.ExpiresAt})
		if c = b.row(c.ID); c.WakeAt.After(b.Clock.Now()) {
			t.Errorf("%s: the consent is granted, and the collection sleeps until %s", name, c.WakeAt)
		}
		c = b.look(c.ID)
		b.ended(c, collection.Completed)
		if got := b.Consent(inner.ID); got.Status != consent.Revoked {
			t.Errorf("%s: the consent inside is %s", name, got.Status)
		}
		b.told(name, "bank-1")
		if data, err := b.Data(t.Context(), r.Owner, c.ID); err != nil || len(data) < 100 {
			t.Errorf("%s: data %s, %v", name, data, err)
		}
		if owner == "key" {
			_, err := b.Data(t.Context(), b.owner(), c.ID)
			isFault(t, name, err, fault.CollectionNotFound)
		}
	}
}

// told holds the duties that are owed to one: the consent's end.
func (b *bench) told(name string, bankConsent consent.RemoteID) {
	b.Helper()
	ids, err := b.Store.Claim(b.Context(), store.Outbox, b.Clock.Now(), time.Hour, 10)
	if err != nil || len(ids) != 1 {
		b.Fatalf("%s: %d duties, %v", name, len(ids), err)
	}
	d, err := b.Store.OutboxMessage(b.Context(), ids[0].ID)
	if err != nil {
		b.Fatal(err)
	}
	if p, err := authorize.OpenRevocation(b.Context(), b.Vault, d); err != nil || p.RemoteID != bankConsent {
		b.Errorf("%s: the bank is owed %+v, %v", name, p, err)
	}
}

// TestOneTimeEndsWithItsConsent: how the consent inside has ended is how the
// collection ends (docs/reference/api.md 5.7).
func TestOneTimeEndsWithItsConsent(t *testing.T) {
	b := newBench(t)
	failed := func(c consent.FailureCode) []consent.Event { return []consent.Event{consent.FailedWith{Code: c}} }
	for name, test := range map[string]struct {
		events []consent.Event
		want   collection.Status
	}{
		"timed out":   {failed(consent.AuthenticationTimeout), collection.AuthenticationTimeout},
		"cancelled":   {failed(consent.AuthenticationCancelled), collection.AuthenticationCancelled},
		"rejected":    {failed(consent.Rejected), collection.AuthenticationCancelled},
		"conflict":    {failed(consent.AuthenticationConflict), collection.AuthenticationConflict},
		"mismatch":    {failed(consent.AuthenticationMismatch), collection.AuthenticationMismatch},
		"not signed":  {failed(consent.AuthenticationFailed), collection.AuthenticationError},
		"bank away":   {failed(consent.BankUnavailable), collection.ThirdPartyError},
		"bank broken": {failed(consent.BankError), collection.ThirdPartyError},
		"our fault":   {failed(consent.InternalError), collection.Failed},
		"withdrawn":   {[]consent.Event{consent.Revocation{Cause: consent.CauseUser}}, collection.AuthenticationCancelled},
		"ended":       {[]consent.Event{consent.Granted{ValidUntil: morning}}, collection.AuthenticationTimeout},
	} {
		c := b.oneTime()
		b.comes(c.ConsentID, slices.Concat([]consent.Event{consent.Opened{}, consent.Instructed{}}, test.events)...)
		if c = b.look(c.ID); c.Status != test.want || !c.WakeAt.IsZero() {
			t.Errorf("%s: %s instead of %s", name, c.Status, test.want)
		}
	}
	if len(b.bank.asked) != 0 {
		t.Error("the bank was read")
	}
}

// A stored consent that ends before it is read was signed once: signing in has
// failed, whatever ended it.
func TestStoredConsentEndsFirst(t *testing.T) {
	for name, e := range map[string]consent.Event{"withdrawn": consent.Revocation{Cause: consent.CauseUser}, "ended": consent.Expiry{Cause: consent.CauseTime}} {
		b := newBench(t)
		under := b.granted()
		c := b.start(b.request(under, ""))
		b.comes(under.ID, e)
		b.ended(b.look(c.ID), collection.AuthenticationError)
		if len(b.bank.asked) != 0 {
			t.Errorf("%s: the bank was read", name)
		}
	}
}

func TestStopOneTime(t *testing.T) {
	b := newBench(t)
	c := b.oneTime()
	b.comes(c.ConsentID, consent.Opened{}, consent.Instructed{})
	for range 2 {
		stopped, err := b.Stop(t.Context(), b.owner(), c.ID)
		if err != nil || stopped.Status != collection.AuthenticationCancelled {
			t.Errorf("stopped as %s, %v", stopped.Status, err)
		}
	}
	if inner := b.Consent(c.ConsentID); inner.Status != consent.Revoked {
		t.Errorf("the consent inside is %s", inner.Status)
	}
	b.told("stopped", "bank-1")
	_, err := b.Stop(t.Context(), collect.Owner{ClientID: b.User.ClientID, UserID: b.IDs.New()}, c.ID)
	isFault(t, "another user's", err, fault.CollectionNotFound)
	_, err = b.Stop(t.Context(), b.owner(), b.IDs.New())
	isFault(t, "unknown", err, fault.CollectionNotFound)
}

func TestEraseFinished(t *testing.T) {
	b := newBench(t)
	c := b.look(b.start(b.request(b.granted(), "192.0.2.7")).ID)
	b.ended(c, collection.Completed)
	for range 2 {
		if err := b.Erase(t.Context(), b.owner(), c.ID); err != nil {
			t.Fatal(err)
		}
	}
	_, err := b.Data(t.Context(), b.owner(), c.ID)
	isFault(t, "erased", err, fault.DataExpired)
	if n := b.raws(c.ID); n != 0 {
		t.Errorf("%d answers are left", n)
	}
	if _, err := b.Store.Products(t.Context(), c.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("products are left: %v", err)
	}
	isFault(t, "another client's", b.Erase(t.Context(), collect.Owner{ClientID: b.IDs.New()}, c.ID), fault.CollectionNotFound)
}

func TestData(t *testing.T) {
	b := newBench(t)
	running := b.start(b.request(b.granted(), "192.0.2.7"))
	_, err := b.Data(t.Context(), b.owner(), running.ID)
	isFault(t, "running", err, fault.CollectionNotFinished)
	done := b.look(running.ID)
	b.Clock.Set(done.DataUntil.Add(-time.Second))
	b.complete(done.ID)
	b.Clock.Set(done.DataUntil)
	_, err = b.Data(t.Context(), b.owner(), done.ID)
	isFault(t, "too old", err, fault.DataExpired)

	b = newBench(t)
	b.bank.accounts, b.bank.cards = nil, nil
	empty := b.look(b.start(b.request(b.granted(), "192.0.2.7")).ID)
	b.ended(empty, collection.CompletedEmpty)
	if data, err := b.Data(t.Context(), b.owner(), empty.ID); err != nil || string(data) != "[]" {
		t.Errorf("empty: %s, %v", data, err)
	}

	b = newBench(t)
	forgotten := b.look(b.start(b.request(b.granted(), "192.0.2.7")).ID)
	b.Write(func(tx store.Tx) error { return tx.DestroyKey(t.Context(), b.User.ID, b.Clock.Now()) })
	b.Vault.Evict(b.User.ID)
	_, err = b.Data(t.Context(), b.owner(), forgotten.ID)
	isFault(t, "forgotten", err, fault.DataExpired)
	b.ended(b.look(b.row(forgotten.ID).ID), collection.Completed)
}

// Products that a later version stored are not handed out as they are.
func TestData_RefusesAFormThatIsNotKnown(t *testing.T) {
	b := newBench(t)
	c := b.look(b.start(b.request(b.granted(), "192.0.2.7")).ID)
	b.ended(c, collection.Completed)
	stored, err := b.Store.Products(t.Context(), c.ID)
	if err != nil || stored.Form != product.Form {
		t.Fatalf("stored in form %d, %v", stored.Form, err)
	}
	stored.Form++
	b.Write(func(tx store.Tx) error { return tx.PutProducts(t.Context(), c.ID, stored) })
	if _, err := b.Data(t.Context(), b.owner(), c.ID); !errors.Is(err, product.ErrUnknownForm) {
		t.Errorf("got %v", err)
	}
}

// A collection of a user who was forgotten before it was read reads nothing.
func TestForgottenUser(t *testing.T) {
	b := newBench(t)
	c := b.start(b.request(b.granted(), "192.0.2.7"))
	b.Write(func(tx store.Tx) error { return tx.DestroyKey(t.Context(), b.User.ID, b.Clock.Now()) })
	b.Vault.Evict(b.User.ID)
	b.ended(b.look(c.ID), collection.Failed)
	if len(b.bank.asked) != 0 {
		t.Error("the bank was read")
	}
}
