package harness

import (
	"bytes"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Journal keeps the log of a world, and what must not be in it.
type Journal struct {
	mu      sync.Mutex
	text    bytes.Buffer
	secrets map[string]string // secret -> what it is
}

// NewJournal returns an empty one.
func NewJournal() *Journal { return &Journal{secrets: map[string]string{}} }

// Logger writes into the journal, everything down to debug.
func (j *Journal) Logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Write implements io.Writer.
func (j *Journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// Secret notes texts that no line may hold; kind says in a failure what they are.
// Empty texts are none.
func (j *Journal) Secret(kind string, texts ...string) {
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

// Check reads the whole log for secrets, those noted and those that look like
// one. A test that has failed is shown the log, except for who was polled.
func (j *Journal) Check(t testing.TB) {
	t.Helper()
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
	if t.Failed() {
		t.Log(strings.Join(slices.DeleteFunc(lines, func(line string) bool {
			return strings.Contains(line, `"msg":"answered"`) && strings.Contains(line, `"method":"GET"`)
		}), "\n"))
	}
}
