package httpclient_test

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"samla/internal/httpclient"
	"samla/internal/sandbox/pki"
)

// Each cause is told apart by the operator, over each protocol: the alert about our
// certificate comes at another point of the exchange in each of them.
func TestDo_TellsCertificateFaultsApart(t *testing.T) {
	other, err := pki.NewCA("another", func() time.Time { return noon }, nil)
	if err != nil {
		t.Fatal(err)
	}
	unknown, err := other.Issue(pki.QWAC())
	if err != nil {
		t.Fatal(err)
	}
	spec := pki.QWAC()
	spec.NotAfter = noon.Add(-time.Hour)
	expired, err := certificates().CA.Issue(spec)
	if err != nil {
		t.Fatal(err)
	}
	otherAddress := func(s *httptest.Server) { // the certificate is for 127.0.0.1
		l, err := net.Listen("tcp", "127.0.0.2:0")
		if err != nil {
			t.Skip("no second loopback address:", err)
		}
		_ = s.Listener.Close()
		s.Listener = l
	}
	rejecting := func(s *httptest.Server) { // for any reason
		s.TLS.VerifyPeerCertificate = nil
		s.TLS.ClientAuth = tls.RequireAnyClientCert
		s.TLS.VerifyConnection = func(tls.ConnectionState) error { return errors.New("blocked") }
	}
	for name, c := range map[string]struct {
		server func(*httptest.Server)
		change func(*httpclient.Config)
		want   httpclient.Kind
	}{
		"the partner's has expired": {change: func(c *httpclient.Config) { c.Now = func() time.Time { return noon.AddDate(9, 0, 0) } },
			want: httpclient.ServerCertificateExpired},
		"the partner's is not valid yet": {change: func(c *httpclient.Config) { c.Now = func() time.Time { return noon.AddDate(-9, 0, 0) } },
			want: httpclient.ServerCertificateExpired},
		"the partner's has another name": {server: otherAddress, want: httpclient.ServerCertificateOtherName},
		"the partner's is not trusted":   {change: func(c *httpclient.Config) { c.Roots = other.Pool() }, want: httpclient.ServerCertificateUntrusted},
		"ours has expired":               {change: func(c *httpclient.Config) { c.Certificate = &expired }, want: httpclient.CertificateExpired},
		"ours is not trusted":            {change: func(c *httpclient.Config) { c.Certificate = &unknown }, want: httpclient.CertificateUntrusted},
		"ours is missing":                {change: func(c *httpclient.Config) { c.Certificate = nil }, want: httpclient.CertificateRejected},
		"ours is rejected":               {server: rejecting, want: httpclient.CertificateRejected},
		"ours is rejected and has expired": {server: rejecting, change: func(c *httpclient.Config) { c.Certificate = &expired },
			want: httpclient.CertificateExpired},
	} {
		for protocol, set := range map[string]func(*httptest.Server){
			"TLS 1.3, HTTP/2":   func(*httptest.Server) {},
			"TLS 1.3, HTTP/1.1": func(s *httptest.Server) { s.EnableHTTP2 = false },
			"TLS 1.2, HTTP/1.1": func(s *httptest.Server) { s.EnableHTTP2, s.TLS.MaxVersion = false, tls.VersionTLS12 },
		} {
			t.Run(name+"/"+protocol, func(t *testing.T) {
				t.Parallel()
				server := c.server
				if server == nil {
					server = func(*httptest.Server) {}
				}
				settings := config(partner(t, func(http.ResponseWriter, *http.Request) {}, set, server).URL)
				if c.change != nil {
					c.change(&settings)
				}
				for range 3 { // whichever side is faster
					if _, err := do(t, client(t, settings), http.MethodPost); err == nil || httpclient.KindOf(err) != c.want {
						t.Errorf("got %v (%v), want %s", err, errors.Unwrap(err), c.want)
					}
				}
			})
		}
	}
}
