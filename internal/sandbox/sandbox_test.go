package sandbox_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/clock/clocktest"
	"samla/internal/sandbox"
	"samla/internal/sandbox/aspsp"
	"samla/internal/sandbox/nordea"
	"samla/internal/sandbox/persona"

	"github.com/google/uuid"
)

// Many callers repeat the same creation at the same time: they get one consent.
// Other callers run whole flows meanwhile. Run with the race detector.
func TestConsent_ConcurrentCreationsReturnOneConsent(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-psd2")
	id := uuid.NewString()
	var wg sync.WaitGroup
	got := make([]string, 16)
	for i := range got {
		wg.Go(func() { got[i] = p.call("POST", "consents", allAccounts, "X-Request-ID", id).text("consentId") })
	}
	for _, person := range []string{maja, ester, sten, tim} {
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

// Stop frees the address, and may be called before Start.
func TestStop_FreesAddress(t *testing.T) {
	keys, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	s, err := sandbox.New(sandbox.Config{Clock: clock.NewManual(startTime), Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	if s.URL() != "" || s.Banks()[0].BaseURL != "" {
		t.Error("the sandbox has an address before Start")
	}
	if err := s.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	w := start(t, nil)
	used := strings.TrimPrefix(w.URL(), "https://")
	again, err := sandbox.New(sandbox.Config{Keys: keys, Listen: used})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Start(context.Background()); err == nil {
		t.Error("Start succeeded on an address in use")
	}
	w.stop()
	if err := again.Start(context.Background()); err != nil {
		t.Errorf("the address is still in use: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := again.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// Behaviour.Delay uses the sandbox's clock.
func TestDelay_UsesClock(t *testing.T) {
	slow := aspsp.DefaultBanks()[0]
	slow.Delay = 3 * time.Second
	w := start(t, func(c *sandbox.Config) { c.Banks = []aspsp.Behaviour{slow} })
	p := w.tpp(slow.Company)
	done := make(chan response)
	go func() { done <- p.call("GET", "consents/nothing", "") }()
	clocktest.Waiting(t, w.clock, 1, "the delay")
	select {
	case <-done:
		t.Error("the bank answered before the delay was over")
	default:
	}
	w.clock.Advance(3 * time.Second)
	(<-done).wantError(403, "CONSENT_UNKNOWN")
}

func TestDocumentation_ListsEveryPersonAndBank(t *testing.T) {
	doc, err := os.ReadFile("../../docs/sandbox.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range persona.All() {
		if !strings.Contains(string(doc), "| `"+p.Number+"` | "+p.Name()+" |") {
			t.Errorf("%s is not documented", p.Name())
		}
	}
	words := []string{nordea.DefaultBank().Company, sandbox.NordeaClientID}
	for _, b := range aspsp.DefaultBanks() {
		words = append(words, b.Company)
	}
	for _, d := range nordea.Deviations() {
		words = append(words, string(d))
	}
	for _, word := range words {
		if !strings.Contains(string(doc), "`"+word+"`") {
			t.Errorf("%s is not documented", word)
		}
	}
}

func TestLog_ContainsNoSecrets(t *testing.T) {
	var log strings.Builder
	var mu sync.Mutex
	w := start(t, func(c *sandbox.Config) {
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
			t.Errorf("the log contains %q: %s", secret, log.String())
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

// BenchmarkAccountReads measures signed reads over TLS with client and bank in one
// process. It includes the client's RSA signature.
func BenchmarkAccountReads(b *testing.B) {
	w := start(b, func(c *sandbox.Config) { c.Wrap = nil })
	p := w.tpp("se-demo-psd2")
	id := p.consent(allAccounts, tim)
	path := "accounts/" + p.call("GET", "accounts", "", "Consent-ID", id).text("accounts", 0, "resourceId") + "/transactions?bookingStatus=both&dateFrom=2026-01-05"
	for b.Loop() {
		p.call("GET", path, "", "Consent-ID", id).want(200)
	}
}
