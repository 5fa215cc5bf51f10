package conformance_test

import (
	"context"
	"crypto/tls"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/conformance"
	"samla/internal/institution/xs2a"
	"samla/internal/psu"
	"samla/internal/sandbox"
	"samla/internal/sandbox/aspsp"
	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/nordea"
	"samla/internal/sandbox/obie"
	"samla/internal/sandbox/persona"
	"samla/internal/sandbox/pki"
	"samla/internal/visitor"
	"samla/test/qrscan"
)

// The default person has an account, savings and a card; otherPerson is another
// customer.
const (
	maja        = persona.Default
	otherPerson = "194408139089"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestXS2A_ConformsWithSandboxBanks(t *testing.T) {
	for name, c := range sandboxBanks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			company, _, _ := strings.Cut(name, " ")
			conformance.Run(t, func(t *testing.T) conformance.Setup {
				w := newWorld(t, company, judgeOf(t, company, c.profile))
				sendPSUID := true // so that the bank notices another person
				config := xs2a.Config{BaseURL: w.base, Profile: c.profile, Signature: c.signature}
				config.Profile.SendPSUID = &sendPSUID
				if c.more != nil {
					c.more(w, &config)
				}
				setup := conformance.Setup{
					Bank: w.connector(t, config), Now: w.clock.Now, Advance: w.clock.Advance, Act: w.act, Browse: w.browse, Changes: w.changes, Expect: c.expect,
					Person: psu.Context{PersonalNumber: maja, IPAddress: "192.0.2.7", UserAgent: "Test/1.0", Locale: "sv-SE"},
				}
				if c.profile.SecondSigner > 0 {
					setup.CoSign = w.coSign
				}
				return setup
			})
		})
	}
}

// keys returns a folder with certificates. They are created once and copied for each
// test, because the creation of an RSA key takes longer than most tests.
var keys = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "conformance")
	if err == nil {
		_, err = pki.Open(dir, func() time.Time { return noon }, nil)
	}
	return dir, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := keys(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

func copyKeys(t *testing.T) string {
	t.Helper()
	source, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// oracle judges the exchanges with one bank.
type oracle interface {
	Handler(next http.Handler, report func(error)) http.Handler
	Transport(next http.RoundTripper, report func(error)) http.RoundTripper
}

// world is the sandbox of one test, with its own clock and port.
type world struct {
	clock   *clock.Manual
	sandbox *sandbox.Sandbox
	oracle  oracle
	dir     string // of the sandbox's files
	base    string
	company string
	changed atomic.Int64    // requests but GET
	by      consent.Carrier // of what the last browser brought
}

func (w *world) changes() int { return int(w.changed.Load()) }

// counted is a transport that counts the requests that can change something.
type counted struct {
	http.RoundTripper
	n *atomic.Int64
}

func (c counted) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet {
		c.n.Add(1)
	}
	return c.RoundTripper.RoundTrip(r)
}

// only returns those of the banks that are wanted, and a list that is not nil: the
// sandbox takes nil for its own banks.
func only[B any](banks []B, wanted func(B) bool) []B {
	return append([]B{}, slices.DeleteFunc(banks, func(b B) bool { return !wanted(b) })...)
}

func newWorld(t *testing.T, company string, o oracle) *world {
	t.Helper()
	w := &world{clock: clock.NewManual(noon), oracle: o, dir: copyKeys(t), company: company}
	// Only the bank of the test: each of the others would open a journal and pages.
	config := sandbox.Config{
		Clock: w.clock, Dir: w.dir, RedirectURIs: []string{conformance.ReturnTo},
		Banks:  only(slices.Concat(aspsp.DefaultBanks(), aspsp.CrowdBanks(0), aspsp.RedirectBanks()), func(b aspsp.Behaviour) bool { return b.Company == company }),
		Nordea: only([]nordea.Behaviour{nordea.DefaultBank()}, func(b nordea.Behaviour) bool { return b.Company == company }),
		OBIE:   only(obie.DefaultBanks(), func(b obie.Behaviour) bool { return b.Company == company }),
	}
	config.Wrap = func(h http.Handler) http.Handler {
		return w.oracle.Handler(h, func(err error) { t.Errorf("the bank breaks the standard: %v", err) })
	}
	var err error
	w.sandbox, err = sandbox.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.sandbox.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := w.sandbox.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	for _, b := range w.sandbox.Banks() {
		if b.Company == company {
			w.base = b.BaseURL
		}
	}
	return w
}

// deps let the oracle see each exchange of a connector.
func (w *world) deps(t *testing.T) institution.Deps {
	return institution.Deps{Clock: w.clock, Dir: w.dir, Wrap: func(next http.RoundTripper) http.RoundTripper {
		return counted{w.oracle.Transport(next, func(err error) { t.Errorf("the connector breaks the standard: %v", err) }), &w.changed}
	}}
}

func (w *world) connector(t *testing.T, c xs2a.Config) *xs2a.Bank {
	t.Helper()
	qwac, qseal := w.sandbox.TPP()
	b, err := xs2a.New(c, xs2a.Deps{
		Keys: &xs2a.Keys{QWAC: &qwac, QSEAL: &qseal, Roots: w.sandbox.CA().Pool()},
		Deps: w.deps(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.Close()
		if n := b.Unechoed(); n != 0 {
			t.Errorf("%d responses without our X-Request-ID", n)
		}
	})
	return b
}

// act performs an action of the person in the BankID app: it scans the QR code or
// uses the autostart token.
func (w *world) act(t *testing.T, action conformance.Action, i consent.Instructions) {
	t.Helper()
	a := bankid.PhoneAction{AutoStartToken: i.AutoStartToken}
	switch {
	case i.QRData != "":
		a = bankid.PhoneAction{QRData: i.QRData}
	case i.QRImage != "":
		a.AutoStartToken = scan(t, i.QRImage)
	}
	if i == (consent.Instructions{}) {
		a.PersonalNumber = maja // the phone finds the order
	}
	switch action {
	case conformance.Sign:
		a.Action, a.PersonalNumber = bankid.Approve, maja
	case conformance.SignAsOther:
		a.Action, a.PersonalNumber = bankid.Approve, otherPerson
	case conformance.Decline:
		a.Action = bankid.Decline
	case conformance.OpenApp:
		a.Action = bankid.Open
	}
	if _, err := w.sandbox.BankID().Act(a); err != nil {
		t.Fatalf("BankID refuses the action: %v", err)
	}
}

// impatient is a clock on which nobody waits: a timer moves the time.
type impatient struct{ *clock.Manual }

func (c impatient) NewTimer(d time.Duration) clock.Timer {
	t := c.Manual.NewTimer(d)
	c.Advance(d)
	return t
}

// browse lets the person act on a page of the bank, in a browser of its own, until it
// leaves the bank.
func (w *world) browse(t *testing.T, action conformance.Action, page string) url.Values {
	t.Helper()
	p := visitor.Person{Number: maja, Phone: visitor.Approve}
	switch action {
	case conformance.SignAsOther:
		p.SignsAs = otherPerson
	case conformance.Decline:
		p.Phone = visitor.Cancel
	case conformance.Refuse:
		p.Refuse = true
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.sandbox.CA().Pool(), Time: w.clock.Now}}
	defer transport.CloseIdleConnections()
	back, err := visitor.New(transport, impatient{w.clock}, w.sandbox.URL()).Visit(t.Context(), page, p)
	if err != nil {
		t.Fatalf("the person stays on the page: %v", err)
	}
	brought := back.Query()
	fragment, err := url.ParseQuery(back.EscapedFragment()) // where FAPI 1 answers
	if err != nil {
		t.Fatal(err)
	}
	w.by = consent.InQuery
	if len(fragment) > 0 {
		w.by = consent.InFragment
	}
	maps.Copy(brought, fragment)
	return brought
}

// scan returns the autostart token in the image of a QR code
// (docs/reference/banks.md 12.6).
func scan(t *testing.T, image string) string {
	t.Helper()
	u, err := url.Parse(qrscan.Decode(t, image))
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("autostarttoken")
}
