package harness_test

import (
	"fmt"
	"strings"
	"testing"

	"samla/test/harness"
)

// recorder records errors and logs instead of failing the test.
type recorder struct {
	testing.TB
	errors, logs []string
}

func (r *recorder) Helper()                   {}
func (r *recorder) Error(a ...any)            { r.errors = append(r.errors, fmt.Sprint(a...)) }
func (r *recorder) Errorf(f string, a ...any) { r.errors = append(r.errors, fmt.Sprintf(f, a...)) }
func (r *recorder) Failed() bool              { return len(r.errors) > 0 }
func (r *recorder) Log(a ...any)              { r.logs = append(r.logs, fmt.Sprint(a...)) }
func (r *recorder) only(begins string) bool {
	return len(r.errors) == 1 && strings.HasPrefix(r.errors[0], begins)
}

func TestLog_ReportsRegisteredSecret(t *testing.T) {
	j, r := harness.NewLog(), &recorder{}
	j.Secret("a name", "", "Maja", "Lindqvist")
	j.Logger().Debug("seen", "who", "M. Lindqvist")
	if j.Check(r); !r.only("a name is in the log: ") {
		t.Errorf("errors %q", r.errors)
	}
	if len(r.logs) != 1 || !strings.Contains(r.logs[0], "seen") {
		t.Errorf("a failed test printed %q", r.logs)
	}
}

func TestLog_ReportsPatternsOfSecrets(t *testing.T) {
	for kind, text := range map[string]string{
		"an IBAN":              "SE4550000000058398257466",
		"a session token":      "eyJhbGciOiJFZERTQSJ9.e30",
		"a masked card number": "412345******1234",
		"an e-mail address":    "to anna.berg@example.com",
		"a phone number":       "+46701740605",
		"a private key":        "-----BEGIN PRIVATE KEY-----",
		"a BankID QR text":     "bankid.67df3917-fa0d-44e5-b327-edcc928297f8.0",
	} {
		j, r := harness.NewLog(), &recorder{}
		j.Logger().Info("message", "text", text)
		if j.Check(r); !r.only(kind + " is in the log: ") {
			t.Errorf("%s: errors %q", kind, r.errors)
		}
	}
}

func TestLog_AcceptsLinesWithoutSecrets(t *testing.T) {
	j, r := harness.NewLog(), &recorder{}
	j.Secret("nothing", "")
	j.Logger().Info("message", "id", "0195f0c0-0000-7000-8000-000000000001")
	if j.Check(r); r.Failed() || len(r.logs) > 0 {
		t.Errorf("errors %q, logs %q", r.errors, r.logs)
	}
}

func TestLog_ReportsEmptyLog(t *testing.T) {
	r := &recorder{}
	if harness.NewLog().Check(r); !r.only("the log is empty") {
		t.Errorf("errors %q", r.errors)
	}
}
