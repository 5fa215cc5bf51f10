package store

import (
	"context"
	"time"

	"samla/internal/seal"
)

// Installation is what a database knows of itself.
type Installation struct {
	ID      string    // names the installation; empty until its first start
	BegunAt time.Time // since when data keys are wrapped under epoch keys; zero = not yet
	// Generation is how often the database was restored from a backup. What clients were
	// told of positions before a restore (cursors, sequences) may not be there any more.
	Generation int64
	// BackupAt and RestoredAt are the times of the last restore, zero if there was none: the
	// database does not know what happened in between.
	BackupAt, RestoredAt time.Time
	// Restoring is the id of a backup whose restore has begun and is not finished.
	Restoring string
}

// EpochRange is the epochs whose keys are in use: a row under the key of one of them, or
// of one between, is left as it is.
type EpochRange struct{ Now, Next seal.EpochID }

// WrappedKey is a data key as it is stored.
type WrappedKey struct {
	Subject string
	Wrapped []byte
}

// Rewrapped is a data key, or bytes of System, that were wrapped or sealed again.
type Rewrapped struct {
	Key      string // the subject, or the key of the row
	Old, New []byte
}

// SystemRow is a row with bytes that are sealed for System.
type SystemRow struct {
	Key    string
	Sealed []byte
}

// InstallationReader reads what a database knows of itself.
type InstallationReader interface {
	// Installation reads the one row of the installation.
	Installation(ctx context.Context) (Installation, error)
}

// Epochs is the part of a store that lets epoch keys be replaced. None of it changes a
// row's Rev.
type Epochs interface {
	InstallationReader
	// NameInstallation stores id as the name of the installation, unless it has one, and
	// returns its name.
	NameInstallation(ctx context.Context, id string) (string, error)
	// BeginEpochs lets data keys be wrapped under epoch keys from now on, and binaries of
	// the release before epochs refuse to start. It is no error if they are already.
	BeginEpochs(ctx context.Context, now time.Time) error

	// WrappedKeys lists data keys that are wrapped under keys outside of the range, with
	// their epochs and subjects in order, after the given ones, at most limit.
	WrappedKeys(ctx context.Context, r EpochRange, afterEpoch seal.EpochID, after string, limit int) ([]WrappedKey, error)
	// ReplaceDataKeys stores data keys that were wrapped again, in one transaction, and
	// returns how many. A key that is not what it was (Old), or was destroyed, does not
	// change.
	ReplaceDataKeys(ctx context.Context, keys []Rewrapped) (int, error)
	// SystemRows lists rows of a column with a Key whose bytes are sealed under keys outside
	// of the range, in the order of their keys, after the given one, at most limit.
	SystemRows(ctx context.Context, c seal.SystemColumn, r EpochRange, after string, limit int) ([]SystemRow, error)
	// ReplaceSystemRow stores bytes of System that were sealed again. A row that is not what
	// it was does not change.
	ReplaceSystemRow(ctx context.Context, c seal.SystemColumn, row Rewrapped) error
	// EpochUsed reports whether any row is wrapped or sealed under the key of an epoch; with
	// all also one of a column without a Key, which lives for a day at most. The empty epoch
	// is that of the master key.
	EpochUsed(ctx context.Context, epoch seal.EpochID, all bool) (bool, error)
}
