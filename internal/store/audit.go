package store

import (
	"context"
	"time"

	"samla/internal/audit"
	"samla/internal/audit/chain"
	"samla/internal/consent"
)

// AuditReader reads the audit log.
type AuditReader interface {
	// AuditEntries lists the entries about one consent, oldest first, chained or not.
	AuditEntries(ctx context.Context, consentID consent.ID) ([]audit.Entry, error)
	// NewestEntries lists the newest entries of each kind about each of some consents, at most
	// each of a kind about one, oldest first, chained or not.
	NewestEntries(ctx context.Context, ids []consent.ID, kinds []audit.Kind, each int) ([]audit.Entry, error)
	// UnchainedEntries lists entries that have no place in the chain yet, oldest first.
	UnchainedEntries(ctx context.Context, limit int) ([]audit.Entry, error)
	// NewestUnchained is UnchainedEntries, newest first.
	NewestUnchained(ctx context.Context, limit int) ([]audit.Entry, error)
	// AuditRows lists chained entries with a number above after, in the order of the chain.
	AuditRows(ctx context.Context, after int64, limit int) ([]chain.Row, error)
	// AuditRowsOf lists the chained entries of a user with a number above after, in the
	// order of the chain.
	AuditRowsOf(ctx context.Context, userID string, after int64, limit int) ([]chain.Row, error)
	// AuditPlaces lists chained entries with numbers in [from, before) that a selection fits,
	// the highest number first. It reads few rows more than it returns.
	AuditPlaces(ctx context.Context, s AuditSelection, from, before int64, limit int) ([]AuditPlace, error)
	// AuditSeqAt returns a number before which every entry is older than at, and after which
	// none is: as far as entries are chained in the order of their times, which may be wrong
	// by the difference of the clocks of nodes. It is 1 + the last number where all are older.
	AuditSeqAt(ctx context.Context, at time.Time) (int64, error)
	// AuditHashes lists the hashes of the chained entries with a number above after, in
	// the order of the chain; of a Row only Seq and Stored are set.
	AuditHashes(ctx context.Context, after int64, limit int) ([]chain.Row, error)
	// AuditUsers returns where the chains of these users end. A user without entries is
	// missing.
	AuditUsers(ctx context.Context, userIDs []string) (map[string]chain.UserEnd, error)
	// LastAuditHead returns the head of this purpose with the highest count. Errors:
	// ErrNotFound.
	LastAuditHead(ctx context.Context, p chain.Purpose) (chain.Signed, error)
	// AuditHeads lists the heads of this purpose with a count above after, by their counts.
	AuditHeads(ctx context.Context, p chain.Purpose, after int64, limit int) ([]chain.Signed, error)
	// AuditKey returns the key that signs heads. Errors: ErrNotFound.
	AuditKey(ctx context.Context) (AuditKey, error)
}

// AuditSelection selects entries of the audit log by what has an index: at most one member.
type AuditSelection struct {
	UserID string
	Kind   audit.Kind // not one of audit.Frequent
}

// AuditPlace is a chained entry with its number.
type AuditPlace struct {
	Seq int64
	audit.Entry
}

// AuditKey is the key that signs heads.
type AuditKey struct {
	CreatedAt time.Time
	Sealed    []byte // seed of the Ed25519 key
	Public    []byte
}

// AuditWriter appends to the audit log.
type AuditWriter interface {
	// AddAuditEntry stores an entry, which is chained soon after the commit. An entry is
	// never overwritten: a second one with the same id fails the transaction, as long as
	// the first is not chained.
	AddAuditEntry(ctx context.Context, e audit.Entry) error

	// LockAuditChain lets this transaction alone write the chain. It reports false,
	// without waiting, if another transaction does.
	LockAuditChain(ctx context.Context) (bool, error)
	// AppendAuditRows adds entries to the end of the chain, removes them from those that
	// are not chained, and stores where the chains of their users end.
	AppendAuditRows(ctx context.Context, rows []chain.Row, ends map[string]chain.UserEnd) error
	// RemoveAuditRows removes the chained entries with numbers up to through.
	RemoveAuditRows(ctx context.Context, through int64) error
	// PutAuditHead stores a head; one of this purpose and count is replaced.
	PutAuditHead(ctx context.Context, s chain.Signed) error
	// RemoveAuditHeads removes the heads of this purpose with counts from first to last.
	RemoveAuditHeads(ctx context.Context, p chain.Purpose, first, last int64) error
	// AddAuditKey stores the key that signs heads. Errors: ErrExists when there is one.
	AddAuditKey(ctx context.Context, k AuditKey) error
}

// AccessRecorder records accesses to data.
type AccessRecorder interface {
	// RecordAccess stores an entry of the audit log that no transaction of the caller
	// belongs to. Concurrent calls share a commit. When it returns nil, the entry is on
	// disk, and what it records may be done. After an error the entry may be stored
	// nevertheless. The end of ctx does not end a call that has begun.
	RecordAccess(ctx context.Context, e audit.Entry) error
}
