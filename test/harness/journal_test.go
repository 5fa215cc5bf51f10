package harness_test

import (
	"fmt"
	"strings"
	"testing"

	"samla/test/harness"
)

// verdict keeps what a check says instead of failing the test.
type verdict struct {
	testing.TB
	said, shown []string
}

func (v *verdict) Helper()                   {}
func (v *verdict) Error(a ...any)            { v.said = append(v.said, fmt.Sprint(a...)) }
func (v *verdict) Errorf(f string, a ...any) { v.said = append(v.said, fmt.Sprintf(f, a...)) }
func (v *verdict) Failed() bool              { return len(v.said) > 0 }
func (v *verdict) Log(a ...any)              { v.shown = append(v.shown, fmt.Sprint(a...)) }
func (v *verdict) only(begins string) bool {
	return len(v.said) == 1 && strings.HasPrefix(v.said[0], begins)
}

func TestJournalFindsWhatIsNoted(t *testing.T) {
	j, v := harness.NewJournal(), &verdict{}
	j.Secret("a name", "", "Maja", "Lindqvist")
	j.Logger().Debug("seen", "who", "M. Lindqvist")
	if j.Check(v); !v.only("a name is in the log: ") {
		t.Errorf("said %q", v.said)
	}
	if len(v.shown) != 1 || !strings.Contains(v.shown[0], "seen") {
		t.Errorf("a failed test is shown %q", v.shown)
	}
}

func TestJournalFindsWhatLooksLikeASecret(t *testing.T) {
	for kind, text := range map[string]string{
		"an IBAN":              "SE4550000000058398257466",
		"a session token":      "eyJhbGciOiJFZERTQSJ9.e30",
		"a masked card number": "412345******1234",
		"a private key":        "-----BEGIN PRIVATE KEY-----",
		"a BankID QR text":     "bankid.67df3917-fa0d-44e5-b327-edcc928297f8.0",
	} {
		j, v := harness.NewJournal(), &verdict{}
		j.Logger().Info("told", "text", text)
		if j.Check(v); !v.only(kind + " is in the log: ") {
			t.Errorf("%s: said %q", kind, v.said)
		}
	}
}

func TestJournalIsContentWithTheRest(t *testing.T) {
	j, v := harness.NewJournal(), &verdict{}
	j.Secret("nothing", "")
	j.Logger().Info("told", "id", "0195f0c0-0000-7000-8000-000000000001")
	if j.Check(v); v.Failed() || len(v.shown) > 0 {
		t.Errorf("said %q, shown %q", v.said, v.shown)
	}
}

func TestEmptyJournalShowsNothing(t *testing.T) {
	v := &verdict{}
	if harness.NewJournal().Check(v); !v.only("nothing was logged") {
		t.Errorf("said %q", v.said)
	}
}
