// Package audit defines the entries of the audit log: who permitted what, and when.
// An entry holds ids, times and scopes, and nothing that identifies a person or an
// account, so that it can stay when a user is erased. A service stores an entry in
// the transaction of the change that the entry records.
package audit

import (
	"encoding/json"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/outbox"
	"samla/internal/uuid7"
)

// Entry is one entry of the audit log.
type Entry struct {
	ID        string // UUID version 7
	At        time.Time
	ClientID  string
	UserID    string // empty: no user
	ConsentID consent.ID
	Kind      string // one of the kinds below
	Detail    []byte // JSON
}

// Kind is the closed set of what the audit log records.
type Kind string

// The kinds of entries.
const (
	ConsentCreated      Kind = "CONSENT_CREATED"
	ConsentAuthorized   Kind = "CONSENT_AUTHORIZED"
	ConsentRevoked      Kind = "CONSENT_REVOKED"
	ConsentExpired      Kind = "CONSENT_EXPIRED"
	ConsentFailed       Kind = "CONSENT_FAILED"
	RevocationDelivered Kind = "BANK_TOLD"
	RevocationGivenUp   Kind = "BANK_NOT_TOLD"
	CollectionStarted   Kind = "COLLECTION_STARTED"
	CollectionFinished  Kind = "COLLECTION_FINISHED"
)

// Scope is the scope of a consent without the account ids, which may be IBANs. They
// are counted, not hashed: the hash of an IBAN can be reversed by trial.
type Scope struct {
	Accounts     *int `json:"accounts,omitempty"` // how many; nil = every account at the bank
	Balances     bool `json:"balances"`
	Transactions bool `json:"transactions"`
}

type consentDetail struct {
	Company      string    `json:"company"`
	CollectionID string    `json:"collectionId,omitempty"` // the one-time collection that it belongs to
	Scope        Scope     `json:"scope"`
	ExpiresAt    time.Time `json:"expiresAt,omitzero"`
	Failure      string    `json:"failure,omitempty"`
	Cause        string    `json:"cause,omitempty"`
	Renews       string    `json:"renews,omitempty"`    // the consent that it takes the place of
	RenewedBy    string    `json:"renewedBy,omitempty"` // the one that has taken its place
}

type collectionDetail struct {
	CollectionID string    `json:"collectionId"`
	Company      string    `json:"company"`
	Mode         string    `json:"mode"`
	Attended     bool      `json:"attended"`
	Basis        Basis     `json:"basis"`
	Accounts     *int      `json:"accounts,omitempty"`     // how many it is limited to; nil = all
	AccountsRead *int      `json:"accountsRead,omitempty"` // how many were read; nil = not completed
	Status       string    `json:"status"`
	DataUntil    time.Time `json:"dataUntil,omitzero"`
}

type deliveryDetail struct {
	MessageID string `json:"dutyId"`
	Company   string `json:"company"`
	Attempts  int    `json:"attempts"`
	Cause     string `json:"cause,omitempty"` // why it was given up
}

// The causes of a revocation that was given up.
const (
	GivenUpRefused = "BANK_REFUSED" // the bank refuses it; an operator can try it again
	GivenUpToken   = "TOKEN_DEAD"   // the bank refuses the only token there is, with which nothing can be read either
	GivenUpOver    = "CONSENT_OVER" // the validity of the consent is over at the bank, too
)

var consentKinds = map[consent.Status]Kind{
	consent.Initiated:  ConsentCreated,
	consent.Authorized: ConsentAuthorized,
	consent.Revoked:    ConsentRevoked,
	consent.Expired:    ConsentExpired,
	consent.Failed:     ConsentFailed,
}

// OfConsent is the entry for a consent that was just created or authorized. It
// reports false for AWAITING_AUTHORIZATION, which permits nothing.
func OfConsent(ids *uuid7.Generator, c consent.Consent, at time.Time) (Entry, bool) {
	return ofConsent(ids, c, at, "")
}

// OfEnd is the entry for a consent that has just ended, with the cause.
func OfEnd(ids *uuid7.Generator, c consent.Consent, at time.Time, cause consent.Cause) Entry {
	e, _ := ofConsent(ids, c, at, cause)
	return e
}

func ofConsent(ids *uuid7.Generator, c consent.Consent, at time.Time, cause consent.Cause) (Entry, bool) {
	kind, ok := consentKinds[c.Status]
	if !ok {
		return Entry{}, false
	}
	scope := c.Scope()
	return of(ids, c, kind, at, consentDetail{
		Company: c.Company, CollectionID: c.CollectionID,
		Scope:     Scope{count(scope.AccountIDs), scope.Balances, scope.Transactions},
		ExpiresAt: c.ExpiresAt, Failure: string(c.Failure), Cause: string(cause),
		Renews: string(c.Renews), RenewedBy: string(c.RenewedBy),
	}), true
}

// OfDelivery is the entry for a message that was delivered: the bank was told that
// the consent c has ended.
func OfDelivery(ids *uuid7.Generator, c consent.Consent, d outbox.Message, at time.Time) Entry {
	return of(ids, c, RevocationDelivered, at, deliveryDetail{MessageID: d.ID, Company: d.Company, Attempts: d.Attempts})
}

// OfGivenUp is the entry for a message that was given up: the bank has not confirmed that the
// consent c has ended. cause is one of the constants GivenUp.
func OfGivenUp(ids *uuid7.Generator, c consent.Consent, d outbox.Message, cause string, at time.Time) Entry {
	return of(ids, c, RevocationGivenUp, at, deliveryDetail{MessageID: d.ID, Company: d.Company, Attempts: d.Attempts, Cause: cause})
}

// OfCollection is the entry for a collection that has just started.
func OfCollection(ids *uuid7.Generator, c collection.Collection, at time.Time) Entry {
	return ofCollection(ids, c, nil, at)
}

// OfCollectionEnd is the entry for a collection that e has just ended. It says how many
// accounts were read at the institution.
func OfCollectionEnd(ids *uuid7.Generator, c collection.Collection, e collection.Event, at time.Time) Entry {
	if f, ok := e.(collection.Finished); ok {
		return ofCollection(ids, c, &f.Accounts, at)
	}
	return ofCollection(ids, c, nil, at)
}

func ofCollection(ids *uuid7.Generator, c collection.Collection, read *int, at time.Time) Entry {
	kind := CollectionStarted
	if c.Status.Terminal() {
		kind = CollectionFinished
	}
	about := consent.Consent{ID: c.ConsentID, ClientID: c.ClientID, UserID: c.UserID}
	return of(ids, about, kind, at, collectionDetail{
		CollectionID: c.ID, Company: c.Company, Mode: string(c.Mode), Attended: c.Attended,
		Basis: BasisOf(c), AccountsRead: read, Accounts: count(c.Filter), Status: string(c.Status), DataUntil: c.DataUntil,
	})
}

// of returns an entry about a consent. detail is one of the detail types of this
// package, which have no members for a person or an account.
func of(ids *uuid7.Generator, c consent.Consent, kind Kind, at time.Time, detail any) Entry {
	b, err := json.Marshal(detail)
	if err != nil {
		panic("audit: a detail type does not marshal: " + err.Error())
	}
	return Entry{
		ID: ids.New(), At: at, ClientID: c.ClientID, UserID: c.UserID, ConsentID: c.ID,
		Kind: string(kind), Detail: b,
	}
}

func count(accounts []string) *int {
	if accounts == nil {
		return nil
	}
	n := len(accounts)
	return &n
}
