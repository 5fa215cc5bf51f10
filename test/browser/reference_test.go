package browser

import (
	"strings"
	"testing"
)

// Everything of the reference is read, searched with and without the script, and a request
// is sent from the viewer. The viewer is not ours, and has faults that axe-core finds: the
// operations stand beside it as a list.
func readsTheDocumentation(t *testing.T, d *driver, w *world) {
	p := d.page("mine")
	docs := w.Server.URL() + "/docs"
	p.open(docs)
	p.judge("docs")
	p.fill("#q", "verify")
	p.click("a[href='/docs/webhooks']")
	p.waitFor("main[data-view=guide]")
	p.judge("docs-guide")
	p.open(docs + "/observe") // wide tables and code
	p.judge("docs-tables")
	p.open(docs + "/search?q=going+live")
	p.waitFor("#results a[href='/docs/going-live']")
	p.fill("#q", "consent_expired")
	p.waitFor("#results a[href='/docs/errors#consent_expired']")
	p.judge("docs-search")
	p.open(docs + "/nothing")
	p.judge("docs-missing")
	p.open(docs + "/api/2025-01-01")
	p.waitFor("#viewer[data-shown] #operations-Collections-getCollectionStatus")
	p.open(docs + "/api/2026-04-01#/Server/getStatus")
	p.waitFor("#viewer[data-shown]")
	p.click("#operations-Server-getStatus .try-out__btn")
	p.click("#operations-Server-getStatus .execute")
	if got := p.text("#operations-Server-getStatus .live-responses-table tbody .response-col_status"); !strings.Contains(got, "200") {
		t.Errorf("the request from the viewer got %q", got)
	}
}
