package fault

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

//go:generate env SAMLA_WRITE_ERRORS=1 go test -count=1 -run TestPage_IsCurrent .

const page = "../../docs/errors.md"

const preamble = `# Errors

Written by ` + "`go generate ./internal/fault`" + ` from the closed set of codes; do not edit it. An error is a problem document (RFC 9457) with a code for programs, a text for people,
who has to act, and what to do; docs/reference/api.md 1.6 has its members. That a bank is down or a person has cancelled is no error of a request: it is a status in an answer with 200, and the error of a consent.
`

// parties are the sections of the page.
var parties = []struct {
	by          Attribution
	title, text string
}{
	{ByClient, "Your program", "Correct the request, or do what the remedy says first; the same request again gives the same answer, unless the remedy says to wait"},
	{ByUser, "The person", "Only the person can go on: show what is to be done"},
	{ByBank, "The institution", "The institution did not do what it should; try again later"},
	{BySamla, "This server", "Nothing is wrong with the request: send it again, with the same `Idempotency-Key`, and tell the operator if it stays so"},
}

// current is what the page must be.
func current() string {
	var b strings.Builder
	b.WriteString(preamble)
	for _, p := range parties {
		codes := slices.DeleteFunc(Codes(), func(c Code) bool { return Of(c).Attribution != p.by })
		if len(codes) == 0 {
			continue
		}
		slices.SortFunc(codes, func(a, b Code) int {
			return cmp.Or(cmp.Compare(Of(a).Status, Of(b).Status), cmp.Compare(a, b))
		})
		fmt.Fprintf(&b, "\n## %s\n\n`attribution` is `%s`. %s.\n", p.title, p.by, p.text)
		for _, c := range codes {
			info := Of(c)
			fmt.Fprintf(&b, "\n### %s\n\nHTTP %d. %s %s\n", c, info.Status, info.Message, info.Remedy)
		}
	}
	return b.String()
}

func TestPage_IsCurrent(t *testing.T) {
	want := current()
	if os.Getenv("SAMLA_WRITE_ERRORS") != "" {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || string(got) != want {
		t.Errorf("docs/errors.md is not current: go generate ./internal/fault writes it (%v)", err)
	}
	for _, c := range Codes() {
		if strings.Count(want, "\n### "+string(c)+"\n") != 1 {
			t.Errorf("%s is not on the page once", c)
		}
	}
}
