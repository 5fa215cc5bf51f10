package storetest

import (
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/store"
)

// withAccounts are the scopes with account ids. The ids look like the text of a scope.
func withAccounts() (scopes []consent.Scope) {
	for _, s := range []consent.Scope{{}, {Balances: true}, {Transactions: true}, {Balances: true, Transactions: true}} {
		s.AccountIDs = []string{"SE4550000000058398257466", `x"],"balances":true,"transactions":true}`}
		scopes = append(scopes, s)
	}
	return scopes
}

// without returns a scope without its account ids.
func without(s consent.Scope) consent.Scope {
	s.AccountIDs = nil
	return s
}

// scopesErased returns what is left of a consent whose account ids are erased.
func scopesErased(c consent.Consent) consent.Consent {
	c.Rev++
	c.Requested = without(c.Requested)
	if c.Granted != nil {
		granted := without(*c.Granted)
		c.Granted = &granted
	}
	return c
}

func testEraseUserScopes(_ *testing.T, f fixture) {
	other := f.addUser(f.client)
	var erased, kept []consent.Consent
	for _, s := range withAccounts() {
		erased = append(erased, f.addConsent(func(c *consent.Consent) { c.Status, c.Requested, c.Granted = consent.Revoked, s, &s }),
			f.addConsent(func(c *consent.Consent) { c.Status, c.Requested, c.Granted = consent.Failed, s, nil }),
			f.addConsent(func(c *consent.Consent) { c.Status, c.Requested, c.Granted = consent.Expired, without(s), &s }))
		plain, none := without(s), s
		none.AccountIDs = []string{}
		kept = append(kept, f.addConsent(func(c *consent.Consent) { c.Requested, c.Granted = s, &s }), // live
			f.addConsent(func(c *consent.Consent) { c.Status, c.Requested, c.Granted = consent.Revoked, plain, &none }),
			f.addConsent(func(c *consent.Consent) { c.Status, c.UserID, c.Requested = consent.Revoked, other.ID, s }),
			f.addConsent(func(c *consent.Consent) { c.Status, c.CollectionID, c.Requested = consent.Revoked, newID(), s }))
	}
	for _, c := range erased { // an engine may cache the statuses
		f.checkConsentStatus("before", store.ConsentView{Consent: c})
	}
	pieces, after := 0, ""
	for ; ; pieces++ {
		var last string
		f.write(func(tx store.Tx) (err error) { last, err = tx.EraseUserScopes(f.ctx, f.user.ID, after, 5); return err })
		if last == "" {
			break
		}
		after = last
	}
	check(f, "pieces with 12 consents", pieces, nil, 3)
	check(f, "last", after, nil, string(erased[len(erased)-1].ID))
	for _, c := range kept {
		got, err := f.s.Consent(f.ctx, c.ID)
		check(f, "kept", got, err, c)
	}
	for _, c := range erased {
		got, err := f.s.Consent(f.ctx, c.ID)
		check(f, "erased", got, err, scopesErased(c))
		f.checkConsentStatus("after", store.ConsentView{Consent: scopesErased(c)})
	}
	// A flow that has read a consent before must not bring the account ids back.
	f.fails(store.ErrConflict, func(tx store.Tx) error { _, err := tx.PutConsent(f.ctx, erased[0]); return err })
}

// oneTime adds a collection with a final consent inside it; both have account ids.
func (f fixture) oneTime(userID string) (collection.Collection, consent.Consent) {
	f.Helper()
	k := f.newCollection()
	s := withAccounts()[1]
	inner := f.addConsent(func(c *consent.Consent) {
		c.UserID, c.CollectionID, c.Status, c.Requested, c.Granted = userID, k.ID, consent.Revoked, s, &s
	})
	k.UserID, k.Mode, k.ConsentID, k.DataUntil, k.ErasedAt, k.Filter = userID, collection.OneTime, inner.ID, start.Add(time.Hour), time.Time{}, s.AccountIDs
	f.write(func(tx store.Tx) error { return tx.AddCollection(f.ctx, k) })
	return k, inner
}

// testEraseAccounts: whatever erases a collection, the account ids of it and of the
// consent inside it go too, and only those.
func testEraseAccounts(_ *testing.T, f fixture) {
	for name, test := range map[string]struct {
		userID string
		erase  func(tx store.Tx, k collection.Collection) error
	}{
		"user's data": {f.user.ID, func(tx store.Tx, k collection.Collection) error {
			_, err := tx.EraseUserData(f.ctx, k.UserID, "", start, 10)
			return err
		}},
		"data key": {"", func(tx store.Tx, k collection.Collection) error { return tx.DestroyDataKey(f.ctx, k.Subject(), start) }},
		"sweep": {"", func(tx store.Tx, _ collection.Collection) error {
			_, _, err := tx.Sweep(f.ctx, start.Add(time.Hour), time.Hour)
			return err
		}},
	} {
		other, otherInner := f.oneTime(f.addUser(f.client).ID)
		k, inner := f.oneTime(test.userID)
		f.checkCollectionStatus(name+", before", store.CollectionView{Collection: k})
		f.write(func(tx store.Tx) error { return test.erase(tx, k) })
		got, err := f.s.Collection(f.ctx, k.ID)
		if err != nil || got.Filter != nil || got.Rev == k.Rev {
			f.Errorf("%s: the collection has %d account ids at version %d, %v", name, len(got.Filter), got.Rev, err)
		}
		f.checkCollectionStatus(name+", after", store.CollectionView{Collection: got})
		c, err := f.s.Consent(f.ctx, inner.ID)
		check(f, name+": consent", c, err, scopesErased(inner))
		got, err = f.s.Collection(f.ctx, other.ID)
		check(f, name+": another collection", got, err, other)
		c, err = f.s.Consent(f.ctx, otherInner.ID)
		check(f, name+": another consent", c, err, otherInner)
	}
}
