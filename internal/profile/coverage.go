package profile

import (
	"fmt"
	"strings"
)

//go:generate env SAMLA_WRITE_COVERAGE=1 go test -count=1 -run TestCoverage_IsCurrent .

// heads are the columns of the capabilities.
var heads = map[Capability]string{
	"redirect": "by redirect", "decoupled": "in the app", "accounts": "accounts", "balances": "balances", "transactions": "transactions",
	"cards": "cards", "history": "history", "unattended": "without the person", "consent": "longest consent", "revocation": "can be revoked",
}

const preamble = `# Coverage

Written by ` + "`make coverage`" + ` from the files in [profiles](../profiles); do not edit it. ` + "`samla bank list`" + ` shows the same, and ` + "`samla bank add COMPANY`" + ` writes an entry of the institutions file.

Nothing here was tried against a real bank. A mark behind a value says how sure it is:

| mark | the fact is |
| --- | --- |
| V | tried here, against a published file or a foreign implementation |
| S | seen in the text or file of the bank, the gateway or the standard body |
| T | from a third party |
| U | unconfirmed: inferred, old, or from one weak source |

An empty cell: not known. The sources are named in docs/reference/families.md 0. "Sure" is the weakest mark of what the entry rests on, or of what is known if there is no entry.

`

// Coverage returns the page docs/coverage.md: bank by capability, with how sure each is.
// families are the names of the families that the program has.
func Coverage(families []string) string {
	var b strings.Builder
	b.WriteString(preamble)
	b.WriteString("## Banks and gateways\n\n")
	row(&b, "company", "name", "family", "sure", "today")
	row(&b, "---", "---", "---", "---", "---")
	for _, p := range All() {
		short, _ := p.Today(families)
		row(&b, fmt.Sprintf("[`%s`](../profiles/%s.json)", p.Company, p.Company), p.Name, p.Family, string(p.Sure()), short)
	}
	b.WriteString("\n## What they can do\n\n")
	cells, rule := []string{"company"}, []string{"---"}
	for _, c := range Capabilities() {
		cells, rule = append(cells, heads[c]), append(rule, "---")
	}
	row(&b, cells...)
	row(&b, rule...)
	for _, p := range All() {
		cells = []string{"`" + p.Company + "`"}
		for _, c := range Capabilities() {
			cell := ""
			if claim, known := p.Capabilities[c]; known {
				cell = claim.Value + " " + string(claim.Mark)
			}
			cells = append(cells, cell)
		}
		row(&b, cells...)
	}
	b.WriteString("\n## Why some cannot be added\n\n")
	for _, p := range All() {
		if _, why := p.Today(families); why != "" {
			fmt.Fprintf(&b, "- `%s`: %s\n", p.Company, why)
		}
	}
	b.WriteString("\n## What has to be asked\n\n")
	for _, p := range All() {
		for _, question := range p.Open {
			fmt.Fprintf(&b, "- `%s`: %s\n", p.Company, question)
		}
	}
	return b.String()
}

func row(b *strings.Builder, cells ...string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}
