package views

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"samla/internal/audit"
	"samla/internal/auditing"
	"samla/internal/console"
	"samla/internal/institution"
	"samla/internal/operator"
	"samla/internal/store"
)

const (
	// auditBatch is how many entries are read at once, and mostLooked how many a page looks
	// through at most: what an entry says in its detail has no index.
	auditBatch = 500
	mostLooked = 20 * auditBatch
	// mostWaiting is how many entries without a place the first page looks at at most: they
	// are few unless the chain has stopped.
	mostWaiting = 200
	// auditSlack is how far the order of the chain and that of the times may differ.
	auditSlack = 5 * time.Minute
)

// auditFilter selects entries. Its members have ids of ours and words of closed sets: what
// somebody types that is neither selects nothing and is not recorded.
type auditFilter struct {
	kind                      audit.Kind
	client, user, by, company string
	from, to                  time.Time // to: the end of the last day
	wrong                     bool      // something that was typed is no id or no day
	selection                 store.AuditSelection
}

func (v *views) auditFilter(a asked) (f auditFilter) {
	q := a.query
	known := func(name string, is func(string) bool) string {
		value := q.Get(name)
		if value != "" && !is(value) {
			f.wrong = true
			return ""
		}
		return value
	}
	f.kind = audit.Kind(known("kind", func(s string) bool { return slices.Contains(audit.Kinds(), audit.Kind(s)) }))
	f.client = known("client", func(s string) bool { return a.names[s] != "" })
	f.company = known("company", func(s string) bool { _, found := v.Institutions.Find(s); return found })
	f.user, f.by = known("user", isID), known("operator", isID)
	f.from, f.to = v.day(&f, q.Get("from")), v.day(&f, q.Get("to"))
	if !f.to.IsZero() {
		f.to = f.to.AddDate(0, 0, 1)
	}
	switch {
	case f.user != "":
		f.selection.UserID = f.user
	case f.kind != "" && !slices.Contains(audit.Frequent(), f.kind):
		f.selection.Kind = f.kind
	case f.kind == "" && f.by != "":
		f.selection.Kind = audit.OperatorCommand
	}
	return f
}

func isID(s string) bool { return !timeOf(s).IsZero() }

// day is the beginning of a day in the zone of the console.
func (v *views) day(f *auditFilter, s string) time.Time {
	at, err := time.ParseInLocation(time.DateOnly, s, v.Zone)
	if err != nil && s != "" {
		f.wrong = true
	}
	return at
}

// entryDetail is what the details of entries say, as far as the page shows it.
type entryDetail struct {
	Company, CollectionID, Status, Failure, Cause string
	Attended                                      bool
	AccountsRead, Accounts                        *int
	By, KeyID, Route                              string
	AccountIDs                                    []string
	Command                                       string
	Of                                            map[string]string
}

func detailOf(e audit.Entry) (d entryDetail) {
	_ = json.Unmarshal(e.Detail, &d) // an entry that cannot be read is shown without detail
	return d
}

// fits reports whether an entry is one of those that are asked for.
func (f auditFilter) fits(e audit.Entry) bool {
	switch {
	case f.kind != "" && e.Kind != string(f.kind), f.client != "" && e.ClientID != f.client, f.user != "" && e.UserID != f.user,
		!f.from.IsZero() && e.At.Before(f.from), !f.to.IsZero() && !e.At.Before(f.to):
		return false
	case f.company == "" && f.by == "":
		return true
	}
	d := detailOf(e)
	return (f.company == "" || d.Company == f.company || d.Of["company"] == f.company) && (f.by == "" || d.Of["operator"] == f.by || d.Of["account"] == f.by)
}

// looked are the entries of a page.
type looked struct {
	waiting []audit.Entry // without a place yet, the newest first
	queue   bool          // more wait for a place than were looked at
	entries []store.AuditPlace
	more    bool      // there may be older ones
	next    int64     // below which number they are
	back    time.Time // how far it was looked back, if not to the end; zero: the page is full
}

// look reads the entries of a page, below the number before; 0 = the newest.
func (v *views) look(ctx context.Context, f auditFilter, before int64) (l looked, err error) {
	if f.wrong {
		return l, nil
	}
	now, from := v.Clock.Now(), int64(0)
	if !f.from.IsZero() {
		if from, err = v.Store.AuditSeqAt(ctx, f.from.Add(-auditSlack)); err != nil {
			return l, err
		}
	}
	if before == 0 {
		before = 1<<63 - 1
		if f.to.IsZero() || f.to.After(now) {
			if l.waiting, l.queue, err = v.unchained(ctx, f); err != nil {
				return l, err
			}
		}
		if !f.to.IsZero() {
			if before, err = v.Store.AuditSeqAt(ctx, f.to.Add(auditSlack)); err != nil {
				return l, err
			}
		}
	}
	for n := 0; n < mostLooked; n += auditBatch {
		some, err := v.Store.AuditPlaces(ctx, f.selection, from, before, auditBatch)
		if err != nil {
			return l, err
		}
		for _, e := range some {
			before, l.back = e.Seq, e.At
			if !f.fits(e.Entry) {
				continue
			}
			if len(l.entries) == pageSize {
				l.more, l.next, l.back = true, l.entries[pageSize-1].Seq, time.Time{}
				return l, nil
			}
			// What has got its place since the waiting ones were read is shown with it.
			l.waiting = slices.DeleteFunc(l.waiting, func(w audit.Entry) bool { return w.ID == e.ID })
			l.entries = append(l.entries, e)
		}
		if len(some) < auditBatch {
			l.back = time.Time{}
			return l, nil
		}
	}
	l.more, l.next = true, before
	return l, nil
}

// unchained are the entries without a place that are asked for, the newest first, and whether
// there are more than were looked at.
func (v *views) unchained(ctx context.Context, f auditFilter) (fit []audit.Entry, more bool, err error) {
	all, err := v.Store.NewestUnchained(ctx, mostWaiting+1)
	if more = len(all) > mostWaiting; more {
		all = all[:mostWaiting]
	}
	return slices.DeleteFunc(all, func(e audit.Entry) bool { return !f.fits(e) }), more, err
}

// listAudit shows the audit log, the newest entries first. To look is in the audit log itself,
// before it is done: so the page is not kept fresh.
func (v *views) listAudit(a asked) (page, error) {
	f := v.auditFilter(a)
	before, _ := strconv.ParseInt(a.query.Get("after"), 10, 64)
	if err := v.recordLook(a.Context(), f); err != nil {
		return page{}, err
	}
	operators, err := v.Store.Operators(a.Context())
	if err != nil {
		return page{}, err
	}
	l, err := v.look(a.Context(), f, max(before, 0))
	if err != nil {
		return page{}, err
	}
	people := map[string]string{}
	who := filter{Name: "operator", Label: "Operator", Options: []option{{Text: "Everybody"}}}
	me := console.OperatorOf(a.Context())
	for _, o := range operators {
		if o.ID != me.ID && !me.Role.May(operator.Administer) {
			continue // who is an operator is the admins' to see
		}
		people[o.ID] = o.Name
		who.Options = append(who.Options, option{o.ID, o.Name, o.ID == f.by})
	}
	if f.by != "" && people[f.by] == "" { // one who was removed, or whose name is not shown
		who.Options = append(who.Options, option{f.by, short(f.by), true})
	}
	t := v.auditTable(l, a.names, people)
	next, first := nextPage(a.Request, 0, "")
	if l.more {
		next, _ = nextPage(a.Request, pageSize+1, strconv.FormatInt(l.next, 10))
	}
	t.Next, t.First = next, first
	if l.queue {
		t.Side = "of those that are not chained yet, the newest " + number(mostWaiting) + " were looked at: more wait"
	}
	if !l.back.IsZero() {
		t.NextText = "Look further back"
		far := "looked through " + number(mostLooked) + " entries, back to " + v.exact(l.back)
		if t.Side != "" {
			far = "; " + far
		}
		t.Side += far
	}
	if f.wrong {
		t.Empty = "What was asked for is no id or no day, so no entry fits."
	}
	n := v.chainNote(a.Context())
	kinds := filter{Name: "kind", Label: "What", Options: []option{{Text: "Everything"}}}
	for _, k := range audit.Kinds() {
		kinds.Options = append(kinds.Options, option{string(k), kindTexts[k], k == f.kind})
	}
	return page{Title: "Audit log", Lead: "Who permitted what, who was given data, and what operators did. Entries have ids; what is sealed stays sealed. That you look is an entry too.", Note: &n, Still: true, Tables: []table{t},
		Filters: []filter{kinds, v.companyFilter(f.company), clientFilter(a.clients, f.client), who, {Name: "user", Label: "User id", Type: "text", Value: a.query.Get("user")},
			{Name: "from", Label: "From", Type: "date", Value: a.query.Get("from")}, {Name: "to", Label: "To", Type: "date", Value: a.query.Get("to")}}}, nil
}

// recordLook records that an operator looks at the audit log, and at which part. If the part is
// one user's, the entry is among those of the user.
func (v *views) recordLook(ctx context.Context, f auditFilter) error {
	said := map[string]string{"operator": console.OperatorOf(ctx).ID, "kind": string(f.kind), "client": f.client, "company": f.company, "of": f.by, "user": f.user}
	for name, day := range map[string]time.Time{"from": f.from, "to": f.to} {
		if !day.IsZero() {
			said[name] = day.UTC().Format(time.RFC3339)
		}
	}
	for name, value := range said {
		if value == "" {
			delete(said, name)
		}
	}
	e := audit.OfCommand(v.IDs, "console: read audit log", said, v.Clock.Now())
	if f.user != "" {
		ends, err := v.Store.AuditUsers(ctx, []string{f.user})
		if err != nil {
			return err
		}
		if _, found := ends[f.user]; found {
			e.UserID = f.user
		}
	}
	return v.Store.RecordAccess(ctx, e)
}

// chainNote says how the chain stands.
func (v *views) chainNote(ctx context.Context) note {
	head, err := v.Audit.Check(ctx)
	late := time.Duration(0)
	if oldest, wrong := v.Store.UnchainedEntries(ctx, 1); wrong == nil && len(oldest) > 0 {
		late = v.Clock.Now().Sub(oldest[0].At)
	}
	switch {
	case errors.Is(err, auditing.ErrTampered):
		return note{Strong: "The audit log is not what was signed.", Text: "Nothing more is chained until it is put right. Keep the database as it is, export the log and verify it: “When the chain stops” in docs/audit.md."}
	case err != nil:
		return note{Strong: "The chain could not be verified just now.", Text: "The database did not answer. Load the page again."}
	case late > auditing.Late:
		return note{Strong: "Entries have waited " + took(late) + " for their place in the chain.", Text: "That takes about a second usually. The log of the server says why."}
	case head == nil:
		return note{Well: true, Strong: "Nothing is chained yet.", Text: "An entry gets its place in the chain about a second after it was stored."}
	}
	return note{Well: true, Strong: "The end of the chain is what was signed.", Text: count(int(head.Count), "entry", "entries") + " up to " + v.exact(head.At) +
		". All of them are verified outside of the server: “samla audit export”, then “samla audit verify”."}
}

// exact writes a time with its day and second.
func (v *views) exact(t time.Time) string { return t.In(v.Zone).Format("2 Jan 2006 15:04:05") }

// lessAudit says what makes the audit log quicker to read.
func lessAudit(r *http.Request) (text, address string) {
	if r.URL.RawQuery == "" {
		return "", ""
	}
	return "What few entries have makes it look through many. Choose an action or a user, which have an index, or fewer days.", r.URL.Path
}

var kindTexts = map[audit.Kind]string{
	audit.ConsentCreated: "Permission asked for", audit.ConsentAuthorized: "Approved", audit.ConsentRevoked: "Permission withdrawn", audit.ConsentExpired: "Permission ended", audit.ConsentFailed: "Not approved",
	audit.ConsentChanged: "Permission changed", audit.RevocationDelivered: "Institution told", audit.RevocationGivenUp: "Institution not told", audit.CollectionStarted: "Collection started", audit.CollectionFinished: "Collection ended", audit.DataRead: "Data fetched",
	audit.UserErased: "Erased", audit.APIKeyCreated: "Key made", audit.APIKeyRevoked: "Key ended", audit.OperatorCommand: "An operator acted",
}

// auditTable lists entries.
func (v *views) auditTable(l looked, names, people map[string]string) table {
	t := table{Title: "Entries", Caption: "Entries of the audit log, the newest first", Heads: heads("When", "What", "By", "User", "About", "Institution"), Empty: "No entry fits."}
	for _, e := range l.waiting {
		t.Rows = append(t.Rows, v.auditRow(e, "not chained yet", names, people))
	}
	for _, e := range l.entries {
		t.Rows = append(t.Rows, v.auditRow(e.Entry, "no. "+number(int(e.Seq)), names, people))
	}
	return t
}

func (v *views) auditRow(e audit.Entry, place string, names, people map[string]string) []cell {
	d := detailOf(e)
	row := []cell{{Text: v.exact(e.At), Sub: place, When: true}, {Text: cmp.Or(kindTexts[audit.Kind(e.Kind)], e.Kind), Sub: saidOf(e, d)}, whoDid(e, d, names, people), none("no user"), none("nothing else"), none("none")}
	if e.UserID != "" {
		row[3] = id(short(e.UserID), "/users/"+e.UserID)
	}
	switch about := cmp.Or(d.CollectionID, string(e.ConsentID)); {
	case about != "":
		row[4] = id(short(about), "/journeys/"+about)
	case len(d.AccountIDs) > 0:
		row[4] = text(count(len(d.AccountIDs), "account", "accounts"))
	case d.Of["endpoint"] != "":
		row[4] = id(short(d.Of["endpoint"]), "/webhooks/"+d.Of["endpoint"])
	}
	if company := cmp.Or(d.Company, d.Of["company"]); company != "" {
		row[5] = cell{Text: v.company(company), Href: institutionAddress(v.Institutions, company)}
	}
	return row
}

// institutionAddress is the page of an institution, "" if it is configured no more.
func institutionAddress(all institution.Institutions, company string) string {
	if _, found := all.Find(company); !found {
		return ""
	}
	return "/institutions/" + company
}

// saidOf is what an entry says in words of closed sets.
func saidOf(e audit.Entry, d entryDetail) string {
	switch audit.Kind(e.Kind) {
	case audit.OperatorCommand:
		said := d.Command
		for _, name := range []string{"role", "method", "queue", "kind", "from", "to"} {
			if d.Of[name] != "" {
				said += ", " + name + " " + d.Of[name]
			}
		}
		return said
	case audit.ConsentFailed:
		return cmp.Or(causeText(d.Failure), causeText(d.Cause))
	case audit.ConsentRevoked, audit.ConsentExpired, audit.RevocationGivenUp:
		return causeText(d.Cause)
	case audit.CollectionStarted:
		return map[bool]string{true: "with the person", false: "without the person"}[d.Attended]
	case audit.CollectionFinished:
		if d.AccountsRead != nil {
			return causeText(d.Status) + ", " + count(*d.AccountsRead, "account", "accounts")
		}
		return causeText(d.Status)
	case audit.DataRead:
		return d.Route
	}
	return ""
}

// whoDid says whose act an entry is of.
func whoDid(e audit.Entry, d entryDetail, names, people map[string]string) cell {
	client := names[e.ClientID]
	switch audit.Kind(e.Kind) {
	case audit.OperatorCommand:
		by := d.Of["operator"]
		if by == "" {
			return cell{Text: "command line", Sub: "or nobody who signed in"}
		}
		return cell{Text: cmp.Or(people[by], short(by)), Sub: "operator", Mono: people[by] == "", Href: "/audit?operator=" + by}
	case audit.DataRead:
		return cell{Text: client, Sub: map[bool]string{true: "with a session", false: "key " + short(d.KeyID)}[d.KeyID == ""]}
	case audit.APIKeyCreated, audit.APIKeyRevoked:
		return cell{Text: client, Sub: "key " + short(d.KeyID)}
	case audit.ConsentAuthorized, audit.UserErased:
		return cell{Text: "the person", Sub: client}
	case audit.RevocationDelivered, audit.RevocationGivenUp, audit.CollectionFinished, audit.ConsentChanged, audit.ConsentExpired, audit.ConsentFailed:
		return cell{Text: "Samla", Sub: client}
	}
	return text(client)
}

// auditFact leads to the entries of a user in the audit log.
func auditFact(userID string) fact {
	if userID == "" {
		return fact{}
	}
	return fact{Name: "Audit log", Value: "Entries of this user", Href: "/audit?user=" + userID}
}
