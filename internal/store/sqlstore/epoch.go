package sqlstore

import (
	"context"
	"errors"
	"strconv"
	"time"

	"samla/internal/seal"
	"samla/internal/store"
)

// epochsMigration is the migration that binaries must know once epochs have begun.
const epochsMigration = 16

// Installation implements store.InstallationReader.
func (r reader) Installation(ctx context.Context) (store.Installation, error) {
	return readInstallation(ctx, r.q)
}

func readInstallation(ctx context.Context, q querier) (store.Installation, error) {
	return one(ctx, q, func(r rows) (i store.Installation, err error) {
		var begun, backup, restored int64
		err = r.Scan(&i.ID, &begun, &i.Generation, &backup, &restored, &i.Restoring)
		i.BegunAt, i.BackupAt, i.RestoredAt = fromMicros(begun), fromMicros(backup), fromMicros(restored)
		return i, err
	}, `SELECT id, begun_at, generation, backup_at, restored_at, restoring FROM installation`)
}

// NameInstallation implements store.Epochs.
func (s *Store) NameInstallation(ctx context.Context, id string) (name string, err error) {
	err = s.db.write(ctx, func(q querier) error {
		if _, err := q.exec(ctx, `UPDATE installation SET id = $1 WHERE id = ''`, id); err != nil {
			return err
		}
		i, err := readInstallation(ctx, q)
		name = i.ID
		return err
	})
	return name, err
}

// BeginEpochs implements store.Epochs.
func (s *Store) BeginEpochs(ctx context.Context, now time.Time) error {
	return s.db.write(ctx, func(q querier) error {
		if _, err := q.exec(ctx, `UPDATE schema_support SET oldest = $1 WHERE oldest < $1`, int64(epochsMigration)); err != nil {
			return err
		}
		_, err := q.exec(ctx, `UPDATE installation SET begun_at = $1 WHERE begun_at = 0`, max(micros(now), 1))
		return err
	})
}

// The data keys of epochs before and after a range, each read from one part of the index.
const (
	keysBefore = `SELECT subject, wrapped FROM data_keys WHERE destroyed_at = 0 AND (epoch, subject) > ($1, $2) AND epoch < $3
ORDER BY epoch, subject LIMIT $4 + 0`
	keysAfter = `SELECT subject, wrapped FROM data_keys WHERE destroyed_at = 0 AND (epoch, subject) > ($1, $2) AND epoch > $3
ORDER BY epoch, subject LIMIT $4 + 0`
)

// WrappedKeys implements store.Epochs.
func (s *Store) WrappedKeys(ctx context.Context, r store.EpochRange, afterEpoch seal.EpochID, after string, limit int) ([]store.WrappedKey, error) {
	scan := func(r rows) (k store.WrappedKey, err error) { return k, r.Scan(&k.Subject, &k.Wrapped) }
	found, err := list(ctx, s.q, scan, keysBefore, string(afterEpoch), after, string(r.Now), int64(limit))
	if err != nil || len(found) == limit {
		return found, err
	}
	later, err := list(ctx, s.q, scan, keysAfter, string(afterEpoch), after, string(r.Next), int64(limit-len(found)))
	return append(found, later...), err
}

// ReplaceDataKeys implements store.Epochs.
func (s *Store) ReplaceDataKeys(ctx context.Context, keys []store.Rewrapped) (replaced int, err error) {
	err = s.db.write(ctx, func(q querier) error {
		replaced = 0
		for _, k := range keys {
			epoch, _ := seal.EpochOf(k.New)
			n, err := q.exec(ctx, `UPDATE data_keys SET wrapped = $1, epoch = $2 WHERE subject = $3 AND wrapped = $4 AND destroyed_at = 0`,
				k.New, string(epoch), k.Key, k.Old)
			if err != nil {
				return err
			}
			replaced += int(n)
		}
		return nil
	})
	return replaced, err
}

// ofSystem is the condition that a row with such a column is System's.
func ofSystem(c seal.SystemColumn) string {
	if c.Kind == "" {
		return `1 = 1`
	}
	return c.Kind + ` <> '` + c.Other + `'`
}

// outside is the condition that a column with bytes of System is sealed under a key
// outside of a range, whose prefixes are the parameters from number first on.
func outside(c seal.SystemColumn, first int) string {
	prefix := `substr(` + c.Name() + `, 1, ` + strconv.Itoa(seal.EpochPrefix) + `)`
	return ofSystem(c) + ` AND length(` + c.Name() + `) > 0 AND (` + prefix + ` < $` + strconv.Itoa(first) + ` OR ` + prefix + ` > $` + strconv.Itoa(first+1) + `)`
}

// SystemRows implements store.Epochs.
func (s *Store) SystemRows(ctx context.Context, c seal.SystemColumn, r store.EpochRange, after string, limit int) ([]store.SystemRow, error) {
	return list(ctx, s.q, func(r rows) (row store.SystemRow, err error) {
		return row, r.Scan(&row.Key, &row.Sealed)
	}, `SELECT `+c.Key+`, `+c.Name()+` FROM `+c.Table+` WHERE `+c.Key+` > $1 AND `+outside(c, 2)+` ORDER BY `+c.Key+` LIMIT $4 + 0`,
		after, r.Now.Prefix(), r.Next.Prefix(), int64(limit))
}

// ReplaceSystemRow implements store.Epochs.
func (s *Store) ReplaceSystemRow(ctx context.Context, c seal.SystemColumn, row store.Rewrapped) error {
	return s.db.write(ctx, func(q querier) error {
		_, err := q.exec(ctx, `UPDATE `+c.Table+` SET `+c.Name()+` = $1 WHERE `+c.Key+` = $2 AND `+c.Name()+` = $3`, row.New, row.Key, row.Old)
		return err
	})
}

// EpochUsed implements store.Epochs.
func (s *Store) EpochUsed(ctx context.Context, epoch seal.EpochID, all bool) (bool, error) {
	used, err := exists(ctx, s.q, `SELECT 1 FROM data_keys WHERE epoch = $1 AND destroyed_at = 0 LIMIT 1`, string(epoch))
	if used || err != nil {
		return used, err
	}
	prefix := epoch.Prefix()
	for _, c := range seal.SystemColumns() {
		if c.Key == "" && !all {
			continue
		}
		text := `SELECT 1 FROM ` + c.Table + ` WHERE ` + ofSystem(c) + ` AND substr(` + c.Name() + `, 1, ` + strconv.Itoa(seal.EpochPrefix) + `) = $1 LIMIT 1`
		if epoch == "" { // sealed under the master key
			text = `SELECT 1 FROM ` + c.Table + ` WHERE ` + ofSystem(c) + ` AND length(` + c.Name() + `) > 0 AND substr(` + c.Name() + `, 1, 1) <> $1 LIMIT 1`
			prefix = []byte{0}
		}
		if used, err = exists(ctx, s.q, text, prefix); used || err != nil {
			return used, err
		}
	}
	return false, nil
}

// exists reports whether a query has a row.
func exists(ctx context.Context, q querier, text string, args ...any) (bool, error) {
	_, err := one(ctx, q, column[int64], text, args...)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
