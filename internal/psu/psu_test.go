package psu_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"samla/internal/psu"
)

var person = psu.Context{PersonalNumber: "200002292399", IPAddress: "192.0.2.7", UserAgent: "agent", Locale: "sv-SE"}

func TestContext_PrintsNothingOfThePerson(t *testing.T) {
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
		slog.New(h).Info("m", "psu", person, "number", person.PersonalNumber)
		slog.New(h).Info("m", "pointer", &person)
	}
	printed := log.String() + fmt.Sprint([]any{person, &person})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		printed += fmt.Sprintf(verb, person) + fmt.Sprintf(verb, person.PersonalNumber) +
			fmt.Sprintf(verb, struct{ P psu.Context }{person}) + fmt.Sprintf(verb, []psu.Number{person.PersonalNumber})
	}
	printed += fmt.Errorf("wrapped: %w, %v", errors.New("x"), person).Error()
	for _, secret := range []string{"2000", "2399", "192.0.2.7", "agent", "323030303032323932333939"} {
		if strings.Contains(printed, secret) {
			t.Errorf("%q is printed: %s", secret, printed)
		}
	}
}

func TestContext_KeepsEverythingInJSON(t *testing.T) {
	sealed, err := json.Marshal(person)
	if err != nil || string(sealed) != `{"pnr":"200002292399","ip":"192.0.2.7","ua":"agent","locale":"sv-SE"}` {
		t.Fatal(string(sealed), err)
	}
	var again psu.Context
	if err := json.Unmarshal(sealed, &again); err != nil || again != person {
		t.Errorf("%v, %v", again == person, err)
	}
}

func TestContext_UnattendedKeepsTheLocaleOnly(t *testing.T) {
	if u := person.Unattended(); u.Attended() || u != (psu.Context{Locale: "sv-SE"}) {
		t.Error("something of the person is left")
	}
	if !person.Attended() || person.PersonalNumber.Digits() != "200002292399" {
		t.Error("the person is not there")
	}
}

func TestNumber_IsComparedInTenOrTwelveDigits(t *testing.T) {
	const number = psu.Number("198412099296")
	for text, want := range map[string]bool{"198412099296": true, "8412099296": true, "841209-9296": true, " 19841209-9296": true,
		"199006022397": false, "": false, "9296": false, "19841209929x": false, "1119841209929": false} {
		if got := number.Is(psu.Said(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
