// Package cli tests the commands of samla as users run them: the built program, its
// output, its exit status, and how it stops.
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
	timeout      = time.Minute
	pollInterval = 50 * time.Millisecond

	demoCompany = "se-demo-psd2"
	person      = "198412099296" // a test number of Skatteverket
	address     = "192.0.2.1"
)

// onStores runs a test on each store; flags are those that select the store.
func onStores(t *testing.T, test func(t *testing.T, flags []string)) {
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, nil) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, []string{"--database", testpg.URL(t)}) })
}

// timeoutContext returns a context with a timeout that is long enough for a slow machine.
func timeoutContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	t.Cleanup(cancel)
	return ctx
}

// firstLine decodes the first line that a command prints, which must be JSON.
func firstLine(t *testing.T, p *process.Process, into any) {
	t.Helper()
	found, err := p.Out.Await(timeoutContext(t), regexp.MustCompile(`.*\n`))
	if err != nil {
		t.Fatalf("no line was printed: %v\n%s", err, p.Log.Tail())
	}
	if err := json.Unmarshal([]byte(found[0]), into); err != nil {
		t.Fatalf("the first line is %q: %v", found[0], err)
	}
}

// stop sends SIGTERM to a program, which must end with status 0. It limits the time of its stop
// itself, and says by its status that it was not enough.
func stop(t *testing.T, p *process.Process) {
	t.Helper()
	p.Terminate()
	if status := p.Wait(); status != 0 {
		t.Errorf("exit status %d after SIGTERM:\n%s", status, p.Log.Tail())
	}
}

// wantFailure runs a command that must fail with a message that contains text, and must
// print nothing to standard output.
func wantFailure(t *testing.T, text string, args ...string) {
	t.Helper()
	out, log, status := process.Run(t, program, args...)
	if status <= 0 || out != "" || !strings.Contains(log, text) {
		t.Errorf("samla %s: exit status %d, printed %q, error %q; want %q", strings.Join(args, " "), status, out, log, text)
	}
}

// user is a user of a running server, with a session and a phone.
type user struct {
	apiclient.Client
	phone     *apiclient.Phone
	id, token string
}

// newUser creates a user and a session.
func newUser(t *testing.T, api, key string, phone *apiclient.Phone, externalID string) *user {
	t.Helper()
	v := &user{Client: apiclient.Client{Base: api, APIKey: key, HTTP: &http.Client{Timeout: timeout}}, phone: phone}
	u, err := v.CreateUser(t.Context(), externalID)
	if err != nil {
		t.Fatal(err)
	}
	v.id = u.ID
	if v.token, err = v.CreateSession(t.Context(), u.ID); err != nil {
		t.Fatal(err)
	}
	return v
}

// requestConsent creates a consent and waits until the person can sign it.
func (v *user) requestConsent(t *testing.T) (id string, s apiclient.ConsentStatus) {
	t.Helper()
	id, err := v.CreateConsent(t.Context(), v.token, apiclient.ConsentRequest{Company: demoCompany, PersonalNumber: person,
		LoginMethod: "SWEDISH_MOBILE_BANKID_SAME_DEVICE", IPAddress: address, Locale: "sv-SE"})
	if err != nil {
		t.Fatal(err)
	}
	return id, v.awaitConsent(t, id, "AWAITING_AUTHORIZATION")
}

func (v *user) awaitConsent(t *testing.T, id, status string) apiclient.ConsentStatus {
	t.Helper()
	s, err := v.AwaitConsent(timeoutContext(t), clock.System(), v.token, id, pollInterval,
		func(s apiclient.ConsentStatus) bool { return s.Status == status || s.Error != nil })
	if err != nil || s.Status != status {
		t.Fatalf("the consent is %s, want %s: %v", s.Status, status, err)
	}
	return s
}

// approve signs the consent on the phone.
func (v *user) approve(t *testing.T, s apiclient.ConsentStatus) {
	t.Helper()
	if err := v.phone.Act(t.Context(), "approve", s.AuthInstructions.AutoStartToken, "", ""); err != nil {
		t.Fatal(err)
	}
}

// collect runs a collection with a stored consent and returns its data.
func (v *user) collect(t *testing.T, consentID string) (id string, data []byte) {
	t.Helper()
	id, err := v.StartCollection(t.Context(), v.token, demoCompany, consentID, address)
	if err != nil {
		t.Fatal(err)
	}
	status, err := v.AwaitCollection(timeoutContext(t), clock.System(), v.token, id, pollInterval)
	if err != nil || status != "COMPLETED" {
		t.Fatalf("the collection is %s: %v", status, err)
	}
	if data, err = v.Data(t.Context(), v.token, id); err != nil {
		t.Fatal(err)
	}
	return id, data
}

// newPhone returns a phone of the sandbox.
func newPhone(t *testing.T, sandbox, caFile string) *apiclient.Phone {
	t.Helper()
	ca, err := os.ReadFile(caFile)
	if err != nil {
		t.Fatal(err)
	}
	return apiclient.NewPhone(sandbox, ca)
}

func tempPath(t *testing.T, name string) string { return filepath.Join(t.TempDir(), name) }
