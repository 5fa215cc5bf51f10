package nordea

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// skipSignature is accepted in place of a signature by Nordea's own sandbox
// (docs/reference/families.md 3.1).
const skipSignature = "SKIP_SIGNATURE_VALIDATION_FOR_SANDBOX"

// minKeyBits is the size that the keys of applications must have.
const minKeyBits = 2048

// The lines that a signature covers, in this order (docs/reference/families.md 3.3).
var (
	signedWithoutBody = []string{"(request-target)", "x-nordea-originating-host", "x-nordea-originating-date"}
	signedWithBody    = append(slices.Clone(signedWithoutBody), "content-type", "digest")
)

// signature is the parsed header Signature of draft-cavage-http-signatures-10.
type signature struct {
	keyID, algorithm string
	headers          []string
	value            []byte
}

// parseSignature parses name="value" pairs with commas between them. It accepts only the
// members keyId, algorithm, headers and signature, each exactly once.
func parseSignature(header string) (signature, bool) {
	members := map[string]string{}
	for rest := strings.TrimSpace(header); rest != ""; {
		name, after, quoted := strings.Cut(rest, `="`)
		value, tail, ended := strings.Cut(after, `"`)
		if _, twice := members[name]; twice || !quoted || !ended {
			return signature{}, false
		}
		members[name] = value
		tail = strings.TrimSpace(tail)
		var comma bool
		if rest, comma = strings.CutPrefix(tail, ","); tail != "" && (!comma || strings.TrimSpace(rest) == "") {
			return signature{}, false
		}
		rest = strings.TrimSpace(rest)
	}
	value, err := base64.StdEncoding.DecodeString(members["signature"])
	s := signature{members["keyId"], members["algorithm"], strings.Fields(members["headers"]), value}
	return s, err == nil && len(members) == 4 && s.keyID != "" && s.algorithm != "" && len(s.headers) > 0 && len(value) > 0
}

// signingText returns the text that a signature of r covers: a line for each name.
func signingText(r *http.Request, names []string) string {
	lines := make([]string, len(names))
	for i, name := range names {
		if name == "(request-target)" {
			lines[i] = name + ": " + strings.ToLower(r.Method) + " " + r.URL.RequestURI()
			continue
		}
		lines[i] = name + ": " + strings.Join(r.Header.Values(name), ", ")
	}
	return strings.Join(lines, "\n")
}

// verify reports whether the signature of the text was made with the private key.
// Only RSA-SHA256 is allowed.
func (s signature) verify(key *rsa.PublicKey, text string) bool {
	sum := sha256.Sum256([]byte(text))
	return s.algorithm == "rsa-sha256" && rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], s.value) == nil
}

// checkSignature checks the date, the host, the digest and the signature of a request. Any
// fault is error.signature.invalid.
func (c *call) checkSignature(app Application) *apiError {
	refuse := func(text string) *apiError { return unauthorized(codeSignature, text) }
	h := c.r.Header
	date, err := time.Parse(http.TimeFormat, h.Get("X-Nordea-Originating-Date"))
	if err != nil || c.Clock.Now().Sub(date).Abs() > maxSkew {
		return refuse("X-Nordea-Originating-Date is missing, malformed or too far from the bank's clock.")
	}
	if !hostMatches(h.Get("X-Nordea-Originating-Host"), c.r.Host) {
		return refuse("X-Nordea-Originating-Host is not the host that was called.")
	}
	names := signedWithoutBody
	if len(c.body) > 0 {
		names = signedWithBody
		if !digestMatches(h.Get("Digest"), h.Get("Content-Type"), c.body) {
			return refuse("Digest does not match the body.")
		}
	}
	if c.SkipSignature && h.Get("Signature") == skipSignature {
		return nil
	}
	s, ok := parseSignature(h.Get("Signature"))
	switch {
	case !ok:
		return refuse("Signature is missing or malformed.")
	case s.keyID != app.ID:
		return refuse("KeyId claim doesn't match to Client Id from X-IBM-Client-Id header.") // docs/reference/families.md 3.8
	case !slices.Equal(s.headers, names):
		return refuse("Signature does not cover the required headers in their order.")
	case !s.verify(app.Key, signingText(c.r, names)):
		return refuse("Signature is not valid.")
	}
	return nil
}

// hostMatches reports whether a client named the host that it called, with or without the
// port.
func hostMatches(named, called string) bool {
	host, _, err := net.SplitHostPort(called)
	return named != "" && (named == called || err == nil && named == host)
}

// digestMatches reports whether a Digest of SHA-256 or SHA-512 is that of the body, or for
// a form that of its members in alphabetical order.
func digestMatches(header, contentType string, body []byte) bool {
	if contentType == formType {
		members := strings.Split(string(body), "&")
		slices.SortFunc(members, func(a, b string) int {
			a, _, _ = strings.Cut(a, "=")
			b, _, _ = strings.Cut(b, "=")
			return strings.Compare(a, b)
		})
		body = []byte(strings.Join(members, "&"))
	}
	label, value, _ := strings.Cut(header, "=")
	var want []byte
	switch strings.ToLower(label) {
	case "sha-256":
		sum := sha256.Sum256(body)
		want = sum[:]
	case "sha-512":
		sum := sha512.Sum512(body)
		want = sum[:]
	default:
		return false
	}
	got, err := base64.StdEncoding.DecodeString(value)
	return err == nil && subtle.ConstantTimeCompare(got, want) == 1
}
