package views

import (
	"net/http"
	"time"

	"samla/internal/quota"
	"samla/internal/store"
)

var permissionPeriods = []period{{Name: "7 d", Length: 7 * 24 * time.Hour}, {Name: "30 d", Length: 30 * 24 * time.Hour}, {Name: "180 d", Length: 180 * 24 * time.Hour}}

func permissionTabs(here string) (tabs []link) {
	for _, t := range []link{{Text: "Ending", Address: "/permissions"}, {Text: "Refresh plans and quotas", Address: "/plans"}} {
		t.Current = t.Address == here
		tabs = append(tabs, t)
	}
	return tabs
}

// listPermissions lists permissions that end soon, the first to end first.
func (v *views) listPermissions(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	names, clients, err := v.names(r)
	if err != nil {
		failed(w, r, err)
		return
	}
	p, links := choosePeriod(r, permissionPeriods)
	now, f := v.Clock.Now(), filterOf(q)
	f.In = nil
	after := store.Moment{At: now}
	if q.Get("after") != "" {
		after = moment(q.Get("after"))
	}
	all, err := v.Store.EndingConsents(r.Context(), f, after, now.Add(p.Length), pageSize+1)
	if err != nil {
		failed(w, r, err)
		return
	}
	ending, told, err := v.Store.CountEnding(r.Context(), now, now.Add(p.Length))
	if err != nil {
		failed(w, r, err)
		return
	}
	t := v.consentTable(all[:min(len(all), pageSize)], names)
	t.Caption, t.Empty = "Permissions that end, the first to end first", "No permission ends in this time."
	if len(all) > 0 {
		last := all[min(len(all), pageSize)-1]
		t.Next, t.First = nextPage(r, len(all), placeOf(last.ExpiresAt, string(last.ID)))
	}
	lead := count(ending, "permission ends", "permissions end") + " in the next " + p.Name + "; of " + number(told) + " the client has been told."
	v.show(w, r, "PERMISSIONS", "v/list", page{Title: "Permissions", Lead: lead, Periods: links, Tabs: permissionTabs("/permissions"), Tables: []table{t},
		Filters: []filter{v.companyFilter(f.Company), clientFilter(clients, f.ClientID)}})
}

// planWords are what schedules can be filtered by.
var planWords = []string{string(quota.Active), string(quota.PausedFailing), string(quota.WaitingForConsent), string(quota.QuotaUsed), string(quota.ReadFailed), string(quota.CatchingUp),
	string(quota.QueuedReadFirst), string(quota.InstitutionMissing)}

// listPlans lists reading without the person: plans, and reads that wait for their quota.
func (v *views) listPlans(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	names, clients, err := v.names(r)
	if err != nil {
		failed(w, r, err)
		return
	}
	f := filterOf(q)
	all, err := v.Store.ScheduleRows(r.Context(), f, store.Page{After: q.Get("after"), Limit: pageSize + 1})
	if err != nil {
		failed(w, r, err)
		return
	}
	now := v.Clock.Now()
	t := table{Caption: "Reading without the person", Heads: heads("Permission", "Client", "User", "Institution", "Plan", "State", "Read, 24 h>", "Last read", "Next"), Empty: "Nobody reads without the person."}
	for _, s := range all[:min(len(all), pageSize)] {
		state := cell{Text: string(s.State), Sub: causeText(string(s.Reason))}
		if s.State == quota.PausedFailing {
			state.Chip, state.Icon, state.Sub = "warn", "warn", count(s.Failures, "failure", "failures")+" in a row"
		}
		plan := none("no plan")
		if s.PerDay > 0 {
			plan = text(number(s.PerDay) + " a day")
		}
		next := s.DueAt
		if s.Queued != "" && (next.IsZero() || s.QueuedAt.Before(next)) {
			next = s.QueuedAt
		}
		t.Rows = append(t.Rows, []cell{id(short(string(s.Lineage)), "/journeys/"+string(s.Lineage)), text(names[s.ClientID]), userCell(s.UserID), {Text: v.company(s.Company), Href: "/institutions/" + s.Company},
			plan, state, text(number(readsSince(s.Recent, now.Add(-quota.Window)))), v.timeCell(s.ReadAt), v.timeCell(next)})
	}
	if len(all) > 0 {
		t.Next, t.First = nextPage(r, len(all), string(all[min(len(all), pageSize)-1].Lineage))
	}
	v.show(w, r, "PLANS", "v/list", page{Title: "Refresh plans and quotas", Crumb: link{Text: "Permissions", Address: "/permissions"}, Tabs: permissionTabs("/plans"), Tables: []table{t},
		Filters: []filter{statusFilter("State", planWords, q.Get("status")), v.companyFilter(f.Company), clientFilter(clients, f.ClientID)}})
}

func readsSince(recent []time.Time, since time.Time) (n int) {
	for _, at := range recent {
		if at.After(since) {
			n++
		}
	}
	return n
}
