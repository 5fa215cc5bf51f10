// Package seal is the port for encryption at rest. Each subject, which is a user
// or a collection that belongs to no user, has a data key of its own, wrapped by
// an epoch key (EpochID). When the data key is destroyed, nothing that was sealed under
// it can be opened again.
package seal

import (
	"context"
	"errors"
)

// ErrKeyDestroyed is returned if the data key of the subject was destroyed: nothing can
// be sealed or opened for this subject any more.
var ErrKeyDestroyed = errors.New("seal: the subject's data key was destroyed")

// ErrDecryption is returned if the bytes cannot be opened: they were not sealed for
// this subject and place, they were changed, or the master key is another one.
var ErrDecryption = errors.New("seal: decryption failed")

// ErrNoSubject is returned if the subject is empty, or if it is System in a call about
// data keys: System has none.
var ErrNoSubject = errors.New("seal: no subject")

// Place is where sealed bytes are stored. It is their associated data, so that
// bytes moved to another row or column do not open.
type Place struct {
	Table, Column, Row string
}

// System is the subject of what belongs to the server itself, such as its
// signing keys. It is sealed under the key of the epoch: System has no data key, and
// none that could be destroyed. The ids of users and collections are UUIDs, so
// no other subject has this name; in particular the empty string is not System.
const System = "system"

// Vault seals and opens. Seal and Open return ErrNoSubject when the subject is
// empty. Implementations are safe for concurrent use.
type Vault interface {
	// Seal encrypts plain for the subject and place. The first call for a subject
	// creates its data key and stores it, in a transaction of its own. Errors:
	// ErrKeyDestroyed, or an error of Keys.
	Seal(ctx context.Context, subject string, at Place, plain []byte) ([]byte, error)
	// Open decrypts what Seal returned for the same subject and place. Errors:
	// ErrKeyDestroyed, ErrDecryption, or an error of Keys.
	Open(ctx context.Context, subject string, at Place, sealed []byte) ([]byte, error)
	// Evict drops the subject's data key from memory. It is called after the commit
	// that destroys the stored key. Other nodes drop the key within a minute.
	Evict(subject string)
}

// Keys stores the wrapped data keys of a vault. Its methods return ErrNoSubject
// when HasDataKey is false for the subject. Implementations are safe for
// concurrent use.
type Keys interface {
	// DataKey returns the wrapped key of a subject, or nil when it has none yet.
	// Errors: ErrKeyDestroyed, or the store's.
	DataKey(ctx context.Context, subject string) (wrapped []byte, err error)
	// AddDataKey stores a subject's first key and returns the key that is stored
	// afterwards, which is another one when another caller was first. Errors:
	// ErrKeyDestroyed, or the store's.
	AddDataKey(ctx context.Context, subject string, wrapped []byte) (stored []byte, err error)
}

// HasDataKey reports whether the subject is one with a data key of its own: any
// but System and the empty string.
func HasDataKey(subject string) bool { return subject != "" && subject != System }
