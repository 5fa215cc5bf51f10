package views_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"samla/internal/availability"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/flow"
	"samla/internal/operator"
	"samla/internal/quota"
	"samla/internal/store"
	"samla/internal/webhook"
)

// busy fills a console: Tallbanken is down, the others are well.
func busy(e *env) (journeys []flow.Link, parked string, hook webhook.Endpoint) {
	for i := range 12 {
		u := e.user(e.one)
		e.collection(u, noon.Add(time.Duration(-60-10*i)*time.Minute), "se-tallbanken", collection.Completed)
		e.collection(u, noon.Add(time.Duration(-90-i)*time.Minute), "se-demobanken", collection.Completed)
	}
	for i := range 7 {
		u := e.user(e.two)
		at := noon.Add(time.Duration(-20+i) * time.Minute)
		k := e.collection(u, at, "se-tallbanken", collection.ThirdPartyError)
		journeys = append(journeys, e.journey(u, at, "se-tallbanken", flow.Failed, func(f *flow.Flow) { f.Signed, f.CollectionID, f.Failure = true, k.ID, string(k.Status) }))
	}
	u := e.user(e.one)
	e.collection(u, noon.Add(-time.Hour), "se-demobanken", collection.AuthenticationCancelled)
	journeys = append(journeys, e.journey(u, noon.Add(-2*time.Minute), "", "", nil), e.journey(u, noon.Add(-3*time.Minute), "se-demobanken", flow.QR, func(f *flow.Flow) { f.ConsentID = "x" }))
	done := e.collection(u, noon.Add(-time.Hour), "se-demobanken", collection.Completed)
	journeys = append(journeys, e.journey(u, noon.Add(-time.Hour), "se-demobanken", flow.Done, func(f *flow.Flow) { f.Signed, f.CollectionID = true, done.ID }))
	parked = e.park(u)
	for range 3 {
		e.consent(u, noon.Add(-time.Hour), func(c *consent.Consent) { c.ExpiresAt = noon.Add(48 * time.Hour) })
	}
	e.schedule(u, quota.PausedFailing, quota.ReadFailed)
	e.schedule(u, quota.Active, quota.QuotaUsed)
	hook = e.endpoint(e.one)
	for i := range 4 {
		e.write(func(tx store.Tx) error {
			status := 200
			if i == 2 {
				status = 503
			}
			return tx.RecordAttempt(e.Context(), webhook.Delivery{EndpointID: hook.ID, EventID: e.id(noon), Progress: webhook.Delivered},
				webhook.Attempt{ID: e.id(noon.Add(time.Duration(-i) * time.Minute)), EndpointID: hook.ID, EventID: e.id(noon), Number: 1, At: noon.Add(time.Duration(-i) * time.Minute), Outcome: webhook.Outcome{Status: status, Took: 84 * time.Millisecond}})
		})
	}
	for i, id := range []string{"se-tallbanken", "se-demobanken"} {
		for n := 90 * 24; n >= 0; n-- {
			h := availability.Hour{Company: id, Start: availability.HourOf(noon).Add(-time.Duration(n) * time.Hour), Persons: int64(20 + n%7), Failed: map[availability.Cause]int64{availability.ByPerson: int64(n % 4)}}
			for b := range 3 {
				h.Latency[14+(n+b)%5+i] = int64(10 * (3 - b))
			}
			if i == 0 && (n < 1 || n/24%37 == 30) {
				h.Failed[availability.ByInstitution] = h.Persons - 1
			}
			e.figures[id] = append(e.figures[id], h)
		}
	}
	e.forgiven.Add("se-tallbanken", deviation.Counts{deviation.UnknownMember: 1122, deviation.UnreadableRow: 3})
	return journeys, parked, hook
}

func TestNow_SaysWhoFailsSinceWhenAndHowManyAreHit(t *testing.T) {
	onStores(t, func(e *env) {
		e.has(e.get("/", 200), "8 institutions answer.", "0 people were stopped in the last hour, as usual.", "is-well")
		e.clk.Advance(10 * time.Second)
		busy(e)
		page := e.get("/", 200)
		e.has(page, "Tallbanken has not answered since 13:4", "The fault is theirs. 7 people were stopped.", `href="/institutions/se-tallbanken">Look at Tallbanken`, "Unavailable", "a fault of the institution 7", "cancelled 1",
			"1 parked,", `<dd>3</dd><dd class="vs">0 have been told`, "1<small> of 1</small>", "In 22 days", "Too little traffic", `<span class="n">1</span>`)
		e.hasNot(page, "SE4550000000058398257466", "secret-")
	})
}

func TestInstitution_IsDrawnOverTime(t *testing.T) {
	e := newEnv(t, t.TempDir())
	busy(e)
	for _, period := range []string{"24h", "7d", "90d"} {
		page := e.get("/institutions/se-tallbanken?period="+period, 200)
		e.has(page, `class="p50"`, `class="p95"`, `class="p99"`, "The same as a table", "90 days: available on", "unknown member", "1,122", `class="f-bank"`, "It has not answered since 13:4", `href="/institutions/se-tallbanken?period=7d"`, "QWAC ends")
		e.hasNot(page, "NaN")
	}
	e.has(e.get("/institutions/se-havslinjen-fond", 200), "No call was answered in this time.", "Nobody was there in this time.", "Too little traffic")
	e.get("/institutions/se-none", 404)
}

func TestJourney_SaysWhereItStoppedAndWhy(t *testing.T) {
	onStores(t, func(e *env) {
		journeys, _, _ := busy(e)
		stopped, unopened, waits, done := journeys[0], journeys[7], journeys[8], journeys[9]
		page := e.get("/journeys/"+stopped.ID, 200)
		e.has(page, "Approved, then stopped while reading at Tallbanken.", "A fault of the institution. The turn was the institution&#39;s.", "Link made", "Demokollen asked for accounts, balances, transactions, 180 days", "Opened the page",
			"Collection started", "THIRD_PARTY_ERROR: a fault of the institution", "Sealed. The console cannot open it")
		e.hasNot(page, "SE4550000000058398257466", "secret-")
		if by := e.get("/journeys/"+stopped.FlowID, 200); !strings.Contains(by, stopped.UserID) {
			e.Error("not found by its flow")
		}
		e.has(e.get("/journeys/"+unopened.ID, 200), "The link was not opened.")
		e.has(e.get("/journeys/"+waits.ID, 200), "It goes on.", "Stands at qr")
		e.has(e.get("/journeys/"+done.ID, 200), "It came to what was asked for.", "Collection ended")
		e.has(e.get("/users/"+stopped.UserID, 200), "Step by step", "Collection started", "Collections of the user")
		e.get("/journeys/"+e.id(noon), 404)
		e.get("/users/"+e.id(noon), 404)
		for _, id := range []string{stopped.ID, stopped.FlowID} {
			if to := e.redirect("/find?q=" + id); to != "/journeys/"+id {
				e.Errorf("find leads to %q", to)
			}
		}
		if to := e.redirect("/find?q=" + stopped.UserID); to != "/users/"+stopped.UserID {
			e.Errorf("find leads to %q", to)
		}
		e.has(e.get("/find?q=nothing", 200), "Nothing has this id")
	})
}

func (e *env) redirect(path string) string {
	e.Helper()
	w := httptest.NewRecorder()
	e.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost:8081"+path, nil))
	if w.Code != http.StatusSeeOther {
		e.Fatalf("%s: %d", path, w.Code)
	}
	return w.Header().Get("Location")
}

// Each list shows both tenants, and one of them by its filter.
func TestLists_ShowAllTenantsOrOne(t *testing.T) {
	onStores(t, func(e *env) {
		busy(e)
		for _, path := range []string{"/journeys", "/collections"} {
			e.has(e.get(path, 200), "<td>Pärmen", "<td>Demokollen")
			one := e.get(path+"?client="+e.two.ID, 200)
			e.has(one, "<td>Demokollen")
			e.hasNot(one, "<td>Pärmen")
		}
		for path, want := range map[string]string{"/permissions": "4 permissions end", "/permissions/all": "AUTHORIZED", "/plans": "7 failures in a row", "/plans?status=QUOTA_USED": "quota used", "/webhooks": "3 of 4", "/jobs": "the row cannot be read",
			"/clients": "Demokollen", "/certificates": "19 December 2026", "/funnel": "7 stopped: a fault of the institution", "/collections?status=COMPLETED": "COMPLETED", "/journeys?status=STOPPED": "a fault of the institution",
			"/institutions": "Lyktan Lån"} {
			if path == "/permissions" {
				want = "3 permissions end"
			}
			page := e.get(path, 200)
			e.has(page, want, `id="main"`)
			e.hasNot(page, "SE4550000000058398257466", "secret-", "Nothing is here")
		}
		e.hasNot(e.get("/plans?status=QUOTA_USED", 200), "PAUSED_FAILING</td>")
		e.hasNot(e.get("/webhooks?client="+e.two.ID, 200), "3 of 4")
	})
}

// A list of 10 000 rows is read in pages, each once.
func TestLists_Page(t *testing.T) {
	onStores(t, func(e *env) {
		u := e.user(e.one)
		const rows = 10_000
		ids := make([]string, rows)
		e.write(func(tx store.Tx) error {
			for i := range ids {
				ids[i] = e.id(noon)
				if err := tx.AddCollection(e.Context(), collection.Collection{ID: ids[i], ClientID: e.one.ID, UserID: u.ID, Company: "se-demobanken", Mode: collection.Stored, Status: collection.Completed,
					CreatedAt: noon, StatusChangedAt: noon, Sealed: []byte("sealed"), Rev: 1}); err != nil {
					return err
				}
			}
			return nil
		})
		path := "/collections?client=" + e.one.ID + "&status=COMPLETED"
		for page := range 3 {
			body := e.get(path, 200)
			if n := strings.Count(body, "<tr>") - 1; n != 50 {
				e.Fatalf("page %d has %d rows", page, n)
			}
			first := ids[rows-1-50*page]
			e.has(body, `href="/journeys/`+first+`"`)
			if strings.Contains(body, "First page") != (page > 0) {
				e.Errorf("page %d", page)
			}
			_, rest, _ := strings.Cut(body, `<a class="btn btn-side btn-s" href="/collections?after=`)
			next, _, _ := strings.Cut(rest, `" rel="next"`)
			path = strings.ReplaceAll("/collections?after="+next, "&amp;", "&")
			if !strings.Contains(path, "client="+e.one.ID) || !strings.Contains(path, "status=COMPLETED") {
				e.Fatalf("the next page forgets the filter: %s", path)
			}
		}
		e.hasNot(e.get("/collections?client="+e.one.ID+"&after="+ids[10], 200), `rel="next"`)
	})
}

// What acts takes a role, and is in the audit log.
func TestActs_TakeRolesAndAreRecorded(t *testing.T) {
	onStores(t, func(e *env) {
		_, parked, hook := busy(e)
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
				if e.role = r; r == "" || !r.Covers(a.role) {
					e.post(a.path, a.form, map[bool]int{true: 401, false: 403}[r == ""])
				}
			}
		}
		if said := e.commands(); len(said) != 0 {
			e.Fatalf("refused, and recorded: %q", said)
		}
		for _, a := range acts {
			e.role = a.role
			e.post(a.path, a.form, map[bool]int{true: 200, false: 303}[a.role == operator.Admin])
			said := e.commands()
			if last := said[len(said)-1]; !strings.Contains(last, a.said) || !strings.Contains(last, `"operator":"019ab0f0-0000-7000-8000-000000000001"`) {
				e.Errorf("%s: recorded %s", a.path, last)
			}
		}
		if rows := must(e.db.ParkedRows(e.Context(), store.Consents, store.Moment{}, 9))(e); len(rows) != 0 {
			e.Errorf("still parked: %v", rows)
		}
		e.role = operator.Admin
		e.post("/jobs/consents/"+parked+"/retry", nil, 404)
		e.post("/jobs/none/retry", nil, 404)
		e.post("/webhooks/"+hook.ID+"/replay", url.Values{"event": {"x"}}, 400)
		e.post("/clients/keys", nil, 400)
		page := e.get("/clients", 200)
		e.has(page, "Third", "backend")
		keys := must(e.db.APIKeys(e.Context()))(e)
		e.post("/clients/keys/"+keys[0].ID+"/revoke", nil, 303)
		e.has(e.get("/clients", 200), "Ended")
		e.role = operator.Viewer
		e.hasNot(e.get("/clients", 200), "A new key", "/revoke")
		e.hasNot(e.get("/webhooks/"+hook.ID, 200), "/pause", "/replay")
	})
}

// A fragment has only what changes.
func TestViews_AnswerFragments(t *testing.T) {
	e := newEnv(t, t.TempDir())
	r := httptest.NewRequest(http.MethodGet, "http://localhost:8081/jobs", nil)
	r.Header.Set("Accept", "text/html; fragment")
	page := e.do(r, 200)
	e.has(page, `<div id="view"`, "No job is parked.", `data-live`)
	e.hasNot(page, "<html", "<nav aria-label=\"Samla\"")
	e.has(e.get("/jobs", 200), "/assets/live-")
}

// Parked jobs of one queue are paged too.
func TestJobs_PageParkedJobs(t *testing.T) {
	e := newEnv(t, t.TempDir())
	u := e.user(e.one)
	for range 52 {
		e.park(u)
	}
	e.has(e.get("/jobs", 200), "52 jobs are parked.", `href="/jobs?queue=consents" rel="next"`)
	page := e.get("/jobs?queue=consents", 200)
	_, rest, _ := strings.Cut(page, `href="/jobs?after=`)
	next, _, _ := strings.Cut(rest, `" rel="next"`)
	page = e.get(strings.ReplaceAll("/jobs?after="+next, "&amp;", "&"), 200)
	if n := strings.Count(page, "the row cannot be read"); n != 2 {
		e.Errorf("%d jobs on the last page", n)
	}
	e.role = operator.Acting
	e.post("/jobs/consents/retry", nil, 303)
	e.has(e.get("/jobs", 200), "No job is parked.")
}
