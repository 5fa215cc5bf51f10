package views_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/console"
	"samla/internal/console/views"
	"samla/internal/console/viewstest"
	"samla/internal/institution"
	"samla/internal/operator"
	"samla/internal/store"
)

func TestNow_SaysWhoFailsSinceWhenAndHowManyAreHit(t *testing.T) {
	viewstest.OnStores(t, func(e *viewstest.Env) {
		e.Has(e.Get("/", 200), "8 institutions answer.", "0 people were stopped in the last hour, as usual.", "is-well")
		e.Clock.Advance(10 * time.Second)
		viewstest.Busy(e)
		page := e.Get("/", 200)
		e.Has(page, "Tallbanken has not answered since 13:4", "The fault is theirs. 7 people were stopped.", `href="/institutions/se-tallbanken">Look at Tallbanken`, "Unavailable", "a fault of the institution 7", "cancelled 1",
			"1 parked,", `<dd>3</dd><dd class="vs">0 have been told`, "1<small> of 1</small>", "In 22 days", "Too little traffic", `<span class="n">1</span>`)
		e.HasNot(page, "SE4550000000058398257466", "secret-")
	})
}

func TestInstitution_IsDrawnOverTime(t *testing.T) {
	e := viewstest.New(t, t.TempDir())
	viewstest.Busy(e)
	for _, period := range []string{"24h", "7d", "90d"} {
		page := e.Get("/institutions/se-tallbanken?period="+period, 200)
		e.Has(page, `class="p50"`, `class="p95"`, `class="p99"`, "The same as a table", "90 days: available on", "unknown member", "unreadable row", "27 Oct", `class="f-bank"`, "It has not answered since 13:4", `href="/institutions/se-tallbanken?period=7d"`, "QWAC ends")
		e.HasNot(page, "NaN")
	}
	e.Has(e.Get("/institutions/se-tallbanken?period=90d", 200), "1,136")
	e.Has(e.Get("/institutions/se-havslinjen-fond", 200), "every answer was as it should be", "No call was answered in this time.", "Nobody was there in this time.", "Too little traffic")
	e.Get("/institutions/se-none", 404)
}

func TestJourney_SaysWhereItStoppedAndWhy(t *testing.T) {
	viewstest.OnStores(t, func(e *viewstest.Env) {
		journeys, _, _ := viewstest.Busy(e)
		stopped, unopened, waits, done := journeys[0], journeys[7], journeys[8], journeys[9]
		page := e.Get("/journeys/"+stopped.ID, 200)
		e.Has(page, "Approved, then stopped while reading at Tallbanken.", "A fault of the institution. The turn was the institution&#39;s.", "Link made", "Demokollen asked for accounts, balances, transactions, 180 days", "Opened the page",
			"Collection started", "THIRD_PARTY_ERROR: a fault of the institution", "Sealed. The console cannot open it")
		e.HasNot(page, "SE4550000000058398257466", "secret-")
		if by := e.Get("/journeys/"+stopped.FlowID, 200); !strings.Contains(by, stopped.UserID) {
			e.Error("not found by its flow")
		}
		e.Has(e.Get("/journeys/"+unopened.ID, 200), "The link was not opened yet.")
		e.Has(e.Get("/journeys", 200), "</svg>Open<", "the link was not opened yet")
		e.Has(e.Get("/journeys/"+waits.ID, 200), "It goes on.", "Stands at qr")
		e.Has(e.Get("/journeys/"+done.ID, 200), "It came to what was asked for.", "Collection ended")
		e.Has(e.Get("/users/"+stopped.UserID, 200), "Step by step", "Collection started", "Collections of the user")
		e.Get("/journeys/"+e.ID(viewstest.Noon), 404)
		e.Get("/users/"+e.ID(viewstest.Noon), 404)
		for _, id := range []string{stopped.ID, stopped.FlowID} {
			if to := e.Redirect("/find?q=" + id); to != "/journeys/"+id {
				e.Errorf("find leads to %q", to)
			}
		}
		if to := e.Redirect("/find?q=" + stopped.UserID); to != "/users/"+stopped.UserID {
			e.Errorf("find leads to %q", to)
		}
		e.Has(e.Get("/find?q=nothing", 200), "Nothing has this id")
		e.Clock.Advance(16 * time.Minute) // the link ends
		e.Has(e.Get("/journeys/"+unopened.ID, 200), "The link was not opened.")
		e.HasNot(e.Get("/journeys", 200), "was not opened yet")
	})
}

// Each list shows both tenants, and one of them by its filter.
func TestLists_ShowAllTenantsOrOne(t *testing.T) {
	viewstest.OnStores(t, func(e *viewstest.Env) {
		viewstest.Busy(e)
		for _, path := range []string{"/journeys", "/collections"} {
			e.Has(e.Get(path, 200), "<td>Pärmen", "<td>Demokollen")
			one := e.Get(path+"?client="+e.Two.ID, 200)
			e.Has(one, "<td>Demokollen")
			e.HasNot(one, "<td>Pärmen")
		}
		for path, want := range map[string]string{"/permissions": "4 permissions end", "/permissions/all": "AUTHORIZED", "/plans": "7 failures in a row", "/plans?status=QUOTA_USED": "quota used", "/webhooks": "3 of 4", "/jobs": "the row cannot be read",
			"/clients": "Demokollen", "/certificates": "19 December 2026", "/versions": "94,422", "/funnel": "7 stopped: a fault of the institution", "/collections?status=COMPLETED": "COMPLETED", "/journeys?status=STOPPED": "a fault of the institution",
			"/institutions": "Lyktan Lån"} {
			if path == "/permissions" {
				want = "3 permissions end"
			}
			page := e.Get(path, 200)
			e.Has(page, want, `id="main"`)
			e.HasNot(page, "SE4550000000058398257466", "secret-", "Nothing is here")
		}
		e.HasNot(e.Get("/plans?status=QUOTA_USED", 200), "PAUSED_FAILING</td>")
		e.HasNot(e.Get("/webhooks?client="+e.Two.ID, 200), "3 of 4")
	})
}

// A list of 10 000 rows is read in pages, each once.
func TestLists_Page(t *testing.T) {
	viewstest.OnStores(t, func(e *viewstest.Env) {
		u := e.User(e.One)
		const rows = 10_000
		ids := make([]string, rows)
		e.Write(func(tx store.Tx) error {
			for i := range ids {
				ids[i] = e.ID(viewstest.Noon)
				if err := tx.AddCollection(e.Context(), collection.Collection{ID: ids[i], ClientID: e.One.ID, UserID: u.ID, Company: "se-demobanken", Mode: collection.Stored, Status: collection.Completed,
					CreatedAt: viewstest.Noon, StatusChangedAt: viewstest.Noon, Sealed: []byte("sealed"), Rev: 1}); err != nil {
					return err
				}
			}
			return nil
		})
		path := "/collections?client=" + e.One.ID + "&status=COMPLETED"
		for page := range 3 {
			body := e.Get(path, 200)
			if n := strings.Count(body, "<tr>") - 1; n != 50 {
				e.Fatalf("page %d has %d rows", page, n)
			}
			first := ids[rows-1-50*page]
			e.Has(body, `href="/journeys/`+first+`"`)
			if strings.Contains(body, "First page") != (page > 0) {
				e.Errorf("page %d", page)
			}
			_, rest, _ := strings.Cut(body, `<a class="btn btn-side btn-s" href="/collections?after=`)
			next, _, _ := strings.Cut(rest, `" rel="next"`)
			path = strings.ReplaceAll("/collections?after="+next, "&amp;", "&")
			if !strings.Contains(path, "client="+e.One.ID) || !strings.Contains(path, "status=COMPLETED") {
				e.Fatalf("the next page forgets the filter: %s", path)
			}
		}
		e.HasNot(e.Get("/collections?client="+e.One.ID+"&after="+ids[10], 200), `rel="next"`)
	})
}

// What acts takes a role, and is in the audit log.
func TestActs_TakeRolesAndAreRecorded(t *testing.T) {
	viewstest.OnStores(t, func(e *viewstest.Env) {
		_, parked, hook := viewstest.Busy(e)
		acts := []struct {
			path string
			form url.Values
			role operator.Role
			said string
		}{
			{"/jobs/consents/" + parked + "/retry", nil, operator.Acting, `"command":"console: retry job","of":{"id":"` + parked + `"`},
			{"/webhooks/" + hook.ID + "/pause", nil, operator.Acting, `"command":"console: pause endpoint"`},
			{"/webhooks/" + hook.ID + "/resume", nil, operator.Acting, `"command":"console: resume endpoint"`},
			{"/webhooks/" + hook.ID + "/test", nil, operator.Acting, `"command":"console: test endpoint"`},
			{"/jobs/collections/retry", nil, operator.Acting, `"command":"console: retry jobs"`},
			{"/clients/keys", url.Values{"client": {"Third"}, "name": {"backend"}}, operator.Admin, `"command":"console: create key"`},
		}
		for _, a := range acts {
			for _, r := range []operator.Role{"", operator.Viewer, operator.Acting} {
				if e.Role = r; r == "" || !r.Covers(a.role) {
					e.Post(a.path, a.form, map[bool]int{true: 401, false: 403}[r == ""])
				}
			}
		}
		if said := e.Commands(); len(said) != 0 {
			e.Fatalf("refused, and recorded: %q", said)
		}
		for _, a := range acts {
			e.Role = a.role
			e.Post(a.path, a.form, map[bool]int{true: 200, false: 303}[a.role == operator.Admin])
			said := e.Commands()
			if last := said[len(said)-1]; !strings.Contains(last, a.said) || !strings.Contains(last, `"operator":"019ab0f0-0000-7000-8000-000000000001"`) {
				e.Errorf("%s: recorded %s", a.path, last)
			}
		}
		if rows := viewstest.Must(e.DB.ParkedRows(e.Context(), store.Consents, store.Moment{}, 9))(e); len(rows) != 0 {
			e.Errorf("still parked: %v", rows)
		}
		e.Role = operator.Admin
		e.Post("/jobs/consents/"+parked+"/retry", nil, 404)
		e.Post("/jobs/none/retry", nil, 404)
		e.Post("/webhooks/"+hook.ID+"/replay", url.Values{"event": {"x"}}, 400)
		e.Post("/clients/keys", nil, 400)
		page := e.Get("/clients", 200)
		e.Has(page, "Third", "backend")
		keys := viewstest.Must(e.DB.APIKeys(e.Context()))(e)
		e.Post("/clients/keys/"+keys[0].ID+"/revoke", nil, 303)
		e.Has(e.Get("/clients", 200), "Ended")
		e.Role = operator.Viewer
		e.HasNot(e.Get("/clients", 200), "A new key", "/revoke")
		e.HasNot(e.Get("/webhooks/"+hook.ID, 200), "/pause", "/replay")
	})
}

// A fragment has only what changes.
func TestViews_AnswerFragments(t *testing.T) {
	e := viewstest.New(t, t.TempDir())
	r := httptest.NewRequest(http.MethodGet, "http://localhost:8081/jobs", nil)
	r.Header.Set("Accept", "text/html; fragment")
	page := e.Do(r, 200)
	e.Has(page, `<div id="view"`, "No job is parked.", `data-live`)
	e.HasNot(page, "<html", "<nav aria-label=\"Samla\"")
	e.Has(e.Get("/jobs", 200), "/assets/live-")
}

// Parked jobs of one queue are paged too.
func TestJobs_PageParkedJobs(t *testing.T) {
	e := viewstest.New(t, t.TempDir())
	u := e.User(e.One)
	for range 52 {
		e.Park(u)
	}
	e.Has(e.Get("/jobs", 200), "52 jobs are parked.", `href="/jobs?queue=consents" rel="next"`)
	page := e.Get("/jobs?queue=consents", 200)
	_, rest, _ := strings.Cut(page, `href="/jobs?after=`)
	next, _, _ := strings.Cut(rest, `" rel="next"`)
	page = e.Get(strings.ReplaceAll("/jobs?after="+next, "&amp;", "&"), 200)
	if n := strings.Count(page, "the row cannot be read"); n != 2 {
		e.Errorf("%d jobs on the last page", n)
	}
	e.Role = operator.Acting
	e.Post("/jobs/consents/retry", nil, 303)
	e.Has(e.Get("/jobs", 200), "No job is parked.")
}

// Another collection under the same permission is not part of the journey.
func TestJourney_LeavesOtherCollectionsOut(t *testing.T) {
	e := viewstest.New(t, t.TempDir())
	u := e.User(e.One)
	k := e.Collection(u, viewstest.Noon.Add(-time.Hour), "se-demobanken", collection.Completed)
	e.Consent(u, viewstest.Noon.Add(-2*time.Hour), func(c *consent.Consent) { c.ID = k.ConsentID })
	other := k
	other.ID, other.Status = e.ID(viewstest.Noon), collection.ThirdPartyError
	e.Write(func(tx store.Tx) error {
		return tx.AddAuditEntry(e.Context(), audit.OfCollection(e.IDs, other, viewstest.Noon))
	})
	page := e.Get("/journeys/"+k.ID, 200)
	e.Has(page, "COMPLETED")
	e.HasNot(page, "THIRD_PARTY_ERROR")
}

// busy is a store that takes a second for each of two reads, and counts how often it is asked.
type busy struct {
	store.Store
	e             *viewstest.Env
	ended, ending int
}

func (b *busy) EndedSince(ctx context.Context, since time.Time, span time.Duration) ([]store.Ended, error) {
	b.ended++
	b.e.Clock.Advance(time.Second)
	return b.Store.EndedSince(ctx, since, span)
}

func (b *busy) CountEnding(ctx context.Context, from, until time.Time) (all, told int, err error) {
	b.ending++
	b.e.Clock.Advance(time.Second)
	return b.Store.CountEnding(ctx, from, until)
}

// Pages that stay open ask every five seconds.
func TestNow_IsReadLessOftenTheLongerItTakes(t *testing.T) {
	e := viewstest.New(t, t.TempDir())
	b := &busy{Store: e.DB, e: e}
	e.Handler = console.New(console.Deps{URL: func() string { return e.URL }, Log: slog.New(slog.DiscardHandler),
		Hook:  func(*http.Request) (operator.Operator, bool) { return operator.Operator{Role: operator.Viewer}, true },
		Views: views.List(views.Deps{Store: b, Institutions: institution.Set{}, Health: e.Health, Uptime: e.Figures, Webhooks: e.Hooks, Clock: e.Clock, IDs: e.IDs})})
	for range 8 {
		e.Get("/", 200)
		e.Clock.Advance(5 * time.Second)
	}
	if b.ended != 2 || b.ending != 2 {
		t.Errorf("read %d and %d times in 40 s", b.ended, b.ending)
	}
}
