// Package journal owns the journal beside the epoch keys: what was erased, ended, revoked
// and told to banks, as ids and times. A database that is restored from a backup does not
// know what happened after it; the journal does (docs/operate-backup.md). It holds no
// personal data and nothing secret.
package journal

import (
	"context"
	"slices"
	"time"
)

// Kind is what happened. The set is closed.
type Kind string

// The kinds, with what their ID is.
const (
	UserErased   Kind = "USER_ERASED"   // id of the user; Client is set
	ConsentEnded Kind = "CONSENT_ENDED" // id of the consent; Detail is the cause
	// ConsentReplaced has the id of a consent whose place a renewal, Detail, is about to take.
	// It says so before the transaction, and nobody has asked for the end: a restore applies it
	// only if it came true (Settled).
	ConsentReplaced  Kind = "CONSENT_REPLACED"
	ConsentRenewed   Kind = "CONSENT_RENEWED"   // id of the renewal: it was authorized, and has taken the place
	ConsentTold      Kind = "CONSENT_TOLD"      // id of the consent: the bank knows that it has ended
	KeyRevoked       Kind = "KEY_REVOKED"       // id of the API key
	CollectionErased Kind = "COLLECTION_ERASED" // id of the collection; Client is set
	EndpointDeleted  Kind = "ENDPOINT_DELETED"  // id of the webhook endpoint
	SecretRotated    Kind = "SECRET_ROTATED"    // id of the webhook endpoint whose older secrets must not be used again
	// AccountErased has the id of a link of a lasting account that was erased; Client is set,
	// Detail is the user. An older backup has the link, but perhaps in another account.
	AccountErased Kind = "ACCOUNT_ERASED"

	OperatorRemoved Kind = "OPERATOR_REMOVED" // id of the operator of the console
	OperatorRole    Kind = "OPERATOR_ROLE"    // id of the operator; Detail is the role
	// OperatorWays has the id of an operator who has other ways to sign in, or fewer: those
	// of before must not work again. Detail is the revision of the account before.
	OperatorWays Kind = "OPERATOR_WAYS"
)

// Record is one thing that happened, or is about to.
type Record struct {
	At     time.Time `json:"at"` // set by Recorder.Record
	Kind   Kind      `json:"kind"`
	ID     string    `json:"id"`
	Client string    `json:"client,omitempty"`
	Detail string    `json:"detail,omitempty"` // as the kind says
}

// Settled returns the records without the replacements of consents of which nothing says
// that they came true: the renewal was authorized, was ended after that, or the bank was told
// of the end. A transaction that never was committed must not end a consent that works.
func Settled(records []Record) []Record {
	type fact struct {
		kind Kind
		id   string
	}
	known := make(map[fact]bool, len(records))
	for _, r := range records {
		known[fact{r.Kind, r.ID}] = true
	}
	return slices.DeleteFunc(slices.Clone(records), func(r Record) bool {
		return r.Kind == ConsentReplaced && !known[fact{ConsentRenewed, r.Detail}] && !known[fact{ConsentEnded, r.Detail}] &&
			!known[fact{ConsentReplaced, r.Detail}] && !known[fact{ConsentTold, r.ID}]
	})
}

// Recorder writes records.
type Recorder interface {
	// Record stores records so that they survive a crash. It is called before the
	// transaction that makes them true is committed, and never inside one: what was decided
	// and then not done is done by a restore, and what was done is never missing. An error
	// means that the effect must not be acknowledged. Only what nobody has decided has a
	// record of its outcome too (ConsentReplaced).
	Record(ctx context.Context, records ...Record) error
}

// None records nothing. It is for tests and for commands without a key directory.
type None struct{}

// Record implements Recorder.
func (None) Record(context.Context, ...Record) error { return nil }

// Or returns r, or None if it is nil.
func Or(r Recorder) Recorder {
	if r == nil {
		return None{}
	}
	return r
}
