package sqlstore

import (
	"context"
	"strings"
)

// everyAccount is how the text of a scope begins that names no account.
const everyAccount = `{"accountIds":null`

// namesAccounts is the condition that a column with a scope has account ids.
func namesAccounts(column string) string { return column + ` LIKE '{"accountIds":["%'` }

// withoutAccounts is the expression for a column's scope without its account ids.
func withoutAccounts(column string) string {
	text := `CASE WHEN NOT (` + namesAccounts(column) + `) THEN ` + column
	for plain := range plainScopes {
		text += ` WHEN ` + column + ` LIKE '%]` + strings.TrimPrefix(plain, everyAccount) + `' THEN '` + plain + `'`
	}
	return text + ` ELSE '` + everyAccount + `,"balances":false,"transactions":false}' END`
}

var (
	// scopesWithAccounts selects the final consents c with account ids. A live
	// consent needs its scope.
	scopesWithAccounts = `SELECT c.id FROM consents c WHERE c.status NOT IN (` + quoted(live) + `) AND (` +
		namesAccounts("c.requested") + ` OR ` + namesAccounts("c.granted") + `) `

	userScopes = scopesWithAccounts + `AND c.user_id = $1 AND c.collection_id = '' AND c.id > $2 ORDER BY c.id LIMIT $3 + 0`

	eraseScopes = `UPDATE consents SET requested = ` + withoutAccounts("requested") + `, granted = ` + withoutAccounts("granted") +
		`, rev = rev + 1 WHERE id `
)

// innerScopes selects those that live inside the collections of a list.
func innerScopes(in string) string {
	return scopesWithAccounts + `AND c.collection_id ` + in + ` AND c.id IN (SELECT consent_id FROM collections WHERE id ` + in + `)`
}

// EraseUserScopes implements store.Eraser.
func (t *tx) EraseUserScopes(ctx context.Context, userID, after string, limit int) (string, error) {
	ids, err := list(ctx, t.q, column[string], userScopes+t.locks.forUpdate, userID, after, int64(limit))
	if err != nil || len(ids) == 0 {
		return "", err
	}
	return ids[len(ids)-1], t.eraseScopes(ctx, ids)
}

// eraseScopes removes the account ids from the scopes of consents.
func (t *tx) eraseScopes(ctx context.Context, ids []string) error {
	for _, id := range ids {
		t.changesConsent(id, "")
	}
	for len(ids) > 0 {
		in, args := inList(1, &ids)
		if err := t.q.execLater(ctx, eraseScopes+in, args...); err != nil {
			return err
		}
	}
	return nil
}

// eraseAccounts removes the account ids from collections, and from the final
// consents that live inside them.
func (t *tx) eraseAccounts(ctx context.Context, ids []string) error {
	for _, id := range ids {
		t.changesCollection(id)
	}
	for len(ids) > 0 {
		in, args := inList(1, &ids)
		if err := t.q.execLater(ctx, `UPDATE collections SET accounts = '', rev = rev + 1 WHERE accounts <> '' AND id `+in, args...); err != nil {
			return err
		}
		inner, err := list(ctx, t.q, column[string], innerScopes(in)+t.locks.forUpdate, args...)
		if err != nil {
			return err
		}
		if err := t.eraseScopes(ctx, inner); err != nil {
			return err
		}
	}
	return nil
}
