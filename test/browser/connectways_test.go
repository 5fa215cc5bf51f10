package browser

import (
	"net/url"
	"strings"
	"testing"

	"samla/internal/qr"
)

// Of the walks in this file, each asks what the one before it has shown: they share a server
// with those of connect_test.go.

// The browser draws each second's code as the server does.
func (p page) draws(texts ...string) {
	p.t.Helper()
	for _, text := range texts {
		var got struct {
			Path string
			Side int
		}
		p.do(map[string]any{"do": "draw", "page": p.name, "text": text}, &got)
		if path, side, err := qr.Path(text); err != nil || got.Path != path || got.Side != side {
			p.t.Errorf("a code of %d bytes is drawn otherwise, %v", len(text), err)
		}
	}
}

// A person who changes the way gets another order, if the one that goes on has no code; the
// code is redrawn without another page, and the ring moves.
func changesTheWay(t *testing.T, d *driver, w *world) {
	p := d.page("mine")
	id, address := w.link(map[string]any{"companies": []string{demoBank}, "person": person("199312252399")})
	p.starts(address)
	p.in("REVIEW")
	p.click("button[value=this]")
	p.in("APP")
	before := w.stands(id).Flow.ConsentID
	started, err := url.Parse(p.attribute("#app", "href"))
	if err != nil {
		t.Fatal(err)
	}
	p.click("button[value=other]")
	p.in("QR")
	if w.stands(id).Flow.ConsentID == before {
		t.Error("the code is of the order before")
	}
	if err := w.phone.Act(t.Context(), "approve", started.Query().Get("autostarttoken"), "", "199312252399"); err == nil {
		t.Error("the order before can be signed")
	}
	p.draws("a", strings.Repeat("å", 30), "bankid.67df3917-fa0d-44e5-b327-edcc928297f8.0."+strings.Repeat("0f", 32), strings.Repeat("long ", 500))
	was, ring := p.attribute("#qr-path", "d"), p.attribute("#qr-ring", "stroke-dashoffset")
	p.do(map[string]any{"do": "mark", "page": p.name}, nil)
	p.waitFor(`#qr-path:not([d="` + was + `"])`)
	p.waitFor(`#qr-ring:not([stroke-dashoffset="` + ring + `"])`)
	p.waitFor("#main[data-marked]") // it is still the same page
	p.click("button[value=this]")
	p.in("APP")
	w.approvesHere(p, "199312252399")
	p.in("DONE")
}

// approvesHere approves with the token of the button that opens the app.
func (w *world) approvesHere(p page, number string) {
	w.t.Helper()
	started, err := url.Parse(p.attribute("#app", "href"))
	if err == nil {
		err = w.phone.Act(w.t.Context(), "approve", started.Query().Get("autostarttoken"), "", number)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}
