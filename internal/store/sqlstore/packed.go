package sqlstore

import (
	"context"
	"fmt"
	"strings"
)

// A list is read as one text: each value that crosses from the database costs more
// than its bytes, and a list has hundreds of them. No value of a list contains the two
// separators: ids, statuses, companies and login methods come from closed sets, and
// scopes are JSON, which escapes control characters.
const (
	fieldSeparator = "\x1f"
	rowSeparator   = "\x1e"
)

// packed returns the query for a list of which page selects the rows: fields are
// expressions of the table alias row, the first one is an id. The newest id is first.
func packed(page string, fields ...string) string {
	for i, f := range fields {
		fields[i] = `CAST(` + f + ` AS TEXT)`
	}
	return `SELECT COALESCE(string_agg(` + strings.Join(fields, ` || '`+fieldSeparator+`' || `) + `, '` + rowSeparator + `' ORDER BY row.id DESC), '')
FROM (` + page + `) AS row`
}

// listPacked reads a list of rows with n fields each.
func listPacked[T any](ctx context.Context, q querier, n int, read func(fields []string) (T, error), text string, args ...any) ([]T, error) {
	if !storable(args...) {
		return nil, nil
	}
	all, err := one(ctx, q, column[string], text, args...)
	if err != nil || all == "" {
		return nil, err
	}
	rows := make([]T, 0, strings.Count(all, rowSeparator)+1)
	fields := make([]string, 0, n)
	for row := range strings.SplitSeq(all, rowSeparator) {
		fields = fields[:0]
		for field := range strings.SplitSeq(row, fieldSeparator) {
			fields = append(fields, field)
		}
		if len(fields) != n {
			return nil, fmt.Errorf("sqlstore: a row of a list has %d fields instead of %d", len(fields), n)
		}
		v, err := read(fields)
		if err != nil {
			return nil, err
		}
		rows = append(rows, v)
	}
	return rows, nil
}
