package browser

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"samla/internal/console/viewstest"
	"samla/internal/operator"
)

// An operator looks at every view of the console on a busy day; each is judged. The page
// stays fresh without a reload, and acts.
func TestConsole(t *testing.T) {
	d := newDriver(t)
	e := viewstest.New(t, t.TempDir())
	journeys, parked, hook := viewstest.Busy(e)
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	e.URL = "http://localhost:" + port
	server := &http.Server{Handler: e.Handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })

	p := d.page("operator")
	for name, path := range map[string]string{
		"now": "/", "institutions": "/institutions", "institution": "/institutions/se-tallbanken", "institution-90d": "/institutions/se-demobanken?period=90d", "institution-quiet": "/institutions/se-havslinjen-fond",
		"journeys": "/journeys", "journey-stopped": "/journeys/" + journeys[0].ID, "journey-waits": "/journeys/" + journeys[8].ID, "user": "/users/" + journeys[0].UserID, "funnel": "/funnel", "permissions": "/permissions",
		"consents": "/permissions/all", "plans": "/plans", "collections": "/collections", "webhooks": "/webhooks", "endpoint": "/webhooks/" + hook.ID, "jobs": "/jobs", "clients": "/clients",
		"certificates": "/certificates", "versions": "/versions?period=90d", "find-nothing": "/find?q=nothing",
	} {
		p.open(e.URL + path)
		p.waitFor("#live")
		p.judge("console-" + name)
	}

	p.open(e.URL + "/audit") // it is not kept fresh: each look is recorded
	p.waitFor("table")
	p.judge("console-audit")
	p.open(e.URL + "/jobs")
	if stops := p.stops(); len(stops) < 15 {
		t.Errorf("the Tab key stops at %q", stops)
	}
	p.open(e.URL + "/jobs?queue=consents")
	p.do(map[string]any{"do": "mark", "page": p.name}, nil)
	if err := e.DB.ResumeJob(t.Context(), "consents", parked, viewstest.Noon); err != nil {
		t.Fatal(err)
	}
	p.waitFor("main:not([data-marked]) .empty") // without a reload
	if text := p.text("main"); !strings.Contains(text, "No job is parked.") {
		t.Errorf("the page says %q", text)
	}

	p.open(e.URL + "/webhooks/" + hook.ID)
	p.click("form[action$='/pause'] button")
	p.waitFor("form[action$='/resume']")
	p.judge("console-endpoint-paused")
	p.open(e.URL + "/clients")
	p.fill("#key-client", "Third")
	p.click("form[action='/clients/keys'] button")
	p.waitFor("#secret")
	p.judge("console-key")

	e.Role = operator.Viewer
	p.open(e.URL + "/clients")
	p.judge("console-clients-viewer")
	p.open(e.URL + "/none")
	p.judge("console-none")

	var violations, hosts []string
	d.do(map[string]any{"do": "violations"}, &violations)
	d.do(map[string]any{"do": "hosts"}, &hosts)
	if len(violations) > 0 || len(hosts) != 1 {
		t.Errorf("violations %q, hosts %q", violations, hosts)
	}
}
