package devserver_test

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"samla/internal/devserver"
	"samla/internal/institution"
)

// docs/sandbox.md says at which banks a client has to send the personal number, and at which
// the person needs a browser.
func TestSandbox_NeedsWhatIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/sandbox.md")
	if err != nil {
		t.Fatal(err)
	}
	l, err := devserver.Start(t.Context(), devserver.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	company := regexp.MustCompile("`((?:se|eu)-[a-z0-9-]+)`")
	for row, needs := range map[string]func(institution.Profile) bool{
		"| The personal number in the consent": func(p institution.Profile) bool { return p.NeedsPSUID },
		"| A browser":                          func(p institution.Profile) bool { return p.Redirects || p.LoginFirst }, // two rows
	} {
		var said, are []string
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, row) {
				for _, found := range company.FindAllStringSubmatch(line, -1) {
					said = append(said, found[1])
				}
			}
		}
		for _, i := range l.Institutions.All() {
			if i.Opener != nil && !i.Retired && needs(i.Profile) {
				are = append(are, i.Company.ID)
			}
		}
		slices.Sort(said)
		slices.Sort(are)
		if !slices.Equal(said, are) {
			t.Errorf("%s: documented are %q, it is so at %q", row, said, are)
		}
	}
}
