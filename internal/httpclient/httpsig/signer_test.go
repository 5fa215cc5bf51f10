package httpsig_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"math/big"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/httpclient/httpsig"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

var seal = sync.OnceValue(func() *tls.Certificate {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return issue(key, key.Public(), pkix.Name{CommonName: `Sigill "CA" Å`, Organization: []string{"Samla, test"}, Country: []string{"SE"}})
})

// p256 is a QSealC with an ECDSA key.
var p256 = sync.OnceValue(func() *tls.Certificate { return ecdsaSeal(elliptic.P256()) })

func ecdsaSeal(curve elliptic.Curve) *tls.Certificate {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err)
	}
	return issue(key, key.Public(), pkix.Name{CommonName: "CA"})
}

func issue(key crypto.PrivateKey, public crypto.PublicKey, name pkix.Name) *tls.Certificate {
	template := &x509.Certificate{SerialNumber: big.NewInt(0xABCDEF12345), Subject: name, NotAfter: noon.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		panic(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func signer(t testing.TB, v httpsig.Variant) *httpsig.Signer {
	t.Helper()
	return signerWith(t, seal(), v)
}

func signerWith(t testing.TB, qsealc *tls.Certificate, v httpsig.Variant) *httpsig.Signer {
	t.Helper()
	s, err := httpsig.NewSigner(qsealc, v, httpsig.NewLimit(0))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var parameter = regexp.MustCompile(`^(keyId|algorithm|headers|signature)="([^"]*)"$`)

// verify is a second reading of docs/reference/banks.md 9.2, by a bank: it parses
// the headers, builds the signing string again and verifies digest and signature.
func verify(t interface{ Fatalf(string, ...any) }, h http.Header, method, target string, body []byte) (fields map[string]string) {
	fields = map[string]string{}
	for _, part := range strings.Split(h.Get("Signature"), `",`) {
		if !strings.HasSuffix(part, `"`) {
			part += `"`
		}
		m := parameter.FindStringSubmatch(part)
		if m == nil || fields[m[1]] != "" {
			t.Fatalf("Signature is malformed: %s", h.Get("Signature"))
		}
		fields[m[1]] = m[2]
	}
	label, digest, _ := strings.Cut(h.Get("Digest"), "=")
	sum := map[string]func([]byte) []byte{
		"SHA-256": func(b []byte) []byte { s := sha256.Sum256(b); return s[:] },
		"SHA-512": func(b []byte) []byte { s := sha512.Sum512(b); return s[:] },
	}
	if digest != base64.StdEncoding.EncodeToString(sum[strings.ToUpper(label)](body)) {
		t.Fatalf("Digest is wrong: %s", h.Get("Digest"))
	}
	var lines []string
	for _, name := range strings.Fields(fields["headers"]) {
		value := strings.Join(h[http.CanonicalHeaderKey(name)], ", ")
		if name == "(request-target)" {
			value = strings.ToLower(method) + " " + target
		}
		lines = append(lines, name+": "+strings.TrimSpace(value))
	}
	der, err := base64.StdEncoding.DecodeString(h.Get("TPP-Signature-Certificate"))
	if err != nil {
		t.Fatalf("certificate: %v", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatalf("certificate: %v", err)
	}
	signature, err := base64.StdEncoding.DecodeString(fields["signature"])
	if err != nil {
		t.Fatalf("signature: %v", err)
	}
	hash, algorithm := crypto.SHA256, "SHA-256"
	if fields["algorithm"] == "rsa-sha512" {
		hash, algorithm = crypto.SHA512, "SHA-512"
	}
	text := strings.Join(lines, "\n")
	valid := false
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		valid = strings.HasPrefix(fields["algorithm"], "rsa-") && rsa.VerifyPKCS1v15(key, hash, sum[algorithm]([]byte(text)), signature) == nil
	case *ecdsa.PublicKey:
		valid = fields["algorithm"] == "ecdsa-sha256" && ecdsa.VerifyASN1(key, sum[algorithm]([]byte(text)), signature)
	}
	if !valid {
		t.Fatalf("the signature is not valid for %q", text)
	}
	return fields
}

func TestSign_FollowsTheStandardByDefault(t *testing.T) {
	h := http.Header{"X-Request-Id": {"5f3c2d7e-9a41-4b8e-8c06-2f1d7a90b3e4"}, "Psu-Ip-Address": {"192.0.2.7"}}
	if err := signer(t, httpsig.Variant{}).Sign(t.Context(), h, "GET", "/v1/accounts", nil, noon); err != nil {
		t.Fatal(err)
	}
	// The digest of an empty body is sent too (published vector).
	if got := h.Get("Digest"); got != "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" {
		t.Errorf("Digest is %s", got)
	}
	fields := verify(t, h, "GET", "/v1/accounts", nil)
	if fields["headers"] != "digest x-request-id" || fields["algorithm"] != "rsa-sha256" {
		t.Errorf("got %v", fields)
	}
	// Quotes and letters outside ASCII are not allowed in the header.
	if want := `SN=ABCDEF12345,CA=CN=Sigill %5C%22CA%5C%22 %C3%85,O=Samla%5C, test,C=SE`; fields["keyId"] != want {
		t.Errorf("keyId is %s, want %s", fields["keyId"], want)
	}
	if h.Get("Date") != "" {
		t.Error("Date is sent though it is not listed")
	}
}

func TestSign_FollowsTheVariant(t *testing.T) {
	for name, c := range map[string]struct {
		variant                           httpsig.Variant
		headers, keyID, algorithm, digest string
	}{
		"as Swedbank": {httpsig.Variant{Headers: []string{"Date", "digest", "x-request-id", "psu-id"}},
			"date digest x-request-id psu-id", "", "rsa-sha256", "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
		"as Nordea": {httpsig.Variant{Headers: []string{"(request-target)", "digest"}, KeyID: "client-1", Digest: "sha-256"},
			"(request-target) digest", "client-1", "rsa-sha256", "sha-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
		"512": {httpsig.Variant{Digest: "SHA-512", Algorithm: "rsa-sha512"},
			"digest x-request-id psu-id tpp-redirect-uri", "", "rsa-sha512",
			"SHA-512=z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="},
	} {
		h := http.Header{"X-Request-Id": {"1"}, "Psu-Id": {"191212121212"}, "Tpp-Redirect-Uri": {"https://tpp.example/ok"}, "Signature": {"old"}}
		if err := signer(t, c.variant).Sign(t.Context(), h, "GET", "/v1/accounts?x=1", []byte{}, noon); err != nil {
			t.Fatal(err)
		}
		fields := verify(t, h, "GET", "/v1/accounts?x=1", nil)
		if fields["headers"] != c.headers || fields["algorithm"] != c.algorithm || h.Get("Digest") != c.digest {
			t.Errorf("%s: got %v, %s", name, fields, h.Get("Digest"))
		}
		if c.keyID != "" && fields["keyId"] != c.keyID {
			t.Errorf("%s: keyId is %s", name, fields["keyId"])
		}
		if strings.Contains(c.headers, "date") && h.Get("Date") != "Sun, 22 Nov 2026 12:00:00 GMT" {
			t.Errorf("%s: Date is %s", name, h.Get("Date"))
		}
	}
}

func TestVariant_ValidateRefusesInvalid(t *testing.T) {
	for name, v := range map[string]httpsig.Variant{
		"headers":   {Headers: []string{"x-request-id"}},
		"header":    {Headers: []string{"digest", "x request id"}},
		"empty":     {Headers: []string{"digest", ""}},
		"digest":    {Digest: "MD5"},
		"algorithm": {Algorithm: "hs2019"},
		"method":    {Methods: []string{"post"}},
		"no method": {Methods: []string{""}},
	} {
		if err := v.Validate(); !errors.Is(err, httpsig.ErrInvalidVariant) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := httpsig.NewSigner(seal(), v, httpsig.NewLimit(0)); !errors.Is(err, httpsig.ErrInvalidVariant) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, ed25519Key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		qsealc  *tls.Certificate
		variant httpsig.Variant
	}{
		"another kind of key":        {issue(ed25519Key, ed25519Key.Public(), pkix.Name{CommonName: "x"}), httpsig.Variant{}},
		"another curve":              {ecdsaSeal(elliptic.P384()), httpsig.Variant{}},
		"algorithm of another key":   {p256(), httpsig.Variant{Algorithm: "rsa-sha256"}},
		"algorithm of another key 2": {seal(), httpsig.Variant{Algorithm: "ecdsa-sha256"}},
		"no certificate":             {&tls.Certificate{PrivateKey: seal().PrivateKey}, httpsig.Variant{}},
	} {
		if _, err := httpsig.NewSigner(c.qsealc, c.variant, httpsig.NewLimit(0)); !errors.Is(err, httpsig.ErrInvalidVariant) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A request whose method is not signed is sent as it is.
func TestSign_SignsTheMethodsOfTheVariant(t *testing.T) {
	for _, c := range []struct {
		methods []string
		method  string
		want    bool
	}{{nil, "GET", true}, {nil, "POST", true}, {[]string{"POST", "DELETE"}, "GET", false}, {[]string{"POST", "DELETE"}, "DELETE", true}} {
		v := httpsig.Variant{Methods: c.methods, Headers: []string{"date", "digest"}}
		h := http.Header{"X-Request-Id": {"1"}}
		if err := signer(t, v).Sign(t.Context(), h, c.method, "/v1/accounts", nil, noon); err != nil {
			t.Fatal(err)
		}
		if signed := h.Get("Signature") != ""; signed != c.want || v.Signs(c.method) != c.want || !c.want && len(h) != 1 {
			t.Errorf("%v, %s: sent with %v", c.methods, c.method, h)
		}
	}
}

// For every request, a bank that follows the standard can verify the signature.
// It covers exactly the headers that it must, and fails when one of them changes.
func TestSign_CoversWhatItMust(t *testing.T) {
	optional := []string{"psu-id", "psu-corporate-id", "tpp-redirect-uri"}
	rapid.Check(t, func(rt *rapid.T) {
		v := httpsig.Variant{
			Digest: rapid.SampledFrom([]string{"", "SHA-256", "sha-256", "SHA-512", "sha-512"}).Draw(rt, "digest"),
		}
		qsealc, algorithms := seal(), []string{"", "rsa-sha256", "rsa-sha512"}
		if rapid.Bool().Draw(rt, "P-256") {
			qsealc, algorithms = p256(), []string{"", "ecdsa-sha256"}
		}
		v.Algorithm = rapid.SampledFrom(algorithms).Draw(rt, "algorithm")
		want := []string{"digest", "x-request-id"}
		h := http.Header{}
		value := rapid.StringMatching(`[!-~]([ -~]{0,40}[!-~])?`)
		h.Set("X-Request-ID", value.Draw(rt, "id"))
		for _, name := range optional {
			if rapid.Bool().Draw(rt, name) {
				h.Set(name, value.Draw(rt, "value"))
				want = append(want, name)
			}
		}
		body := rapid.SliceOf(rapid.Byte()).Draw(rt, "body")
		if err := signerWith(t, qsealc, v).Sign(t.Context(), h, "POST", "/v1/consents", body, noon); err != nil {
			rt.Fatal(err)
		}
		fields := verify(rt, h, "POST", "/v1/consents", body)
		if got := strings.Fields(fields["headers"]); !slices.Equal(got, want) {
			rt.Fatalf("covers %v, want %v", got, want)
		}
		h.Set("X-Request-ID", h.Get("X-Request-ID")+"x")
		if valid(h, body) {
			rt.Fatal("the signature is valid for another request id")
		}
	})
}

// valid reports whether verify accepts the headers.
func valid(h http.Header, body []byte) (ok bool) {
	defer func() { ok = recover() == nil }()
	verify(panicking{}, h, "POST", "/v1/consents", body)
	return true
}

type panicking struct{}

func (panicking) Fatalf(string, ...any) { panic("not valid") }

func TestSigner_KnowsItsCost(t *testing.T) {
	slow, fast := signer(t, httpsig.Variant{}).Cost(), signerWith(t, p256(), httpsig.Variant{}).Cost()
	if fast <= 0 || slow < 2*fast {
		t.Errorf("a signature takes %s with RSA, %s with P-256", slow, fast)
	}
}

func BenchmarkSign(b *testing.B) {
	for name, qsealc := range map[string]*tls.Certificate{"RSA": seal(), "P256": p256()} {
		b.Run(name, func(b *testing.B) {
			s := signerWith(b, qsealc, httpsig.Variant{})
			h := http.Header{"X-Request-Id": {"5f3c2d7e-9a41-4b8e-8c06-2f1d7a90b3e4"}, "Psu-Id": {"191212121212"}}
			body := make([]byte, 200)
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Sign(b.Context(), h, "POST", "/v1/consents", body, noon); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
