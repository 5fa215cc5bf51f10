package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"samla/internal/apiclient"
)

// form is a question of a login to the person: one field, or several.
type form struct {
	id       string // the same as long as the question is the same
	question string // its id at the institution; empty: it has none
	title    string
	fields   []field
	// supplement makes the answer of the values of the fields.
	supplement func(values []string) apiclient.Supplement
	done       func() error // in place of supplement: the answer goes elsewhere
	values     []string
}

// field is what is asked for, and the sandbox's answer.
type field struct {
	label, answer string
	options       []apiclient.Method // to choose from, by number; none: any text
}

// The sandbox's answers (docs/sandbox.md). The phone number is one that nobody has.
var sandboxAnswers = map[string]string{
	"code":                "123456",
	"EMAIL":               demoEmail,
	"MOBILE_PHONE_NUMBER": "0701740605",
}

// resend is the choice that asks for a new code, beside a code that is expected.
const resend = "RESEND"

// formOf returns the question that a status asks; nil: none.
func formOf(s apiclient.CollectionStatus) *form {
	shown := s.Shown
	question := shown.QuestionID
	if i := shown.Instruction; i != nil {
		question = cmp.Or(i.QuestionID, question)
	}
	f := &form{id: s.Status + question}
	if i := shown.Instruction; i != nil {
		f.id, f.title = f.id+i.Text, i.Text
		if i.AttemptsLeft != nil {
			f.id += strconv.Itoa(*i.AttemptsLeft)
			f.title += fmt.Sprintf(" (%d attempts left)", *i.AttemptsLeft)
		}
	}
	methods := slices.DeleteFunc(slices.Clone(shown.Methods), func(m apiclient.Method) bool { return m.ID == resend })
	switch {
	case s.Status == "TWO_FACTOR_PENDING" && len(methods) > 0:
		f.choice(methods)
	case s.Status == "TWO_FACTOR_PENDING":
		f.code(len(shown.Methods) > 0)
	case len(shown.Inputs) > 0 && (s.Status == "CONTACT_FORM_PENDING" || s.Status == "COLLECTION_INPUT_PENDING"):
		f.inputs(shown.Inputs)
	default:
		return nil
	}
	f.question = question
	return f
}

// code asks for a code. again says that a new one can be asked for.
func (f *form) code(again bool) {
	label := "Code"
	if again {
		label += ", or " + resend
	}
	f.fields = []field{{label: label, answer: sandboxAnswers["code"]}}
	f.supplement = func(values []string) apiclient.Supplement {
		if again && strings.EqualFold(values[0], resend) {
			return apiclient.Supplement{Type: "TWO_FACTOR_CHOICE", Value: resend}
		}
		return apiclient.Supplement{Type: "TWO_FACTOR_CODE", Value: values[0]}
	}
}

// choice asks for the method of the second factor.
func (f *form) choice(of []apiclient.Method) {
	var list []string
	for i, m := range of {
		list = append(list, fmt.Sprintf("%d %s", i+1, m.Name))
	}
	f.fields = []field{{label: "Choose " + strings.Join(list, ", "), answer: "1", options: of}}
	f.supplement = func(values []string) apiclient.Supplement {
		return apiclient.Supplement{Type: "TWO_FACTOR_CHOICE", Value: values[0]}
	}
}

// inputs asks for contact details or other input.
func (f *form) inputs(keys []string) {
	for _, key := range keys {
		answer := sandboxAnswers[key]
		if answer == "" {
			answer = "anything"
		}
		f.fields = append(f.fields, field{label: label(key), answer: answer})
	}
	f.supplement = func(values []string) apiclient.Supplement {
		given := map[string]string{}
		for i, key := range keys {
			given[key] = values[i]
		}
		return apiclient.Supplement{Type: "COLLECTION_INPUT", Values: given}
	}
}

// label writes a key for people: Mobile phone number.
func label(key string) string {
	text := words(key)
	return strings.ToUpper(text[:1]) + text[1:]
}

// value returns what a line means for the field; an empty one is the sandbox's answer.
// It reports false for a line that is no option.
func (a field) value(line string) (string, bool) {
	if line == "" {
		line = a.answer
	}
	if a.options == nil {
		return line, line != ""
	}
	for i, option := range a.options {
		if line == strconv.Itoa(i+1) || strings.EqualFold(line, option.ID) {
			return option.ID, true
		}
	}
	return "", false
}

// question asks the person what a status asks for. Where there is nobody to ask, it gives
// the sandbox's answer.
func (d *dialogue) question(ctx context.Context, s apiclient.CollectionStatus) error {
	f := formOf(s)
	if f == nil || d.answered[f.id] {
		d.form = nil
		return nil
	}
	if d.form == nil || d.form.id != f.id {
		d.form = f
		for i := range f.fields {
			if d.real {
				f.fields[i].answer = ""
			}
		}
		if title := (column{}).cut(f.title); title != "" {
			d.printf("%s", title)
		}
		if d.lines != nil {
			d.prompt()
		}
	}
	return d.unasked(ctx)
}

// unasked gives the sandbox's answers to the open question if there is nobody to ask.
func (d *dialogue) unasked(ctx context.Context) error {
	for d.lines == nil && d.form != nil {
		if d.real {
			return errNobody
		}
		if err := d.typed(ctx, ""); err != nil {
			return err
		}
	}
	return nil
}

// errNobody is returned when a question cannot be answered.
var errNobody = errors.New("the institution asks a question, and there is no terminal to answer it on: run it in a terminal")

// prompt asks for the next field.
func (d *dialogue) prompt() {
	a := d.form.fields[len(d.form.values)]
	fmt.Fprint(d.out, column{}.cut(a.label))
	if a.answer != "" {
		fmt.Fprintf(d.out, " [%s]", a.answer)
	}
	fmt.Fprint(d.out, ": ")
	d.drawn = 0
}

// typed takes a line for the next field, and hands the form over when it is complete.
func (d *dialogue) typed(ctx context.Context, line string) error {
	f := d.form
	value, ok := f.fields[len(f.values)].value(line)
	if ok {
		f.values = append(f.values, value)
	}
	if len(f.values) < len(f.fields) {
		if d.lines != nil {
			d.prompt()
		}
		return nil
	}
	d.form = nil
	if f.done != nil {
		return f.done()
	}
	d.answered[f.id] = true
	return d.hand(ctx, f.question, f.supplement(f.values))
}

// hand hands an answer over. One that comes too late is said, and the login goes on.
func (d *dialogue) hand(ctx context.Context, question string, answer apiclient.Supplement) error {
	answer.QuestionID = question
	err := d.client.Supplement(ctx, d.token, d.id, answer)
	var problem *apiclient.Problem
	if errors.As(err, &problem) && problem.Code == "SUPPLEMENT_NOT_EXPECTED" {
		d.printf("The question was over before the answer came.")
		return nil
	}
	if err != nil {
		return err
	}
	if !d.real {
		d.printf("POST /collections/…/supplement-info  %s", answer.Type)
	}
	return nil
}
