package users_test

import (
	"encoding/json"
	"slices"
	"time"

	"samla/internal/audit"
	"samla/internal/authorize"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/outbox"
	"samla/internal/psu"
	"samla/internal/store"
)

// consent adds a consent that its bank knows as bankID; empty = not yet.
func (n *node) consent(userID string, s consent.Status, bankID consent.RemoteID, change func(*consent.Consent)) consent.Consent {
	n.Helper()
	c := consent.Consent{
		ID: consent.ID(n.IDs.New()), ClientID: "a", UserID: userID, Company: "se-demo", Status: s, Step: consent.StepWatch,
		Requested: consent.Scope{Balances: true}, CreatedAt: start, StatusChangedAt: start,
		AuthorizeBy: start.Add(time.Hour), ExpiresAt: start.Add(24 * time.Hour), WakeAt: start.Add(time.Second),
	}
	if change != nil {
		change(&c)
	}
	c = n.withSecret(c, bankID)
	n.Write(func(tx store.Tx) error { return tx.AddConsent(n.Context(), c) })
	return c
}

// withSecret seals the secret of a consent that its bank knows as bankID.
func (n *node) withSecret(c consent.Consent, bankID consent.RemoteID) consent.Consent {
	n.Helper()
	plain, err := json.Marshal(consent.Secret{Context: psu.Context{PersonalNumber: "200002292399"}, RemoteID: bankID, Token: "bearer"})
	if err != nil {
		n.Fatal(err)
	}
	if c.Sealed, err = n.Vault.Seal(n.Context(), c.Subject(), authorize.SecretPlace(c.ID), plain); err != nil {
		n.Fatal(err)
	}
	return c
}

// collection adds a collection with a raw answer and products.
func (n *node) collection(userID string, s collection.Status, change func(*collection.Collection)) collection.Collection {
	n.Helper()
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
		if err := tx.AddCollection(n.Context(), c); err != nil {
			return err
		}
		if err := tx.PutProducts(n.Context(), c.ID, collection.Products{Form: 1, Sealed: []byte("sealed")}); err != nil {
			return err
		}
		return tx.AddRawAnswers(n.Context(), []collection.RawAnswer{{CollectionID: c.ID, Kind: "accounts", FetchedAt: start, Sealed: []byte("sealed")}})
	})
	return c
}

// hasData reports whether a raw answer or products of a collection are stored.
func (n *node) hasData(id string) bool {
	n.Helper()
	raws, err := n.Store.RawAnswers(n.Context(), id)
	if err != nil {
		n.Fatal(err)
	}
	_, err = n.Store.Products(n.Context(), id)
	return len(raws) > 0 || err == nil
}

// claimMessages claims the outbox messages that are due.
func (n *node) claimMessages() (messages []outbox.Message) {
	n.Helper()
	due, err := n.Store.Claim(n.Context(), store.Outbox, n.Clock.Now(), time.Minute, store.ClaimLimit{Rows: 1000})
	if err != nil {
		n.Fatal(err)
	}
	for _, j := range due {
		m, err := n.Store.OutboxMessage(n.Context(), j.ID)
		if err != nil {
			n.Fatal(err)
		}
		messages = append(messages, m)
	}
	return messages
}

// revocations claims the revocations that are due and returns the bank's ids of
// their consents, sorted.
func (n *node) revocations() (bankIDs []string) {
	n.Helper()
	for _, m := range n.claimMessages() {
		r, err := authorize.OpenRevocation(n.Context(), n.Vault, m)
		if err != nil || m.Kind != outbox.RevokeConsent || m.Company != "se-demo" || r.Token != "bearer" {
			n.Fatalf("%+v, %v", m, err)
		}
		bankIDs = append(bankIDs, string(r.RemoteID))
	}
	slices.Sort(bankIDs)
	return bankIDs
}

// causes lists the causes of the ends of a consent in the audit log.
func (n *node) causes(id consent.ID) (causes []consent.Cause) {
	n.Helper()
	entries, err := n.Store.AuditEntries(n.Context(), id)
	if err != nil {
		n.Fatal(err)
	}
	for _, e := range entries {
		if audit.Kind(e.Kind) != audit.ConsentRevoked {
			continue
		}
		var detail struct{ Cause consent.Cause }
		if err := json.Unmarshal(e.Detail, &detail); err != nil {
			n.Fatal(err)
		}
		causes = append(causes, detail.Cause)
	}
	return causes
}
