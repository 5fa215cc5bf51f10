package signature_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"
	"testing"

	"samla/foreign/signature"
)

var key = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// request returns the request of docs/reference/families.md 3.3, signed by hand.
func request(t *testing.T, body, sentBody string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(body))
	digest := "sha-256=" + base64.StdEncoding.EncodeToString(sum[:])
	const host, date, contentType = "api.nordeaopenbanking.com", "Fri, 20 Nov 2026 10:00:00 GMT", "application/x-www-form-urlencoded"
	text := "(request-target): post /personal/v5/decoupled/token\nx-nordea-originating-host: " + host + "\nx-nordea-originating-date: " + date +
		"\ncontent-type: " + contentType + "\ndigest: " + digest
	hash := sha256.Sum256([]byte(text))
	signed, err := rsa.SignPKCS1v15(rand.Reader, key(), crypto.SHA256, hash[:])
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("POST /personal/v5/decoupled/token HTTP/1.1\r\nHost: %s\r\nX-Nordea-Originating-Host: %s\r\nX-Nordea-Originating-Date: %s\r\n"+
		"Content-Type: %s\r\nDigest: %s\r\nContent-Length: %d\r\nSignature: keyId=\"client-1\",algorithm=\"rsa-sha256\",headers=\"(request-target) x-nordea-originating-host x-nordea-originating-date content-type digest\",signature=\"%s\"\r\n\r\n%s",
		host, host, date, contentType, digest, len(sentBody), base64.StdEncoding.EncodeToString(signed), sentBody)
}

func TestVerify(t *testing.T) {
	const body = "code=1&grant_type=authorization_code"
	good := request(t, body, body)
	result, err := signature.Verify(strings.NewReader(good), key().Public())
	if err != nil || result.KeyID != "client-1" || strings.Join(result.Headers, " ") != "(request-target) x-nordea-originating-host x-nordea-originating-date content-type digest" {
		t.Errorf("%+v %v", result, err)
	}
	for name, text := range map[string]string{
		"another date":    strings.Replace(good, "10:00:00", "10:00:01", 1),
		"another path":    strings.Replace(good, "/token HTTP", "/tokens HTTP", 1),
		"another body":    request(t, body, strings.Replace(body, "1", "2", 1)),
		"no signature":    strings.Replace(good, "Signature:", "X-Signature:", 1),
		"no digest":       strings.Replace(good, "Digest:", "X-Digest:", 1),
		"no request":      "x",
		"broken encoding": strings.Replace(good, `signature="`, `signature="*`, 1),
	} {
		if result, err := signature.Verify(strings.NewReader(text), key().Public()); err == nil {
			t.Errorf("%s: %+v", name, result)
		}
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signature.Verify(strings.NewReader(good), other.Public()); err == nil {
		t.Error("another key is accepted")
	}
}

func TestParseKey(t *testing.T) {
	der, err := x509.MarshalPKIXPublicKey(key().Public())
	if err != nil {
		t.Fatal(err)
	}
	got, err := signature.ParseKey(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	if err != nil || !key().PublicKey.Equal(got) {
		t.Errorf("%v", err)
	}
	if _, err := signature.ParseKey([]byte("x")); err == nil {
		t.Error("no PEM is a key")
	}
}
