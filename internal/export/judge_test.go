package export_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"samla/internal/foreign"
	"samla/internal/specs"
)

// stored writes a document to a file.
func stored(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// judgeCAMT validates with the schema of ISO 20022, as a module of others publishes it.
func judgeCAMT(t *testing.T, document []byte) {
	t.Helper()
	schema := foreign.ModuleFile(t, "github.com/moov-io/iso20022", "v0.2.1", "docs/specifications/banktocustomer_cash_management_8/camt.053.001.08.xsd",
		"ca0b135cc8e2dde5b2f99af6b6c514a8f29d6e7c6cf98e9ea84d247189868ff5")
	foreign.Tool(t, "libxml2-utils", "xmllint", "--noout", "--nonet", "--schema", schema, stored(t, "x.xml", document))
}

// judgeOFX validates with the published document type definition of OFX 2.0.1, which
// Debian's libofx has, and lets libofx read the file.
func judgeOFX(t *testing.T, document []byte) (read string) {
	t.Helper()
	dtd := foreign.File(t, "libofx7", "/usr/share/libofx*/libofx/dtd/ofx201.dtd")
	path := stored(t, "x.ofx", document)
	foreign.Tool(t, "libxml2-utils", "xmllint", "--noout", "--nonet", "--dtdvalid", dtd, path)
	return foreign.Tool(t, "ofx", "ofxdump", path)
}

// judgeOFXSchema validates with the schema of OFX 2.2. Its root has a namespace, which
// nobody writes: the text of the specification has none.
func judgeOFXSchema(t *testing.T, document []byte) {
	t.Helper()
	schema, err := specs.Path(specs.OFX2)
	if specs.Optional(err) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	document = bytes.Replace(document, []byte("<OFX>"), []byte(`<ofx:OFX xmlns:ofx="http://ofx.net/types/2003/04">`), 1)
	document = bytes.Replace(document, []byte("</OFX>"), []byte("</ofx:OFX>"), 1)
	foreign.Tool(t, "libxml2-utils", "xmllint", "--noout", "--nonet", "--schema", schema, stored(t, "x.xml", document))
}

// judgeBeancount lets Beancount read the ledger, which also checks its balances.
func judgeBeancount(t *testing.T, ledger string) {
	t.Helper()
	if said := foreign.Tool(t, "beancount", "bean-check", stored(t, "x.beancount", []byte(ledger))); said != "" {
		t.Fatalf("bean-check: %s", said)
	}
}

var spaces = regexp.MustCompile(`\s+`)

// balances returns what Beancount has of all accounts of a ledger.
func balances(t *testing.T, ledger string) map[string]string {
	t.Helper()
	found := map[string]string{}
	rows := foreign.Tool(t, "beancount", "bean-query", "-f", "csv", stored(t, "x.beancount", []byte(ledger)), "SELECT account, sum(position) GROUP BY account")
	for row := range strings.Lines(rows) {
		if account, sum, is := strings.Cut(row, ","); is {
			found[strings.TrimSpace(account)] = strings.Trim(spaces.ReplaceAllString(sum, " "), `" `)
		}
	}
	return found
}
