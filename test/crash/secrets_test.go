package crash

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// secretPatterns match texts that no log line may contain.
var secretPatterns = map[string]*regexp.Regexp{
	"a session token": regexp.MustCompile(`eyJ[A-Za-z0-9_-]{10,}\.`),
	"an API key":      regexp.MustCompile(`samla_[A-Za-z0-9_-]{20,}`),
	"a QR text":       regexp.MustCompile(`bankid\.[0-9a-f]{8}-`),
	"a session":       regexp.MustCompile(sessionPrefix),
	"a code":          regexp.MustCompile(`crashcode`),
	"a source secret": regexp.MustCompile(sourceSecret),
	"an IBAN":         regexp.MustCompile(`\bSE[0-9]{22}\b`),
}

// Candidates for secrets; a match is a secret if the test has used that value.
var (
	twelveDigits = regexp.MustCompile(`\b[0-9]{8}-?[0-9]{4}\b`)
	tenDigits    = regexp.MustCompile(`\b[0-9]{6}[-+]?[0-9]{4}\b`)
	uuid         = regexp.MustCompile(`\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`)
)

// checkSecrets checks that the logs, and on SQLite also the database files, contain no
// secrets.
func (r *crashTest) checkSecrets() {
	r.Helper()
	var master struct {
		Key []struct{ KeyData struct{ Value string } }
	}
	data, err := os.ReadFile(r.masterFile())
	if err != nil {
		r.Fatal(err)
	}
	if err := json.Unmarshal(data, &master); err != nil || len(master.Key) == 0 || master.Key[0].KeyData.Value == "" {
		r.Fatalf("the file of the master key cannot be parsed: %v", err)
	}
	size := 0
	for _, log := range r.logs() {
		text := log.String()
		size += len(text)
		for what, pattern := range secretPatterns {
			r.checkAbsent(text, what, pattern, func(string) bool { return true })
		}
		r.checkAbsent(text, "a personal number", twelveDigits, r.isUsedNumber)
		r.checkAbsent(text, "a personal number", tenDigits, r.isUsedNumber)
		r.checkAbsent(text, "a BankID token", uuid, func(s string) bool { return r.recorder.tokens[s] })
		if strings.Contains(text, master.Key[0].KeyData.Value) || strings.Contains(text, r.apiKey) {
			r.recorder.addFault("a key is in a log")
		}
	}
	if size == 0 {
		r.recorder.addFault("the logs are empty, so nothing was checked")
	}
	if r.database != "" {
		return
	}
	files, err := filepath.Glob(filepath.Join(r.dataDir(), "store", "*"))
	if err != nil || len(files) == 0 {
		r.Fatalf("no database: %v", err)
	}
	for _, file := range files {
		stored, err := os.ReadFile(file)
		if err != nil {
			r.Fatal(err)
		}
		r.checkAbsent(string(stored), "a personal number", twelveDigits, r.isUsedNumber)
		for _, what := range []string{"an IBAN", "an API key", "a session", "a code", "a source secret"} {
			r.checkAbsent(string(stored), what, secretPatterns[what], func(string) bool { return true })
		}
	}
}

// checkAbsent records a fault for the first match that is a secret. The fault contains the
// line up to the secret.
func (r *crashTest) checkAbsent(text, what string, pattern *regexp.Regexp, secret func(string) bool) {
	for _, at := range pattern.FindAllStringIndex(text, -1) {
		if secret(text[at[0]:at[1]]) {
			start := max(strings.LastIndexByte(text[:at[0]], '\n')+1, at[0]-300)
			r.recorder.addFault("%s is in clear text after: %q", what, text[start:at[0]])
			return
		}
	}
}

// isUsedNumber reports whether a text is a personal number that the test has used, with or
// without the century.
func (r *crashTest) isUsedNumber(text string) bool {
	text = strings.NewReplacer("-", "", "+", "").Replace(text)
	return r.persons.issued[text] || r.persons.issued["19"+text]
}
