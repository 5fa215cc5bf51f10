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

// Log stores the log of a server and the secrets that it must not contain.
type Log struct {
	mu      sync.Mutex
	text    bytes.Buffer
	secrets map[string]string // secret -> kind
}

// NewLog returns an empty log.
func NewLog() *Log { return &Log{secrets: map[string]string{}} }

// Logger returns a logger that writes to the log, with level debug.
func (j *Log) Logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Write implements io.Writer.
func (j *Log) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// Secret registers texts that no line may contain; kind names them in failures. Empty
// texts are ignored.
func (j *Log) Secret(kind string, texts ...string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, text := range texts {
		if text != "" {
			j.secrets[text] = kind
		}
	}
}

// patterns match secrets that no test has registered.
var patterns = map[string]*regexp.Regexp{
	"an IBAN":              regexp.MustCompile(`\bSE[0-9]{22}\b`),
	"a session token":      regexp.MustCompile(`eyJ[A-Za-z0-9_-]{10,}\.`),
	"a masked card number": regexp.MustCompile(`[0-9]{6}\*{6}[0-9]{4}`),
	"a private key":        regexp.MustCompile(`PRIVATE KEY`),
	"an e-mail address":    regexp.MustCompile(`[A-Za-z0-9._+-]+@[A-Za-z0-9-]+\.[A-Za-z]{2,}`),
	"a phone number":       regexp.MustCompile(`\+46[0-9]{7,10}\b|\b07[0-9]{8}\b`),
	"a BankID QR text":     regexp.MustCompile(`bankid\.[0-9a-f]{8}-`),
}

// Check reports lines that contain a registered secret or match one of the patterns. If
// the test has failed, it prints the log without the lines of answered GET requests.
func (j *Log) Check(t testing.TB) {
	t.Helper()
	lines := j.CheckSecrets(t)
	if t.Failed() {
		t.Log(strings.Join(slices.DeleteFunc(lines, func(line string) bool {
			return strings.Contains(line, `"msg":"answered"`) && strings.Contains(line, `"method":"GET"`)
		}), "\n"))
	}
}

// CheckText reports secrets in a text that is no part of the log; where names it.
func (j *Log) CheckText(t testing.TB, where, text string) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	for secret, kind := range j.secrets {
		if at := strings.Index(text, secret); at >= 0 {
			t.Errorf("%s is in %s: …%s", kind, where, text[max(0, at-80):min(len(text), at+len(secret)+20)])
		}
	}
}

// CheckSecrets is Check for a test whose log is too long to print. It returns the lines.
func (j *Log) CheckSecrets(t testing.TB) []string {
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
		for kind, pattern := range patterns {
			if pattern.MatchString(line) {
				t.Errorf("%s is in the log: %s", kind, line)
			}
		}
	}
	if len(lines) < 2 {
		t.Error("the log is empty, so nothing was checked")
	}
	return lines
}
