// Package faulty tests a whole server over banks and sources that hang, drip, are slow,
// answer without end, or break their protocol. It measures what such an institution costs,
// beside a healthy one.
package faulty

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/devserver"
	"samla/internal/institution"
	"samla/internal/sandbox/pki"
	"samla/internal/server"
	"samla/test/harness"
)

var suite = &harness.Suite{Parallel: 64, Now: time.Now}

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }

const personalNumber = "191212121212"

// skipIfShort skips a test that takes many seconds, because banks that are ill do.
func skipIfShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes many seconds")
	}
}

// env is a server with banks, in real time.
type env struct {
	*harness.Env
	user  harness.Client // with a session of a user
	banks map[string]*bank
}

// start starts a server with a bank for each company. change changes its configuration.
func start(t *testing.T, database string, change func(*server.Config), companies ...string) *env {
	t.Helper()
	dir := t.TempDir()
	certs, err := pki.Open(dir, time.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := &env{Env: harness.NewEnv(t, &devserver.Environment{Institutions: institution.Set{}}), banks: map[string]*bank{}}
	var entries []map[string]any
	for _, company := range companies {
		b := startBank(t, company, certs)
		e.banks[company] = b
		entries = append(entries, map[string]any{"company": company, "displayName": company, "baseURL": b.url,
			"loginMethods": []string{bankIDMethod}, "profile": map[string]any{"pollInterval": "100ms"},
			"certificates": harness.Certificates()})
	}
	e.serve(t, dir, database, clock.System(), change, entries)
	return e
}

// serve starts the server with these institutions, and creates a user.
func (e *env) serve(t *testing.T, dir, database string, clk clock.Clock, change func(*server.Config), entries []map[string]any) {
	t.Helper()
	e.Log.Secret("a personal number", personalNumber)
	var err error
	if e.Institutions, err = e.OpenBanks(filepath.Join(dir, "banks.json"), clk, entries...); err != nil {
		t.Fatal(err)
	}
	if database == "" {
		database = t.TempDir()
	}
	config := server.Config{Database: database}
	if change != nil {
		change(&config)
	}
	t.Cleanup(func() { e.Log.CheckSecrets(t) })
	e.StartServer(t, config, clk)
	client := e.Tenant(t, "faulty")
	user, _ := client.User(t)
	e.user = client.Session(t, user)
}

// bankIDMethod is the login method of all institutions here.
const bankIDMethod = "SWEDISH_MOBILE_BANKID_OTHER_DEVICE"

// createConsent asks for a consent at a company.
func (e *env) createConsent(t *testing.T, company string) (id string) {
	t.Helper()
	var made struct{ ConsentID string }
	e.user.Do(t, http.MethodPost, "/consents", map[string]any{"company": company, "loginMethod": bankIDMethod, "parameters": []any{
		map[string]any{"type": "PSD2_AIS_CONSENT", "psuIpAddress": "192.0.2.7", "psuLocale": "sv-SE"},
		map[string]any{"type": "SWEDISH_BANKID", "personalNumber": personalNumber},
	}}).WantStatus(t, http.StatusCreated, &made)
	return made.ConsentID
}

// sign returns an authorized consent at a company.
func (e *env) sign(t *testing.T, company string) (id string) {
	t.Helper()
	id = e.createConsent(t, company)
	if status := e.wait(t, "/consents/"+id+"/status", 20*time.Second, "INITIATED", "AWAITING_AUTHORIZATION"); status != "AUTHORIZED" {
		t.Fatalf("the consent at %s is %s", company, status)
	}
	return id
}

// collect starts a collection under a consent.
func (e *env) collect(t *testing.T, company, consent string, attended bool) (id string) {
	t.Helper()
	stored := map[string]any{"type": "STORED_CONSENT", "consentId": consent}
	if attended {
		stored["psuIpAddress"] = "192.0.2.7"
	}
	var made struct{ ID string }
	e.user.Do(t, http.MethodPost, "/collections", map[string]any{"company": company, "parameters": []any{stored}}).WantStatus(t, http.StatusCreated, &made)
	return made.ID
}

// wait polls a status until it is none of these, at most for a time, and returns it.
func (e *env) wait(t *testing.T, path string, most time.Duration, while ...string) string {
	t.Helper()
	end := time.Now().Add(most)
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		var s struct{ Status string }
		e.user.Do(t, http.MethodGet, path, nil).WantStatus(t, http.StatusOK, &s)
		if !slices.Contains(while, s.Status) || time.Now().After(end) {
			return s.Status
		}
		time.Sleep(pause)
	}
}

// waitCollection polls a collection until it has ended, at most for a time.
func (e *env) waitCollection(t *testing.T, id string, most time.Duration) string {
	t.Helper()
	return e.wait(t, "/collections/"+id+"/status", most, "RUNNING", "LOGIN", "COLLECTING")
}
