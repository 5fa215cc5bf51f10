package views

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"samla/internal/audit"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/flow"
	"samla/internal/pages/look"
	"samla/internal/store"
)

// happening is an event of a journey.
type happening struct {
	At        time.Time
	Who       int
	What, Why string
	Bad, Good bool
	order     int // of events at the same time
}

// slowGap is from which on a wait is shown as slow, unless the person waited.
const slowGap = 10 * time.Second

// linkEvents are the events of a link and its flow.
func (v *views) linkEvents(j store.Journey, asker string) []happening {
	what := []string{}
	if j.Terms.Balances {
		what = append(what, "balances")
	}
	if j.Terms.Transactions {
		what = append(what, "transactions")
	}
	asked := asker + " asked for accounts"
	if len(what) > 0 {
		asked += ", " + strings.Join(what, ", ")
	}
	if j.Terms.ValidDays > 0 {
		asked += ", " + count(j.Terms.ValidDays, "day", "days")
	}
	all := []happening{{At: j.CreatedAt, Who: byClient, What: "Link made", Why: asked + ". Language " + j.Terms.Language}}
	if j.OpenedAt.IsZero() {
		if now := v.Clock.Now(); now.After(j.ExpiresAt) {
			all = append(all, happening{At: j.ExpiresAt, Who: byPerson, What: "The link ended", Why: "Nobody opened it", Bad: true})
		}
		return all
	}
	all = append(all, happening{At: j.OpenedAt, Who: byPerson, What: "Opened the page"})
	if j.Company != "" && j.Method != "" {
		device := "on another device"
		if j.OnDevice {
			device = "on this device"
		}
		all = append(all, happening{At: v.startOf(j), Who: byPerson, What: "Chose " + v.company(j.Company), Why: j.Method + ", " + device, order: 1})
	}
	last := happening{At: j.StateAt, Who: byPerson, order: 9}
	s := stopOf(j.JourneyGroup)
	switch j.State {
	case flow.Done:
		last.What, last.Good = "Done", true
	case flow.Cancelled:
		last.What, last.Bad = "Cancelled", true
	case flow.Ended:
		last.What, last.Why = "Left the page", "Nobody looked at it for "+took(flow.Idle)+", or it was closed"
		last.Bad = !got(j.JourneyGroup)
	case flow.Failed:
		last.What, last.Why, last.Who, last.Bad = "Stopped", s.Why, s.Whose, true
	default:
		last.What, last.Why = "Stands at "+strings.ToLower(strings.ReplaceAll(string(j.State), "_", " ")), "last seen "+v.ago(j.SeenAt)
	}
	return append(all, last)
}

// startOf is when the person had chosen, as far as it is stored: the approval began then.
func (v *views) startOf(j store.Journey) time.Time {
	for _, at := range []time.Time{timeOf(string(j.ConsentID)), j.CollectionAt} {
		if !at.IsZero() {
			return at
		}
	}
	return j.StateAt
}

// timeOf returns when an id was made, which it says itself (UUID version 7); zero = it is none.
func timeOf(id string) time.Time {
	if len(id) != 36 || id[14] != '7' {
		return time.Time{}
	}
	ms := int64(0)
	for _, c := range id[:8] + id[9:13] {
		digit := strings.IndexRune("0123456789abcdef", c)
		if digit < 0 {
			return time.Time{}
		}
		ms = ms<<4 | int64(digit)
	}
	return time.UnixMilli(ms).UTC()
}

// entryEvent is the event that an entry of the audit log tells of.
func (v *views) entryEvent(e audit.Entry) (happening, bool) {
	f, _ := audit.FlowOf(e)
	h := happening{At: e.At, Who: bySamla, order: 2}
	switch audit.Kind(e.Kind) {
	case audit.ConsentCreated:
		h.What, h.Why, h.order = "Permission asked for", "at "+v.company(f.Company), 2
	case audit.ConsentAuthorized:
		h.Who, h.What, h.Good = byPerson, "Approved", true
	case audit.ConsentChanged:
		h.Who, h.What = byInstitution, "The permission has changed"
	case audit.ConsentRevoked:
		h.Who, h.What, h.Why = byPerson, "Permission withdrawn", causeText(f.Cause)
	case audit.ConsentExpired:
		h.Who, h.What, h.Why = byInstitution, "Permission ended", causeText(f.Cause)
	case audit.ConsentFailed:
		h.Who, h.What, h.Why, h.Bad = max(attributionOf(f.Failure), byInstitution), "Not approved", f.Failure+": "+why(f.Failure), true
		if f.Failure == "" {
			h.Who, h.Why = byPerson, causeText(f.Cause)
		}
	case audit.RevocationDelivered:
		h.Who, h.What, h.Why = bySamla, "The institution was told", "that the permission has ended"
	case audit.RevocationGivenUp:
		h.Who, h.What, h.Why, h.Bad = byInstitution, "The institution has not confirmed", "that it knows of the end: "+givenUp[f.Cause], true
	case audit.CollectionStarted:
		h.What, h.Why = "Collection started", "without the person"
		if f.Attended {
			h.Why = "with the person"
		}
	case audit.CollectionFinished:
		s := collection.Status(f.Status)
		h.What, h.Why = "Collection ended", f.Status
		if s.Class() == collection.Success {
			h.Good = true
			if f.AccountsRead > 0 {
				h.Why += ", " + count(f.AccountsRead, "account", "accounts")
			}
		} else {
			h.Who, h.Why, h.Bad = max(attributionOf(f.Status), byInstitution), f.Status+": "+why(f.Status), true
		}
	case audit.DataRead:
		h.Who, h.What = byClient, "Data fetched"
	case audit.UserErased:
		h.Who, h.What = byPerson, "Erased"
	case audit.OperatorCommand:
		h.What = "An operator looked"
	default:
		return h, false
	}
	return h, true
}

func causeText(cause string) string { return strings.ToLower(strings.ReplaceAll(cause, "_", " ")) }

// about reports whether an entry is about a permission or a collection.
func aboutEntry(e audit.Entry, consentID consent.ID, collectionID string) bool {
	return consentID != "" && e.ConsentID == consentID || collectionID != "" && strings.Contains(string(e.Detail), `"`+collectionID+`"`)
}

// timeline makes the events of a page, oldest first.
func (v *views) timeline(all []happening) []look.Event {
	slices.SortStableFunc(all, func(a, b happening) int { return cmp.Or(a.At.Compare(b.At), a.order-b.order) })
	icons := [4]string{"institution", "samla", "person", "samla"}
	classes := [4]string{"bank", "samla", "person", "client"}
	events := make([]look.Event, len(all))
	for i, h := range all {
		e := look.Event{At: h.At.UTC().Format(time.RFC3339), Shown: h.At.In(v.Zone).Format("15:04:05"), Icon: icons[h.Who], What: h.What, Who: whoNames[h.Who], Whose: classes[h.Who], Why: h.Why}
		if i > 0 {
			gap := h.At.Sub(all[i-1].At)
			e.Gap, e.Slow = "+ "+took(gap), gap >= slowGap && h.Who != byPerson && h.Who != byClient
			if day := h.At.In(v.Zone).Format("2 Jan"); day != all[i-1].At.In(v.Zone).Format("2 Jan") {
				e.Shown = day
				e.Why = strings.TrimPrefix(e.Why+". At "+h.At.In(v.Zone).Format("15:04:05"), ". ")
			}
		}
		switch {
		case h.Bad:
			e.Kind, e.Icon = "bad", "cross"
		case h.Good:
			e.Kind, e.Icon = "good", "check"
		}
		events[i] = e
	}
	return events
}

type journeyData struct {
	State  cell
	Facts  []fact
	Day    string
	Events []look.Event
}

type fact struct {
	Name, Value, Href string
	Mono              bool
}

// journey is what is stored of one: nil where there is nothing.
type journey struct {
	link       *store.Journey
	consent    *store.ConsentRow
	collection *store.CollectionRow
}

func (j journey) none() bool { return j.link == nil && j.consent == nil && j.collection == nil }

// journey finds what an id is of.
func (v *views) journey(ctx context.Context, wanted string) (j journey, err error) {
	if err = v.rows(ctx, &j, consent.ID(wanted), wanted); err != nil {
		return j, err
	}
	filters := []store.JourneyFilter{{LinkID: wanted}, {FlowID: wanted}}
	switch {
	case j.collection != nil:
		filters = []store.JourneyFilter{{RowFilter: store.RowFilter{UserID: j.collection.UserID}, CollectionID: wanted}}
	case j.consent != nil:
		filters = []store.JourneyFilter{{RowFilter: store.RowFilter{UserID: j.consent.UserID}, ConsentID: j.consent.ID}}
	}
	for _, f := range filters {
		found, err := v.Store.Journeys(ctx, f, store.Page{Limit: 1})
		if err != nil {
			return j, err
		}
		if len(found) > 0 {
			j.link = &found[0]
			return j, v.rows(ctx, &j, found[0].ConsentID, found[0].CollectionID)
		}
	}
	return j, nil
}

// rows reads the permission and the collection of a journey; without a permission, that of
// the collection.
func (v *views) rows(ctx context.Context, j *journey, consentID consent.ID, collectionID string) error {
	k, err := v.Store.Collection(ctx, collectionID)
	switch {
	case err == nil:
		j.collection = &store.CollectionRow{ID: k.ID, ClientID: k.ClientID, UserID: k.UserID, ConsentID: k.ConsentID, Company: k.Company, Method: k.LoginMethod, Version: k.Version, Mode: k.Mode,
			Attended: k.Attended, Status: k.Status, CreatedAt: k.CreatedAt, StatusChangedAt: k.StatusChangedAt}
		if string(consentID) == collectionID || consentID == "" {
			consentID = k.ConsentID
		}
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	c, err := v.Store.Consent(ctx, consentID)
	switch {
	case err == nil:
		j.consent = &store.ConsentRow{ID: c.ID, ClientID: c.ClientID, UserID: c.UserID, CollectionID: c.CollectionID, Company: c.Company, Method: c.LoginMethod, Status: c.Status, Failure: c.Failure,
			CreatedAt: c.CreatedAt, StatusChangedAt: c.StatusChangedAt, ExpiresAt: c.ExpiresAt, WarnedAt: c.Warned, Lineage: c.Lineage, Renews: c.Renews, RenewedBy: c.RenewedBy}
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	return nil
}

// most is how many entries of the audit log a page reads.
const mostEntries = 500

// showJourney shows a journey step by step, with where it stopped and why.
func (v *views) showJourney(w http.ResponseWriter, r *http.Request) {
	j, err := v.journey(r.Context(), r.PathValue("id"))
	if err != nil {
		failed(w, r, err)
		return
	}
	if j.none() {
		gone(w, r, "journey")
		return
	}
	names, _, err := v.names(r)
	if err != nil {
		failed(w, r, err)
		return
	}
	clientID, userID, version := "", "", ""
	var consentID consent.ID
	var collectionID string
	var events []happening
	group := store.JourneyGroup{Opened: true, Started: true, N: 1}
	if c := j.consent; c != nil {
		clientID, userID, consentID = c.ClientID, c.UserID, c.ID
		group.Company, group.Consent, group.Failure, group.Signed = c.Company, c.Status, c.Failure, c.Status == consent.Authorized || c.Status == consent.Revoked || c.Status == consent.Expired
	}
	if k := j.collection; k != nil {
		clientID, userID, collectionID, version = k.ClientID, k.UserID, k.ID, k.Version
		group.Company, group.Collection, group.Signed = k.Company, k.Status, group.Signed || k.Mode != collection.Stored
	}
	if l := j.link; l != nil {
		clientID, userID, group = l.ClientID, l.UserID, l.JourneyGroup
		events = v.linkEvents(*l, names[clientID])
	}
	entries, err := v.entries(r.Context(), userID, consentID)
	if err != nil {
		failed(w, r, err)
		return
	}
	for _, e := range entries {
		// A permission is used by many collections: those of the journey are shown.
		other := audit.Kind(e.Kind) == audit.CollectionStarted || audit.Kind(e.Kind) == audit.CollectionFinished || audit.Kind(e.Kind) == audit.DataRead
		if !aboutEntry(e, consentID, collectionID) || collectionID != "" && other && !aboutEntry(e, "", collectionID) {
			continue
		}
		if h, ok := v.entryEvent(e); ok {
			events = append(events, h)
		}
	}
	events = v.rowEvents(events, j)
	s := stopOf(group)
	if j.link != nil {
		s = stopOfOne(*j.link, v.Clock.Now())
	}
	if j.link == nil && j.collection == nil && group.Consent == consent.Authorized {
		s.Done = true
	}
	d := journeyData{State: stopCell(s), Events: v.timeline(events)}
	d.State.Sub = ""
	if d.State.Chip == "" {
		d.State.Chip = "plain"
	}
	answer := v.whatHappened(s, group, j)
	if len(events) > 0 {
		d.Day = events[0].At.In(v.Zone).Format("2 January 2006")
	}
	client := names[clientID]
	if version != "" {
		client += ", version " + version
	}
	d.Facts = []fact{{Name: "Client", Value: client, Href: "/journeys?client=" + clientID}, {Name: "User", Value: userID, Href: "/users/" + userID, Mono: true}, {Name: "Permission", Value: string(consentID), Mono: true},
		{Name: "Collection", Value: collectionID, Mono: true}, {Name: "Took", Value: spent(events)}, {Name: "Personal data", Value: "Sealed. The console cannot open it"}, auditFact(userID)}
	d.Facts = slices.DeleteFunc(d.Facts, func(f fact) bool { return f.Value == "" })
	v.show(w, r, "JOURNEY", "v/journey", page{Title: "Journey " + short(r.PathValue("id")), Crumb: link{Text: "Journeys", Address: "/journeys"}, Note: &answer, Data: d})
}

// entries reads the entries of the audit log about a user, or about a permission.
func (v *views) entries(ctx context.Context, userID string, consentID consent.ID) ([]audit.Entry, error) {
	if userID != "" {
		return v.Store.AuditEntriesOf(ctx, userID, store.Page{Limit: mostEntries})
	}
	return v.Store.AuditEntries(ctx, consentID)
}

// rowEvents adds what the rows say and no entry of the audit log has said: the log may be
// shorter than the journey.
func (v *views) rowEvents(events []happening, j journey) []happening {
	told := func(what string) bool {
		return slices.ContainsFunc(events, func(h happening) bool { return h.What == what })
	}
	if c := j.consent; c != nil && !told("Permission asked for") && c.CollectionID == "" {
		events = append(events, happening{At: c.CreatedAt, Who: bySamla, What: "Permission asked for", Why: "at " + v.company(c.Company), order: 2})
	}
	if k := j.collection; k != nil && !told("Collection started") {
		events = append(events, happening{At: k.CreatedAt, Who: bySamla, What: "Collection started", order: 2})
		if k.Status.Terminal() {
			bad := k.Status.Class() != collection.Success
			events = append(events, happening{At: k.StatusChangedAt, Who: max(attributionOf(string(k.Status)), byInstitution), What: "Collection ended", Why: string(k.Status) + ": " + why(string(k.Status)), Bad: bad, Good: !bad, order: 3})
		}
	}
	return events
}

// spent says how long a journey took and how much of it the person did.
func spent(events []happening) string {
	if len(events) < 2 {
		return ""
	}
	sorted := slices.SortedStableFunc(slices.Values(events), func(a, b happening) int { return a.At.Compare(b.At) })
	person := time.Duration(0)
	for i := 1; i < len(sorted); i++ {
		if sorted[i].Who == byPerson {
			person += sorted[i].At.Sub(sorted[i-1].At)
		}
	}
	return took(sorted[len(sorted)-1].At.Sub(sorted[0].At)) + ", the person " + took(person) + " of it"
}

// whatHappened says in a sentence where a journey stopped and why.
func (v *views) whatHappened(s stop, g store.JourneyGroup, j journey) note {
	n := note{Well: s.Done || s.Going || s.Open}
	at := v.company(g.Company)
	switch {
	case s.Done:
		n.Strong = "It came to what was asked for."
	case s.Going:
		n.Strong = "It goes on."
	case s.Open:
		n.Strong = strings.ToUpper(s.Why[:1]) + s.Why[1:] + "."
	case s.Step == atLink:
		n.Strong, n.Well = "The link was not opened.", true
	case s.Step == atChoice, s.Step == atStart:
		n.Strong = "Stopped before the approval."
		n.Text = strings.ToUpper(s.Why[:1]) + s.Why[1:] + "."
	case s.Step == atApprove:
		n.Strong = "Stopped at the approval at " + at + "."
		n.Text = strings.ToUpper(s.Why[:1]) + s.Why[1:] + ". Nothing was read."
	default:
		n.Strong = "Approved, then stopped while reading at " + at + "."
		n.Text = strings.ToUpper(s.Why[:1]) + s.Why[1:] + "."
	}
	if !n.Well {
		n.Text += " The turn was " + [...]string{"the institution's", "ours", "the person's", "the client's"}[s.Whose] + "."
	}
	if c := j.consent; c != nil && c.Status == consent.Authorized && !s.Done {
		n.Text += " The permission is valid until " + c.ExpiresAt.In(v.Zone).Format("2 January 2006") + ", so collecting again needs nothing of the person."
	}
	return n
}

// showUser shows what happened with one user, the newest permissions and collections first.
func (v *views) showUser(w http.ResponseWriter, r *http.Request) {
	userID := r.PathValue("id")
	names, _, err := v.names(r)
	if err != nil {
		failed(w, r, err)
		return
	}
	f, first := store.RowFilter{UserID: userID}, store.Page{Limit: pageSize}
	consents, err := v.Store.ConsentRows(r.Context(), f, first)
	if err == nil {
		var collections []store.CollectionRow
		if collections, err = v.Store.CollectionRows(r.Context(), f, first); err == nil {
			v.userPage(w, r, userID, names, consents, collections)
			return
		}
	}
	failed(w, r, err)
}

func (v *views) userPage(w http.ResponseWriter, r *http.Request, userID string, names map[string]string, consents []store.ConsentRow, collections []store.CollectionRow) {
	entries, err := v.Store.AuditEntriesOf(r.Context(), userID, store.Page{Limit: mostEntries})
	if err != nil {
		failed(w, r, err)
		return
	}
	if len(entries)+len(consents)+len(collections) == 0 {
		gone(w, r, "user that anything is known of")
		return
	}
	var events []happening
	for _, e := range entries {
		if h, ok := v.entryEvent(e); ok {
			events = append(events, h)
		}
	}
	permissions, reads := v.consentTable(consents, names), v.collectionTable(collections, names)
	permissions.Title, permissions.Caption = "Permissions", "Permissions of the user"
	reads.Title, reads.Caption = "Collections", "Collections of the user"
	d := journeyData{Events: v.timeline(events), Facts: []fact{{Name: "User", Value: userID, Mono: true}, {Name: "Personal data", Value: "Sealed. The console cannot open it"}, auditFact(userID)}}
	v.show(w, r, "USER", "v/journey", page{Title: "User " + short(userID), Crumb: link{Text: "Journeys", Address: "/journeys"}, Tables: []table{permissions, reads}, Data: d})
}

// find leads to what has an id.
func (v *views) find(w http.ResponseWriter, r *http.Request) {
	wanted := strings.ToLower(strings.TrimSpace(r.URL.Query().Get("q")))
	next := ""
	j, err := v.journey(r.Context(), wanted)
	switch {
	case err != nil:
		failed(w, r, err)
		return
	case wanted == "":
		next = "/journeys"
	case !j.none():
		next = "/journeys/" + wanted
	default:
		if _, found := v.Institutions.Find(wanted); found {
			next = "/institutions/" + wanted
		} else if _, err := v.Store.WebhookEndpoint(r.Context(), wanted); err == nil {
			next = "/webhooks/" + wanted
		} else if rows, err := v.Store.AuditEntriesOf(r.Context(), wanted, store.Page{Limit: 1}); err == nil && len(rows) > 0 {
			next = "/users/" + wanted
		}
	}
	if next == "" {
		v.show(w, r, "FIND", "v/list", page{Title: "Nothing has this id", Lead: "Ids of links, flows, permissions, collections, users, endpoints and institutions can be found. Journeys are kept for 30 days."})
		return
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// statusesInOrder are the statuses of collections as a list shows them.
var statusesInOrder = slices.Sorted(slices.Values(collection.Statuses()))

// givenUp says why an institution is not told any more.
var givenUp = map[string]string{
	audit.GivenUpRefused: "it refuses to end it. The message is parked among the jobs",
	audit.GivenUpToken:   "it refuses the only token there is, so nothing can be read either",
	audit.GivenUpOver:    "it did not answer before the permission was over there, too",
}
