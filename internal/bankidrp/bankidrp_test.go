package bankidrp

import (
	"errors"
	"strings"
	"testing"

	"samla/internal/bankidmsg"
	"samla/internal/clock"
	"samla/internal/httpclient"
	"samla/internal/sandbox"
	"samla/internal/sandbox/bankid"
)

const maja = "198412099296"

// env is a client of the sandbox's BankID; a stranger has no certificate.
func env(t *testing.T, stranger bool) (*Client, *sandbox.Sandbox) {
	t.Helper()
	s, err := sandbox.New(sandbox.Config{Dir: t.TempDir(), Clock: clock.System()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop(t.Context()) })
	files := Files{URL: s.URL() + "/rp/v6.0", Certificate: s.TPPFiles().QWAC, Key: s.TPPFiles().QWACKey, CA: s.CAFile()}
	c, err := Open(files, clock.System().Now)
	if err == nil && stranger {
		roots, _ := httpclient.LoadRoots(files.CA)
		c, err = New(httpclient.Config{BaseURL: files.URL, Roots: roots})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, s
}

// A person scans the code and approves; who it was is told once.
func TestClient_IdentifiesOnce(t *testing.T) {
	c, s := env(t, false)
	order, err := c.Identify(t.Context(), Identification{Address: "192.0.2.7", Visible: "Sign in"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Collect(t.Context(), order.Ref)
	if err != nil || r.Status != Pending || r.Hint != "outstandingTransaction" || r.PersonalNumber != "" {
		t.Fatalf("%+v, %v", r, err)
	}
	now := clock.System().Now()
	if _, err := s.BankID().Act(bankid.PhoneAction{Action: bankid.Approve, QRData: bankidmsg.QRText(order.QRStartToken, order.QRStartSecret, now, now), PersonalNumber: maja}); err != nil {
		t.Fatal(err)
	}
	if r, err = c.Collect(t.Context(), order.Ref); err != nil || r != (Result{Status: Complete, PersonalNumber: maja, Address: "192.0.2.7"}) {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err = c.Collect(t.Context(), order.Ref); CodeOf(err) != InvalidParameters {
		t.Errorf("a second time: %v", err)
	}
}

func TestClient_CancelsAndIsRefused(t *testing.T) {
	c, _ := env(t, false)
	order, err := c.Identify(t.Context(), Identification{Address: "192.0.2.7"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Cancel(t.Context(), order.Ref); err != nil {
		t.Fatal(err)
	}
	if r, err := c.Collect(t.Context(), order.Ref); err != nil || r != (Result{Status: Failed, Hint: "cancelled"}) {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := c.Identify(t.Context(), Identification{Address: "nowhere"}); CodeOf(err) != InvalidParameters {
		t.Errorf("%v", err)
	}
	stranger, _ := env(t, true)
	if _, err := stranger.Identify(t.Context(), Identification{Address: "192.0.2.7"}); err == nil {
		t.Error("without a certificate")
	}
}

func FuzzParse_TakesNobodyForAPerson(f *testing.F) {
	for _, text := range []string{`{"orderRef":"r","status":"complete","completionData":{"user":{"personalNumber":"198412099296"},"device":{"ipAddress":"192.0.2.1"}}}`,
		`{"orderRef":"r","status":"complete","completionData":{"user":{"personalNumber":""}}}`, `{"orderRef":"s","status":"pending"}`, `{"orderRef":"r","status":"done"}`,
		`{"orderRef":"r","status":"pending","completionData":{"user":{"personalNumber":"198412099296"}}}`, `[]`, `{"orderRef":"r","autoStartToken":"a","qrStartToken":"q","qrStartSecret":"s"}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := parseResult(text, "r")
		if (r.PersonalNumber != "") != (err == nil && r.Status == Complete) || r.PersonalNumber != "" && len(r.PersonalNumber) != 12 {
			t.Errorf("%+v, %v", r, err)
		}
		if err != nil && (!errors.Is(err, ErrAnswer) || strings.Contains(err.Error(), "1984")) {
			t.Error(err)
		}
		if o, err := parseOrder(text); err == nil && (o.Ref == "" || o.QRStartSecret == "") {
			t.Errorf("%+v", o)
		}
	})
}
