package xs2a_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/institution"
	"samla/internal/institution/xs2a"
	"samla/internal/sandbox/pki"
)

// The operator is told the cause of a failure of TLS, over a real connection.
func TestTransportError_HasTheReason(t *testing.T) {
	set, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	other, err := pki.NewCA("another", func() time.Time { return noon }, nil)
	if err != nil {
		t.Fatal(err)
	}
	unknown, err := other.Issue(pki.QWAC())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{set.Server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: set.CA.Pool()}
	server.StartTLS()
	defer server.Close()
	for name, c := range map[string]struct {
		url  string
		keys xs2a.Keys
		late bool // our certificate expires after the start
		kind institution.ErrorKind
		want institution.Reason
	}{
		"unknown authority": {keys: xs2a.Keys{QWAC: &set.QWAC, Roots: other.Pool()}, kind: institution.Unreachable, want: institution.ServerCertificateUntrusted},
		"our authority":     {keys: xs2a.Keys{QWAC: &unknown, Roots: set.CA.Pool()}, kind: institution.CertificateRejected, want: institution.OurCertificateUntrusted},
		"nothing listens": {url: "https://127.0.0.1:1", keys: xs2a.Keys{QWAC: &set.QWAC, Roots: set.CA.Pool()},
			kind: institution.Unreachable, want: institution.ConnectionRefused},
		"expired": {keys: xs2a.Keys{QWAC: &set.QWAC, Roots: set.CA.Pool()}, late: true, kind: institution.Unreachable, want: institution.ServerCertificateExpired},
	} {
		clk := clock.NewManual(noon)
		url := c.url
		if url == "" {
			url = server.URL
		}
		c.keys.QSEAL = &set.QSEAL
		bank, err := xs2a.New(demoConfig(url), xs2a.Deps{Deps: institution.Deps{Clock: clk}, Keys: &c.keys})
		if err != nil {
			t.Fatal(name, err)
		}
		if c.late {
			clk.Advance(9 * 365 * 24 * time.Hour)
		}
		_, err = bank.Consent(t.Context(), institution.Access{ConsentID: "c1"})
		if institution.KindOf(err) != c.kind || institution.ReasonOf(err) != c.want {
			t.Errorf("%s: got %v", name, err)
		}
		bank.Close()
	}
}

func TestErrorResponse_HasTheReasonOfACertificateCode(t *testing.T) {
	for code, want := range map[string]institution.Reason{
		"CERTIFICATE_EXPIRED": institution.OurCertificateExpired, "CERTIFICATE_REVOKED": institution.OurCertificateRejected,
		"SIGNATURE_INVALID": institution.OurSignatureRejected, "ROLE_INVALID": institution.OurRoleRejected, "CONSENT_EXPIRED": "",
	} {
		s := newScriptedBank(t, nil, responds(401, `{"tppMessages":[{"category":"ERROR","code":"`+code+`"}]}`))
		_, err := s.Consent(t.Context(), institution.Access{ConsentID: "c1"})
		if got := institution.ReasonOf(err); got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
}
