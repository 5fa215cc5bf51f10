package views

import (
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
func (v *views) listPermissions(a asked) (page, error) {
	p, links := choosePeriod(a.Request, permissionPeriods)
	now, f := v.Clock.Now(), a.filter
	f.In = nil
	t, err := listed(a.Request, func(after string, limit int) ([]store.ConsentRow, error) {
		from := store.Moment{At: now}
		if after != "" {
			from = moment(after)
		}
		return v.Store.EndingConsents(a.Context(), f, from, now.Add(p.Length), limit)
	}, func(c store.ConsentRow) string { return placeOf(c.ExpiresAt, string(c.ID)) }, func(all []store.ConsentRow) table { return v.consentTable(all, a.names) })
	if err != nil {
		return page{}, err
	}
	t.Caption, t.Empty = "Permissions that end, the first to end first", "No permission ends in this time."
	ending, told, err := v.Store.CountEnding(a.Context(), now, now.Add(p.Length))
	lead := count(ending, "permission ends", "permissions end") + " in the next " + p.Name + "; of " + number(told) + " the client has been told."
	return page{Title: "Permissions", Lead: lead, Periods: links, Tabs: permissionTabs("/permissions"), Tables: []table{t},
		Filters: []filter{v.companyFilter(f.Company), clientFilter(a.clients, f.ClientID)}}, err
}

// planWords are what schedules can be filtered by.
var planWords = []string{string(quota.Active), string(quota.PausedFailing), string(quota.WaitingForConsent), string(quota.QuotaUsed), string(quota.ReadFailed), string(quota.CatchingUp),
	string(quota.QueuedReadFirst), string(quota.InstitutionMissing)}

// listPlans lists reading without the person: plans, and reads that wait for their quota.
func (v *views) listPlans(a asked) (page, error) {
	t, err := listed(a.Request, rowsOf(a, v.Store.ScheduleRows), func(s quota.Schedule) string { return string(s.Lineage) }, func(all []quota.Schedule) table { return v.planTable(all, a.names) })
	return page{Title: "Refresh plans and quotas", Crumb: link{Text: "Permissions", Address: "/permissions"}, Tabs: permissionTabs("/plans"), Tables: []table{t},
		Filters: []filter{statusFilter("State", planWords, a.query.Get("status")), v.companyFilter(a.filter.Company), clientFilter(a.clients, a.filter.ClientID)}}, err
}

// planTable lists schedules.
func (v *views) planTable(all []quota.Schedule, names map[string]string) table {
	now := v.Clock.Now()
	t := table{Caption: "Reading without the person", Heads: heads("Permission", "Client", "User", "Institution", "Plan", "State", "Read, 24 h>", "Last read", "Next"), Empty: "Nobody reads without the person."}
	for _, s := range all {
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
	return t
}

func readsSince(recent []time.Time, since time.Time) (n int) {
	for _, at := range recent {
		if at.After(since) {
			n++
		}
	}
	return n
}
