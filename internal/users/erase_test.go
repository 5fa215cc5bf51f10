package users_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/authorize"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/idempotency"
	"samla/internal/outbox"
	"samla/internal/psu"
	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/user"
)

// consent adds a consent whose bank knows it as bankID (empty = not yet).
func (n *node) consent(t testing.TB, userID string, s consent.Status, bankID string, change func(*consent.Consent)) consent.Consent {
	t.Helper()
	c := consent.Consent{
		ID: consent.ID(n.IDs.New()), ClientID: "a", UserID: userID, Company: "se-demo", Status: s, Step: consent.StepWatch,
		Requested: consent.Scope{Balances: true}, CreatedAt: start, StatusChangedAt: start,
		AuthorizeBy: start.Add(time.Hour), ExpiresAt: start.Add(24 * time.Hour), WakeAt: start.Add(time.Second),
	}
	if change != nil {
		change(&c)
	}
	plain, _ := json.Marshal(consent.Secret{Context: psu.Context{PersonalNumber: "200002292399"}, RemoteID: consent.RemoteID(bankID), Token: "bearer"})
	var err error
	if c.Sealed, err = n.Vault.Seal(t.Context(), c.Subject(), authorize.SecretPlace(c.ID), plain); err != nil {
		t.Fatal(err)
	}
	n.Write(func(tx store.Tx) error { return tx.AddConsent(t.Context(), c) })
	return c
}

func (n *node) collection(t testing.TB, userID string, s collection.Status, change func(*collection.Collection)) collection.Collection {
	t.Helper()
	c := collection.Collection{
		ID: n.IDs.New(), ClientID: "a", UserID: userID, Company: "se-demo", Mode: collection.Stored, Attended: true,
		Status: s, CreatedAt: start, StatusChangedAt: start, PolledAt: start, WakeAt: start.Add(time.Second),
	}
	if s.HasData() {
		c.DataUntil, c.WakeAt = start.Add(24*time.Hour), time.Time{}
	}
	if change != nil {
		change(&c)
	}
	n.Write(func(tx store.Tx) error {
		if err := tx.AddCollection(t.Context(), c); err != nil {
			return err
		}
		if err := tx.PutProducts(t.Context(), c.ID, []byte("sealed")); err != nil {
			return err
		}
		return tx.AddRawAnswers(t.Context(), []collection.RawAnswer{{CollectionID: c.ID, Kind: "accounts", FetchedAt: start, Sealed: []byte("sealed")}})
	})
	return c
}

// duties opens all duties that are owed, by consent.
func (n *node) duties(t testing.TB) map[string]outbox.Revocation {
	t.Helper()
	due, err := n.store.Claim(t.Context(), store.Outbox, n.Clock.Now(), time.Minute, 1000)
	if err != nil {
		t.Fatal(err)
	}
	owed := map[string]outbox.Revocation{}
	for _, j := range due {
		d, err := n.store.OutboxMessage(t.Context(), j.ID)
		if err != nil {
			t.Fatal(err)
		}
		p, err := authorize.OpenRevocation(t.Context(), n.Vault, d)
		if err != nil || d.Kind != outbox.RevokeConsent || d.Company != "se-demo" || !d.WakeAt.After(d.CreatedAt) {
			t.Fatalf("%+v, %v", d, err)
		}
		owed[string(d.ConsentID)] = p
	}
	return owed
}

func TestErase_EndsEverything(t *testing.T) {
	all := nodes(t, t.TempDir(), 2)
	n, other := all[0], all[1]
	u, neighbour := n.create("a", "customer-4711"), n.create("a", "customer-4712")

	fresh := n.consent(t, u.ID, consent.Initiated, "", nil)
	waiting := n.consent(t, u.ID, consent.AwaitingAuthorization, "bank-1", nil)
	valid := n.consent(t, u.ID, consent.Authorized, "bank-2", nil)
	expired := n.consent(t, u.ID, consent.Expired, "bank-3", nil)
	theirs := n.consent(t, neighbour.ID, consent.Authorized, "bank-4", nil)
	running := n.collection(t, u.ID, collection.Collecting, nil)
	done := n.collection(t, u.ID, collection.Completed, nil)
	failed := n.collection(t, u.ID, collection.Failed, nil)
	theirDone := n.collection(t, neighbour.ID, collection.Completed, nil)
	var inside consent.Consent
	oneTime := n.collection(t, u.ID, collection.Login, func(c *collection.Collection) {
		inside = n.consent(t, u.ID, consent.AwaitingAuthorization, "bank-5", func(in *consent.Consent) { in.CollectionID = c.ID })
		c.Mode, c.ConsentID = collection.OneTime, inside.ID
	})

	n.Clock.Advance(time.Hour)
	now := n.Clock.Now()
	if err := n.Erase(t.Context(), "a", u.ID); err != nil {
		t.Fatal(err)
	}

	for name, c := range map[string]consent.Consent{"fresh": fresh, "waiting": waiting, "valid": valid, "inside": inside} {
		got, err := n.store.Consent(t.Context(), c.ID)
		if err != nil || got.Status != consent.Revoked || !got.RevokedAt.Equal(now) || !got.WakeAt.IsZero() || got.Step != consent.StepEnd {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		entries, err := n.store.AuditEntries(t.Context(), c.ID)
		if err != nil || len(entries) == 0 || entries[len(entries)-1].Kind != string(audit.ConsentRevoked) && name != "inside" {
			t.Errorf("%s: %+v, %v", name, entries, err)
		}
		if _, err := n.Vault.Open(t.Context(), c.Subject(), authorize.SecretPlace(c.ID), c.Sealed); !errors.Is(err, seal.ErrKeyDestroyed) {
			t.Errorf("%s: the secret opens: %v", name, err)
		}
	}
	if got, _ := n.store.Consent(t.Context(), expired.ID); got.Status != consent.Expired || got.Rev != expired.Rev {
		t.Errorf("a final consent was touched: %+v", got)
	}
	for name, c := range map[string]collection.Collection{"running": running, "one-time": oneTime} {
		got, err := n.store.Collection(t.Context(), c.ID)
		if err != nil || got.Status != collection.AuthenticationCancelled || !got.ErasedAt.Equal(now) || !got.WakeAt.IsZero() {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if got, _ := n.store.Collection(t.Context(), done.ID); got.Status != collection.Completed || !got.DataGone(now) {
		t.Errorf("done: %+v", got)
	}
	for _, c := range []collection.Collection{running, oneTime, done, failed} {
		raws, err := n.store.RawAnswers(t.Context(), c.ID)
		if _, missing := n.store.Products(t.Context(), c.ID); len(raws) != 0 || err != nil || !errors.Is(missing, store.ErrNotFound) {
			t.Errorf("%s: data is left", c.Status)
		}
	}

	owed := n.duties(t)
	for _, want := range []struct {
		c    consent.Consent
		bank string
	}{{waiting, "bank-1"}, {valid, "bank-2"}, {inside, "bank-5"}} {
		if owed[string(want.c.ID)] != (outbox.Revocation{RemoteID: consent.RemoteID(want.bank), Token: "bearer"}) {
			t.Errorf("%s is not owed a word", want.bank)
		}
	}
	if len(owed) != 3 {
		t.Errorf("%d duties", len(owed))
	}

	// The neighbour notices nothing.
	if got, _ := n.store.Consent(t.Context(), theirs.ID); got.Status != consent.Authorized {
		t.Errorf("neighbour: %+v", got)
	}
	if _, err := n.store.Products(t.Context(), theirDone.ID); err != nil {
		t.Error(err)
	}
	if _, err := n.Vault.Open(t.Context(), neighbour.ID, authorize.SecretPlace(theirs.ID), theirs.Sealed); err != nil {
		t.Error(err)
	}
	other.Clock.Advance(time.Minute)
	if _, err := other.Vault.Open(t.Context(), u.ID, authorize.SecretPlace(valid.ID), valid.Sealed); !errors.Is(err, seal.ErrKeyDestroyed) {
		t.Errorf("another node: %v", err)
	}

	// Once more changes nothing.
	if err := n.Erase(t.Context(), "a", u.ID); err != nil {
		t.Error(err)
	}
	if got, _ := n.ByID(t.Context(), "a", u.ID); !got.AnonymizedAt.Equal(now) {
		t.Errorf("deleted anew at %v", got.AnonymizedAt)
	}
}

func TestErase_EndsManyConsents(t *testing.T) {
	n := newNode(t)
	u := n.create("a", "customer-4711")
	const many = 401
	for i := range many {
		n.consent(t, u.ID, consent.Authorized, fmt.Sprint("bank-", i), nil)
		n.collection(t, u.ID, collection.Running, nil)
	}
	if err := n.Erase(t.Context(), "a", u.ID); err != nil {
		t.Fatal(err)
	}
	if owed := n.duties(t); len(owed) != many {
		t.Errorf("%d duties", len(owed))
	}
	left, err := n.store.CollectionsOf(t.Context(), store.CollectionFilter{ClientID: "a", In: []collection.Status{collection.Running}},
		store.Page{Limit: 10})
	if err != nil || len(left) != 0 {
		t.Errorf("%d run on, %v", len(left), err)
	}
}

// A flow writes one of the user's rows, or adds one, between the look and the
// write: the deletion looks again and misses nothing.
func TestErase_RepeatsAfterConcurrentWrite(t *testing.T) {
	n := newNode(t)
	u := n.create("a", "customer-4711")
	c := n.consent(t, u.ID, consent.AwaitingAuthorization, "", nil)
	var added consent.Consent
	n.store.beforeNext = func() {
		plain, _ := json.Marshal(consent.Secret{RemoteID: "late"})
		var err error
		if c.Sealed, err = n.Vault.Seal(t.Context(), u.ID, authorize.SecretPlace(c.ID), plain); err != nil {
			t.Error(err)
		}
		n.Write(func(tx store.Tx) error { _, err := tx.PutConsent(t.Context(), c); return err })
		n.store.beforeNext = func() {
			added = n.consent(t, u.ID, consent.Authorized, "new", nil)
			n.store.beforeNext = func() { n.collection(t, u.ID, collection.Running, nil) }
		}
	}
	if err := n.Erase(t.Context(), "a", u.ID); err != nil {
		t.Fatal(err)
	}
	owed := n.duties(t)
	if len(owed) != 2 || owed[string(c.ID)].RemoteID != "late" || owed[string(added.ID)].RemoteID != "new" {
		t.Errorf("%+v", owed)
	}
	left, _ := n.store.CollectionsOf(t.Context(), store.CollectionFilter{ClientID: "a", In: []collection.Status{collection.Running}},
		store.Page{Limit: 10})
	if len(left) != 0 {
		t.Error("a collection runs on")
	}
}

func TestErase_HappensOnceForConcurrentCalls(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		all := nodes(t, database, 4)
		u := all[0].create("a", "customer-4711")
		c := all[0].consent(t, u.ID, consent.Authorized, "bank", nil)
		var wg sync.WaitGroup
		for _, n := range all {
			wg.Go(func() {
				if err := n.Erase(t.Context(), "a", u.ID); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		due, err := all[0].store.Claim(t.Context(), store.Outbox, start, time.Minute, 10)
		if err != nil || len(due) != 1 {
			t.Errorf("%d duties, %v", len(due), err)
		}
		if entries, _ := all[0].store.AuditEntries(t.Context(), c.ID); len(entries) != 1 {
			t.Errorf("%d entries", len(entries))
		}
	})
}

// A secret that does not open must not be passed over in silence: the bank would
// never be told.
func TestErase_FailsForTamperedSecret(t *testing.T) {
	n := newNode(t)
	u := n.create("a", "customer-4711")
	c := n.consent(t, u.ID, consent.Authorized, "bank", nil)
	c.Sealed[len(c.Sealed)-1] ^= 1
	n.Write(func(tx store.Tx) error { _, err := tx.PutConsent(t.Context(), c); return err })
	err := n.Erase(t.Context(), "a", u.ID)
	if fault.CodeOf(err) != fault.Internal || !errors.Is(err, seal.ErrDecryption) {
		t.Errorf("got %v", err)
	}
	if got, _ := n.ByID(t.Context(), "a", u.ID); got.Anonymized() {
		t.Error("half forgotten")
	}
}

func TestErase_HidesUser(t *testing.T) {
	n := newNode(t)
	u := n.create("a", "customer-4711")
	n.Clock.Advance(time.Minute)
	if err := n.Erase(t.Context(), "a", u.ID); err != nil {
		t.Fatal(err)
	}
	if err := second(n.CreateSession(t.Context(), "a", u.ID)); fault.CodeOf(err) != fault.UserAnonymized {
		t.Errorf("new session: %v", err)
	}
	erased, err := n.ByID(t.Context(), "a", u.ID)
	if err != nil || erased.ExternalID != "" || !erased.AnonymizedAt.Equal(start.Add(time.Minute)) {
		t.Errorf("%+v, %v", erased, err)
	}
	if err := second(n.ByExternalID(t.Context(), "a", "customer-4711")); fault.CodeOf(err) != fault.UserNotFound {
		t.Errorf("still found: %v", err)
	}
	if again := n.create("a", "customer-4711"); again.ID == u.ID {
		t.Error("the erased user came back")
	}
}

func TestErase_DeletesResponsesAboutUser(t *testing.T) {
	n := newNode(t)
	erased, other := n.create("a", "erased"), n.create("a", "other")
	record := func(u user.User) idempotency.Record {
		return idempotency.Record{ClientID: "a", Key: u.ID, Request: []byte("sealed"), Sealed: []byte("sealed"), UserID: u.ID,
			Done: true, Status: 201, StartedAt: start, ExpiresAt: start.Add(time.Hour), LockedUntil: start}
	}
	for _, u := range []user.User{erased, other} {
		n.Write(func(tx store.Tx) error { return second(tx.ClaimIdempotencyKey(t.Context(), record(u))) })
	}
	if err := n.Erase(t.Context(), "a", erased.ID); err != nil {
		t.Fatal(err)
	}
	n.Write(func(tx store.Tx) error {
		if err := second(tx.ClaimIdempotencyKey(t.Context(), record(erased))); err != nil {
			t.Errorf("a response about the erased user is still stored: %v", err)
		}
		if err := second(tx.ClaimIdempotencyKey(t.Context(), record(other))); !errors.Is(err, store.ErrExists) {
			t.Errorf("a response about another user is gone: %v", err)
		}
		return nil
	})
}
