package cases

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"testing"

	"samla/internal/apiclient"
	"samla/internal/clock"
	"samla/internal/collect"
	"samla/internal/deviation"
	"samla/internal/devserver"
	"samla/internal/product"
	"samla/internal/record"
	"samla/test/harness"
	"samla/test/qrscan"
)

// sandboxEnv is a server with the banks of the sandbox.
type sandboxEnv struct {
	*harness.Env
	clock   *clock.Fast
	phone   *apiclient.Phone
	backend harness.Client
}

func newSandbox(t *testing.T) *sandboxEnv {
	t.Helper()
	w := &sandboxEnv{clock: clock.NewFast(sandboxTime, 8)}
	w.Env = suite.Start(t, devserver.Config{Clock: w.clock})
	w.phone = apiclient.NewPhone(w.Sandbox.URL(), w.Sandbox.CAPEM())
	w.phone.HTTP.Transport.(*http.Transport).TLSClientConfig.Time = w.clock.Now
	w.backend = w.WithKey(w.APIKey)
	return w
}

// played is what a collection and the play of its case must have in common.
type played struct {
	status     string
	types      []product.Type
	rows       []int // transactions; -1: none are told
	deviations deviation.Counts
}

// of reads the products of a collection again.
func (o *played) of(t *testing.T, r *collect.Rereader, id string) *collect.Recorded {
	t.Helper()
	all, err := r.Recorded(t.Context(), id)
	if errors.Is(err, collect.ErrNotRereadable) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.Play(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	o.deviations = p.Deviations
	return &all
}

// shows reads the products of a collection as a client gets them.
func (o *played) shows(products any) {
	for _, p := range objects(products) {
		kind, _ := p["type"].(string)
		rows := -1
		if list, is := p["transactions"].([]any); is {
			rows = len(list)
		}
		o.types, o.rows = append(o.types, product.Type(kind)), append(o.rows, rows)
	}
}

func (o *played) equal(other *played) bool {
	same := o.status == other.status && slices.Equal(o.types, other.types) && slices.Equal(o.rows, other.rows) && len(o.deviations) == len(other.deviations)
	for kind, n := range o.deviations {
		same = same && other.deviations[kind] == n
	}
	return same
}

// bank is what the banks file of the sandbox has of a bank.
func (w *sandboxEnv) bank(t *testing.T, company string) record.Bank {
	t.Helper()
	var file struct {
		Banks []struct {
			Company string
			record.Bank
		}
	}
	data, err := os.ReadFile(w.Banks)
	if err == nil {
		err = json.Unmarshal(data, &file)
	}
	for _, b := range file.Banks {
		if b.Company == company {
			return b.Bank
		}
	}
	t.Fatal(company, err)
	return record.Bank{}
}

// collect signs a consent as a person of the sandbox and collects. all is nil if the
// collection has no stored answer.
func (w *sandboxEnv) collect(t *testing.T, company, number string) (all *collect.Recorded, made *played) {
	t.Helper()
	user, _ := w.backend.User(t)
	p := &player{T: t, clock: w.clock, client: w.backend.Session(t, user), company: company}
	method := "SWEDISH_MOBILE_BANKID_SAME_DEVICE"
	if company == "se-sandbox-static" {
		method = loginMethod
	}
	var consent struct{ ConsentID string }
	p.client.Do(t, http.MethodPost, "/consents", map[string]any{"company": company, "loginMethod": method, "parameters": []any{
		map[string]any{"type": "PSD2_AIS_CONSENT", "psuIpAddress": address, "psuLocale": "sv-SE"},
		map[string]any{"type": "SWEDISH_BANKID", "personalNumber": number},
	}}).WantStatus(t, http.StatusCreated, &consent)
	p.consent = consent.ConsentID
	s := p.pollConsent(p.deadline(signingTime), func(s map[string]any) bool { return s["status"] != "INITIATED" })
	shown, _ := s["authInstructions"].(map[string]any)
	token, _ := shown["autoStartToken"].(string)
	if image, is := shown["qrImage"].(string); is && token == "" {
		token = tokenIn(qrscan.Decode(t, image))
	}
	if err := w.phone.Act(t.Context(), "approve", token, "", ""); err != nil {
		t.Fatalf("%v, the consent is %s", err, brief(s))
	}
	if s = p.pollConsent(p.deadline(signingTime), func(s map[string]any) bool { return s["status"] != "AWAITING_AUTHORIZATION" }); s["status"] != "AUTHORIZED" {
		t.Fatalf("the consent is %s", brief(s))
	}
	started := p.startCollection(true).WantStatus(t, http.StatusCreated, nil)
	c := p.readWithin(started, 2*collectionTime)
	made = &played{status: c.status.(string)}
	made.shows(c.products)
	return made.of(t, w.Server.Rereader(), c.id), made
}
