package sandbox_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox"
	"samla/internal/sandbox/aspsp"
	"samla/internal/sandbox/persona"

	"github.com/google/uuid"
)

// Many callers repeat one creation at once: one consent comes of it. Meanwhile
// others walk whole consents. Run with the race detector.
func TestManyAtOnce(t *testing.T) {
	w := open(t, nil)
	p := w.tpp("se-demo-psd2")
	id := uuid.NewString()
	var wg sync.WaitGroup
	got := make([]string, 16)
	for i := range got {
		wg.Go(func() { got[i] = p.call("POST", "consents", allAccounts, "X-Request-ID", id).text("consentId") })
	}
	for _, person := range []string{maja, ester, sten, light} {
		wg.Go(func() {
			id := p.consent(allAccounts, person)
			for range 3 {
				p.call("GET", "accounts", "", "Consent-ID", id).want(200)
			}
			p.call("DELETE", "consents/"+id, "").want(204)
		})
	}
	wg.Go(func() {
		for range 20 {
			w.Stats()
		}
	})
	wg.Wait()
	for _, one := range got {
		if one == "" || one != got[0] {
			t.Fatalf("consents %v", got)
		}
	}
	if s := w.Stats(); s.ConsentsCreated != 5 || s.DuplicateConsents != 0 {
		t.Errorf("%+v", s)
	}
}

// A stopped sandbox frees its address and can be stopped before it starts.
func TestStartStop(t *testing.T) {
	keys, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	s, err := sandbox.New(sandbox.Config{Clock: clock.NewManual(start), Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	if s.URL() != "" || s.Banks()[0].BaseURL != "" {
		t.Error("an address before the start")
	}
	if err := s.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	w := open(t, nil)
	taken := strings.TrimPrefix(w.URL(), "https://")
	again, err := sandbox.New(sandbox.Config{Keys: keys, Listen: taken})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Start(context.Background()); err == nil {
		t.Error("a taken address was had")
	}
	w.stop()
	if err := again.Start(context.Background()); err != nil {
		t.Errorf("the address was not freed: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := again.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// A slow bank is slow on its own clock.
func TestDelay(t *testing.T) {
	slow := aspsp.Shipped()[0]
	slow.Delay = 3 * time.Second
	w := open(t, func(c *sandbox.Config) { c.Banks = []aspsp.Behaviour{slow} })
	p := w.tpp(slow.Company)
	done := make(chan answer)
	go func() { done <- p.call("GET", "consents/nothing", "") }()
	for w.clock.Waiting() == 0 {
		runtime.Gosched()
	}
	select {
	case <-done:
		t.Error("answered before its time")
	default:
	}
	w.clock.Advance(3 * time.Second)
	(<-done).refused(403, "CONSENT_UNKNOWN")
}

// The documentation names every person and every bank.
func TestDocumentation(t *testing.T) {
	doc, err := os.ReadFile("../../docs/sandbox.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range persona.Roster() {
		if !strings.Contains(string(doc), "| `"+p.Number+"` | "+p.Name()+" |") {
			t.Errorf("%s is not documented", p.Name())
		}
	}
	for _, b := range aspsp.Shipped() {
		if !strings.Contains(string(doc), "`"+b.Company+"`") {
			t.Errorf("%s is not documented", b.Company)
		}
	}
}

// No log line holds a personal number, a token or an IBAN.
func TestLogsAreClean(t *testing.T) {
	var log strings.Builder
	var mu sync.Mutex
	w := open(t, func(c *sandbox.Config) {
		c.Logger = slog.New(slog.NewTextHandler(lockedWriter{&mu, &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	p := w.tpp("se-demo-psd2")
	id := p.consent(allAccounts, maja)
	p.call("GET", "accounts", "", "Consent-ID", id).want(200)
	p.call("POST", "consents", "{", "Content-Type", "application/json", "PSU-ID", maja).want(400)
	w.stop()
	mu.Lock()
	defer mu.Unlock()
	for _, secret := range []string{maja, "SE", "bankid.", id} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q: %s", secret, log.String())
		}
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// BenchmarkAccountReads is signed reads over TLS with client and bank in one
// process, the client's RSA signature included.
func BenchmarkAccountReads(b *testing.B) {
	w := open(b, func(c *sandbox.Config) { c.Wrap = nil })
	p := w.tpp("se-demo-psd2")
	id := p.consent(allAccounts, light)
	path := "accounts/" + p.call("GET", "accounts", "", "Consent-ID", id).text("accounts", 0, "resourceId") + "/transactions?bookingStatus=both&dateFrom=2026-01-05"
	for b.Loop() {
		p.call("GET", path, "", "Consent-ID", id).want(200)
	}
}
