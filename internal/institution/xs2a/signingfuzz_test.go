package xs2a

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/sandbox/pki"
)

var fuzzWay = institution.Way{State: "st-8a41", Return: "https://samla.example/callback/b", OnceReturn: "https://samla.example/callback/b/st-8a41",
	Verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}

// counter answers every request with one body, and counts token requests and others that
// change something.
type counter struct {
	mu      sync.Mutex
	changes int
	body    string
}

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet {
		c.mu.Lock()
		c.changes++
		c.mu.Unlock()
	}
	return &http.Response{StatusCode: 200, ProtoMajor: 2, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(c.body)),
		ContentLength: int64(len(c.body)), Request: r}, nil
}

const fuzzServer = `{"issuer":"https://bank.example","authorization_endpoint":"https://bank.example/a","token_endpoint":"https://bank.example/t",
	"access_token":"at","token_type":"Bearer","scaStatus":"started"}`

func fuzzBank(f testing.TB, sca string) (*Bank, *counter) {
	f.Helper()
	at := func() time.Time { return time.Unix(1795348800, 0) }
	set, err := pki.Open("", at, nil)
	if err != nil {
		f.Fatal(err)
	}
	seen := &counter{body: fuzzServer}
	c := Config{BaseURL: "https://bank.example/psd2", Signature: Signature{None: true}, Profile: Profile{SCA: sca}}
	b, err := New(c, Deps{Keys: &Keys{QWAC: &set.QWAC}, Deps: institution.Deps{Clock: clock.NewManual(at()), Wrap: func(http.RoundTripper) http.RoundTripper { return seen }}})
	if err != nil {
		f.Fatal(err)
	}
	return b, seen
}

// A person is sent to an https address only, whatever the bank writes, and what is kept of
// the start is read again as it was.
func FuzzLead(f *testing.F) {
	f.Add([]byte(`{"_links":{"scaRedirect":{"href":"https://l.example/sca?a=b"},"scaStatus":"/psd2/v1/consents/c1/authorisations/a1","confirmation":"/x y"}}`))
	f.Add([]byte(`{"_links":{"scaOAuth":"https://bank.example/m","confirmation":{"href":"https://other.example/"}}}`))
	f.Add([]byte(`{"_links":{"scaRedirect":"javascript:alert(1)"}}`))
	f.Add([]byte(`{"_links":{"scaRedirect":"https://l.example/","confirmation":"/a\\tb"}}`))
	b, _ := fuzzBank(f, scaRedirect)
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := documentOf(response{body: body})
		if err != nil {
			return
		}
		a := b.authorisation(d, response{}, "sv-SE", true)
		if b.lead(t.Context(), d, &a, "c1", fuzzWay) != nil || a.Instructions == nil || a.Instructions.RedirectURL == "" {
			return
		}
		page, err := url.Parse(a.Instructions.RedirectURL)
		if err != nil || page.Scheme != "https" && page.Scheme != "http" || page.Host == "" || page.User != nil ||
			page.Scheme == "http" && page.Hostname() != "localhost" && !strings.HasPrefix(page.Hostname(), "127.") && page.Hostname() != "::1" {
			t.Errorf("a page at %q", a.Instructions.RedirectURL)
		}
		if !page.Query().Has("state") {
			t.Error("a page without a state")
		}
		if kept := trailOf(a.StatusLink); kept.String() != a.StatusLink {
			t.Errorf("kept %q, read %q", a.StatusLink, kept)
		}
	})
}

func FuzzTrail(f *testing.F) {
	f.Add("/v1/consents/c/authorisations/a confirm=/x oauth=https://b.example/m")
	f.Add(" confirm= oauth=")
	f.Fuzz(func(t *testing.T, text string) {
		once := trailOf(text)
		if again := trailOf(once.String()); again != once {
			t.Errorf("%+v, then %+v", once, again)
		}
	})
}

// Whatever a browser brings, nothing is exchanged without our state, and a state of
// somebody else fails.
func FuzzComplete(f *testing.F) {
	f.Add("code=c&state=st-8a41", true, false)
	f.Add("code=c&state=st-other", true, true)
	f.Add("confirmationCode=c&state=st-8a41", false, true)
	f.Add("step=confirm", true, true)
	f.Add("nok=1", false, false)
	b, seen := fuzzBank(f, scaRedirect)
	f.Fuzz(func(t *testing.T, query string, byCode, confirms bool) {
		brought, _ := url.ParseQuery(query)
		kept := trail{status: "/psd2/v1/consents/c1/authorisations/a1", byCode: byCode, server: "https://bank.example/m", confirms: confirms}
		seen.changes = 0
		got, err := b.Complete(t.Context(), institution.Completion{RequestID: "5f3c2d7e-9a41-4b8e-8c06-2f1d7a90b3e4", ConsentID: "c1",
			AuthorizationID: "a1", Link: kept.String(), Way: fuzzWay, Brought: brought})
		if err != nil {
			t.Fatal(err)
		}
		states := brought["state"]
		ours := len(states) == 1 && states[0] == fuzzWay.State
		if seen.changes > 1 || seen.changes == 1 && !ours {
			t.Errorf("%d requests that change something", seen.changes)
		}
		if foreign := len(states) > 0 && !ours && strings.Join(states, "") != ""; foreign && got.State != institution.AuthorizationFailed {
			t.Errorf("a foreign state: %+v", got)
		}
		if (got.Tokens != nil) && !(byCode && ours) {
			t.Errorf("tokens: %+v", got)
		}
		if got.State == institution.AuthorizationFailed && got.Failure == "" {
			t.Error("a failure without a reason")
		}
	})
}

// What is chosen was offered.
func FuzzScaMethods(f *testing.F) {
	f.Add([]byte(`{"scaMethods":[{"authenticationType":"PUSH_OTP","authenticationMethodId":"m","name":"BankID","_links":{"authorization":[{"href":"/x"}]}},1]}`), "bankid")
	f.Add([]byte(`{"scaMethods":{"authenticationMethodId":7},"chosenScaMethod":null}`), "")
	b := &Bank{}
	f.Fuzz(func(t *testing.T, body []byte, preferred string) {
		d, err := documentOf(response{body: body})
		if err != nil {
			return
		}
		methods := d.offered()
		if len(methods) == 0 {
			return
		}
		b.wire.methods = []string{preferred}
		chosen, found := b.choose(methods, true), false
		for _, m := range methods {
			found = found || m == chosen
		}
		if !found || chosen.id == "" && chosen.link == "" {
			t.Errorf("chosen %+v", chosen)
		}
	})
}

// Tokens whose scope names our consent are for it, and those that name only others are not.
func FuzzGrantsOther(f *testing.F) {
	f.Add("AIS:c1 offline_access", "c1")
	f.Add("ais:c2", "c1")
	f.Fuzz(func(t *testing.T, scope, id string) {
		s := &server{}
		other := s.grantsOther(scope, consent.RemoteID(id))
		for word := range strings.FieldsSeq(scope) {
			if strings.EqualFold(word, "AIS:"+id) && id != "" && other {
				t.Error("our own consent is another")
			}
		}
		if other && !strings.Contains(strings.ToLower(scope), "ais:") {
			t.Error("a scope without a consent names another")
		}
	})
}
