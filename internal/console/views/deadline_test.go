package views_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"samla/internal/console"
	"samla/internal/console/views"
	"samla/internal/console/viewstest"
	"samla/internal/operator"
	"samla/internal/quota"
	"samla/internal/store"
)

// held is a store of which the large reads end with their context only.
type held struct{ store.Store }

func wait[T any](ctx context.Context) (none T, err error) {
	<-ctx.Done()
	return none, ctx.Err()
}

func (h held) EndedSince(ctx context.Context, _ time.Time, _ time.Duration) ([]store.Ended, error) {
	return wait[[]store.Ended](ctx)
}
func (h held) Journeys(ctx context.Context, _ store.JourneyFilter, _ store.Page) ([]store.Journey, error) {
	return wait[[]store.Journey](ctx)
}
func (h held) JourneyGroups(ctx context.Context, _, _ time.Time, _ string) ([]store.JourneyGroup, error) {
	return wait[[]store.JourneyGroup](ctx)
}
func (h held) ConsentRows(ctx context.Context, _ store.RowFilter, _ store.Page) ([]store.ConsentRow, error) {
	return wait[[]store.ConsentRow](ctx)
}
func (h held) CollectionRows(ctx context.Context, _ store.RowFilter, _ store.Page) ([]store.CollectionRow, error) {
	return wait[[]store.CollectionRow](ctx)
}
func (h held) ScheduleRows(ctx context.Context, _ store.RowFilter, _ store.Page) ([]quota.Schedule, error) {
	return wait[[]quota.Schedule](ctx)
}
func (h held) EndpointRows(ctx context.Context, _ store.RowFilter, _ time.Time, _ store.Page) ([]store.EndpointRow, error) {
	return wait[[]store.EndpointRow](ctx)
}

// consoleOf is the console of an environment over another store.
func consoleOf(e *viewstest.Env, db store.Store, limit time.Duration) http.Handler {
	return console.New(console.Deps{URL: func() string { return e.URL }, Log: slog.New(slog.DiscardHandler), ReadTime: limit,
		Hook:  func(*http.Request) (operator.Operator, bool) { return operator.Operator{Role: operator.Viewer}, true },
		Views: views.List(views.Deps{Store: db, Institutions: viewstest.Institutions(), Health: e.Health, Audit: e.Audit, Uptime: e.Figures, Webhooks: e.Hooks, Clock: e.Clock, IDs: e.IDs})})
}

// Each page says what makes it quicker when the store does not answer.
func TestViews_SayThatTheyTookTooLong(t *testing.T) {
	e := viewstest.New(t, t.TempDir())
	e.Handler = consoleOf(e, held{e.DB}, 10*time.Millisecond)
	for path, want := range map[string]string{
		"/":                                      "The database is busy or slow just now.",
		"/institutions":                          "The database is busy or slow just now.",
		"/journeys":                              "The database is busy or slow just now.",
		"/journeys?status=FAILED":                `href="/journeys">Show less`,
		"/permissions/all?client=x":              "Leave a filter out",
		"/collections?company=x":                 `href="/collections">Show less`,
		"/plans?status=X":                        `href="/plans">Show less`,
		"/webhooks?client=x":                     `href="/webhooks">Show less`,
		"/funnel?period=30d&client=x":            `href="/funnel?client=x&amp;period=24h">Show less`,
		"/funnel":                                "The database is busy or slow just now.",
		"/users/" + e.ID(viewstest.Noon):         "The database is busy or slow just now.",
		"/institutions/se-tallbanken?period=90d": "Choose a shorter time, such as 24 h.",
	} {
		e.Has(e.Get(path, 503), "This took too long", want, `data-view="LATE"`)
	}
}

// counting counts how often links are counted.
type counting struct {
	store.Store
	groups int
}

func (c *counting) JourneyGroups(ctx context.Context, from, to time.Time, clientID string) ([]store.JourneyGroup, error) {
	c.groups++
	return c.Store.JourneyGroups(ctx, from, to, clientID)
}

// Links of 30 days are counted once for all who look at them.
func TestFunnel_IsSharedByAllWhoLookAtIt(t *testing.T) {
	e := viewstest.New(t, t.TempDir())
	c := &counting{Store: e.DB}
	e.Handler = consoleOf(e, c, time.Minute)
	for range 5 {
		e.Get("/funnel?period=30d", 200)
		e.Get("/institutions/se-tallbanken", 200)
	}
	if c.groups != 2 {
		t.Errorf("counted %d times", c.groups)
	}
	e.Get("/funnel?period=30d&client="+e.One.ID, 200)
	if c.groups != 3 {
		t.Errorf("what is shared forgets the client: counted %d times", c.groups)
	}
	e.Clock.Advance(6 * time.Second)
	e.Get("/funnel?period=30d", 200)
	if c.groups != 4 {
		t.Errorf("shared for too long: counted %d times", c.groups)
	}
	if page := e.Get("/funnel?period=30d&client=x", 200); !strings.Contains(page, "0 links were made") {
		t.Error(page)
	}
}
