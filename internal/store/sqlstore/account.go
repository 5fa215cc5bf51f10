package sqlstore

import (
	"context"
	"time"

	"samla/internal/account"
	"samla/internal/store"
)

const (
	selectAccounts = `SELECT s.rev, COALESCE(a.id, ''), COALESCE(a.created_at, 0), COALESCE(a.seen_at, 0), a.sealed
FROM account_sets AS s LEFT JOIN accounts AS a ON a.user_id = s.user_id AND a.client_id = $2
WHERE s.user_id = $1 ORDER BY a.id`

	accountFields  = 7
	accountBatch   = 16 // accounts in one statement
	lineageBatch   = 32
	accountRecheck = 24 * time.Hour // until it is looked at again whether an account is kept
)

var (
	putAccounts = inserts(`INSERT INTO accounts (id, client_id, user_id, created_at, seen_at, check_at, sealed) VALUES `, accountFields, accountBatch,
		` ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, check_at = excluded.check_at, sealed = excluded.sealed`)
	putLineages = inserts(`INSERT INTO account_lineages (account_id, lineage) VALUES `, 2, lineageBatch, ` ON CONFLICT DO NOTHING`)
)

type accountRow struct {
	rev    int64
	record account.Record
}

func scanAccount(r rows) (a accountRow, err error) {
	var created, seen int64
	err = r.Scan(&a.rev, &a.record.ID, &created, &seen, &a.record.Sealed)
	a.record.CreatedAt, a.record.SeenAt = fromMicros(created), fromMicros(seen)
	return a, err
}

// Accounts implements store.AccountReader.
func (r reader) Accounts(ctx context.Context, clientID, userID string) (account.Set, error) {
	found, err := list(ctx, r.q, scanAccount, selectAccounts, userID, clientID)
	if err != nil || len(found) == 0 {
		return account.Set{}, err
	}
	set := account.Set{Rev: found[0].rev}
	for _, a := range found {
		if a.record.ID != "" {
			a.record.ClientID, a.record.UserID = clientID, userID
			set.Records = append(set.Records, a.record)
		}
	}
	return set, nil
}

// AccountUser implements store.AccountReader.
func (r reader) AccountUser(ctx context.Context, clientID, id string) (string, error) {
	return one(ctx, r.q, column[string], `SELECT user_id FROM accounts WHERE id = $1 AND client_id = $2`, id, clientID)
}

// PutAccounts implements store.AccountWriter.
func (t *tx) PutAccounts(ctx context.Context, c account.Change) error {
	var n int64
	var err error
	if c.Rev == 0 {
		n, err = t.q.exec(ctx, `INSERT INTO account_sets (user_id, rev) VALUES ($1, 1) ON CONFLICT DO NOTHING`, c.UserID)
	} else {
		n, err = t.q.exec(ctx, `UPDATE account_sets SET rev = rev + 1 WHERE user_id = $1 AND rev = $2`, c.UserID, c.Rev)
	}
	if err := requireRow(n, err, store.ErrConflict); err != nil {
		return err
	}
	for gone := c.Delete; len(gone) > 0; {
		in, args := inList(2, &gone)
		if err := t.q.execLater(ctx, `DELETE FROM accounts WHERE user_id = $1 AND id `+in, append([]any{c.UserID}, args...)...); err != nil {
			return err
		}
	}
	for put := c.Put; len(put) > 0; {
		n := min(len(put), accountBatch)
		args := make([]any, 0, n*accountFields)
		for _, a := range put[:n] {
			args = append(args, a.ID, c.ClientID, c.UserID, micros(a.CreatedAt), micros(a.SeenAt), micros(a.SeenAt.Add(accountRecheck)), blob(a.Sealed))
		}
		if err := t.q.execLater(ctx, putAccounts[n], args...); err != nil {
			return err
		}
		put = put[n:]
	}
	for more := c.Lineages; len(more) > 0; {
		n := min(len(more), lineageBatch)
		args := make([]any, 0, 2*n)
		for _, l := range more[:n] {
			args = append(args, l.AccountID, string(l.Consent))
		}
		if err := t.q.execLater(ctx, putLineages[n], args...); err != nil {
			return err
		}
		more = more[n:]
	}
	return nil
}

// EraseAccounts implements store.AccountWriter.
func (t *tx) EraseAccounts(ctx context.Context, userID string, limit int) (int, error) {
	n, err := t.q.exec(ctx, `DELETE FROM accounts WHERE id IN (SELECT id FROM accounts WHERE user_id = $1 ORDER BY id LIMIT $2 + 0)`, userID, int64(limit))
	if err != nil || n >= int64(limit) {
		return int(n), err
	}
	if err := t.EraseFeedsOfUser(ctx, userID, droppedAt); err != nil {
		return 0, err
	}
	return int(n), t.q.execLater(ctx, `DELETE FROM account_sets WHERE user_id = $1`, userID)
}

// keptBy is the condition that a consent keeps the accounts that were seen through it: it
// is authorized, or has ended after $1.
const keptBy = `(c.status = 'AUTHORIZED' OR c.status_changed_at > $1 AND c.status IN ('REVOKED', 'EXPIRED'))`

// unkept selects, of the accounts of a list from $2 on, those that no consent keeps.
func unkept(in string) string {
	return `SELECT a.id FROM accounts AS a WHERE a.id ` + in + ` AND a.seen_at <= $1
AND NOT EXISTS (SELECT 1 FROM account_lineages AS l JOIN consents AS c ON c.id = l.lineage WHERE l.account_id = a.id AND ` + keptBy + `)
AND NOT EXISTS (SELECT 1 FROM account_lineages AS l JOIN consents AS c ON c.lineage = l.lineage AND c.lineage <> '' WHERE l.account_id = a.id AND ` + keptBy + `)`
}

type dueAccount struct{ id, user string }

func scanDueAccount(r rows) (a dueAccount, err error) {
	err = r.Scan(&a.id, &a.user)
	return a, err
}

// selectDueAccounts selects the accounts to look at.
const selectDueAccounts = `SELECT id, user_id FROM accounts WHERE check_at <= $1 ORDER BY check_at LIMIT $2 + 0`

// SweepAccounts implements store.AccountWriter.
func (t *tx) SweepAccounts(ctx context.Context, now time.Time, keep time.Duration, limit int) (int, error) {
	due, err := list(ctx, t.q, scanDueAccount, selectDueAccounts+t.locks.skipLocked, micros(now), int64(limit))
	if err != nil || len(due) == 0 {
		return 0, err
	}
	ids, users := make([]string, len(due)), map[string]string{}
	for i, a := range due {
		ids[i], users[a.id] = a.id, a.user
	}
	for rest := ids; len(rest) > 0; {
		same := rest
		in, args := inList(2, &rest)
		if err := t.sweepAccounts(ctx, in, args, users, now, keep); err != nil {
			return 0, err
		}
		in, args = inList(2, &same)
		if err := t.q.execLater(ctx, `UPDATE accounts SET check_at = $1 WHERE id `+in,
			append([]any{micros(now.Add(accountRecheck))}, args...)...); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

// sweepAccounts deletes those of some accounts that nothing keeps. The set of a user who
// loses one changes, so that no change of before brings it back.
func (t *tx) sweepAccounts(ctx context.Context, in string, args []any, users map[string]string, now time.Time, keep time.Duration) error {
	gone, err := list(ctx, t.q, column[string], unkept(in), append([]any{micros(now.Add(-keep))}, args...)...)
	if err != nil || len(gone) == 0 {
		return err
	}
	var of []string
	for _, id := range gone {
		of = append(of, users[id])
	}
	for len(of) > 0 {
		in, args := inList(1, &of)
		if err := t.q.execLater(ctx, `UPDATE account_sets SET rev = rev + 1 WHERE user_id `+in, args...); err != nil {
			return err
		}
	}
	if err := t.DropFeeds(ctx, gone, now); err != nil {
		return err
	}
	for len(gone) > 0 {
		in, args := inList(1, &gone)
		if err := t.q.execLater(ctx, `DELETE FROM accounts WHERE id `+in, args...); err != nil {
			return err
		}
	}
	return nil
}
