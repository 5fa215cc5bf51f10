package crash

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// telling are texts that no log line may hold, whatever their value: session
// tokens, API keys, texts of BankID's QR codes, Swedish IBANs.
var telling = map[string]*regexp.Regexp{
	"a session token": regexp.MustCompile(`eyJ[A-Za-z0-9_-]{10,}\.`),
	"an API key":      regexp.MustCompile(`samla_[A-Za-z0-9_-]{20,}`),
	"a QR text":       regexp.MustCompile(`bankid\.[0-9a-f]{8}-`),
	"an IBAN":         regexp.MustCompile(`\bSE[0-9]{22}\b`),
}

// The shapes of what is looked up among the values that were used.
var (
	twelve = regexp.MustCompile(`\b[0-9]{8}-?[0-9]{4}\b`)
	ten    = regexp.MustCompile(`\b[0-9]{6}[-+]?[0-9]{4}\b`)
	uuid   = regexp.MustCompile(`\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`)
)

// quiet holds all that the servers have logged, and on SQLite all that they have
// stored, against the secrets that were used.
func (r *run) quiet() {
	r.Helper()
	var master struct {
		Key []struct{ KeyData struct{ Value string } }
	}
	data, err := os.ReadFile(r.masterFile())
	if err != nil {
		r.Fatal(err)
	}
	if err := json.Unmarshal(data, &master); err != nil || len(master.Key) == 0 || master.Key[0].KeyData.Value == "" {
		r.Fatalf("the master key's file is not understood: %v", err)
	}
	size := 0
	for _, log := range r.logs() {
		text := log.String()
		size += len(text)
		for what, pattern := range telling {
			r.absent(text, what, pattern, func(string) bool { return true })
		}
		r.absent(text, "a personal number", twelve, r.person)
		r.absent(text, "a personal number", ten, r.person)
		r.absent(text, "a BankID token", uuid, func(s string) bool { return r.books.tokens[s] })
		if strings.Contains(text, master.Key[0].KeyData.Value) || strings.Contains(text, r.apiKey) {
			r.books.fault("a key is in a log")
		}
	}
	if size == 0 {
		r.books.fault("nothing was logged, so nothing was looked through")
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
		r.absent(string(stored), "a personal number", twelve, r.person)
		r.absent(string(stored), "an IBAN", telling["an IBAN"], func(string) bool { return true })
		r.absent(string(stored), "an API key", telling["an API key"], func(string) bool { return true })
	}
}

// absent faults the first match of a pattern that is one of the secrets; the
// line is shown up to the secret.
func (r *run) absent(text, what string, pattern *regexp.Regexp, secret func(string) bool) {
	for _, at := range pattern.FindAllStringIndex(text, -1) {
		if secret(text[at[0]:at[1]]) {
			start := max(strings.LastIndexByte(text[:at[0]], '\n')+1, at[0]-300)
			r.books.fault("%s is in clear text after: %q", what, text[start:at[0]])
			return
		}
	}
}

// person tells whether a text is a personal number that was used, with or
// without its century.
func (r *run) person(text string) bool {
	text = strings.NewReplacer("-", "", "+", "").Replace(text)
	return r.persons.given[text] || r.persons.given["19"+text]
}
