package sqlstore

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"samla/internal/collection"
	"samla/internal/store"
)

// CollectionsOf implements store.CollectionReader. The cost of a list follows the rows that
// it returns, the statuses that are asked for and, for Latest, the companies that
// the client or user has collections of, but not the number of collections.
func (r reader) CollectionsOf(ctx context.Context, f store.CollectionFilter, p store.Page) ([]collection.Summary, error) {
	text, args := listCollections(f, p, summaryColumns)
	return listPacked(ctx, r.q, 5, readSummary, packed(text, `row.id`, `row.company`, `row.created_at`, `row.login_method`, `row.status`), args...)
}

const summaryColumns = `k.id, k.company, k.created_at, k.login_method, k.status`

func readSummary(fields []string) (collection.Summary, error) {
	created, err := strconv.ParseInt(fields[2], 10, 64)
	return collection.Summary{ID: fields[0], Company: fields[1], CreatedAt: fromMicros(created), LoginMethod: fields[3],
		Status: collection.Status(fields[4])}, err
}

// running are the statuses that are not terminal, in a fixed order so that the
// texts made of them are the same in every process.
var running = slices.Sorted(slices.Values(slices.DeleteFunc(collection.Statuses(), collection.Status.Terminal)))

// RunningCollections implements store.CollectionReader.
func (r reader) RunningCollections(ctx context.Context, clientID, userID string, limit int) ([]collection.Collection, error) {
	text, args := listCollections(store.CollectionFilter{ClientID: clientID, UserID: userID, In: running}, store.Page{Limit: limit},
		columns("k", collectionNames, false))
	return list(ctx, r.q, scanCollection, text, args...)
}

// listCollections returns the query of a list and its arguments. There are few
// texts, so that each is one prepared statement.
func listCollections(f store.CollectionFilter, p store.Page, columns string) (text string, args []any) {
	q := listQuery{columns: columns, scope: `client_id`}
	q.client = q.arg(f.ClientID)
	q.owner = q.client
	if f.UserID != "" {
		q.scope, q.owner = `user_id`, q.arg(f.UserID)
	}
	after := p.After
	if after == "" {
		after = afterAllIDs
	}
	q.after, q.limit = q.arg(after), q.arg(int64(p.Limit))+` + 0`
	for _, s := range paddedStatuses(f.In) {
		q.statuses = append(q.statuses, q.arg(string(s)))
	}
	switch {
	case f.Latest:
		text = q.latest()
	case len(q.statuses) > 0:
		text = q.withStatus()
	default:
		text = q.rows(q.newest(``, q.scope, q.owner))
	}
	return text, q.args
}

const (
	afterAllIDs = "~" // is greater than every id
	noStatus    = "-" // no collection has it
)

// paddedStatuses returns the statuses once each, and some that no collection has,
// so that there are few lengths of the list.
func paddedStatuses(in []collection.Status) []collection.Status {
	all := slices.Compact(slices.Sorted(slices.Values(in)))
	for n := len(all); n&(n-1) != 0; n++ {
		all = append(all, noStatus)
	}
	return all
}

// listQuery is a query in the making. Its members are parts of the text: columns
// and parameters.
//
// Each of its subqueries reads one index from a known place on, and stops at a
// known place or at the first row. Conditions and order name columns that only the
// wanted index has, as rows of values. With equalities in their place PostgreSQL
// can decide to read all ids from new to old and to look for the few that match.
type listQuery struct {
	columns      string // of collections k, to read
	scope, owner string // the column client_id or user_id, and its value
	client       string
	after, limit string
	statuses     []string
	args         []any
}

func (q *listQuery) arg(v any) string {
	q.args = append(q.args, v)
	return "$" + strconv.Itoa(len(q.args))
}

// newest selects the greatest ids below after, of the rows that match a condition
// and have the given value in a column. The index ends with (column, id).
func (q *listQuery) newest(condition, column, value string) string {
	return `SELECT id FROM collections WHERE ` + condition + column + ` >= ` + value + ` AND (` + column + `, id) < (` + value + `, ` + q.after + `)
ORDER BY ` + column + ` DESC, id DESC LIMIT ` + q.limit
}

// rows reads the collections whose ids a query selects. The join is written so that
// SQLite runs the query first.
func (q *listQuery) rows(ids string) string {
	return `SELECT ` + q.columns + ` FROM (` + ids + `) AS page
CROSS JOIN collections k WHERE k.id = page.id AND k.client_id = ` + q.client + ` ORDER BY page.id DESC`
}

// withStatus merges the newest ids of each status.
func (q *listQuery) withStatus() string {
	branches := make([]string, len(q.statuses))
	for i, status := range q.statuses {
		branches[i] = `SELECT id FROM (` + q.newest(q.scope+` = `+q.owner+` AND `, `status`, status) + `) AS branch`
	}
	return q.rows(`SELECT id FROM (` + strings.Join(branches, `
UNION ALL `) + `) AS branches ORDER BY id DESC LIMIT ` + q.limit)
}

// latest skips through an index that ends with (company, status, id): from each pair
// of company and status to the next one, and for each pair to the greatest id. The
// greatest id of a company is its latest collection.
func (q *listQuery) latest() string {
	// SQLite compares rows by an index only with values that have no type of their
	// own. A column has one, a concatenation has none. It begins at the rows that
	// are equal, so the id takes part to skip them.
	const pair, end = `pairs.company || '', pairs.status || ''`, `'` + afterAllIDs + `'`
	first := func(column, condition, order string) string {
		return `(SELECT ` + column + ` FROM collections WHERE ` + q.scope + ` = ` + q.owner + ` AND ` + condition + ` ORDER BY ` + order + ` LIMIT 1)`
	}
	next := func(condition string) string {
		return `SELECT ` + first(`company`, condition, `company, status, id`) + `, ` + first(`status`, condition, `company, status, id`)
	}
	in := ``
	if len(q.statuses) > 0 {
		in = ` AND status IN (` + strings.Join(q.statuses, `, `) + `)`
	}
	return `WITH RECURSIVE pairs (company, status) AS (
` + next(`(company, status, id) > ('', '', '')`) + `
UNION ALL ` + next(`(company, status, id) > (`+pair+`, `+end+`)`) + ` FROM pairs WHERE company IS NOT NULL),
newest (company, id) AS (SELECT company, ` +
		first(`id`, `(company, status, id) < (`+pair+`, `+end+`)`, `company DESC, status DESC, id DESC`) + `
FROM pairs WHERE company IS NOT NULL` + in + `)
` + q.rows(`SELECT MAX(id) AS id FROM newest GROUP BY company HAVING MAX(id) < `+q.after+` ORDER BY MAX(id) DESC LIMIT `+q.limit)
}
