package views_test

import (
	"strings"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/console/viewstest"
	"samla/internal/operator"
	"samla/internal/store"
)

// A job is dropped by a second form, which says what becomes of its flow; one that cannot be
// dropped says why.
func TestDrop_AsksFirst(t *testing.T) {
	viewstest.OnStores(t, func(e *viewstest.Env) {
		u := e.User(e.One)
		authorized := e.Park(u)
		c := e.Consent(u, viewstest.Noon.Add(-time.Hour), func(c *consent.Consent) {
			c.Status, c.Step, c.Granted, c.WakeAt = consent.Initiated, consent.StepOpen, nil, viewstest.Noon.Add(-time.Minute)
		})
		jobs := viewstest.Must(e.DB.Claim(e.Context(), store.Consents, viewstest.Noon, time.Minute, store.ClaimLimit{Rows: 1}))(e)
		if err := e.DB.ParkJob(e.Context(), store.Consents, jobs[0], viewstest.Noon, "the row cannot be read"); err != nil {
			t.Fatal(err)
		}
		at := "/jobs/consents/" + string(c.ID) + "/drop"
		e.Role = operator.Viewer
		e.HasNot(e.Get("/jobs", 200), "/drop")
		e.Has(e.Get(at, 403), "This takes the role operator")
		e.Post(at, nil, 403)
		e.Role = operator.Acting
		e.Has(e.Get("/jobs", 200), `href="`+at+`">Drop`)
		page := e.Get(at, 200)
		e.Has(page, "ends with the status FAILED and the code INTERNAL_ERROR", "the row cannot be read", "This cannot be undone", "Drop the job")
		e.HasNot(page, "data-live")
		refused := "/jobs/consents/" + authorized + "/drop"
		e.Has(e.Get(refused, 200), "This job cannot be dropped.", "The permission is authorized", `action="/jobs/consents/`+authorized+`/retry"`)
		e.Has(e.Post(refused, nil, 409), "The permission is authorized")
		e.Get("/jobs/none/x/drop", 404)
		if said := e.Commands(); len(said) != 0 {
			t.Fatalf("refused, and recorded: %q", said)
		}
		e.Post(at, nil, 303)
		e.Has(strings.Join(e.Commands(), "\n"), `"command":"console: drop job","of":{"id":"`+string(c.ID)+`"`, `"queue":"consents"`)
		e.Has(e.Post(at, nil, 404), "This job is not parked any more")
		e.Get(at, 404)
		if got := viewstest.Must(e.DB.Claim(e.Context(), store.Consents, viewstest.Noon, time.Minute, store.ClaimLimit{Rows: 9}))(e); len(got) != 1 || got[0].ID != string(c.ID) || got[0].Attempts <= store.Dropped {
			t.Errorf("the runner gets %+v", got)
		}
	})
}
