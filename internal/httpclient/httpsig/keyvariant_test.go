package httpsig_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"samla/internal/httpclient/httpsig"
)

var named = httpsig.KeyVariant{
	KeyID: "client-1", Headers: []string{"(request-target)", "X-Nordea-Originating-Host", "X-Nordea-Originating-Date"},
	BodyHeaders: []string{"Content-Type", "Digest"}, DateHeader: "X-Nordea-Originating-Date", Digest: "sha-256",
}

// The text is that of docs/reference/families.md 3.3, written out.
func TestKeySigner_SignsTheTextThatNordeaDocuments(t *testing.T) {
	private := seal().PrivateKey.(*rsa.PrivateKey)
	s, err := httpsig.NewKeySigner(private, named, httpsig.NewLimit(0))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 20, 11, 0, 0, 0, time.FixedZone("CET", 3600))
	body := "code=c-2&grant_type=authorization_code"
	sum := sha256.Sum256([]byte(body))
	digest := "sha-256=" + base64.StdEncoding.EncodeToString(sum[:])
	for name, c := range map[string]struct {
		method, target, body, text, headers string
	}{
		"with a body": {"POST", "/personal/v5/decoupled/token", body, strings.Join([]string{
			"(request-target): post /personal/v5/decoupled/token",
			"x-nordea-originating-host: api.nordeaopenbanking.com",
			"x-nordea-originating-date: Fri, 20 Nov 2026 10:00:00 GMT",
			"content-type: application/x-www-form-urlencoded",
			"digest: " + digest,
		}, "\n"), "(request-target) x-nordea-originating-host x-nordea-originating-date content-type digest"},
		"without": {"GET", "/personal/v5/accounts/a%2Fb/transactions?from_date=2026-11-01&continuation_key=k%3D", "", strings.Join([]string{
			"(request-target): get /personal/v5/accounts/a%2Fb/transactions?from_date=2026-11-01&continuation_key=k%3D",
			"x-nordea-originating-host: api.nordeaopenbanking.com",
			"x-nordea-originating-date: Fri, 20 Nov 2026 10:00:00 GMT",
		}, "\n"), "(request-target) x-nordea-originating-host x-nordea-originating-date"},
	} {
		h := http.Header{"X-Nordea-Originating-Host": {"api.nordeaopenbanking.com"}}
		if c.body != "" {
			h.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		if err := s.Sign(t.Context(), h, c.method, c.target, []byte(c.body), at); err != nil {
			t.Fatal(err)
		}
		prefix := `keyId="client-1",algorithm="rsa-sha256",headers="` + c.headers + `",signature="`
		value, found := strings.CutPrefix(h.Get("Signature"), prefix)
		signature, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(value, `"`))
		if !found || err != nil {
			t.Fatalf("%s: Signature %s", name, h.Get("Signature"))
		}
		hash := sha256.Sum256([]byte(c.text))
		if err := rsa.VerifyPKCS1v15(&private.PublicKey, crypto.SHA256, hash[:], signature); err != nil {
			t.Errorf("%s: another text was signed", name)
		}
		if has := h.Get("Digest") != ""; has != (c.body != "") || has && h.Get("Digest") != digest {
			t.Errorf("%s: Digest %q", name, h.Get("Digest"))
		}
		if h.Get("X-Nordea-Originating-Date") != "Fri, 20 Nov 2026 10:00:00 GMT" || h.Get("TPP-Signature-Certificate") != "" || h.Get("Date") != "" {
			t.Errorf("%s: headers %v", name, h)
		}
	}
}

func TestNewKeySigner_RefusesOtherKeys(t *testing.T) {
	short, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // that is what is refused
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, private := range map[string]crypto.PrivateKey{"1024 bits": short, "ECDSA": curve, "none": nil} {
		if _, err := httpsig.NewKeySigner(private, named, httpsig.NewLimit(0)); !errors.Is(err, httpsig.ErrInvalidVariant) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*httpsig.KeyVariant){
		"no name": func(v *httpsig.KeyVariant) { v.KeyID = "" }, "no headers": func(v *httpsig.KeyVariant) { v.Headers = nil },
		"no digest": func(v *httpsig.KeyVariant) { v.Digest = "md5" },
	} {
		v := named
		change(&v)
		if _, err := httpsig.NewKeySigner(seal().PrivateKey, v, httpsig.NewLimit(0)); !errors.Is(err, httpsig.ErrInvalidVariant) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
