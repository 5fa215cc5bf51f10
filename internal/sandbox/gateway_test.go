package sandbox_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"samla/internal/clock"
	"samla/internal/sandbox"
)

// token is a token of the sandbox's application.
func (w *env) token() string {
	w.Helper()
	headers := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", w.GatewayInfo().ApplicationID)
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: w.ApplicationKey()}, headers)
	if err != nil {
		w.Fatal(err)
	}
	now := w.clock.Now().Unix()
	text, err := jwt.Signed(s).Claims(map[string]any{"iss": "enablebanking.com", "aud": "api.enablebanking.com", "iat": now, "exp": now + 600}).Serialize()
	if err != nil {
		w.Fatal(err)
	}
	return text
}

func TestGateway_KnowsTheApplicationOfTheSandbox(t *testing.T) {
	w := start(t, nil)
	info := w.GatewayInfo()
	status, text := w.ask(http.MethodGet, info.BaseURL+"/application", w.token(), "")
	if status != 200 || !strings.Contains(text, info.ApplicationID) {
		t.Errorf("got %d %s", status, text)
	}
	if status, text = w.ask(http.MethodGet, info.BaseURL+"/aspsps?country=SE", w.token(), ""); status != 200 || !strings.Contains(text, "Handelsbanken") {
		t.Errorf("got %d %.200s", status, text)
	}
	if status, _ = w.ask(http.MethodGet, info.BaseURL+"/application", "x", ""); status != 401 {
		t.Errorf("a wrong token got %d", status)
	}
	if status, text = w.ask(http.MethodGet, w.URL()+"/sandbox/enablebanking", "", ""); status != 200 || !strings.Contains(text, `"application":2`) {
		t.Errorf("got %d %s", status, text)
	}
}

func TestGateway_KeepsTheApplicationInDir(t *testing.T) {
	dir := t.TempDir()
	ids := map[string]bool{}
	for range 2 {
		s, err := sandbox.New(sandbox.Config{Clock: clock.NewManual(startTime), Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		ids[s.GatewayInfo().ApplicationID] = true
		pem, err := os.ReadFile(s.GatewayInfo().KeyFile)
		if err != nil || !strings.Contains(string(pem), "PRIVATE KEY") {
			t.Errorf("key: %v", err)
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if len(ids) != 1 {
		t.Errorf("the application has %d ids", len(ids))
	}
}
