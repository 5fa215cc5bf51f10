// Package epochs keeps the epoch keys of an installation: it wraps the data keys of the
// database again under the key of each new epoch, and destroys a key when no backup that
// must still open can need it (docs/operate-backup.md).
package epochs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"samla/internal/clock"
	"samla/internal/durable"
	"samla/internal/journal"
	"samla/internal/seal"
	"samla/internal/seal/keyset"
	"samla/internal/store"
)

const (
	// DefaultRetention is for how long a backup can be opened at least.
	DefaultRetention = 35 * 24 * time.Hour
	// MinRetention is the least: what lives for a day at most (seal.SystemColumns) must be
	// gone before the key that it is sealed under.
	MinRetention = 2 * 24 * time.Hour

	// keepJournal is for how much longer than the retention the journal is kept, and for
	// how much longer than the oldest backup that can still be opened.
	keepJournal = 7 * 24 * time.Hour

	tick       = time.Minute
	systemTick = time.Hour // between two searches for rows of System
	batch      = 100       // rows in one transaction: so few that other writers do not wait
)

// Deps is what a Keeper works with. All members but Journal are required.
type Deps struct {
	Store     store.Epochs
	Ring      *keyset.Ring
	Vault     *keyset.Vault
	Clock     clock.Clock
	Log       *slog.Logger
	Retention time.Duration // of backups
	// Journal is pruned of what no backup that still opens needs; nil: there is none.
	Journal *journal.Journal
}

// Keeper does its work on every node; each step is done by one of them.
type Keeper struct {
	Deps
	searched time.Time    // when rows of System were searched for
	under    seal.EpochID // the epoch that they are sealed under since
}

// CheckRetention returns an error for a retention of backups that is too short.
func CheckRetention(d time.Duration) error {
	if d < MinRetention {
		return fmt.Errorf("the retention of backups must be at least %v", MinRetention)
	}
	return nil
}

// New returns a Keeper.
func New(d Deps) *Keeper { return &Keeper{Deps: d} }

// Run works until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	for {
		if _, err := k.Tick(ctx); err != nil && ctx.Err() == nil {
			k.Log.Error("the epoch keys could not be kept", "error", err)
		}
		if clock.Sleep(ctx, k.Clock, tick) != nil {
			return
		}
	}
}

// Report is what one call of Tick did.
type Report struct {
	Rewrapped, Resealed, Destroyed int
}

// Tick does what is due now. Each step can be repeated and interrupted at any point.
func (k *Keeper) Tick(ctx context.Context) (Report, error) {
	var r Report
	i, err := k.Store.Installation(ctx)
	if err != nil {
		return r, err
	}
	if i.BegunAt.IsZero() {
		return r, nil
	}
	k.Ring.Begin()
	unlock, err := k.Ring.LockRewrap()
	if errors.Is(err, durable.ErrLocked) {
		return r, k.Ring.Forget() // another node is at it
	}
	if err != nil {
		return r, err
	}
	defer unlock()
	now, next := k.Ring.Current()
	in := store.EpochRange{Now: now, Next: next}
	if r.Rewrapped, err = k.rewrap(ctx, in); err != nil {
		return r, err
	}
	if r.Resealed, err = k.reseal(ctx, in); err != nil {
		return r, err
	}
	if r.Destroyed, err = k.retire(ctx, in); err == nil {
		err = k.prune()
	}
	if r != (Report{}) {
		k.Log.Info("epoch keys", "epoch", now, "rewrapped", r.Rewrapped, "resealed", r.Resealed, "destroyed", r.Destroyed)
	}
	return r, errors.Join(err, k.Ring.Forget())
}

// rewrap wraps the data keys again that are not under a key of the range. A key that does
// not open is left, and keeps its epoch key from being destroyed.
func (k *Keeper) rewrap(ctx context.Context, in store.EpochRange) (done int, err error) {
	var epoch seal.EpochID
	after, broken := "", 0
	for {
		keys, err := k.Store.WrappedKeys(ctx, in, epoch, after, batch)
		if err != nil || len(keys) == 0 {
			if broken > 0 {
				k.Log.Error("data keys do not open and cannot be wrapped again", "keys", broken, "epoch", in.Now)
			}
			return done, err
		}
		var again []store.Rewrapped
		for _, old := range keys {
			epoch, _ = seal.EpochOf(old.Wrapped)
			after = old.Subject
			wrapped, err := k.Vault.Rewrap(old.Subject, old.Wrapped)
			if errors.Is(err, seal.ErrDecryption) {
				broken++
				continue
			}
			if err != nil {
				return done, err
			}
			again = append(again, store.Rewrapped{Key: old.Subject, Old: old.Wrapped, New: wrapped})
		}
		n, err := k.Store.ReplaceDataKeys(ctx, again)
		if err != nil {
			return done, err
		}
		done += n
	}
}

// reseal seals the rows of System again that stay for long.
func (k *Keeper) reseal(ctx context.Context, in store.EpochRange) (done int, err error) {
	now := k.Clock.Now()
	if k.under == in.Now && now.Before(k.searched.Add(systemTick)) {
		return 0, nil
	}
	for _, c := range seal.SystemColumns() {
		if c.Key == "" {
			continue
		}
		n, err := k.resealColumn(ctx, c, in)
		if done += n; err != nil {
			return done, err
		}
	}
	k.searched, k.under = now, in.Now
	return done, nil
}

func (k *Keeper) resealColumn(ctx context.Context, c seal.SystemColumn, in store.EpochRange) (done int, err error) {
	for after := ""; ; {
		rows, err := k.Store.SystemRows(ctx, c, in, after, batch)
		if err != nil || len(rows) == 0 {
			return done, err
		}
		for _, row := range rows {
			after = row.Key
			sealed, err := k.Vault.Reseal(ctx, seal.Place{Table: c.Table, Column: c.Column, Row: row.Key}, row.Sealed)
			if errors.Is(err, seal.ErrDecryption) {
				k.Log.Error("a row does not open and cannot be sealed again", "table", c.Table)
				continue
			}
			if err != nil {
				return done, err
			}
			if err := k.Store.ReplaceSystemRow(ctx, c, store.Rewrapped{Key: row.Key, Old: row.Sealed, New: sealed}); err != nil {
				return done, err
			}
			done++
		}
	}
}

// prune deletes what the journal has of days that no backup needs. A key that was not
// destroyed in time, because something needs it or no node ran, still opens the backups of
// its epoch, and a restore of one must learn all that was decided since.
func (k *Keeper) prune() error {
	if k.Journal == nil {
		return nil
	}
	before := k.Clock.Now().Add(-k.Retention)
	ids, err := k.Ring.IDs()
	if err != nil {
		return err
	}
	if len(ids) > 0 {
		if oldest, ok := ids[0].Begin(); ok && oldest.Before(before) {
			before = oldest
		}
	}
	return k.Journal.Prune(before.Add(-keepJournal))
}

// retire notes which epoch keys no row needs any more, and destroys those of which this
// has been so for the retention of backups: a backup from before can then not be opened.
func (k *Keeper) retire(ctx context.Context, in store.EpochRange) (destroyed int, err error) {
	ids, err := k.Ring.IDs()
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if id >= in.Now && id <= in.Next {
			continue
		}
		gone, err := k.retireOne(ctx, id)
		if err != nil {
			return destroyed, err
		}
		if gone {
			destroyed++
		}
	}
	return destroyed, nil
}

func (k *Keeper) retireOne(ctx context.Context, id seal.EpochID) (gone bool, err error) {
	now := k.Clock.Now()
	since, err := k.Ring.UnusedSince(id)
	if err != nil || !since.IsZero() && now.Before(since.Add(k.Retention)) {
		return false, err
	}
	over := !since.IsZero()
	used, err := k.Store.EpochUsed(ctx, id, over)
	switch {
	case err != nil:
		return false, err
	case used && over:
		return false, k.Ring.SetUnused(id, time.Time{})
	case used:
		return false, nil
	case !over:
		return false, k.Ring.SetUnused(id, now)
	}
	unlock, err := k.Ring.Lock(true)
	if err != nil {
		return false, err
	}
	defer unlock()
	return true, k.Ring.Destroy(id)
}
