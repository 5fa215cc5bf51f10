package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"samla/internal/store"
)

// querier runs portable SQL with $1 placeholders, inside a transaction or
// outside. Arguments are strings, int64, []byte or nil.
//
// A limit is written as LIMIT $1 + 0. With LIMIT $1 alone SQLite uses the value of the
// argument for its plan, and prepares the statement again whenever it is bound.
type querier interface {
	// exec runs a statement and returns how many rows it changed.
	exec(ctx context.Context, text string, args ...any) (int64, error)
	// execLater runs a statement before the commit, which fails when the statement
	// fails. It saves a round trip where the outcome is not needed before.
	execLater(ctx context.Context, text string, args ...any) error
	query(ctx context.Context, text string, args ...any) (rows, error)
}

// rows is a result. No other query may run on the same transaction before it is
// closed.
type rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close()
}

// list reads all rows of a query.
func list[T any](ctx context.Context, q querier, scan func(rows) (T, error), text string, args ...any) ([]T, error) {
	if !storable(args...) {
		return nil, nil
	}
	found, err := q.query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	return readAll(found, scan)
}

// readAll reads all rows of a result and closes it.
func readAll[T any](found rows, scan func(rows) (T, error)) ([]T, error) {
	defer found.Close()
	var all []T
	for found.Next() {
		v, err := scan(found)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, found.Err()
}

// one reads the only row of a query, store.ErrNotFound when there is none.
func one[T any](ctx context.Context, q querier, scan func(rows) (T, error), text string, args ...any) (T, error) {
	var none T
	if !storable(args...) {
		return none, store.ErrNotFound
	}
	found, err := q.query(ctx, text, args...)
	if err != nil {
		return none, err
	}
	defer found.Close()
	if !found.Next() {
		if err := found.Err(); err != nil {
			return none, err
		}
		return none, store.ErrNotFound
	}
	v, err := scan(found)
	if err != nil {
		return none, err
	}
	// On PostgreSQL an error of the statement may come after its rows.
	found.Close()
	return v, found.Err()
}

// storable reports whether a column can hold all texts. PostgreSQL refuses other
// texts even in conditions. They come from outside, and no row has such a key.
func storable(args ...any) bool {
	for _, arg := range args {
		if s, ok := arg.(string); ok && (!utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0) {
			return false
		}
	}
	return true
}

// column reads a single value of a row.
func column[T any](r rows) (T, error) {
	var v T
	err := r.Scan(&v)
	return v, err
}

// requireRow returns noRow for a statement that has changed no row, else err.
func requireRow(n int64, err, noRow error) error {
	if err == nil && n == 0 {
		return noRow
	}
	return err
}

// micros is how a time is stored: Unix microseconds, 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// fromMicros is the reverse of micros, in UTC.
func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// blob is how bytes are stored: nil is empty, because the columns are NOT NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// fromBlob is the reverse of blob.
func fromBlob(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

// nullable is NULL for an empty text.
func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// encode writes a JSON column. A nil slice and an empty one are not the same.
func encode(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("sqlstore: encode a column: %w", err)
	}
	return string(text), nil
}

func decode(text string, v any) error {
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return fmt.Errorf("sqlstore: decode a column: %w", err)
	}
	return nil
}

// quoted lists texts that need no escape as SQL literals.
func quoted[S ~string](texts []S) string {
	literals := make([]string, len(texts))
	for i, text := range texts {
		literals[i] = `'` + string(text) + `'`
	}
	return strings.Join(literals, `, `)
}

// columns selects the named columns of a table under an alias. In an outer join
// without a match they are empty or zero, and only sealed is NULL.
func columns(alias, names string, outer bool) string {
	all := strings.Split(names, ", ")
	for i, name := range all {
		column := alias + "." + name
		switch {
		case name == "sealed" || (!outer && name != "user_id"):
		case strings.HasSuffix(name, "_at") || name == "authorize_by" || name == "rev":
			column = "COALESCE(" + column + ", 0)"
		default:
			column = "COALESCE(" + column + ", '')"
		}
		all[i] = column
	}
	return strings.Join(all, ", ")
}

// inserts returns an INSERT for each number of rows up to most, by that number. The
// texts are few, so that each is one prepared statement.
func inserts(head string, fields, most int, tail string) []string {
	texts := make([]string, most+1)
	var rows strings.Builder
	for n := range most {
		if n > 0 {
			rows.WriteString(`, `)
		}
		for f := range fields {
			mark := `, $`
			if f == 0 {
				mark = `($`
			}
			rows.WriteString(mark + strconv.Itoa(n*fields+f+1))
		}
		rows.WriteByte(')')
		texts[n+1] = head + rows.String() + tail
	}
	return texts
}
