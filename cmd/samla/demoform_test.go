package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"samla/internal/apiclient"
)

// status returns a status of the API's JSON.
func status(t *testing.T, text string) apiclient.CollectionStatus {
	t.Helper()
	var s apiclient.CollectionStatus
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestForm_AsksWhatTheStatusAsks(t *testing.T) {
	for name, c := range map[string]struct {
		status string
		typed  []string
		want   *apiclient.Supplement
	}{
		"nothing is asked":    {`{"status":"LOGIN","extraInformation":null}`, nil, nil},
		"no question is open": {`{"status":"CONTACT_FORM_PENDING","extraInformation":null}`, nil, nil},
		"a code": {`{"status":"TWO_FACTOR_PENDING","extraInformation":{"TWO_FACTOR_AUTHENTICATION_INSTRUCTION":{"authenticationInstruction":"Enter the code","questionId":"q1"}}}`,
			[]string{"987654"}, &apiclient.Supplement{Type: "TWO_FACTOR_CODE", QuestionID: "q1", Value: "987654"}},
		"the sandbox's code": {`{"status":"TWO_FACTOR_PENDING","extraInformation":{}}`, []string{""}, &apiclient.Supplement{Type: "TWO_FACTOR_CODE", Value: "123456"}},
		"a new code": {`{"status":"TWO_FACTOR_PENDING","extraInformation":{"AVAILABLE_TWO_FACTOR_METHODS":[{"id":"RESEND","name":"Send a new code"}]}}`,
			[]string{"resend"}, &apiclient.Supplement{Type: "TWO_FACTOR_CHOICE", Value: "RESEND"}},
		"a code where a new one can be asked for": {`{"status":"TWO_FACTOR_PENDING","extraInformation":{"AVAILABLE_TWO_FACTOR_METHODS":[{"id":"RESEND","name":"Send a new code"}]}}`,
			[]string{""}, &apiclient.Supplement{Type: "TWO_FACTOR_CODE", Value: "123456"}},
		"a choice by number": {`{"status":"TWO_FACTOR_PENDING","extraInformation":{"AVAILABLE_TWO_FACTOR_METHODS":[{"id":"SMS","name":"Text message"},{"id":"APP","name":"The app"}]}}`,
			[]string{"2"}, &apiclient.Supplement{Type: "TWO_FACTOR_CHOICE", Value: "APP"}},
		"a choice by id": {`{"status":"TWO_FACTOR_PENDING","extraInformation":{"AVAILABLE_TWO_FACTOR_METHODS":[{"id":"SMS","name":"Text message"}]}}`,
			[]string{"3", "sms"}, &apiclient.Supplement{Type: "TWO_FACTOR_CHOICE", Value: "SMS"}},
		"a contact form": {`{"status":"CONTACT_FORM_PENDING","extraInformation":{"REQUIRED_INPUT_TYPES":["EMAIL","MOBILE_PHONE_NUMBER"],"QUESTION_ID":"q9"}}`,
			[]string{"b@example.com", ""}, &apiclient.Supplement{Type: "COLLECTION_INPUT", QuestionID: "q9", Values: map[string]string{"EMAIL": "b@example.com", "MOBILE_PHONE_NUMBER": "0701740605"}}},
		"other input": {`{"status":"COLLECTION_INPUT_PENDING","extraInformation":{"REQUIRED_INPUT_TYPES":["SHOE_SIZE"]}}`,
			[]string{"42"}, &apiclient.Supplement{Type: "COLLECTION_INPUT", Values: map[string]string{"SHOE_SIZE": "42"}}},
	} {
		f := formOf(status(t, c.status))
		if f == nil || c.want == nil {
			if (f == nil) != (c.want == nil) {
				t.Errorf("%s: the form is %v", name, f)
			}
			continue
		}
		for _, line := range c.typed {
			if value, ok := f.fields[len(f.values)].value(line); ok {
				f.values = append(f.values, value)
			}
		}
		if len(f.values) != len(f.fields) {
			t.Errorf("%s: %d of %d fields", name, len(f.values), len(f.fields))
			continue
		}
		got := f.supplement(f.values)
		got.QuestionID = f.question
		if diff := cmp.Diff(*c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A question that is asked again after a wrong answer is another one.
func TestForm_AfterAWrongAnswerIsAnother(t *testing.T) {
	ids := map[string]bool{}
	for _, text := range []string{`{"questionId":"q1"}`, `{"questionId":"q2"}`, `{"questionId":"q2","attemptsLeft":2}`, `{"attemptsLeft":2}`, `{"attemptsLeft":1}`} {
		f := formOf(status(t, `{"status":"TWO_FACTOR_PENDING","extraInformation":{"TWO_FACTOR_AUTHENTICATION_INSTRUCTION":`+text+`}}`))
		if ids[f.id] {
			t.Errorf("%s has the id of another question", text)
		}
		ids[f.id] = true
	}
}

func TestTerminal_DrawsOnePictureInAPipe(t *testing.T) {
	var out strings.Builder
	pipe := newTerminal(&out)
	pipe.draw("one\n")
	pipe.draw("two\n")
	pipe.printf("text")
	pipe.draw("three\n")
	if got := out.String(); got != "one\ntext\nthree\n" {
		t.Errorf("printed %q", got)
	}
	out.Reset()
	screen := terminal{out: &out, moves: true}
	screen.draw("one\nmore\n")
	screen.draw("two\n")
	if got := out.String(); got != "one\nmore\n\x1b[2A\x1b[Jtwo\n" {
		t.Errorf("printed %q", got)
	}
}
