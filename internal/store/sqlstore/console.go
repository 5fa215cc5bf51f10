package sqlstore

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"samla/internal/audit"
	"samla/internal/collection"
	"samla/internal/quota"
	"samla/internal/store"
	"samla/internal/webhook"
)

// What the console lists of all clients is read by primary keys, whose order is that of
// time, so that no write pays for an index of it. The sealed columns are not selected.

// endings are the consents and collections that have ended since their ids were greater
// than $1.
var endings = `WITH endings AS (SELECT company, status AS word, status_changed_at AS at, COALESCE(user_id, id) AS person FROM collections
WHERE id >= $1 AND status IN (` + quoted(ended) + `)
UNION ALL SELECT company, CASE WHEN status = 'FAILED' THEN failure ELSE status END, status_changed_at, COALESCE(user_id, id) FROM consents
WHERE id >= $1 AND collection_id = '' AND status IN ('FAILED', 'AUTHORIZED'))
`

// ended are the terminal statuses of collections, in a fixed order.
var ended = slices.Sorted(slices.Values(slices.DeleteFunc(collection.Statuses(), func(s collection.Status) bool { return !s.Terminal() })))

// EndedSince implements store.ConsoleReader.
func (r reader) EndedSince(ctx context.Context, since time.Time, span time.Duration) ([]store.Ended, error) {
	width := max(span.Microseconds(), 1)
	return list(ctx, r.q, func(r rows) (e store.Ended, err error) {
		var start, n, persons int64
		err = r.Scan(&e.Company, &e.Word, &start, &n, &persons)
		e.Start, e.N, e.Persons = fromMicros(start*width), int(n), int(persons)
		return e, err
	}, endings+`SELECT company, word, at / $2, COUNT(*), COUNT(DISTINCT person) FROM endings GROUP BY company, word, at / $2 ORDER BY 3, 1, 2`,
		idOfTime(since), width)
}

// StoppedSince implements store.ConsoleReader.
func (r reader) StoppedSince(ctx context.Context, since time.Time, failed, ignored []string) ([]store.Stopped, error) {
	return list(ctx, r.q, func(r rows) (s store.Stopped, err error) {
		var at, n, persons, lately int64
		err = r.Scan(&s.Company, &at, &n, &persons, &lately)
		s.Since, s.N, s.Persons, s.PersonsSince = fromMicros(at), int(n), int(persons), int(lately)
		return s, err
	}, endings+`, served AS (SELECT company, MAX(at) AS at FROM endings WHERE NOT ($2 LIKE '%,' || word || ',%') AND NOT ($3 LIKE '%,' || word || ',%') GROUP BY company)
SELECT e.company, COALESCE(MIN(CASE WHEN e.at > COALESCE(s.at, 0) THEN e.at END), 0), COUNT(*), COUNT(DISTINCT e.person),
COUNT(DISTINCT CASE WHEN e.at > COALESCE(s.at, 0) THEN e.person END)
FROM endings e LEFT JOIN served s ON s.company = e.company WHERE $2 LIKE '%,' || e.word || ',%' GROUP BY e.company ORDER BY 4 DESC, 1`,
		idOfTime(since), among(failed), among(ignored))
}

// among is the list of words that "$1 LIKE '%,' || word || ',%'" finds a word in.
func among(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return "," + strings.Join(words, ",") + ","
}

// before is the id before which a page begins.
func before(p store.Page) string {
	if p.After == "" {
		return afterAllIDs
	}
	return p.After
}

const journeyGroup = `COALESCE(f.company, ''), CASE WHEN l.opened_at > 0 THEN 1 ELSE 0 END, COALESCE(f.state, ''),
CASE WHEN COALESCE(f.consent_id, '') <> '' OR COALESCE(f.collection_id, '') <> '' THEN 1 ELSE 0 END, COALESCE(f.signed, 0),
COALESCE(c.status, ''), COALESCE(c.failure, ''), COALESCE(k.status, '')`

const journeyTables = ` FROM connect_links l LEFT JOIN connect_flows f ON f.id = l.flow_id
LEFT JOIN consents c ON c.id = f.consent_id LEFT JOIN collections k ON k.id = f.collection_id `

// groupRow is where the columns of journeyGroup are read into.
type groupRow struct{ opened, started, signed int64 }

func (r *groupRow) dest(g *store.JourneyGroup) []any {
	return []any{&g.Company, &r.opened, (*string)(&g.State), &r.started, &r.signed, (*string)(&g.Consent), (*string)(&g.Failure), (*string)(&g.Collection)}
}

func (r *groupRow) into(g *store.JourneyGroup, n int64) {
	g.Opened, g.Started, g.Signed, g.N = r.opened != 0, r.started != 0, r.signed != 0, int(n)
}

// JourneyGroups implements store.ConsoleReader.
func (r reader) JourneyGroups(ctx context.Context, from, to time.Time, clientID string) ([]store.JourneyGroup, error) {
	return list(ctx, r.q, func(r rows) (g store.JourneyGroup, err error) {
		var row groupRow
		var open, n int64
		err = r.Scan(append(row.dest(&g), &open, &n)...)
		row.into(&g, n)
		g.Open = open != 0
		return g, err
	}, `SELECT `+journeyGroup+`, CASE WHEN l.opened_at = 0 AND l.expires_at > $2 THEN 1 ELSE 0 END, COUNT(*)`+journeyTables+`WHERE l.created_at >= $1 AND l.created_at < $2 AND ($3 = '' OR l.client_id = $3)
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9`, micros(from), micros(to), clientID)
}

// Journeys implements store.ConsoleReader.
func (r reader) Journeys(ctx context.Context, f store.JourneyFilter, p store.Page) ([]store.Journey, error) {
	if f.UserID == "" && (f.ConsentID != "" || f.CollectionID != "") {
		return nil, nil // every link is of a user
	}
	text, args := journeys(f, p)
	return list(ctx, r.q, scanJourney, text, args...)
}

// journeys selects links with the flows that they became.
func journeys(f store.JourneyFilter, p store.Page) (text string, args []any) {
	c := page(p)
	c.is(`l.client_id`, f.ClientID)
	c.is(`l.user_id`, f.UserID)
	c.is(`f.company`, f.Company)
	c.in(`COALESCE(f.state, '')`, f.In)
	c.is(`l.id`, f.LinkID)
	if f.FlowID != "" { // a flow knows its link: flow_id has no index
		c.all = append(c.all, `l.id = (SELECT link_id FROM connect_flows WHERE id = `+c.arg(f.FlowID)+`)`)
	}
	c.is(`f.consent_id`, string(f.ConsentID))
	c.is(`f.collection_id`, f.CollectionID)
	limit := c.arg(int64(p.Limit))
	return `SELECT ` + journeyGroup + `, l.id, l.client_id, l.user_id, l.terms, l.created_at, l.expires_at, l.opened_at, l.flow_id, COALESCE(f.method, ''), COALESCE(f.on_device, 0),
COALESCE(f.consent_id, ''), COALESCE(f.collection_id, ''), COALESCE(f.state_at, 0), COALESCE(f.seen_at, 0), COALESCE(c.status_changed_at, 0),
COALESCE(k.created_at, 0), COALESCE(k.status_changed_at, 0)` + journeyTables + `
WHERE ` + c.text("l.id") + ` ORDER BY l.id DESC LIMIT ` + limit + ` + 0`, c.args
}

func scanJourney(r rows) (j store.Journey, err error) {
	var row groupRow
	var created, expires, opened, onDevice, stateAt, seen, changed, begun, done int64
	var terms string
	if err = r.Scan(append(row.dest(&j.JourneyGroup), &j.LinkID, &j.ClientID, &j.UserID, &terms, &created, &expires, &opened, &j.FlowID, &j.Method, &onDevice,
		(*string)(&j.ConsentID), &j.CollectionID, &stateAt, &seen, &changed, &begun, &done)...); err != nil {
		return j, err
	}
	row.into(&j.JourneyGroup, 1)
	j.CreatedAt, j.ExpiresAt, j.OpenedAt, j.StateAt, j.SeenAt = fromMicros(created), fromMicros(expires), fromMicros(opened), fromMicros(stateAt), fromMicros(seen)
	j.OnDevice, j.ConsentChangedAt, j.CollectionAt, j.CollectionDoneAt = onDevice != 0, fromMicros(changed), fromMicros(begun), fromMicros(done)
	return j, decode(terms, &j.Terms)
}

const consentRowNames = `id, client_id, COALESCE(user_id, ''), collection_id, company, login_method, status, failure, created_at, status_changed_at, expires_at, expiring_at,
lineage, renews, renewed_by, parked_at`

func scanConsentRow(r rows) (c store.ConsentRow, err error) {
	var created, changed, expires, warned, parked int64
	err = r.Scan((*string)(&c.ID), &c.ClientID, &c.UserID, &c.CollectionID, &c.Company, &c.Method, (*string)(&c.Status), (*string)(&c.Failure),
		&created, &changed, &expires, &warned, (*string)(&c.Lineage), (*string)(&c.Renews), (*string)(&c.RenewedBy), &parked)
	c.CreatedAt, c.StatusChangedAt, c.ExpiresAt, c.WarnedAt, c.Parked = fromMicros(created), fromMicros(changed), fromMicros(expires), fromMicros(warned), parked > 0
	return c, err
}

// conditions of a list: only those that restrict, so that an index can serve them.
type conditions struct {
	all  []string
	args []any
}

// page begins with the page of a list that is ordered by ids, the newest first.
func page(p store.Page) *conditions { return &conditions{args: []any{before(p)}} }

func (c *conditions) arg(v any) string {
	c.args = append(c.args, v)
	return "$" + strconv.Itoa(len(c.args))
}

func (c *conditions) is(column, value string) {
	if value != "" {
		c.all = append(c.all, column+` = `+c.arg(value))
	}
}

// in restricts a column to some words; none: it does not.
func (c *conditions) in(column string, words []string) {
	if len(words) > 0 {
		c.all = append(c.all, c.arg(among(words))+` LIKE '%,' || `+column+` || ',%'`)
	}
}

func (c *conditions) filter(f store.RowFilter) {
	c.is(`client_id`, f.ClientID)
	c.is(`company`, f.Company)
	c.is(`user_id`, f.UserID)
	c.in(`status`, f.In)
}

// text is the condition, with the page by an id.
func (c *conditions) text(id string) string {
	return strings.Join(append(c.all, id+` < $1`), ` AND `)
}

// ConsentRows implements store.ConsoleReader.
func (r reader) ConsentRows(ctx context.Context, f store.RowFilter, p store.Page) ([]store.ConsentRow, error) {
	text, args := consentRows(f, p)
	return list(ctx, r.q, scanConsentRow, text, args...)
}

// consentRows selects consents. Those of a user are found by two indexes: consents_user has
// none that is inside a collection, so these are found by the collections of the user.
func consentRows(f store.RowFilter, p store.Page) (text string, args []any) {
	c := page(p)
	if f.UserID != "" {
		who := c.arg(f.UserID)
		c.all = append(c.all, `id IN (SELECT id FROM consents WHERE user_id = `+who+` AND collection_id = '' UNION ALL SELECT consent_id FROM collections WHERE user_id = `+who+`)`)
		f.UserID = ""
	}
	c.filter(f)
	limit := c.arg(int64(p.Limit))
	return `SELECT ` + consentRowNames + ` FROM consents WHERE ` + c.text(`id`) + ` ORDER BY id DESC LIMIT ` + limit + ` + 0`, c.args
}

// endingConsents uses the index consents_ending.
const endingConsents = ` FROM consents WHERE status = 'AUTHORIZED' AND collection_id = '' AND expires_at > 0 `

// EndingConsents implements store.ConsoleReader.
func (r reader) EndingConsents(ctx context.Context, f store.RowFilter, after store.Moment, until time.Time, limit int) ([]store.ConsentRow, error) {
	c := conditions{args: []any{micros(after.At), after.ID, micros(until), int64(limit)}}
	c.filter(f)
	c.all = append(c.all, `(expires_at, id) > ($1, $2)`, `expires_at <= $3`)
	return list(ctx, r.q, scanConsentRow, `SELECT `+consentRowNames+endingConsents+`AND `+strings.Join(c.all, ` AND `)+` ORDER BY expires_at, id LIMIT $4 + 0`, c.args...)
}

// CountEnding implements store.ConsoleReader.
func (r reader) CountEnding(ctx context.Context, from, until time.Time) (all, told int, err error) {
	n, err := one(ctx, r.q, func(r rows) (n [2]int64, err error) { return n, r.Scan(&n[0], &n[1]) },
		`SELECT COUNT(*), COALESCE(SUM(CASE WHEN expiring_at = expires_at THEN 1 ELSE 0 END), 0)`+endingConsents+`AND expires_at > $1 AND expires_at <= $2`,
		micros(from), micros(until))
	return int(n[0]), int(n[1]), err
}

// CollectionRows implements store.ConsoleReader.
func (r reader) CollectionRows(ctx context.Context, f store.RowFilter, p store.Page) ([]store.CollectionRow, error) {
	c := page(p)
	c.filter(f)
	limit := c.arg(int64(p.Limit))
	return list(ctx, r.q, func(r rows) (k store.CollectionRow, err error) {
		var attended, created, changed, parked int64
		err = r.Scan(&k.ID, &k.ClientID, &k.UserID, (*string)(&k.ConsentID), &k.Company, &k.Method, &k.Version, (*string)(&k.Mode), &attended, (*string)(&k.Status),
			&created, &changed, &parked)
		k.Attended, k.CreatedAt, k.StatusChangedAt, k.Parked = attended != 0, fromMicros(created), fromMicros(changed), parked > 0
		return k, err
	}, `SELECT id, client_id, COALESCE(user_id, ''), consent_id, company, login_method, version, mode, attended, status, created_at, status_changed_at, parked_at
FROM collections WHERE `+c.text(`id`)+` ORDER BY id DESC LIMIT `+limit+` + 0`, c.args...)
}

// AuditEntriesOf implements store.ConsoleReader.
func (r reader) AuditEntriesOf(ctx context.Context, userID string, p store.Page) ([]audit.Entry, error) {
	return list(ctx, r.q, scanEntry, `SELECT `+auditColumns+` FROM (SELECT `+auditColumns+` FROM evidence WHERE user_id = $1 AND user_id <> ''
UNION ALL SELECT `+auditColumns+` FROM audit_log WHERE user_id = $1 AND user_id <> '') AS entries WHERE id < $2 ORDER BY id DESC LIMIT $3 + 0`,
		userID, before(p), int64(p.Limit))
}

// ScheduleRows implements store.ConsoleReader.
func (r reader) ScheduleRows(ctx context.Context, f store.RowFilter, p store.Page) ([]quota.Schedule, error) {
	c := page(p)
	c.is(`client_id`, f.ClientID)
	c.is(`company`, f.Company)
	c.is(`user_id`, f.UserID)
	if len(f.In) > 0 {
		words := c.arg(among(f.In))
		c.all = append(c.all, `(`+words+` LIKE '%,' || state || ',%' OR `+words+` LIKE '%,' || reason || ',%')`)
	}
	limit := c.arg(int64(p.Limit))
	return list(ctx, r.q, scanSchedule, `SELECT `+scheduleNames+` FROM schedules WHERE `+c.text(`id`)+` ORDER BY id DESC LIMIT `+limit+` + 0`, c.args...)
}

const endpointPage = `SELECT id, client_id, state, reason, kinds, created_at, changed_at, failing_since, rev, dirty FROM webhook_endpoints WHERE state <> 'DELETED' AND `

// EndpointRows implements store.ConsoleReader.
func (r reader) EndpointRows(ctx context.Context, f store.RowFilter, since time.Time, p store.Page) ([]store.EndpointRow, error) {
	c := page(p)
	c.is(`client_id`, f.ClientID)
	c.in(`state`, f.In)
	limit, from := c.arg(int64(p.Limit)), c.arg(idOfTime(since))
	return list(ctx, r.q, func(r rows) (e store.EndpointRow, err error) {
		var kinds string
		var created, changed, failing, waiting, attempts, failed, took, last int64
		err = r.Scan(&e.ID, &e.ClientID, (*string)(&e.State), (*string)(&e.Reason), &kinds, &created, &changed, &failing, &e.Rev, &e.Dirty,
			&waiting, &attempts, &failed, &took, &last)
		e.Events, e.CreatedAt, e.ChangedAt, e.FailingSince = webhook.DecodeEvents(kinds), fromMicros(created), fromMicros(changed), fromMicros(failing)
		e.Waiting, e.Attempts, e.Failed, e.LastAt = int(waiting), int(attempts), int(failed), fromMicros(last)
		e.Took = time.Duration(took) * time.Microsecond
		return e, err
	}, `WITH page AS (`+endpointPage+c.text(`id`)+` ORDER BY id DESC LIMIT `+limit+` + 0),
waiting AS (SELECT endpoint_id, COUNT(*) AS n FROM webhook_deliveries WHERE progress = 'PENDING' AND endpoint_id IN (SELECT id FROM page) GROUP BY endpoint_id),
tried AS (SELECT endpoint_id, COUNT(*) AS n, SUM(CASE WHEN status BETWEEN 200 AND 299 THEN 0 ELSE 1 END) AS failed, CAST(AVG(took) AS BIGINT) AS took, MAX(happened_at) AS last
FROM webhook_attempts WHERE id >= `+from+` AND endpoint_id IN (SELECT id FROM page) GROUP BY endpoint_id)
SELECT page.*, COALESCE(waiting.n, 0), COALESCE(tried.n, 0), COALESCE(tried.failed, 0), COALESCE(tried.took, 0), COALESCE(tried.last, 0)
FROM page LEFT JOIN waiting ON waiting.endpoint_id = page.id LEFT JOIN tried ON tried.endpoint_id = page.id ORDER BY page.id DESC`, c.args...)
}

// ParkedRows implements store.ConsoleReader.
func (r reader) ParkedRows(ctx context.Context, q store.Queue, after store.Moment, limit int) ([]store.ParkedJob, error) {
	if err := checkQueue(q); err != nil {
		return nil, err
	}
	return list(ctx, r.q, scanParked, `SELECT id, job_attempts, parked_at, job_error FROM `+string(q)+`
WHERE parked_at > 0 AND (parked_at, id) > ($1, $2) ORDER BY parked_at, id LIMIT $3 + 0`, micros(after.At), after.ID, int64(limit))
}
