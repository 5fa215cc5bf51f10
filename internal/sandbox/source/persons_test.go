package source_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/clock/clocktest"
	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/source"

	"github.com/google/go-cmp/cmp"
)

// statusOf is the status that a turn means for a client (docs/reference/api.md 5.7).
func statusOf(t turn) string {
	switch t.Type + "/" + t.For + t.Kind + t.Reason {
	case "WAIT/BANKID", "WAIT/SOURCE", "DEVICE/":
		return "LOGIN"
	case "WAIT/APP", "WAIT/PAGE", "WAIT/EMAIL_LINK":
		return "WAITING_FOR_USER_ACTION"
	case "ASK/CODE", "ASK/CHOICE":
		return "TWO_FACTOR_PENDING"
	case "ASK/CONTACT":
		return "CONTACT_FORM_PENDING"
	case "ASK/INPUT":
		return "COLLECTION_INPUT_PENDING"
	case "IN/":
		return "COLLECTING"
	}
	return map[string]string{
		"CANCELLED": "AUTHENTICATION_CANCELLED", "TIMEOUT": "AUTHENTICATION_TIMEOUT", "CHOICE_TIMEOUT": "TWO_FACTOR_METHOD_SELECTION_TIMEOUT",
		"INPUT_TIMEOUT": "COLLECTION_INPUT_TIMEOUT", "INCORRECT_CREDENTIALS": "INCORRECT_CREDENTIALS", "LOCKED": "ACCOUNT_TEMPORARILY_LOCKED",
		"CONFLICT": "AUTHENTICATION_CONFLICT", "MISMATCH": "AUTHENTICATION_MISMATCH", "KYC_REQUIRED": "KYC_FORM", "CONTACT_REQUIRED": "CONTACT_FORM",
		"ENROLLMENT_REQUIRED": "CUSTOMER_ENROLLMENT_REQUIRED", "METHOD_NOT_APPLICABLE": "LOGIN_METHOD_NOT_APPLICABLE",
		"UNAVAILABLE": "THIRD_PARTY_ERROR", "LOGIN_FAILED": "AUTHENTICATION_ERROR", "FAILED": "FAILED",
	}[t.Reason]
}

// do carries out an action of docs/sandbox.md.
func (l *login) do(action string) {
	l.Helper()
	verb, rest, _ := strings.Cut(action, " ")
	switch verb {
	case "code":
		l.answer(fmt.Sprintf(`"code":%q`, rest))
	case "choice":
		l.answer(fmt.Sprintf(`"choice":%q`, rest))
	case "inputs":
		var inputs []string
		for key := range strings.FieldsSeq(rest) {
			inputs = append(inputs, fmt.Sprintf("%q:%q", key, map[string]string{"EMAIL": "anna@example.com", "MOBILE_PHONE_NUMBER": "070-1740605"}[key]))
		}
		l.answer(`"inputs":{` + strings.Join(inputs, ",") + `}`)
	case "device":
		if l.turn.Older != (rest == "older") {
			l.Errorf("older form %v", l.turn.Older)
		}
		l.answer(`"response":{"headers":{},"body":` + string(l.callDevice().want(200).body) + `}`)
	case "sign", "decline":
		act := map[string]bankid.Action{"sign": bankid.Approve, "decline": bankid.Decline}[verb]
		l.phone(bankid.PhoneAction{Action: act, AutoStartToken: l.turn.AutoStartToken, PersonalNumber: rest})
	case "open":
		l.call("POST", l.links()[0], "").want(200)
	case "stop":
		l.call("DELETE", l.path(""), "").want(404) // no such call
		l.call("DELETE", strings.TrimSuffix(l.path(""), "/"), "").want(204)
	default:
		l.Fatalf("unknown action %q", action)
	}
}

// walk follows a person to the end and returns the statuses, without repetitions.
func (l *login) walk(does []string) (statuses []string, read page) {
	l.Helper()
	seen := func() {
		if s := statusOf(l.turn); len(statuses) == 0 || statuses[len(statuses)-1] != s {
			statuses = append(statuses, s)
		}
	}
	seen()
	for range 100 {
		switch {
		case l.turn.Type == "OUT":
			return statuses, read
		case l.turn.Type == "IN":
			all, pages, whole := l.read()
			switch {
			case !whole && pages == 0:
				return append(statuses, "THIRD_PARTY_ERROR"), all
			case !whole || len(all.Missing) > 0:
				return append(statuses, "COMPLETED_PARTIAL"), all
			case len(all.Products) == 0:
				return append(statuses, "COMPLETED_EMPTY"), all
			}
			return append(statuses, "COMPLETED"), all
		case len(does) > 0 && (l.turn.Type != "WAIT" || l.turn.For != "SOURCE"):
			action := does[0]
			does = does[1:]
			if l.do(action); action == "stop" {
				return append(statuses, "AUTHENTICATION_CANCELLED"), read
			}
			if l.turn.Type == "WAIT" {
				l.next()
			}
		default:
			l.clock.Advance(time.Second)
			l.next()
		}
		seen()
	}
	l.Fatalf("the login does not end; statuses %v", statuses)
	return nil, read
}

// leftAlone reports whether the server decides how the login ends, not the source.
func leftAlone(p source.Person) bool {
	return slices.Contains(p.Does, "leave") || slices.Contains(p.Does, "stay")
}

// Each person of docs/sandbox.md reaches its statuses.
func TestPersons_ReachTheirStatuses(t *testing.T) {
	for _, p := range source.Persons() {
		if p.Who == "200005010000" || p.Who == "200003130000" { // tests of their own, below
			continue
		}
		t.Run(strings.Join([]string{p.Company, p.LoginMethod, p.Who, strings.Join(p.Does, ",")}, "/"), func(t *testing.T) {
			l := start(t).begin(p.Company, p.LoginMethod, p.Who)
			if leftAlone(p) {
				if strings.Contains(p.LoginMethod, "BANKID") && p.Company != demo {
					t.Skip("TestBankID_NewCodesFollow")
				}
				before := statusOf(l.turn)
				for range 3600 {
					l.clock.Advance(time.Second)
					l.next()
				}
				if got := statusOf(l.turn); got != p.Statuses[len(p.Statuses)-2] {
					t.Errorf("after an hour: %s, then %s", before, got)
				}
				return
			}
			got, _ := l.walk(p.Does)
			got = slices.DeleteFunc(got, func(s string) bool { return s == "COLLECTING" || !slices.Contains(p.Statuses, s) })
			if diff := cmp.Diff(p.Statuses, got); diff != "" {
				t.Errorf("statuses (-want +got):\n%s", diff)
			}
		})
	}
}

// document returns the text of a file below docs.
func document(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The persons reach every status that the server may write (docs/reference/api.md 5.7).
func TestPersons_ReachEveryStatus(t *testing.T) {
	_, section, _ := strings.Cut(document(t, "docs/reference/api.md"), "### 5.7")
	section, _, _ = strings.Cut(section, "### 5.8")
	left := map[string]bool{}
	for line := range strings.Lines(section) {
		if name, ok := strings.CutPrefix(line, "| `"); ok {
			name, _, _ = strings.Cut(name, "`")
			left[name] = true
		}
	}
	if len(left) != 27 {
		t.Fatalf("%d statuses in the contract", len(left))
	}
	for _, never := range []string{"RUNNING", "FAILED_PDF_PARSE", "FAILED_PDF_USER_INPUT"} { // RUNNING is the first of all
		delete(left, never)
	}
	for _, p := range source.Persons() {
		for _, s := range p.Statuses {
			delete(left, s)
		}
	}
	if len(left) > 0 {
		t.Errorf("nobody reaches %v", left)
	}
}

// docs/sandbox.md has the same table, row by row.
func TestDocumentation_ListsThePersonsOfSources(t *testing.T) {
	_, section, _ := strings.Cut(document(t, "docs/sandbox.md"), "## Persons of the sources")
	section, _, _ = strings.Cut(section, "\n## ")
	var got []string
	for line := range strings.Lines(section) {
		if strings.HasPrefix(line, "| `se-") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	var want []string
	for _, p := range source.Persons() {
		want = append(want, p.Row())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// Every login method of market se has a place where it works (docs/reference/api.md 6.3).
func TestPersons_CompleteWithEveryLoginMethod(t *testing.T) {
	_, section, _ := strings.Cut(document(t, "docs/reference/api.md"), "### 6.3")
	section, _, _ = strings.Cut(section, "Other documented values")
	left := map[string]bool{}
	_, table, _ := strings.Cut(section, "| --- | --- |")
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			continue
		}
		for name := range strings.SplitSeq(cells[1], ",") {
			left[strings.Trim(name, " `")] = true
		}
	}
	if len(left) != 11 {
		t.Fatalf("%d login methods in the contract: %v", len(left), left)
	}
	for _, p := range source.Persons() {
		if p.Statuses[len(p.Statuses)-1] == "COMPLETED" {
			delete(left, p.LoginMethod)
		}
	}
	if len(left) > 0 {
		t.Errorf("no person completes with %v", left)
	}
}

// A source may report that another person is in; the client compares.
func TestPerson_OtherPersonIsIn(t *testing.T) {
	l := start(t).begin(demo, mock, "200003130000")
	l.clock.Advance(time.Second)
	if got := l.next(); got.Type != "IN" || got.PersonalNumber != "200003050000" {
		t.Errorf("%+v", got)
	}
}

// Pages without items tell a client that the source still works.
func TestPerson_ReadingTakesTime(t *testing.T) {
	l := start(t).begin(demo, mock, "200005010000")
	l.clock.Advance(time.Second)
	if l.next().Type != "IN" {
		t.Fatalf("%+v", l.turn)
	}
	cursor, waited := "", 0
	for range 20 {
		done, began := make(chan response), l.clock.Now()
		go func() { done <- l.page(cursor) }()
		r := clocktest.Advance(t, "a page", l.clock, time.Second, done)
		waited += int(l.clock.Now().Sub(began) / time.Second)
		var p page
		r.want(200).decode(&p)
		if waited < 4 && len(p.Products) == 0 && p.Next == "" {
			t.Fatalf("the last page after %d seconds: %s", waited, r.body)
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	if waited != 3 || cursor != "" {
		t.Errorf("%d pages without items", waited)
	}
}
