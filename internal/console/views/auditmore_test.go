package views_test

import (
	"context"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/console"
	"samla/internal/console/views"
	"samla/internal/console/viewstest"
	"samla/internal/operator"
	"samla/internal/outbox"
	"samla/internal/store"
)

// read adds entries of data that was read, one a second, the last at Noon.
func read(e *viewstest.Env, n int) {
	e.Helper()
	e.Write(func(tx store.Tx) error {
		for i := range n {
			at := viewstest.Noon.Add(time.Duration(i+1-n) * time.Second)
			if err := tx.AddAuditEntry(e.Context(), audit.Access{ClientID: e.One.ID, Route: "getCollectionData"}.Entry(e.IDs, at)); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestAudit_HasATextForEachKind(t *testing.T) {
	e := viewstest.New(t, t.TempDir())
	page := e.Get("/audit", 200)
	for _, k := range audit.Kinds() {
		if !regexp.MustCompile(`<option value="` + string(k) + `"[^>]*>[^<]+</option>`).MatchString(page) {
			t.Errorf("%s has no text", k)
		}
	}
	c := e.Consent(e.User(e.One), viewstest.Noon.Add(-time.Hour), nil)
	e.Write(func(tx store.Tx) error {
		return tx.AddAuditEntry(e.Context(), audit.OfGivenUp(e.IDs, c, outbox.Message{ID: e.ID(viewstest.Noon), Company: c.Company}, audit.GivenUpRefused, viewstest.Noon))
	})
	page = e.Get("/audit?kind="+string(audit.RevocationGivenUp), 200)
	e.Has(page, "<td>Institution not told", "bank refused", "<td>Samla", "Demobanken")
}

// While the chain has stopped, more wait than a page looks at.
func TestAudit_SaysThatMoreWait(t *testing.T) {
	viewstest.OnStores(t, func(e *viewstest.Env) {
		read(e, 199)
		e.HasNot(e.Get("/audit", 200), "more wait") // with the entry of the look itself: 200
		page := e.Get("/audit", 200)
		e.Has(page, "the newest 200 were looked at: more wait", "26 Nov 2026 14:02:11")
		if oldest := viewstest.Noon.Add(-198 * time.Second).In(time.FixedZone("", 3600)).Format("15:04:05"); strings.Contains(page, oldest) {
			e.Errorf("the oldest one, of %s, is shown in place of the newest", oldest)
		}
	})
}

// chaining is a store in which entries get their place after those without one were read.
type chaining struct {
	store.Store
	e *viewstest.Env
}

func (c chaining) NewestUnchained(ctx context.Context, limit int) ([]audit.Entry, error) {
	all, err := c.Store.NewestUnchained(ctx, limit)
	viewstest.Must(c.e.Audit.Chain(ctx))(c.e)
	return all, err
}

func TestAudit_ShowsAnEntryOnce(t *testing.T) {
	e := viewstest.New(t, t.TempDir())
	read(e, 3)
	e.Handler = console.New(console.Deps{URL: func() string { return e.URL }, Log: slog.New(slog.DiscardHandler),
		Hook:  func(*http.Request) (operator.Operator, bool) { return operator.Operator{Role: operator.Viewer}, true },
		Views: views.List(views.Deps{Store: chaining{e.DB, e}, Institutions: viewstest.Institutions(), Health: e.Health, Audit: e.Audit, Uptime: e.Figures, Webhooks: e.Hooks, Clock: e.Clock, IDs: e.IDs})})
	page := e.Get("/audit?kind=DATA_READ", 200)
	if n := strings.Count(page, "<td>Data fetched"); n != 3 || strings.Contains(page, "not chained yet") {
		t.Errorf("3 entries are in %d rows\n%s", n, page)
	}
}

// Who is an operator is for admins to see.
func TestAudit_NamesOperatorsToAdmins(t *testing.T) {
	e := viewstest.New(t, t.TempDir())
	kim := operator.Account{Operator: operator.Operator{ID: e.ID(viewstest.Noon), Name: "kim.berg", Role: operator.Acting}, Created: viewstest.Noon, Sealed: []byte("sealed")}
	e.Write(func(tx store.Tx) error {
		if err := tx.AddOperator(e.Context(), kim); err != nil {
			return err
		}
		return tx.AddAuditEntry(e.Context(), audit.OfCommand(e.IDs, "console: retry job", map[string]string{"operator": kim.ID}, viewstest.Noon))
	})
	by := `href="/audit?operator=` + kim.ID + `"`
	e.Has(e.Get("/audit", 200), "kim.berg", by)
	for _, role := range []operator.Role{operator.Viewer, operator.Acting} {
		e.Role = role
		for _, path := range []string{"/audit", "/audit?operator=" + kim.ID} {
			page := e.Get(path, 200)
			e.Has(page, by)
			e.HasNot(page, "kim.berg")
		}
	}
}
