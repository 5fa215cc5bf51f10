package clients

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	samla "samla/clients/go"
	"samla/internal/clock"
	"samla/internal/devserver"
	"samla/test/harness"
)

// newOurs starts a server whose clock runs as that of the client, and returns a client of
// package samla/clients/go for a person there.
func newOurs(t *testing.T) (*env, *samla.Client) {
	t.Helper()
	t.Parallel()
	w := &env{clock: clock.NewFast(startTime, 1)}
	w.Env = suite.Start(t, devserver.Config{Clock: w.clock})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	w.ctx = ctx
	backend, err := samla.New(w.Server.URL(), w.APIKey, nil)
	if err != nil {
		t.Fatal(err)
	}
	name := harness.UniqueID(t)
	user, err := backend.EnsureUser(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := backend.EnsureUser(ctx, name); err != nil || again != user {
		t.Errorf("the user is %s, then %s (%v)", user, again, err)
	}
	session, err := backend.OpenSession(ctx, user)
	if err != nil {
		t.Fatal(err)
	}
	return w, session
}

// answers are what a person answers, in this order, and notes the questions.
type answers struct {
	list  []samla.Answer
	asked []string
}

func (a *answers) ask(_ context.Context, q samla.Question) (samla.Answer, error) {
	left := ""
	if q.AttemptsLeft != nil {
		left = fmt.Sprint(" ", *q.AttemptsLeft, " left")
	}
	ids := make([]string, 0, len(q.Choices))
	for _, c := range q.Choices {
		ids = append(ids, c.Id)
	}
	a.asked = append(a.asked, strings.Join(append([]string{string(q.Kind) + left}, append(ids, q.Inputs...)...), ","))
	if len(a.list) == 0 {
		return samla.Answer{}, errors.New("nobody knows")
	}
	next := a.list[0]
	a.list = a.list[1:]
	return next, nil
}

// The client asks each question once, with what the person needs for an answer, and asks
// again after a wrong one.
func TestOurs_AnswersDialogues(t *testing.T) {
	w, c := newOurs(t)
	for name, tc := range map[string]struct {
		person  string
		answers []samla.Answer
		asked   []string
		status  string
	}{
		"a wrong code and the right one": {"200004010000", []samla.Answer{{Code: "000000"}, {Code: "123456"}},
			[]string{"TWO_FACTOR_CODE,RESEND", "TWO_FACTOR_CODE 2 left,RESEND"}, "COMPLETED"},
		"another code": {"200004010000", []samla.Answer{{Choice: "RESEND"}, {Code: "234561"}},
			[]string{"TWO_FACTOR_CODE,RESEND", "TWO_FACTOR_CODE,RESEND"}, "COMPLETED"},
		"contact details": {"199007011000", []samla.Answer{{Values: map[string]string{"EMAIL": "anna@example.com", "MOBILE_PHONE_NUMBER": "+46701234567"}}},
			[]string{"COLLECTION_INPUT,EMAIL,MOBILE_PHONE_NUMBER"}, "COMPLETED_EMPTY"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			collection, err := c.CollectByLogin(w.ctx, samla.Login{Company: demo, LoginMethod: "SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK", PersonalNumber: w.secret(tc.person)})
			if err != nil {
				t.Fatal(err)
			}
			shown := map[string]bool{}
			a := &answers{list: tc.answers}
			s, err := c.AwaitCollection(w.ctx, collection.Id, samla.Person{Ask: a.ask, Show: func(v samla.View) { shown[v.Status] = true }})
			if err != nil || string(s.Status) != tc.status || !slices.Equal(a.asked, tc.asked) {
				t.Errorf("%s after %q, %v", s.Status, a.asked, err)
			}
			if !shown[tc.status] {
				t.Errorf("only %v were shown", slices.Sorted(maps.Keys(shown)))
			}
		})
	}
}

// A person who has no answer ends the wait, and a collection that fails is an error; both
// name what happened.
func TestOurs_SaysHowItEnded(t *testing.T) {
	w, c := newOurs(t)
	begin := func(person string) uuid.UUID {
		collection, err := c.CollectByLogin(w.ctx, samla.Login{Company: demo, LoginMethod: "SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK", PersonalNumber: w.secret(person)})
		if err != nil {
			t.Fatal(err)
		}
		return collection.Id
	}
	if _, err := c.AwaitCollection(w.ctx, begin("200004010000"), samla.Person{Ask: (&answers{}).ask}); err == nil || err.Error() != "nobody knows" {
		t.Errorf("a person without an answer: %v", err)
	}
	s, err := c.AwaitCollection(w.ctx, begin("200003010000"), samla.Person{})
	if !errors.Is(err, samla.ErrEnded) || s.Status != samla.CollectionStatusINCORRECTCREDENTIALS {
		t.Errorf("wrong credentials: %s, %v", s.Status, err)
	}
	_, err = c.GetCollectionStatus(w.ctx, uuid.New())
	var p *samla.Problem
	if !errors.As(err, &p) || p.Code() != "COLLECTION_NOT_FOUND" || !strings.Contains(p.Error(), p.Document.Remedy) {
		t.Errorf("an unknown collection: %v", err)
	}
}
