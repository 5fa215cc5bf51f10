package conformance

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/uuid"

	"samla/internal/fact"
	"samla/internal/institution"
)

// read asks a question twice, and reads the answer before and after it was stored.
func (l *login) read(t *testing.T, session string, q institution.Question) institution.Reading {
	t.Helper()
	answer, err := l.fetch(t, session, q)
	if err != nil {
		t.Fatalf("ask for %s: %v", q.Kind, err)
	}
	if again, err := l.fetch(t, session, q); err != nil || !bytes.Equal(again.Body, answer.Body) || again.Question != q {
		t.Errorf("%s is answered differently again, %v", q.Kind, err)
	}
	read, err := l.Institution.Read(answer)
	if err != nil || len(read.Deviations) != 0 {
		t.Fatalf("read %s: deviations %v, %v", q.Kind, read.Deviations, err)
	}
	var stored institution.Answer
	text, err := json.Marshal(answer)
	if err == nil {
		err = json.Unmarshal(text, &stored)
	}
	if err != nil {
		t.Fatal(err)
	}
	if again, err := l.Institution.Read(stored); err != nil || !reflect.DeepEqual(again, read) {
		t.Errorf("an answer to %s gives another reading once stored, %v", q.Kind, err)
	}
	return read
}

func readsEverythingOnceIn(t *testing.T, l *login) {
	s := l.begin(t)
	in := l.until(t, s.ID, s.Turn, "in", isIn)
	if number := l.Request.PSU.PersonalNumber.Digits(); in.In.PersonalNumber != "" && number != "" && in.In.PersonalNumber != number {
		t.Error("another person is in")
	}
	var facts fact.Facts
	asked := map[institution.Question]bool{}
	questions := []institution.Question{l.first()}
	if !questions[0].Essential {
		t.Error("the first question is not essential")
	}
	for len(questions) > 0 {
		q := questions[0]
		questions = questions[1:]
		if asked[q] || len(asked) == maxQuestions {
			t.Fatalf("%s is asked twice, or there are too many questions", q.Kind)
		}
		asked[q] = true
		read := l.read(t, s.ID, q)
		facts.Add(read.Facts)
		questions = append(questions, read.Questions...)
	}
	n := len(facts.Products)
	if n != l.Expect.Products && (n == 0 || l.Expect.Products >= 0) || len(facts.Accounts) != l.Expect.Accounts || len(asked) < l.Expect.Pages {
		t.Errorf("%d products, %d accounts, %d pages, want %+v", len(facts.Products), len(facts.Accounts), len(asked), l.Expect)
	}
	for _, p := range facts.Products {
		if h := p.Common(); h.Type == "" || h.ID != "" || h.Company != "" {
			t.Error("a product with what the server writes, or without a type")
		}
	}
	if turn := l.turn(t, s.ID); turn.In == nil {
		t.Error("the person is not in after the reading")
	}
}

// readingNeedsLogin: a question that was asked too early is answered once the person is in.
func readingNeedsLogin(t *testing.T, l *login) {
	s := l.begin(t)
	if s.Turn.In != nil {
		t.Skip("the person is in at once")
	}
	_, err := l.fetch(t, s.ID, l.first())
	l.expect(t, "read before the login is done", err, institution.TurnNeeded)
	l.until(t, s.ID, l.turn(t, s.ID), "in", isIn)
	l.read(t, s.ID, l.first())
}

func cancels(t *testing.T, l *login) {
	s := l.begin(t)
	id := uuid.NewString()
	for range 2 {
		if err := l.Institution.EndLogin(t.Context(), s.ID, id); err != nil {
			t.Errorf("cancel: %v", err)
		}
	}
	l.gone(t, s.ID)
}

func ends(t *testing.T, l *login) {
	s := l.begin(t)
	l.until(t, s.ID, s.Turn, "in", isIn)
	l.read(t, s.ID, l.first())
	if err := l.Institution.EndLogin(t.Context(), s.ID, uuid.NewString()); err != nil {
		t.Errorf("end: %v", err)
	}
	l.gone(t, s.ID)
}

func reportsUnknownSession(t *testing.T, l *login) { l.gone(t, "unknown-"+uuid.NewString()) }
