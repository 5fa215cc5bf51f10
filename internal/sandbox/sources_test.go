package sandbox_test

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"samla/internal/sandbox"
	"samla/internal/sandbox/pki"
	"samla/internal/sandbox/source"

	"github.com/google/uuid"
)

// ask makes a request of the source protocol, with a client certificate if there is one.
func (w *env) ask(method, url, secret, body string, client ...tls.Certificate) (int, string) {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), method, url, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Request-Id", uuid.NewString())
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.CA().Pool(), Certificates: client, MinVersion: tls.VersionTLS12, Time: w.clock.Now}}
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestSources_LetInWhoHasTheCredentials(t *testing.T) {
	w := start(t, nil)
	qwac, _ := w.TPP()
	otherCA, err := pki.NewCA("other CA", w.clock.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := otherCA.Issue(pki.QWAC())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range w.Sources() {
		url := s.BaseURL + "/v1/institutions"
		for name, c := range map[string]struct {
			secret     string
			client     []tls.Certificate
			credential string // that lets it in
		}{
			"nothing": {}, "secret": {secret: w.SourceSecret(), credential: source.BearerSecret}, "another secret": {secret: "x"},
			"certificate": {client: []tls.Certificate{qwac}, credential: source.ClientCertificate}, "certificate of another CA": {client: []tls.Certificate{foreign}},
		} {
			status, text := w.ask("GET", url, c.secret, "", c.client...)
			if want := map[bool]int{true: 200, false: 401}[c.credential == s.Credential]; status != want || status == 200 && !strings.Contains(text, `"`+s.ID+`"`) {
				t.Errorf("%s, %s: %d %s", s.ID, name, status, text)
			}
		}
	}
}

// A restart on the same directory keeps the secret and the sessions.
func TestRestart_KeepsSourcesAndTheirSecret(t *testing.T) {
	dir := t.TempDir()
	w := start(t, func(c *sandbox.Config) { c.Dir, c.Keys = dir, nil })
	base, secret := w.Sources()[0].BaseURL+"/v1/", w.SourceSecret()
	status, text := w.ask("POST", base+"sessions", secret, `{"institution":"se-demo","loginMethod":"SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK","personalNumber":"200004010000"}`)
	var got struct{ Session string }
	if status != 201 || json.Unmarshal([]byte(text), &got) != nil || got.Session == "" {
		t.Fatalf("%d %s", status, text)
	}
	if stored, err := os.ReadFile(w.SourceSecretFile()); err != nil || string(stored) != secret+"\n" {
		t.Errorf("%v", err)
	}
	if info, err := os.Stat(w.SourceSecretFile()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	w, _ = w.reopen(dir, false)
	if w.SourceSecret() != secret {
		t.Error("the secret has changed")
	}
	if status, text := w.ask("GET", base+"sessions/"+got.Session+"/turn", secret, ""); status != 200 || !strings.Contains(text, "WAIT") {
		t.Errorf("%d %s", status, text)
	}
}

func TestIndex_ListsSourcesAndTheirPersons(t *testing.T) {
	w := start(t, nil)
	_, text := w.ask("GET", w.URL()+"/", "", "")
	for _, p := range source.Persons() {
		if !strings.Contains(text, p.Who) || !strings.Contains(text, p.Company) {
			t.Errorf("%s is not listed", p.Shows)
		}
	}
}
