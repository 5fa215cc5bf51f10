package conformance_test

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/bgspec"
	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/httpclient/httpsig"
	"samla/internal/institution"
	"samla/internal/institution/conformance"
	"samla/internal/institution/xs2a"
	"samla/internal/psu"
	"samla/internal/sandbox"
	"samla/internal/sandbox/aspsp"
	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/persona"
	"samla/internal/sandbox/pki"
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
	for name, c := range map[string]struct {
		profile   xs2a.Profile
		signature xs2a.Signature
		expect    conformance.Expect
	}{
		"se-demo-psd2": {
			profile: xs2a.Profile{ReplaySafe: true},
			expect:  conformance.Expect{QR: institution.QRText, LongestConsent: 180, Accounts: 3, Cards: 1, Pages: 2, Pending: true},
		},
		"se-sandbox-autostart": {
			profile: xs2a.Profile{ReplaySafe: true, QR: institution.QRNone, NeedsPSUID: true},
			expect:  conformance.Expect{QR: institution.QRNone, LongestConsent: 180, Accounts: 3, Cards: 1, Pages: 2, Pending: true},
		},
		"se-sandbox-static": {
			profile:   xs2a.Profile{ReplaySafe: true, QR: institution.QRImage, BookingStatus: "booked", WithBalance: new(bool)},
			signature: xs2a.Signature{Variant: httpsig.Variant{Headers: []string{"date", "digest", "x-request-id", "psu-id"}}},
			expect:    conformance.Expect{QR: institution.QRImage, LongestConsent: 180, Accounts: 3, Cards: 1, Pages: 20},
		},
		// This bank refuses what the profile does not leave out.
		"se-sandbox-static asked for too much": {
			profile:   xs2a.Profile{ReplaySafe: true, QR: institution.QRImage},
			signature: xs2a.Signature{Variant: httpsig.Variant{Headers: []string{"date", "digest", "x-request-id", "psu-id"}}},
			expect:    conformance.Expect{QR: institution.QRImage, LongestConsent: 180, Accounts: 3, Cards: 1, Pages: 20},
		},
		"se-sandbox-short": {
			profile:   xs2a.Profile{ReplaySafe: true, DailyLimit: 1, FrequencyPerDay: 1, LongestConsent: 30},
			signature: xs2a.Signature{Variant: httpsig.Variant{Digest: "sha-512", Algorithm: "rsa-sha512"}},
			expect:    conformance.Expect{QR: institution.QRText, LongestConsent: 30, Accounts: 3, Pages: 3, Pending: true},
		},
		"se-crowd-local": {
			profile: xs2a.Profile{ReplaySafe: true, QR: institution.QRSecret},
			expect:  conformance.Expect{QR: institution.QRSecret, LongestConsent: 180, Accounts: 3, Cards: 1, Pages: 2, Pending: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			company, _, _ := strings.Cut(name, " ")
			conformance.Run(t, func(t *testing.T) conformance.Setup {
				w := newWorld(t, company, bgspec.New(t, "https://sandbox/"+company))
				sendPSUID := true // so that the bank notices another person
				c.profile.SendPSUID = &sendPSUID
				return conformance.Setup{
					Bank: w.connector(t, c.profile, c.signature), Now: w.clock.Now, Advance: w.clock.Advance, Act: w.act, Expect: c.expect,
					Person: psu.Context{PersonalNumber: maja, IPAddress: "192.0.2.7", UserAgent: "Test/1.0", Locale: "sv-SE"},
				}
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
}

func newWorld(t *testing.T, company string, o oracle) *world {
	t.Helper()
	w := &world{clock: clock.NewManual(noon), oracle: o, dir: copyKeys(t)}
	var err error
	w.sandbox, err = sandbox.New(sandbox.Config{Clock: w.clock, Dir: w.dir, Banks: append(aspsp.DefaultBanks(), aspsp.CrowdBanks(0)...), Wrap: func(h http.Handler) http.Handler {
		return w.oracle.Handler(h, func(err error) { t.Errorf("the bank breaks the standard: %v", err) })
	}})
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
		return w.oracle.Transport(next, func(err error) { t.Errorf("the connector breaks the standard: %v", err) })
	}}
}

func (w *world) connector(t *testing.T, p xs2a.Profile, s xs2a.Signature) *xs2a.Bank {
	t.Helper()
	qwac, qseal := w.sandbox.TPP()
	b, err := xs2a.New(xs2a.Config{
		BaseURL: w.base, Profile: p, Signature: s,
	}, xs2a.Deps{
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
