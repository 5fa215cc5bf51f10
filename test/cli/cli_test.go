// Package cli tests the commands of samla as a user has them: the built program,
// its output, its exit status, and how it ends.
package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"samla/internal/apiclient"
	"samla/internal/clock"
	"samla/internal/testpg"
	"samla/test/process"
)

var program string

func TestMain(m *testing.M) { os.Exit(process.Main(m, &program)) }

const (
	stopWithin = 10 * time.Second // of SIGTERM
	patience   = time.Minute
	poll       = 50 * time.Millisecond

	demoCompany = "se-demo-psd2"
	person      = "198412099296" // one of Skatteverket's test numbers
	address     = "192.0.2.1"
)

// overStores runs a test on each store; flags choose it.
func overStores(t *testing.T, test func(t *testing.T, flags []string)) {
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, nil) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, []string{"--database", testpg.URL(t)}) })
}

// within is a time limit that tells a hanging program from a slow machine.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// line is the first line of JSON that a command prints.
func line(t *testing.T, p *process.Process, into any) {
	t.Helper()
	found, err := p.Out.Await(within(t), regexp.MustCompile(`.*\n`))
	if err != nil {
		t.Fatalf("no line was printed: %v\n%s", err, p.Log.Tail())
	}
	if err := json.Unmarshal([]byte(found[0]), into); err != nil {
		t.Fatalf("the first line is %q: %v", found[0], err)
	}
}

// stop ends a program with SIGTERM, which takes less than ten seconds and is no
// failure.
func stop(t *testing.T, p *process.Process) {
	t.Helper()
	asked := time.Now()
	p.Terminate()
	if status := p.Wait(); status != 0 {
		t.Errorf("exit status %d after SIGTERM:\n%s", status, p.Log.Tail())
	}
	if took := time.Since(asked); took > stopWithin {
		t.Errorf("the stop took %v", took)
	}
}

// fails runs a command that must refuse, saying why, and prints nothing.
func fails(t *testing.T, because string, args ...string) {
	t.Helper()
	out, log, status := process.Run(t, program, args...)
	if status <= 0 || out != "" || !strings.Contains(log, because) {
		t.Errorf("samla %s: exit status %d, printed %q, said %q; want %q", strings.Join(args, " "), status, out, log, because)
	}
}

// visit is one user of a running API.
type visit struct {
	apiclient.Client
	phone         *apiclient.Phone
	userID, token string
}

// visitor makes a user and a session.
func visitor(t *testing.T, api, key string, phone *apiclient.Phone, externalID string) *visit {
	t.Helper()
	v := &visit{Client: apiclient.Client{Base: api, APIKey: key, HTTP: &http.Client{Timeout: patience}}, phone: phone}
	u, err := v.CreateUser(t.Context(), externalID)
	if err != nil {
		t.Fatal(err)
	}
	v.userID = u.ID
	if v.token, err = v.CreateSession(t.Context(), u.ID); err != nil {
		t.Fatal(err)
	}
	return v
}

// ask asks for a consent and waits until there is something to act on.
func (v *visit) ask(t *testing.T) (id string, s apiclient.ConsentStatus) {
	t.Helper()
	id, err := v.CreateConsent(t.Context(), v.token, apiclient.ConsentRequest{Company: demoCompany, PersonalNumber: person,
		LoginMethod: "SWEDISH_MOBILE_BANKID_SAME_DEVICE", IPAddress: address, Locale: "sv-SE"})
	if err != nil {
		t.Fatal(err)
	}
	return id, v.await(t, id, "AWAITING_AUTHORIZATION")
}

func (v *visit) await(t *testing.T, id, status string) apiclient.ConsentStatus {
	t.Helper()
	s, err := v.AwaitConsent(within(t), clock.System(), v.token, id, poll,
		func(s apiclient.ConsentStatus) bool { return s.Status == status || s.Error != nil })
	if err != nil || s.Status != status {
		t.Fatalf("the consent is %s, want %s: %v", s.Status, status, err)
	}
	return s
}

// approve signs on the phone.
func (v *visit) approve(t *testing.T, s apiclient.ConsentStatus) {
	t.Helper()
	if err := v.phone.Act(t.Context(), "approve", s.AuthInstructions.AutoStartToken, "", ""); err != nil {
		t.Fatal(err)
	}
}

// collect collects with a consent and returns the data.
func (v *visit) collect(t *testing.T, consentID string) (id string, data []byte) {
	t.Helper()
	id, err := v.StartCollection(t.Context(), v.token, demoCompany, consentID, address)
	if err != nil {
		t.Fatal(err)
	}
	status, err := v.AwaitCollection(within(t), clock.System(), v.token, id, poll)
	if err != nil || status != "COMPLETED" {
		t.Fatalf("the collection is %s: %v", status, err)
	}
	if data, err = v.Data(t.Context(), v.token, id); err != nil {
		t.Fatal(err)
	}
	return id, data
}

// phoneAt is the phone of a sandbox.
func phoneAt(t *testing.T, sandbox, caFile string) *apiclient.Phone {
	t.Helper()
	ca, err := os.ReadFile(caFile)
	if err != nil {
		t.Fatal(err)
	}
	return apiclient.NewPhone(sandbox, ca)
}

func in(t *testing.T, name string) string { return filepath.Join(t.TempDir(), name) }
