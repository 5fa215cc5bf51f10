// Package seal is the port for encryption at rest. Every subject (a user, or a
// collection that belongs to nobody) has a data key of its own, wrapped by the
// master key; destroying it makes all that was sealed under it unreadable.
package seal

import (
	"context"
	"errors"
)

// ErrForgotten says that the subject's key was destroyed: nothing can be sealed
// or opened for it ever again.
var ErrForgotten = errors.New("seal: the subject's key was destroyed")

// ErrTampered says that the bytes were not sealed for this subject and place,
// or were changed since, or that the master key is not the one they were
// sealed with.
var ErrTampered = errors.New("seal: the sealed bytes do not open")

// Place is where sealed bytes are stored. It is bound into them, so that bytes
// moved to another row or column do not open.
type Place struct {
	Table, Column, Row string
}

// System is the subject of what belongs to the server itself, such as its
// signing keys. It is sealed by the master key and cannot be destroyed.
const System = ""

// Vault seals and opens. Implementations are safe for concurrent use.
type Vault interface {
	// Seal encrypts plain for the subject and place. The subject's data key is
	// made and stored on first use, in a transaction of its own. Errors:
	// ErrForgotten, or the key store's.
	Seal(ctx context.Context, subject string, at Place, plain []byte) ([]byte, error)
	// Open decrypts what Seal made. Errors: ErrForgotten, ErrTampered, or the
	// key store's.
	Open(ctx context.Context, subject string, at Place, sealed []byte) ([]byte, error)
	// Forget drops the subject's key from memory. Whoever destroys the stored
	// key calls it after the commit; other nodes drop theirs within a minute.
	Forget(subject string)
}

// Keys is where a vault keeps the wrapped data keys. Implementations are safe
// for concurrent use.
type Keys interface {
	// DataKey returns the wrapped key of a subject, nil when it has none yet,
	// and ErrForgotten when it was destroyed.
	DataKey(ctx context.Context, subject string) (wrapped []byte, err error)
	// AddDataKey stores a subject's first key and returns the key that is
	// stored afterwards: another one, when somebody else was first. Errors:
	// ErrForgotten.
	AddDataKey(ctx context.Context, subject string, wrapped []byte) (stored []byte, err error)
}
