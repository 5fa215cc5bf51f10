package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/audit/chain"
	"samla/internal/client"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/flow"
	"samla/internal/quota"
	"samla/internal/store"
	"samla/internal/user"
	"samla/internal/webhook"
)

// idAt returns an id of the time at; n makes it unique, and orders ids of the same time.
func idAt(at time.Time, n int) string {
	hex := fmt.Sprintf("%012x", at.UnixMilli())
	return fmt.Sprintf("%s-%s-7000-8000-%012x", hex[:8], hex[8:], n)
}

// ended adds a collection of a user that ended a minute after its begin.
func (f fixture) ended(n int, userID, company string, s collection.Status, at time.Time) {
	f.Helper()
	f.addCollection(func(k *collection.Collection) {
		k.ID, k.UserID, k.Company, k.Status, k.CreatedAt, k.StatusChangedAt = idAt(at, n), userID, company, s, at, at.Add(time.Minute)
	})
}

func testEndedSince(_ *testing.T, f fixture) {
	other := f.addUser(f.addClient()) // of another tenant
	hour := start.Truncate(time.Hour)
	f.ended(1, f.user.ID, "a", collection.ThirdPartyError, hour.Add(-2*time.Hour)) // too old
	f.ended(2, f.user.ID, "a", collection.Completed, hour)
	f.ended(3, f.user.ID, "a", collection.ThirdPartyError, hour.Add(5*time.Minute))
	f.ended(4, f.user.ID, "a", collection.ThirdPartyError, hour.Add(10*time.Minute))
	f.ended(5, other.ID, "a", collection.ThirdPartyError, hour.Add(59*time.Minute)) // ends in the next hour
	f.ended(6, "", "a", collection.AuthenticationCancelled, hour.Add(11*time.Minute))
	f.ended(7, f.user.ID, "a", collection.Collecting, hour.Add(12*time.Minute))
	f.ended(8, other.ID, "b", collection.Failed, hour.Add(13*time.Minute))
	f.ended(9, other.ID, "b", collection.CompletedEmpty, hour.Add(14*time.Minute))
	add := func(n int, s consent.Status, inside string) {
		f.addConsent(func(c *consent.Consent) {
			c.ID, c.Company, c.Status, c.CollectionID, c.Failure = consent.ID(idAt(hour, n)), "a", s, inside, ""
			if s == consent.Failed {
				c.Failure = consent.BankUnavailable
			}
			c.StatusChangedAt = hour.Add(20 * time.Minute)
		})
	}
	add(20, consent.Failed, "")
	add(21, consent.Failed, "inside")
	add(22, consent.AwaitingAuthorization, "")
	got, err := f.s.EndedSince(f.ctx, hour.Add(-time.Hour), time.Hour)
	n := func(company, word string, hours, n, persons int) store.Ended {
		return store.Ended{Company: company, Word: word, Start: hour.Add(time.Duration(hours) * time.Hour), N: n, Persons: persons}
	}
	check(f, "ended", got, err, []store.Ended{n("a", "AUTHENTICATION_CANCELLED", 0, 1, 1), n("a", "BANK_UNAVAILABLE", 0, 1, 1), n("a", "COMPLETED", 0, 1, 1),
		n("a", "THIRD_PARTY_ERROR", 0, 2, 1), n("b", "COMPLETED_EMPTY", 0, 1, 1), n("b", "FAILED", 0, 1, 1), n("a", "THIRD_PARTY_ERROR", 1, 1, 1)})
	stopped, err := f.s.StoppedSince(f.ctx, hour.Add(-time.Hour), []string{"THIRD_PARTY_ERROR", "FAILED", "BANK_UNAVAILABLE"}, []string{"AUTHENTICATION_CANCELLED"})
	check(f, "stopped", stopped, err, []store.Stopped{{Company: "a", Since: hour.Add(6 * time.Minute), N: 4, Persons: 2, PersonsSince: 2}, {Company: "b", N: 1, Persons: 1}})
	nothing, err := f.s.StoppedSince(f.ctx, hour.Add(-time.Hour), nil, nil)
	check(f, "no words", nothing, err, nil)
}

func testJourneys(_ *testing.T, f fixture) {
	theirs := f.addClient()
	unopened := f.addLink(func(l *flow.Link) { l.ID, l.CreatedAt = idAt(start, 1), start })
	link := f.addLink(func(l *flow.Link) {
		l.ID, l.CreatedAt, l.OpenedAt, l.FlowID = idAt(start, 2), start, start.Add(time.Second), idAt(start, 12)
	})
	of := f.addLink(func(l *flow.Link) {
		l.ID, l.ClientID, l.CreatedAt, l.OpenedAt, l.FlowID = idAt(start, 3), theirs.ID, start, start.Add(time.Second), idAt(start, 13)
	})
	permission := f.addConsent(func(c *consent.Consent) { c.Status, c.Failure = consent.Authorized, "" })
	reading := f.addCollection(func(k *collection.Collection) { k.Status = collection.CompletedPartial })
	mine := f.addFlow(func(a *flow.Flow) {
		a.ID, a.LinkID, a.State, a.ConsentID, a.CollectionID = link.FlowID, link.ID, flow.Ended, permission.ID, reading.ID
	})
	f.addFlow(func(a *flow.Flow) {
		a.ID, a.LinkID, a.ClientID, a.Company, a.State = of.FlowID, of.ID, theirs.ID, "b", flow.Cancelled
	})
	list := func(filter store.JourneyFilter, p store.Page) (ids []string) {
		f.Helper()
		all, err := f.s.Journeys(f.ctx, filter, p)
		if err != nil {
			f.Fatal(err)
		}
		for _, j := range all {
			ids = append(ids, j.LinkID)
		}
		return ids
	}
	in := func(s ...string) store.JourneyFilter { return store.JourneyFilter{RowFilter: store.RowFilter{In: s}} }
	for what, c := range map[string]struct {
		filter store.JourneyFilter
		page   store.Page
		want   []string
	}{
		"all":             {page: store.Page{Limit: 9}, want: []string{of.ID, link.ID, unopened.ID}},
		"first page":      {page: store.Page{Limit: 1}, want: []string{of.ID}},
		"next page":       {page: store.Page{Limit: 2, After: of.ID}, want: []string{link.ID, unopened.ID}},
		"of a client":     {store.JourneyFilter{RowFilter: store.RowFilter{ClientID: theirs.ID}}, store.Page{Limit: 9}, []string{of.ID}},
		"of a company":    {store.JourneyFilter{RowFilter: store.RowFilter{Company: "a"}}, store.Page{Limit: 9}, []string{link.ID}},
		"of a link":       {store.JourneyFilter{LinkID: of.ID}, store.Page{Limit: 9}, []string{of.ID}},
		"of a permission": {store.JourneyFilter{RowFilter: store.RowFilter{UserID: f.user.ID}, ConsentID: permission.ID}, store.Page{Limit: 9}, []string{link.ID}},
		"of a collection": {store.JourneyFilter{RowFilter: store.RowFilter{UserID: f.user.ID}, CollectionID: reading.ID}, store.Page{Limit: 9}, []string{link.ID}},
		"without a user":  {store.JourneyFilter{CollectionID: reading.ID}, store.Page{Limit: 9}, nil},
		"of a flow":       {store.JourneyFilter{FlowID: link.FlowID}, store.Page{Limit: 9}, []string{link.ID}},
		"of a user":       {store.JourneyFilter{RowFilter: store.RowFilter{UserID: newID()}}, store.Page{Limit: 9}, nil},
		"in two states":   {in("ENDED", "CANCELLED"), store.Page{Limit: 9}, []string{of.ID, link.ID}},
		"in no state":     {in("START"), store.Page{Limit: 9}, nil},
		"never opened":    {in(""), store.Page{Limit: 9}, []string{unopened.ID}},
		"what is no text": {in("\x00"), store.Page{Limit: 9}, nil},
	} {
		if got := list(c.filter, c.page); !slices.Equal(got, c.want) {
			f.Errorf("%s: %v, want %v", what, got, c.want)
		}
	}
	all, err := f.s.Journeys(f.ctx, store.JourneyFilter{FlowID: link.FlowID}, store.Page{Limit: 9})
	group := store.JourneyGroup{Company: "a", Opened: true, State: flow.Ended, Started: true, Signed: true, Consent: consent.Authorized, Collection: collection.CompletedPartial, N: 1}
	check(f, "journey", all, err, []store.Journey{{LinkID: link.ID, ClientID: f.client.ID, UserID: f.user.ID, CreatedAt: link.CreatedAt, ExpiresAt: link.ExpiresAt,
		OpenedAt: link.OpenedAt, FlowID: mine.ID, Terms: link.Terms, JourneyGroup: group, Method: mine.Method, OnDevice: true, ConsentID: permission.ID, CollectionID: reading.ID,
		StateAt: mine.StateAt, SeenAt: mine.SeenAt, ConsentChangedAt: permission.StatusChangedAt, CollectionAt: reading.CreatedAt, CollectionDoneAt: reading.StatusChangedAt}})
	groups, err := f.s.JourneyGroups(f.ctx, start, start.Add(time.Second), "")
	other := store.JourneyGroup{Company: "b", Opened: true, State: flow.Cancelled, Started: true, Signed: true, N: 1}
	check(f, "groups", groups, err, []store.JourneyGroup{{N: 1, Open: true}, group, other})
	groups, err = f.s.JourneyGroups(f.ctx, start, unopened.ExpiresAt, "")
	check(f, "groups when the link has ended", groups, err, []store.JourneyGroup{{N: 1}, group, other})
	groups, err = f.s.JourneyGroups(f.ctx, start, start.Add(time.Second), theirs.ID)
	check(f, "groups of a client", groups, err, []store.JourneyGroup{other})
	groups, err = f.s.JourneyGroups(f.ctx, start.Add(-time.Hour), start, "")
	check(f, "groups of before", groups, err, nil)
}

func testConsoleRows(_ *testing.T, f fixture) {
	theirs := f.addClient()
	one := f.addConsent(func(c *consent.Consent) { c.Failure = "" })
	two := f.addConsent(func(c *consent.Consent) { c.ClientID, c.Company, c.Status = theirs.ID, "b", consent.Failed })
	row := func(c consent.Consent) store.ConsentRow {
		return store.ConsentRow{ID: c.ID, ClientID: c.ClientID, UserID: c.UserID, CollectionID: c.CollectionID, Company: c.Company, Method: c.LoginMethod, Status: c.Status, Failure: c.Failure,
			CreatedAt: c.CreatedAt, StatusChangedAt: c.StatusChangedAt, ExpiresAt: c.ExpiresAt, WarnedAt: c.Warned, Lineage: c.Lineage, Renews: c.Renews, RenewedBy: c.RenewedBy}
	}
	filters := []struct {
		what   string
		filter store.RowFilter
		page   store.Page
		want   []int
	}{
		{"all", store.RowFilter{}, store.Page{Limit: 9}, []int{1, 0}}, {"a page", store.RowFilter{}, store.Page{Limit: 1}, []int{1}},
		{"of a client", store.RowFilter{ClientID: f.client.ID}, store.Page{Limit: 9}, []int{0}}, {"of a company", store.RowFilter{Company: "b"}, store.Page{Limit: 9}, []int{1}},
		{"of a user", store.RowFilter{UserID: f.user.ID}, store.Page{Limit: 9}, []int{1, 0}}, {"of nobody", store.RowFilter{UserID: newID()}, store.Page{Limit: 9}, nil},
		{"failed", store.RowFilter{In: []string{"FAILED", "REVOKED"}}, store.Page{Limit: 9}, []int{1}},
	}
	for _, c := range filters {
		var want []store.ConsentRow
		for _, i := range c.want {
			want = append(want, row([]consent.Consent{one, two}[i]))
		}
		got, err := f.s.ConsentRows(f.ctx, c.filter, c.page)
		check(f, "consents: "+c.what, got, err, want)
	}
	next, err := f.s.ConsentRows(f.ctx, store.RowFilter{}, store.Page{After: string(two.ID), Limit: 9})
	check(f, "consents: the next page", next, err, []store.ConsentRow{row(one)})

	first := f.addCollection(nil)
	second := f.addCollection(func(k *collection.Collection) {
		k.ClientID, k.Company, k.Status, k.Attended = theirs.ID, "b", collection.Failed, false
	})
	for _, c := range filters {
		var want []store.CollectionRow
		for _, i := range c.want {
			k := []collection.Collection{first, second}[i]
			want = append(want, store.CollectionRow{ID: k.ID, ClientID: k.ClientID, UserID: k.UserID, ConsentID: k.ConsentID, Company: k.Company, Method: k.LoginMethod, Version: k.Version,
				Mode: k.Mode, Attended: k.Attended, Status: k.Status, CreatedAt: k.CreatedAt, StatusChangedAt: k.StatusChangedAt})
		}
		got, err := f.s.CollectionRows(f.ctx, c.filter, c.page)
		check(f, "collections: "+c.what, got, err, want)
	}

	inside := f.addConsent(func(c *consent.Consent) { c.CollectionID, c.Company, c.Failure = newID(), "c", "" })
	f.addCollection(func(k *collection.Collection) {
		k.ID, k.ConsentID, k.Company, k.Mode = inside.CollectionID, inside.ID, "c", collection.OneTime
	})
	got, err := f.s.ConsentRows(f.ctx, store.RowFilter{UserID: f.user.ID, Company: "c"}, store.Page{Limit: 9})
	check(f, "consents: inside a collection", got, err, []store.ConsentRow{row(inside)})
}

func testEndingConsents(_ *testing.T, f fixture) {
	var ids []consent.ID
	for i := range 5 {
		c := f.addConsent(func(c *consent.Consent) {
			c.ExpiresAt, c.Warned = start.Add(time.Duration(i/2)*time.Hour), time.Time{}
			if i == 2 {
				c.Warned = c.ExpiresAt
			}
			if i == 4 {
				c.Company = "b"
			}
		})
		ids = append(ids, c.ID)
	}
	f.addConsent(func(c *consent.Consent) { c.Status = consent.Revoked })
	f.addConsent(func(c *consent.Consent) { c.CollectionID = newID() })
	list := func(filter store.RowFilter, after store.Moment, until time.Time, limit int) (found []consent.ID) {
		f.Helper()
		all, err := f.s.EndingConsents(f.ctx, filter, after, until, limit)
		if err != nil {
			f.Fatal(err)
		}
		for _, c := range all {
			found = append(found, c.ID)
		}
		return found
	}
	for what, c := range map[string]struct{ got, want []consent.ID }{
		"all":          {list(store.RowFilter{}, store.Moment{}, start.Add(9*time.Hour), 9), ids},
		"soon":         {list(store.RowFilter{}, store.Moment{}, start.Add(time.Hour), 9), ids[:4]},
		"a page":       {list(store.RowFilter{}, store.Moment{}, start.Add(9*time.Hour), 3), ids[:3]},
		"the next":     {list(store.RowFilter{}, store.Moment{At: start.Add(time.Hour), ID: string(ids[2])}, start.Add(9*time.Hour), 3), ids[3:]},
		"of a company": {list(store.RowFilter{Company: "b"}, store.Moment{}, start.Add(9*time.Hour), 9), ids[4:]},
	} {
		if !slices.Equal(c.got, c.want) {
			f.Errorf("%s: %v, want %v", what, c.got, c.want)
		}
	}
	if all, told, err := f.s.CountEnding(f.ctx, start, start.Add(time.Hour)); err != nil || all != 2 || told != 1 {
		f.Errorf("%d, %d told, %v", all, told, err)
	}
}

func testScheduleRows(_ *testing.T, f fixture) {
	one, two := f.newSchedule(), f.newSchedule()
	one.State, one.Reason, two.State, two.Reason = quota.Active, "", quota.PausedFailing, quota.ReadFailed
	f.write(func(tx store.Tx) error {
		if err := tx.AddSchedule(f.ctx, one); err != nil {
			return err
		}
		return tx.AddSchedule(f.ctx, two)
	})
	got, err := f.s.ScheduleRows(f.ctx, store.RowFilter{}, store.Page{Limit: 9})
	check(f, "schedules", got, err, []quota.Schedule{two, one})
	got, err = f.s.ScheduleRows(f.ctx, store.RowFilter{ClientID: one.ClientID, Company: one.Company, UserID: one.UserID}, store.Page{Limit: 9, After: string(two.Lineage)})
	check(f, "the next page", got, err, []quota.Schedule{one})
	for _, word := range []string{"PAUSED_FAILING", "READ_FAILED"} {
		got, err = f.s.ScheduleRows(f.ctx, store.RowFilter{In: []string{word}}, store.Page{Limit: 9})
		check(f, word, got, err, []quota.Schedule{two})
	}
}

func testEndpointRows(_ *testing.T, f fixture) {
	one := f.addEndpoint(f.client, "consent.authorized")
	two := f.addEndpoint(f.addClient(), "consent.authorized")
	gone := f.addEndpoint(f.client, "consent.authorized")
	f.write(func(tx store.Tx) error { return tx.DeleteWebhookEndpoint(f.ctx, f.client.ID, gone.ID) })
	attempt := func(n int, at time.Time, status int, took time.Duration) {
		f.write(func(tx store.Tx) error {
			return tx.RecordAttempt(f.ctx, webhook.Delivery{EndpointID: one.ID, EventID: newID(), Progress: webhook.Dead},
				webhook.Attempt{ID: idAt(at, n), EndpointID: one.ID, EventID: "event", Number: n, At: at, Outcome: webhook.Outcome{Status: status, Took: took}})
		})
	}
	attempt(1, start.Add(-2*time.Hour), 500, time.Second)
	attempt(2, start, 500, time.Second)
	attempt(3, start.Add(time.Minute), 204, 3*time.Second)
	first := store.EndpointRow{Endpoint: one, Attempts: 2, Failed: 1, Took: 2 * time.Second, LastAt: start.Add(time.Minute)}
	second := store.EndpointRow{Endpoint: two}
	first.Sealed, second.Sealed = nil, nil
	got, err := f.s.EndpointRows(f.ctx, store.RowFilter{}, start.Add(-time.Hour), store.Page{Limit: 9})
	check(f, "endpoints", got, err, []store.EndpointRow{second, first})
	got, err = f.s.EndpointRows(f.ctx, store.RowFilter{ClientID: f.client.ID, In: []string{"ACTIVE"}}, start.Add(-time.Hour), store.Page{Limit: 9, After: two.ID})
	check(f, "of a client", got, err, []store.EndpointRow{first})
	got, err = f.s.EndpointRows(f.ctx, store.RowFilter{In: []string{"PAUSED"}}, start, store.Page{Limit: 9})
	check(f, "paused", got, err, nil)
}

func testParkedRows(_ *testing.T, f fixture) {
	var parked []store.ParkedJob
	for i := range 3 {
		c := f.addConsent(func(c *consent.Consent) { c.WakeAt = start })
		jobs, err := f.s.Claim(f.ctx, store.Consents, start, time.Minute, store.ClaimLimit{Rows: 1})
		if err != nil || len(jobs) != 1 || jobs[0].ID != string(c.ID) {
			f.Fatal(jobs, err)
		}
		at := start.Add(time.Duration(i/2) * time.Hour)
		if err := f.s.ParkJob(f.ctx, store.Consents, jobs[0], at, "why"); err != nil {
			f.Fatal(err)
		}
		parked = append(parked, store.ParkedJob{ID: string(c.ID), Attempts: 1, ParkedAt: at, Reason: "why"})
	}
	got, err := f.s.ParkedRows(f.ctx, store.Consents, store.Moment{}, 2)
	check(f, "parked", got, err, parked[:2])
	got, err = f.s.ParkedRows(f.ctx, store.Consents, store.Moment{At: parked[0].ParkedAt, ID: parked[0].ID}, 9)
	check(f, "the next page", got, err, parked[1:])
	rows, err := f.s.ConsentRows(f.ctx, store.RowFilter{}, store.Page{Limit: 9})
	if err != nil || len(rows) != 3 || !rows[0].Parked {
		f.Errorf("%+v, %v", rows, err)
	}
}

func testAuditEntriesOf(_ *testing.T, f fixture) {
	entry := func(u user.User, n int) audit.Entry {
		e := audit.Entry{ID: idAt(start, n), At: start, ClientID: f.client.ID, UserID: u.ID, Kind: string(audit.DataRead), Detail: []byte(`{}`)}
		f.write(func(tx store.Tx) error { return tx.AddAuditEntry(f.ctx, e) })
		return e
	}
	one, two := entry(f.user, 1), entry(f.user, 2)
	entry(f.addUser(client.Client{ID: newID()}), 3)
	f.write(func(tx store.Tx) error { // the first one is chained
		row := chain.Row{Link: chain.Link{Seq: 1, UserSeq: 1, ID: one.ID, At: one.At, ClientID: one.ClientID, UserID: one.UserID, Kind: one.Kind, Detail: one.Detail}}
		return tx.AppendAuditRows(f.ctx, []chain.Row{row}, nil)
	})
	got, err := f.s.AuditEntriesOf(f.ctx, f.user.ID, store.Page{Limit: 9})
	check(f, "entries", got, err, []audit.Entry{two, one})
	got, err = f.s.AuditEntriesOf(f.ctx, f.user.ID, store.Page{Limit: 9, After: two.ID})
	check(f, "the next page", got, err, []audit.Entry{one})
	got, err = f.s.AuditEntriesOf(f.ctx, "", store.Page{Limit: 9})
	check(f, "of nobody", got, err, nil)
}

func testAuditPlaces(_ *testing.T, f fixture) {
	var all []store.AuditPlace
	var rows []chain.Row
	for i, kind := range []audit.Kind{audit.DataRead, audit.UserErased, audit.DataRead, audit.OperatorCommand, audit.DataRead} {
		e := audit.Entry{ID: idAt(start, i+1), At: start.Add(time.Duration(i) * time.Minute), ClientID: f.client.ID, Kind: string(kind), Detail: []byte(`{}`)}
		if i%2 == 0 {
			e.UserID = f.user.ID
		}
		all = append(all, store.AuditPlace{Seq: int64(i + 11), Entry: e})
		rows = append(rows, chain.Row{Link: chain.Link{Seq: int64(i + 11), ID: e.ID, At: e.At, ClientID: e.ClientID, UserID: e.UserID, Kind: e.Kind, Detail: e.Detail}})
	}
	seq, err := f.s.AuditSeqAt(f.ctx, start)
	check(f, "a time in an empty log", seq, err, 1)
	f.write(func(tx store.Tx) error { return tx.AppendAuditRows(f.ctx, rows, nil) })
	for what, c := range map[string]struct {
		of           store.AuditSelection
		from, before int64
		limit        int
		want         []store.AuditPlace
	}{
		"the newest":        {store.AuditSelection{}, 0, 99, 2, []store.AuditPlace{all[4], all[3]}},
		"older ones":        {store.AuditSelection{}, 0, 14, 9, []store.AuditPlace{all[2], all[1], all[0]}},
		"from a number":     {store.AuditSelection{}, 13, 99, 9, []store.AuditPlace{all[4], all[3], all[2]}},
		"of a user":         {store.AuditSelection{UserID: f.user.ID}, 0, 99, 9, []store.AuditPlace{all[4], all[2], all[0]}},
		"of a kind":         {store.AuditSelection{Kind: audit.UserErased}, 0, 99, 9, []store.AuditPlace{all[1]}},
		"of a kind, older":  {store.AuditSelection{Kind: audit.OperatorCommand}, 0, 14, 9, nil},
		"of what is no one": {store.AuditSelection{UserID: "\x00"}, 0, 99, 9, nil},
	} {
		got, err := f.s.AuditPlaces(f.ctx, c.of, c.from, c.before, c.limit)
		check(f, what, got, err, c.want)
	}
	for at, want := range map[time.Duration]int64{-time.Hour: 11, 0: 11, time.Second: 12, 2 * time.Minute: 13, 4 * time.Minute: 15, time.Hour: 16} {
		seq, err := f.s.AuditSeqAt(f.ctx, start.Add(at))
		check(f, at.String(), seq, err, want)
	}
}
