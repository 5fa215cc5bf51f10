package e2e

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// journal keeps a world's log, and what must not be in it.
type journal struct {
	mu      sync.Mutex
	text    bytes.Buffer
	secrets map[string]string // secret -> what it is
}

func newJournal() *journal { return &journal{secrets: map[string]string{}} }

// Write implements io.Writer.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// secret notes texts that no line may hold.
func (j *journal) secret(kind string, texts ...string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, text := range texts {
		if text != "" {
			j.secrets[text] = kind
		}
	}
}

// looks are what gives a secret away that no test has noted.
var looks = map[string]*regexp.Regexp{
	"an IBAN":              regexp.MustCompile(`\bSE[0-9]{22}\b`),
	"a session token":      regexp.MustCompile(`eyJ[A-Za-z0-9_-]{10,}\.`),
	"a masked card number": regexp.MustCompile(`[0-9]{6}\*{6}[0-9]{4}`),
	"a private key":        regexp.MustCompile(`PRIVATE KEY`),
	"a BankID QR text":     regexp.MustCompile(`bankid\.[0-9a-f]{8}-`),
}

// check reads the whole log for secrets.
func (j *journal) check(t *testing.T) {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := strings.Split(j.text.String(), "\n")
	for _, line := range lines {
		for text, kind := range j.secrets {
			if strings.Contains(line, text) {
				t.Errorf("%s is in the log: %s", kind, line)
			}
		}
		for kind, look := range looks {
			if look.MatchString(line) {
				t.Errorf("%s is in the log: %s", kind, line)
			}
		}
	}
	if len(lines) < 2 {
		t.Error("nothing was logged: the check shows nothing")
	}
}
