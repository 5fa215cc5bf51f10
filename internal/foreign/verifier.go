package foreign

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Verifier judges HTTP signatures by one key (draft-cavage-http-signatures-10, RSA-SHA256),
// and the Digest of bodies.
type Verifier struct{ address string }

// Signed is what is known of a request whose signature is valid.
type Signed struct {
	KeyID   string
	Headers []string // the signed lines, in their order
}

// NewVerifier starts a verifier for the time of the test. key is a public key or a
// certificate in PEM form.
func NewVerifier(tb testing.TB, key []byte) *Verifier {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "key.pem")
	if err := os.WriteFile(path, key, 0o600); err != nil {
		tb.Fatal(err)
	}
	var serves struct{ Address string }
	start(tb, "verify", nil, &serves, "-key", path, "-listen", "127.0.0.1:0")
	return &Verifier{serves.Address}
}

// Verify judges one HTTP/1.1 request as it is on the wire, with its body. The error says
// what is wrong with it.
func (v *Verifier) Verify(raw []byte) (Signed, error) {
	resp, err := http.Post(v.address, "message/http", bytes.NewReader(raw))
	if err != nil {
		return Signed{}, fmt.Errorf("foreign: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return Signed{}, fmt.Errorf("foreign: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return Signed{}, errors.New(strings.TrimSpace(string(text)))
	}
	var s Signed
	return s, json.Unmarshal(text, &s)
}
