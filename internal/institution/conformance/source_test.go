package conformance_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"samla/internal/dialogue"
	"samla/internal/institution"
	"samla/internal/institution/conformance"
	"samla/internal/institution/source"
	"samla/internal/psu"
	"samla/internal/sandbox"
	"samla/internal/sourcetest"
)

func open(t *testing.T, c source.Config, company string) *source.Source {
	t.Helper()
	s, err := source.New(c, institution.Deps{Company: company})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// pass waits as long as the turn says, so that the person and the source can go on.
func pass(_ *testing.T, turn dialogue.Turn) { <-time.After(max(turn.PollAfter, 50*time.Millisecond)) }

var person = psu.Context{PersonalNumber: sourcetest.PersonalNumber, IPAddress: "192.0.2.7", UserAgent: "agent", Locale: "sv-SE"}

// The example source runs in a process of its own.
func TestSource_OverTheExample(t *testing.T) {
	for name, start := range map[string]func(testing.TB) string{"go": sourcetest.Go, "node": sourcetest.Node} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(file, []byte(sourcetest.Secret), 0o600); err != nil {
				t.Fatal(err)
			}
			url := start(t)
			conformance.RunLogin(t, func(t *testing.T) conformance.LoginSetup {
				return conformance.LoginSetup{
					Institution: open(t, source.Config{BaseURL: url, SecretFile: file}, sourcetest.Institution),
					Request:     institution.LoginRequest{LoginMethod: sourcetest.LoginMethod, PSU: person},
					Pass:        pass,
					Answer:      func(*testing.T, dialogue.Turn) dialogue.Answer { return dialogue.Answer{Code: sourcetest.Code} },
					Wrong: func(turn dialogue.Turn) (dialogue.Answer, bool) {
						return dialogue.Answer{Code: "000000"}, turn.Ask != nil
					},
					Expect: conformance.LoginExpect{Asks: true, Products: 1, Accounts: 1, Pages: 2},
				}
			})
		})
	}
}

// The sandbox's sources were written from the protocol, and share no code with the connector.
func TestSource_OverTheSandbox(t *testing.T) {
	s, err := sandbox.New(sandbox.Config{Dir: copyKeys(t)})
	if err == nil {
		err = s.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	base := ""
	for _, i := range s.Sources() {
		if i.ID == "se-demo" {
			base = i.BaseURL
		}
	}
	for name, c := range map[string]struct {
		number string
		asks   bool
		wrong  bool
		expect int // products
	}{
		"no question":            {"199312252399", false, false, 1},
		"a code":                 {"200004010000", true, true, -1},
		"a form, a choice, code": {"200004130000", true, false, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conformance.RunLogin(t, func(t *testing.T) conformance.LoginSetup {
				setup := conformance.LoginSetup{
					Institution: open(t, source.Config{BaseURL: base, SecretFile: s.SourceSecretFile(), Certificates: source.Certificates{CAFile: s.CAFile()}}, "se-demo"),
					Request:     institution.LoginRequest{LoginMethod: "SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK", PSU: psu.Context{PersonalNumber: psu.Number(c.number), IPAddress: "192.0.2.7"}},
					Pass:        pass, Answer: rightAnswer,
					Expect: conformance.LoginExpect{Asks: c.asks, Products: c.expect},
				}
				if c.wrong {
					setup.Wrong = func(turn dialogue.Turn) (dialogue.Answer, bool) {
						return dialogue.Answer{Code: "000000"}, turn.Ask != nil && turn.Ask.Kind == dialogue.Code
					}
				}
				return setup
			})
		})
	}
}

// rightAnswer returns the answer of a person of the sandbox (docs/sandbox.md).
func rightAnswer(t *testing.T, turn dialogue.Turn) dialogue.Answer {
	if turn.Ask == nil {
		t.Fatal("the turn asks nothing")
	}
	switch turn.Ask.Kind {
	case dialogue.Code:
		return dialogue.Answer{Code: "123456"}
	case dialogue.Method:
		return dialogue.Answer{Choice: "SMS"}
	}
	inputs := map[string]string{}
	for _, name := range turn.Ask.Inputs {
		inputs[name] = map[string]string{"EMAIL": "a@example.com", "MOBILE_PHONE_NUMBER": "+46700000000"}[name]
	}
	return dialogue.Answer{Inputs: inputs}
}
