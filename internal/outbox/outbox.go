// Package outbox owns effects outside this server that were decided here and
// are not carried out yet, such as telling a bank that a consent was revoked. A
// message is stored in the transaction that makes it necessary and is deleted in
// the transaction that records its success.
package outbox

import (
	"time"

	"samla/internal/consent"
	"samla/internal/psu"
)

// Message is one effect to carry out. Its payload is sealed under the server's
// key, because it must outlive the key of a user who is erased; only that of
// ApplyCollection is not.
type Message struct {
	ID        string // UUID
	Kind      Kind
	Company   string // institution that the effect is at
	ConsentID consent.ID
	CreatedAt time.Time
	Attempts  int    // failed so far
	Sealed    []byte // payload of the kind
	WakeAt    time.Time
}

// Kind is the closed set of effects.
type Kind string

// The kinds.
const (
	// RevokeConsent deletes a consent at its bank; the payload is a Revocation. The
	// stored value is older than the name.
	RevokeConsent Kind = "REVOKE_AT_BANK"
	// EraseUser erases what is left of a user who is anonymized; the payload is an
	// Erasure. The id of the message is the id of the user.
	EraseUser Kind = "ERASE_USER"
	// EndLogin ends the session of a login by dialogue at its institution; the payload is
	// an Ending.
	EndLogin Kind = "END_LOGIN"
	// ApplyCollection applies a collection of a user to the user's lasting accounts; the
	// payload is a collection.Report. The id of the message is the id of the collection. The
	// payload is sealed under the user's key, unlike that of the others: it is about the
	// person, and nothing is left to do when the user is erased.
	ApplyCollection Kind = "APPLY_COLLECTION"
	// MakeArchive makes what a person downloads on My permissions; the payload is an
	// Archive.
	MakeArchive Kind = "MAKE_ARCHIVE"
)

// Kinds lists the closed set.
func Kinds() []Kind { return []Kind{RevokeConsent, EraseUser, EndLogin, ApplyCollection, MakeArchive} }

// Revocation is what is needed to delete a consent at its bank. Either RemoteID is
// known, or PSU is set: then the opening of the consent is repeated first to learn
// the id, with the X-Request-ID that is stored with the consent.
type Revocation struct {
	RemoteID consent.RemoteID `json:"bank,omitempty"`
	Token    string           `json:"token,omitempty"`   // bearer token, where the bank gave one
	Refresh  string           `json:"refresh,omitempty"` // refresh token, where the bank gave one
	PSU      *psu.Context     `json:"psu,omitempty"`     // as the consent was asked for
	// AccountIDs are those of the scope that was asked for. An erasure removes them
	// from the consent.
	AccountIDs []string `json:"accounts,omitempty"`
	// Way is that of the opening, which names an address of return. It leads nowhere: the
	// consent has ended.
	Way *consent.Way `json:"way,omitempty"`
}

// Erasure is how far the erasure of a user has come.
type Erasure struct {
	ClientID string `json:"client"`
	// After is the last collection whose data was deleted, in the order of
	// creation; empty before the first.
	After string `json:"after,omitempty"`
}

// Archive names the visit for which an archive is made.
type Archive struct {
	Visit string `json:"visit"`
}

// Ending is what is needed to end a login at its institution. Either Session is known, or
// Login is set: then the start of the login is repeated first to learn the session, with
// the request id that it had.
type Ending struct {
	CollectionID string `json:"collection"`
	Session      string `json:"session,omitempty"`
	RequestID    string `json:"request"`
	Login        *Login `json:"login,omitempty"`
}

// Login is the start of a login, as it was sent.
type Login struct {
	RequestID   string      `json:"request"`
	LoginMethod string      `json:"method"`
	PSU         psu.Context `json:"psu"`
	Email       string      `json:"email,omitempty"`
	UserID      string      `json:"user,omitempty"`
}
