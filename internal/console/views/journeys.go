package views

import (
	"net/http"
	"net/url"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/console"
	"samla/internal/flow"
	"samla/internal/store"
)

func failed(w http.ResponseWriter, r *http.Request, err error) { console.Fail(w, r, err) }

// journeyTabs lead to the lists of what a journey is made of.
func journeyTabs(here string, q url.Values) (tabs []link) {
	kept := cloned(q)
	kept.Del("after")
	kept.Del("status")
	for _, t := range []link{{Text: "From links", Address: "/journeys"}, {Text: "Permissions", Address: "/permissions/all"}, {Text: "Collections", Address: "/collections"}} {
		tabs = append(tabs, link{Text: t.Text, Address: withQuery(t.Address, kept), Current: t.Address == here})
	}
	return tabs
}

// stopCell says where a journey stands.
func stopCell(s stop) cell {
	switch {
	case s.Done:
		return cell{Text: "Got there", Chip: "good", Icon: "check"}
	case s.Going:
		return cell{Text: "Goes on", Chip: "plain", Icon: "clock"}
	case s.Whose == byInstitution || s.Whose == bySamla:
		return cell{Text: "Stopped", Chip: "bad", Icon: "cross", Sub: s.Why}
	case s.Open:
		return cell{Text: "Open", Chip: "plain", Icon: "clock", Sub: s.Why}
	}
	return cell{Text: "Left", Sub: s.Why}
}

// listJourneys lists links to the connect page and what became of them, the newest first.
func (v *views) listJourneys(a asked) (page, error) {
	f := a.filter
	if a.query.Get("status") == "STOPPED" {
		f.In = []string{string(flow.Failed), string(flow.Cancelled), string(flow.Ended)}
	}
	t, err := listed(a.Request, func(after string, limit int) ([]store.Journey, error) {
		return v.Store.Journeys(a.Context(), store.JourneyFilter{RowFilter: f}, store.Page{After: after, Limit: limit})
	}, func(j store.Journey) string { return j.LinkID }, func(all []store.Journey) table { return v.journeyTable(all, a.names) })
	status := statusFilter("State", append([]flow.State{"STOPPED"}, flow.States()...), a.query.Get("status"))
	return page{Title: "Journeys", Tabs: journeyTabs("/journeys", a.query), Filters: []filter{status, v.companyFilter(f.Company), clientFilter(a.clients, f.ClientID)}, Tables: []table{t}}, err
}

// journeyTable lists journeys.
func (v *views) journeyTable(all []store.Journey, names map[string]string) table {
	t := table{Caption: "Journeys from a link, the newest first", Heads: heads("Journey", "Made", "Client", "User", "Institution", "Where it stands", "Took>"), Empty: "No journey fits. Links and journeys are kept for 30 days."}
	for _, j := range all {
		s := stopOfOne(j, v.Clock.Now())
		row := []cell{id(short(j.LinkID), "/journeys/"+j.LinkID), v.timeCell(j.CreatedAt), text(names[j.ClientID]), id(short(j.UserID), "/users/"+j.UserID), none("none chosen"), stopCell(s), none("not opened")}
		if j.Company != "" {
			row[4] = cell{Text: v.company(j.Company), Href: "/institutions/" + j.Company}
		}
		if !j.OpenedAt.IsZero() && !j.StateAt.IsZero() {
			row[6] = text(took(j.StateAt.Sub(j.OpenedAt)))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// short is the last part of an id, with which people tell ids apart: the first part of ids of
// one hour is the same.
func short(id string) string {
	if len(id) != 36 {
		return id
	}
	return "…" + id[24:]
}

// consentStatus is the status of a consent with its reason.
func consentStatus(c store.ConsentRow) cell {
	s := cell{Text: string(c.Status)}
	switch {
	case c.Status == consent.Failed && attributionOf(string(c.Failure)) != byPerson:
		s.Chip, s.Icon, s.Sub = "bad", "cross", why(string(c.Failure))
	case c.Status == consent.Failed:
		s.Sub = why(string(c.Failure))
	case c.Status == consent.Authorized:
		s.Chip, s.Icon = "good", "check"
	}
	if c.Parked {
		s.Sub = "its job is parked"
	}
	return s
}

// listConsents lists permissions of all clients, the newest first.
func (v *views) listConsents(a asked) (page, error) {
	t, err := listed(a.Request, rowsOf(a, v.Store.ConsentRows), func(c store.ConsentRow) string { return string(c.ID) }, func(all []store.ConsentRow) table { return v.consentTable(all, a.names) })
	t.Caption = "Permissions, the newest first"
	return page{Title: "Permissions", Crumb: link{Text: "Journeys", Address: "/journeys"}, Tabs: journeyTabs("/permissions/all", a.query), Tables: []table{t},
		Filters: []filter{statusFilter("Status", consent.Statuses(), a.query.Get("status")), v.companyFilter(a.filter.Company), clientFilter(a.clients, a.filter.ClientID)}}, err
}

// consentTable lists permissions.
func (v *views) consentTable(all []store.ConsentRow, names map[string]string) table {
	t := table{Heads: heads("Permission", "Made", "Client", "User", "Institution", "Status", "Ends", "Told"), Empty: "No permission fits."}
	for _, c := range all {
		told := none("not yet")
		if !c.WarnedAt.IsZero() && c.WarnedAt.Equal(c.ExpiresAt) {
			told = cell{Text: "told", Icon: "check"}
		}
		ends := none("not authorized")
		if !c.ExpiresAt.IsZero() {
			ends = v.timeCell(c.ExpiresAt)
		}
		t.Rows = append(t.Rows, []cell{id(short(string(c.ID)), "/journeys/"+string(c.ID)), v.timeCell(c.CreatedAt), text(names[c.ClientID]), userCell(c.UserID), {Text: v.company(c.Company), Href: "/institutions/" + c.Company},
			consentStatus(c), ends, told})
	}
	return t
}

func userCell(userID string) cell {
	if userID == "" {
		return none("no user")
	}
	return id(short(userID), "/users/"+userID)
}

// collectionStatus is the status of a collection with its reason.
func collectionStatus(k store.CollectionRow) cell {
	s := cell{Text: string(k.Status)}
	switch who := attributionOf(string(k.Status)); {
	case k.Status.Class() == collection.Success:
		s.Chip, s.Icon = "good", "check"
	case who == byInstitution, who == bySamla:
		s.Chip, s.Icon, s.Sub = "bad", "cross", why(string(k.Status))
	}
	if k.Parked {
		s.Sub = "its job is parked"
	}
	return s
}

// listCollections lists collections of all clients, the newest first.
func (v *views) listCollections(a asked) (page, error) {
	t, err := listed(a.Request, rowsOf(a, v.Store.CollectionRows), func(k store.CollectionRow) string { return k.ID }, func(all []store.CollectionRow) table { return v.collectionTable(all, a.names) })
	t.Caption = "Collections, the newest first"
	return page{Title: "Collections", Crumb: link{Text: "Journeys", Address: "/journeys"}, Tabs: journeyTabs("/collections", a.query), Tables: []table{t},
		Filters: []filter{statusFilter("Status", statusesInOrder, a.query.Get("status")), v.companyFilter(a.filter.Company), clientFilter(a.clients, a.filter.ClientID)}}, err
}

// collectionTable lists collections.
func (v *views) collectionTable(all []store.CollectionRow, names map[string]string) table {
	t := table{Heads: heads("Collection", "Made", "Client", "User", "Institution", "Status", "Person", "Took>"), Empty: "No collection fits."}
	for _, k := range all {
		present := "without"
		if k.Attended {
			present = "present"
		}
		t.Rows = append(t.Rows, []cell{id(short(k.ID), "/journeys/"+k.ID), v.timeCell(k.CreatedAt), text(names[k.ClientID]), userCell(k.UserID), {Text: v.company(k.Company), Href: "/institutions/" + k.Company},
			collectionStatus(k), text(present), text(took(k.StatusChangedAt.Sub(k.CreatedAt)))})
	}
	return t
}
