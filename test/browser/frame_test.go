package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"samla/internal/devserver"
	"samla/internal/store"
)

// Behind TLS the frame of another site keeps its flow in a cookie of its own: the address
// carries nothing, also after a reload.
func TestFrame_KeepsItsCookieOverTLS(t *testing.T) {
	d := newDriver(t)
	to := make(chan *url.URL, 1)
	front := httptest.NewUnstartedServer(nil)
	front.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		at := <-to
		to <- at
		httputil.NewSingleHostReverseProxy(at).ServeHTTP(rw, r)
	})
	front.StartTLS()
	t.Cleanup(front.Close)
	w := newWorld(t, func(c *devserver.Config) { c.PublicURL = front.URL })
	at, err := url.Parse(w.Server.URL())
	if err != nil {
		t.Fatal(err)
	}
	to <- at
	host := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = rw.Write([]byte(`<!doctype html><title>Host</title><iframe src="` + r.URL.Query().Get("u") + `"></iframe>`))
	}))
	t.Cleanup(host.Close)
	origin := strings.Replace(host.URL, "127.0.0.1", "localhost", 1)
	clients, err := w.Server.Store().Clients(t.Context())
	if err == nil {
		err = w.Server.Store().Write(t.Context(), func(tx store.Tx) error { return tx.AddFrameOrigin(t.Context(), clients[0].ID, origin, time.Now()) })
	}
	if err != nil {
		t.Fatal(err)
	}
	_, address := w.link(map[string]any{"companies": []string{demoBank}, "origin": origin})
	if !strings.HasPrefix(address, front.URL) {
		t.Fatalf("the link is %s", address)
	}
	p := d.page("mine")
	p.do(map[string]any{"do": "into", "page": p.name, "url": origin + "?u=" + url.QueryEscape(address), "what": "iframe"}, nil)
	p.click("main button")
	p.in("REVIEW")
	if at := p.attribute("#flow", "data-page"); strings.Contains(at, "key=") {
		t.Errorf("the address is %s", at)
	}
	p.click("button[value=other]")
	p.in("QR")
}

// embedder starts a page of a client that embeds the connect page at the address in its
// query, and lists what it hears. It returns its origin.
func (w *world) embedder() string {
	host := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(rw, `<!doctype html><title>Host</title><div id="place"></div><ol id="heard"></ol><script src="%s/connect.js"></script><script>
			SamlaConnect.open({ url: %q, into: document.getElementById("place"), on: (name, value) => {
				const line = document.createElement("li"); line.textContent = name + " " + JSON.stringify(value); line.dataset.name = name; document.getElementById("heard").append(line);
			} });</script>`, w.client.Base, r.URL.Query().Get("u"))
	}))
	w.t.Cleanup(host.Close)
	return strings.Replace(host.URL, "127.0.0.1", "localhost", 1) // another site than ours: its frames get no cookie over http
}

// Only a registered page frames the connect page, and it hears what happens.
func isFramed(t *testing.T, d *driver, w *world) {
	_, address := w.link(map[string]any{"companies": []string{demoBank}})
	ancestors := func() string {
		answer, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		_, policy, _ := strings.Cut(answer.Header.Get("Content-Security-Policy"), "frame-ancestors ")
		return policy + " " + answer.Header.Get("X-Frame-Options")
	}
	if got := ancestors(); got != "'none' DENY" {
		t.Errorf("a link without an origin can be framed by %q", got)
	}
	clients, err := w.Server.Store().Clients(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	register := func(change func(store.Tx) error) {
		if err := w.Server.Store().Write(t.Context(), change); err != nil {
			t.Fatal(err)
		}
	}
	register(func(tx store.Tx) error { return tx.AddFrameOrigin(t.Context(), clients[0].ID, w.host, time.Now()) })
	id, framed := w.link(map[string]any{"companies": []string{demoBank}, "origin": w.host})
	address = framed
	if got := ancestors(); got != w.host+" " {
		t.Errorf("it can be framed by %q", got)
	}
	p := d.page("mine")
	p.do(map[string]any{"do": "into", "page": p.name, "url": w.host + "?u=" + url.QueryEscape(address), "what": "iframe"}, nil)
	p.click("main button")
	p.in("REVIEW")
	if name := p.attribute("html", "class"); name != "framed" {
		t.Errorf("the page in the frame is %q", name)
	}
	p.click("button[value=other]")
	p.in("QR")
	// Somebody who is sent the address of the frame does not get into it.
	state := p.attribute("#flow", "data-page")
	if !strings.Contains(state, "?key=") {
		t.Fatalf("the address is %s", state)
	}
	other := d.page("other")
	other.open(w.client.Base + state)
	other.in("LINK_BROWSER")
	w.scans(p, "approve", "195704289999")
	p.in("DONE")
	p.click("main a.btn-main")
	p.do(map[string]any{"do": "outOf", "page": p.name}, nil)
	for _, heard := range []string{"APP_LOADED", "PAGE_VIEW", "SELECTED_COMPANY", "SELECTED_AUTHENTICATION_METHOD", "COLLECTION_ID", "COLLECTION_STATUS", "RESULTS", "APP_CLOSE"} {
		p.waitFor("li[data-name=" + heard + "]")
	}
	if got := p.text("li[data-name=RESULTS]"); !strings.Contains(got, `"PSD2_CHECKING_ACCOUNT"`) {
		t.Errorf("the host hears %.100s", got)
	}
	if s := w.stands(id); s.Flow.State != "ENDED" && s.Flow.State != "DONE" {
		t.Errorf("%+v", s)
	}
	register(func(tx store.Tx) error { return tx.DeleteFrameOrigin(t.Context(), clients[0].ID, w.host) })
	if got := ancestors(); got != "'none' DENY" {
		t.Errorf("after the origin was taken back it can be framed by %q", got)
	}
}
