package seal

import (
	"errors"
	"time"
)

// ErrEpochDestroyed is returned if bytes are sealed under an epoch key that is not in
// the key directory: it was destroyed, or the directory is another one. It comes with
// ErrDecryption.
var ErrEpochDestroyed = errors.New("seal: the epoch key is not in the key directory: it was destroyed, or this is another directory")

// EpochID names an epoch: the time at which it begins, in UTC, in the form
// epochLayout. So the order of the ids is the order of the epochs. The empty id is
// that of the master key, which wrapped and sealed everything before there were epochs.
type EpochID string

const (
	epochLayout = "20060102T150405Z"
	// epochMark precedes the id in what is sealed under an epoch key. What is sealed
	// under the master key never begins so: it begins with a tag of a protocol buffer,
	// or with Tink's version, which is 1.
	epochMark = "\x00ep1"

	// EpochPrefix is the length in bytes of the mark and the id.
	EpochPrefix = len(epochMark) + len(epochLayout)
)

// EpochAt returns the epoch of a time, when each lasts interval.
func EpochAt(t time.Time, interval time.Duration) EpochID {
	return EpochID(t.UTC().Truncate(interval).Format(epochLayout))
}

// Begin returns when the epoch begins, and whether the id has the form of one.
func (e EpochID) Begin() (time.Time, bool) {
	t, err := time.Parse(epochLayout, string(e))
	return t, err == nil && string(e) == t.Format(epochLayout)
}

// Prefix returns what precedes the bytes that are sealed under the key of the epoch;
// nothing for the master key.
func (e EpochID) Prefix() []byte {
	if e == "" {
		return nil
	}
	return append([]byte(epochMark), e...)
}

// EpochOf returns the epoch under whose key bytes are sealed or wrapped, and the bytes
// without its name. For bytes under the master key the id is empty.
func EpochOf(sealed []byte) (EpochID, []byte) {
	if len(sealed) < EpochPrefix || string(sealed[:len(epochMark)]) != epochMark {
		return "", sealed
	}
	id := EpochID(sealed[len(epochMark):EpochPrefix])
	if _, ok := id.Begin(); !ok {
		return "", sealed
	}
	return id, sealed[EpochPrefix:]
}

// SystemColumn is a column with bytes that are sealed for System.
type SystemColumn struct {
	Table  string // as in Place
	Column string // as in Place
	Stored string // name of the column in the database, if it is another one
	// Key is the column that Place.Row is made of; it is the key of the table. Empty: the
	// rows live for a day at most, and are not sealed again.
	Key string
	// Kind and Other say which rows of the table are another subject's, if any: those whose
	// column Kind is Other. They are sealed under that subject's data key.
	Kind, Other string
}

// Name returns the name of the column in the database.
func (c SystemColumn) Name() string {
	if c.Stored != "" {
		return c.Stored
	}
	return c.Column
}

// SystemColumns is the closed set of these columns. An epoch key is destroyed when no
// row needs it, so a Vault refuses to seal for System at another place: who adds a
// column adds it here.
func SystemColumns() []SystemColumn {
	return []SystemColumn{
		{Table: "duties", Column: "sealed", Key: "id", Kind: "kind", Other: "APPLY_COLLECTION"}, // a message of a user
		{Table: "signing_keys", Column: "sealed", Key: "id"},
		{Table: "webhook_endpoints", Column: "sealed", Key: "id"},
		{Table: "audit_keys", Column: "sealed", Key: "id"},
		{Table: "operators", Column: "sealed", Key: "id"},
		{Table: "person_keys", Column: "sealed", Key: "id"},
		{Table: "idempotency", Column: "request"},
		{Table: "idempotency", Column: "response", Stored: "sealed"},
	}
}
