package audit

import (
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/uuid7"
)

// The kinds of entries about users, credentials and operators.
const (
	UserErased      Kind = "USER_ERASED"
	APIKeyCreated   Kind = "API_KEY_CREATED"
	APIKeyRevoked   Kind = "API_KEY_REVOKED"
	OperatorCommand Kind = "OPERATOR_COMMAND"
	ConsentChanged  Kind = "CONSENT_CHANGED"
)

// Kinds are all kinds, in the order in which they are explained (docs/audit.md).
func Kinds() []Kind {
	return []Kind{ConsentCreated, ConsentAuthorized, ConsentRevoked, ConsentExpired, ConsentFailed, ConsentChanged, RevocationDelivered, RevocationGivenUp, CollectionStarted, CollectionFinished,
		DataRead, UserErased, APIKeyCreated, APIKeyRevoked, OperatorCommand}
}

// Frequent are the kinds that most entries have. Entries of another kind are found by an index.
func Frequent() []Kind { return []Kind{DataRead, CollectionStarted, CollectionFinished} }

// OfErasure is the entry for a user whose erasure has begun.
func OfErasure(ids *uuid7.Generator, clientID, userID string, at time.Time) Entry {
	return of(ids, consent.Consent{ClientID: clientID, UserID: userID}, UserErased, at, struct{}{})
}

type keyDetail struct {
	KeyID string `json:"keyId"`
}

// OfKey is the entry for an API key that was created or revoked.
func OfKey(ids *uuid7.Generator, kind Kind, clientID, keyID string, at time.Time) Entry {
	return of(ids, consent.Consent{ClientID: clientID}, kind, at, keyDetail{keyID})
}

type commandDetail struct {
	Command string            `json:"command"`
	Of      map[string]string `json:"of,omitempty"`
}

// OfCommand is the entry for a command of an operator, such as "jobs resume". about names
// what the command concerns by ids of ours and words of closed sets, never personal data.
func OfCommand(ids *uuid7.Generator, command string, about map[string]string, at time.Time) Entry {
	return of(ids, consent.Consent{}, OperatorCommand, at, commandDetail{command, about})
}

// OfCommandAbout is the entry for a command that opens what is stored of one person: it is
// among the entries of the user too. c says of whom, under which consent.
func OfCommandAbout(ids *uuid7.Generator, c collection.Collection, command string, at time.Time) Entry {
	about := consent.Consent{ClientID: c.ClientID, UserID: c.UserID, ID: c.ConsentID}
	return of(ids, about, OperatorCommand, at, commandDetail{command, map[string]string{"collection": c.ID}})
}

// OfChange is the entry for a consent that has other rights or another end than before and
// the same status: a bank has shortened it, for example. It reports false if nothing that
// permits reading has changed.
func OfChange(ids *uuid7.Generator, before, c consent.Consent, at time.Time) (Entry, bool) {
	a, b := before.Scope(), c.Scope()
	same := before.ExpiresAt.Equal(c.ExpiresAt) && before.SCAExpiresAt.Equal(c.SCAExpiresAt) &&
		a.Balances == b.Balances && a.Transactions == b.Transactions && equalCount(count(a.AccountIDs), count(b.AccountIDs))
	if same || before.Status != c.Status || c.Status != consent.Authorized {
		return Entry{}, false
	}
	e, _ := ofConsent(ids, c, at, "")
	e.Kind = string(ConsentChanged)
	return e, true
}

func equalCount(a, b *int) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
