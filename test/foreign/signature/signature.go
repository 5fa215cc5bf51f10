// Package signature verifies HTTP signatures with a library that is not ours, go-fed/httpsig
// (docs/reference/families.md 3.3, 14.3). It also recomputes the Digest of the body, which
// the library does not.
package signature

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/go-fed/httpsig"
)

// Result is what is known of a request whose signature is valid.
type Result struct {
	KeyID   string   `json:"keyId"`
	Headers []string `json:"headers"` // the signed lines, in their order
}

var headersRE = regexp.MustCompile(`(?:^|,)\s*headers="([^"]*)"`)

// Verify reads one HTTP/1.1 request as it is on the wire and returns an error that says what
// is wrong with its header Signature (draft-cavage-http-signatures-10, RSA-SHA256) or its
// Digest.
func Verify(raw io.Reader, key crypto.PublicKey) (Result, error) {
	r, err := http.ReadRequest(bufio.NewReader(raw))
	if err != nil {
		return Result{}, fmt.Errorf("no request: %w", err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return Result{}, fmt.Errorf("no body: %w", err)
	}
	v, err := httpsig.NewVerifier(r)
	if err != nil {
		return Result{}, err
	}
	if err := v.Verify(key, httpsig.RSA_SHA256); err != nil {
		return Result{}, err
	}
	result := Result{KeyID: v.KeyId()}
	if m := headersRE.FindStringSubmatch(r.Header.Get("Signature")); m != nil {
		result.Headers = strings.Fields(m[1])
	}
	return result, digest(r.Header.Get("Digest"), body)
}

// digest compares the header with the body (RFC 3230 4.1.1; the name of the algorithm in
// capitals or not).
func digest(header string, body []byte) error {
	if header == "" {
		if len(body) > 0 {
			return errors.New("a body without Digest")
		}
		return nil
	}
	name, value, _ := strings.Cut(header, "=")
	want, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return errors.New("the Digest is not base64")
	}
	var got []byte
	switch strings.ToUpper(name) {
	case "SHA-256":
		sum := sha256.Sum256(body)
		got = sum[:]
	case "SHA-512":
		sum := sha512.Sum512(body)
		got = sum[:]
	default:
		return errors.New("the Digest has an unknown algorithm")
	}
	if !bytes.Equal(got, want) {
		return errors.New("the Digest is not that of the body")
	}
	return nil
}

// ParseKey reads a public key or a certificate in PEM form.
func ParseKey(text []byte) (crypto.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("signature: no PEM")
	}
	if block.Type == "CERTIFICATE" {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("signature: %w", err)
		}
		return cert.PublicKey, nil
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("signature: %w", err)
	}
	return key, nil
}
