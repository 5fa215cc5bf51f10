package views_test

import (
	"strings"
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/console/viewstest"
	"samla/internal/operator"
	"samla/internal/store"
)

// The audit log is shown newest first, by what it is asked for, and to look at it is in it.
func TestAudit_IsFilteredByItsAddressAndRecordsWhoLooks(t *testing.T) {
	viewstest.OnStores(t, func(e *viewstest.Env) {
		journeys, _, _ := viewstest.Busy(e)
		const maria = "019ab0f0-0000-7000-8000-000000000001"
		key := e.ID(viewstest.Noon)
		other := e.ID(viewstest.Noon)
		e.Write(func(tx store.Tx) error {
			for _, entry := range []audit.Entry{audit.OfKey(e.IDs, audit.APIKeyCreated, e.One.ID, key, viewstest.Noon.Add(-49*time.Hour)),
				audit.OfCommand(e.IDs, "console: retry job", map[string]string{"operator": other, "queue": "consents"}, viewstest.Noon.Add(-time.Minute)),
				audit.Access{ClientID: e.Two.ID, UserID: journeys[0].UserID, KeyID: key, Route: "getCollectionData"}.Entry(e.IDs, viewstest.Noon.Add(-time.Minute))} {
				if err := tx.AddAuditEntry(e.Context(), entry); err != nil {
					return err
				}
			}
			return nil
		})
		page := e.Get("/audit", 200)
		e.Has(page, "for their place in the chain", "not chained yet", "console: read audit log", `href="/audit?operator=`+maria+`"`)
		if _, err := e.Audit.Chain(e.Context()); err != nil {
			e.Fatal(err)
		}
		page = e.Get("/audit", 200)
		e.Has(page, "The end of the chain is what was signed.", "no. 74<", "not chained yet", `rel="next"`)
		e.HasNot(page, "SE4550000000058398257466", "secret-", `id="live"`)
		for path, c := range map[string]struct{ has, hasNot []string }{
			"/audit?kind=API_KEY_CREATED":                             {[]string{"<td>Key made", "24 Nov 2026 13:02:11", "Pärmen"}, []string{"<td>Collection", "<td>Data fetched", "<td>An operator"}},
			"/audit?kind=DATA_READ":                                   {[]string{"getCollectionData", "Demokollen", "/users/" + journeys[0].UserID}, []string{"<td>Collection", "<td>Key made"}},
			"/audit?user=" + journeys[0].UserID:                       {[]string{"<td>Collection started", "<td>Data fetched", "third party error"}, []string{"<td>Key made", journeys[1].UserID}},
			"/audit?user=" + journeys[0].UserID + "&kind=DATA_READ":   {[]string{"<td>Data fetched"}, []string{"<td>Collection started"}},
			"/audit?operator=" + other:                                {[]string{"console: retry job, queue consents"}, []string{"<td>Collection", "<td>Key made"}},
			"/audit?company=se-demobanken&kind=COLLECTION_STARTED":    {[]string{"Demobanken"}, []string{`href="/institutions/se-tallbanken"`}},
			"/audit?client=" + e.Two.ID + "&kind=COLLECTION_FINISHED": {[]string{"Demokollen"}, []string{"Pärmen</small>"}},
			"/audit?from=2026-11-24&to=2026-11-24":                    {[]string{"<td>Key made"}, []string{"<td>Collection", "<td>Data fetched", "not chained yet"}},
			"/audit?from=2026-11-25&kind=API_KEY_CREATED":             {[]string{"No entry fits."}, []string{"<td>Key made"}},
			"/audit?user=198412099296":                                {[]string{"is no id or no day"}, []string{"<td>"}},
			"/audit?from=yesterday":                                   {[]string{"is no id or no day"}, []string{"<td>"}},
		} {
			page := e.Get(path, 200)
			e.Has(page, c.has...)
			e.HasNot(page, c.hasNot...)
		}
		said := strings.Join(e.Commands(), "\n")
		e.Has(said, `{"command":"console: read audit log","of":{"kind":"DATA_READ","operator":"`+maria+`","user":"`+journeys[0].UserID+`"}}`)
		e.HasNot(said, "198412099296", "yesterday")
		if mine := viewstest.Must(e.DB.AuditEntriesOf(e.Context(), journeys[0].UserID, store.Page{Limit: 1}))(e); len(mine) != 1 || mine[0].Kind != string(audit.OperatorCommand) {
			e.Errorf("the user's entries do not say that an operator looked: %+v", mine)
		}
		e.Has(e.Get("/users/"+journeys[0].UserID, 200), `href="/audit?user=`+journeys[0].UserID+`"`)
		e.Has(e.Get("/journeys/"+journeys[0].ID, 200), `href="/audit?user=`+journeys[0].UserID+`"`)
		e.Role = ""
		e.Get("/audit", 401)
		e.Role = operator.Viewer
		e.Get("/audit", 200)
	})
}

// Pages follow each other without a gap, and an entry that is hard to find is looked for in
// steps.
func TestAudit_Pages(t *testing.T) {
	e := viewstest.New(t, t.TempDir())
	const all = 10_120
	rare := audit.OfCommand(e.IDs, "jobs resume", map[string]string{"company": "se-tallbanken"}, viewstest.Noon.Add(-50*time.Hour))
	rare.Kind = string(audit.DataRead) // the kind without an index
	e.Write(func(tx store.Tx) error {
		if err := tx.AddAuditEntry(e.Context(), rare); err != nil {
			return err
		}
		for i := range all {
			if err := tx.AddAuditEntry(e.Context(), audit.Access{ClientID: e.One.ID, Route: "getCollectionData"}.Entry(e.IDs, viewstest.Noon.Add(time.Duration(i-all)*time.Second))); err != nil {
				return err
			}
		}
		return nil
	})
	if n, err := e.Audit.Chain(e.Context()); err != nil || n != all+1 {
		t.Fatal(n, err)
	}
	next := func(page string) string {
		_, rest, _ := strings.Cut(page, `<nav class="pager"`)
		_, rest, _ = strings.Cut(rest, `href="/audit?after=`)
		to, _, _ := strings.Cut(rest, `" rel="next"`)
		return "/audit?after=" + strings.ReplaceAll(to, "&amp;", "&")
	}
	page := e.Get("/audit?kind=DATA_READ", 200)
	e.Has(page, "no. 10,121<", "no. 10,072<")
	page = e.Get(next(page), 200)
	e.Has(page, "no. 10,071<", "no. 10,022<", "First page")
	e.HasNot(page, "no. 10,072<")

	page = e.Get("/audit?kind=DATA_READ&company=se-tallbanken", 200)
	e.Has(page, "No entry fits.", "looked through 10,000 entries, back to", "Look further back")
	page = e.Get(next(page), 200)
	e.Has(page, "no. 1<", "24 Nov 2026 12:02:11")
	e.HasNot(page, "Look further back")
	// The days lead there at once.
	e.Has(e.Get("/audit?kind=DATA_READ&company=se-tallbanken&to=2026-11-25", 200), "no. 1<")
}

// A changed end of the chain is said, in red.
func TestAudit_SaysThatTheChainIsBroken(t *testing.T) {
	e := viewstest.New(t, t.TempDir())
	e.Write(func(tx store.Tx) error {
		return tx.AddAuditEntry(e.Context(), audit.OfKey(e.IDs, audit.APIKeyCreated, e.One.ID, e.ID(viewstest.Noon), viewstest.Noon))
	})
	if _, err := e.Audit.Chain(e.Context()); err != nil {
		t.Fatal(err)
	}
	e.Write(func(tx store.Tx) error { return tx.RemoveAuditRows(e.Context(), 1) })
	e.Has(e.Get("/audit", 200), "The audit log is not what was signed.", "When the chain stops")
	e.Clock.Advance(2 * time.Minute)
	e.Has(e.Get("/audit", 200), "The audit log is not what was signed.")
}
