package browser

import (
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
