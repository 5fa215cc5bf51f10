package conformance

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"samla/internal/consent"
	"samla/internal/dialogue"
	"samla/internal/institution"
)

// LoginInstitution is a connector of an institution that a person logs in to.
type LoginInstitution interface {
	institution.Loginer
	institution.Collector
}

// LoginSetup is an institution that a person logs in to, and the person.
type LoginSetup struct {
	Institution LoginInstitution
	// Request is the login of a person who has data and gets in. The suite sets RequestID.
	Request institution.LoginRequest
	// Pass lets time pass during which the person does what a WAIT turn says.
	Pass func(t *testing.T, turn dialogue.Turn)
	// Answer returns the right answer to a question, without its id. Wrong returns an
	// answer that is not right, and whether there is one; nil = there is none.
	Answer func(t *testing.T, turn dialogue.Turn) dialogue.Answer
	Wrong  func(turn dialogue.Turn) (dialogue.Answer, bool)
	Expect LoginExpect
}

// LoginExpect is what the institution does.
type LoginExpect struct {
	Asks     bool // the dialogue has a question
	Products int  // of the person; -1 = some
	Accounts int
	Pages    int // at least
}

// RunLogin runs the suite of institution.Loginer. It calls start once for each test.
func RunLogin(t *testing.T, start func(t *testing.T) LoginSetup) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, *login)
	}{
		{"reads everything once the person is in", readsEverythingOnceIn},
		{"login recognises a retry", loginRecognisesRetry},
		{"turn has no effect", turnHasNoEffect},
		{"a question is answered once", answersOnce},
		{"a wrong answer leads to another question", asksAgain},
		{"reading needs the login", readingNeedsLogin},
		{"cancelled login", cancels},
		{"ended session", ends},
		{"unknown session", reportsUnknownSession},
		{"asks for nothing less after a failure", asksForNothingLess},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.run(t, &login{LoginSetup: start(t)})
		})
	}
}

// login is one person at one institution.
type login struct {
	LoginSetup
	questions map[string]bool // ids that were asked
}

func (l *login) begin(t *testing.T) institution.LoginSession {
	t.Helper()
	r := l.Request
	r.RequestID = uuid.NewString()
	s, err := l.Institution.Login(t.Context(), r)
	if err != nil || s.ID == "" {
		t.Fatalf("login: %v", err)
	}
	checkTurn(t, s.Turn)
	return s
}

// checkTurn expects that exactly one of the members is set.
func checkTurn(t *testing.T, turn dialogue.Turn) {
	t.Helper()
	set := 0
	for _, is := range []bool{turn.Wait != nil, turn.Ask != nil, turn.Device != nil, turn.In != nil, turn.Out != nil} {
		if is {
			set++
		}
	}
	if set != 1 || turn.ID == "" {
		t.Fatalf("a turn with %d contents", set)
	}
}

func (l *login) turn(t *testing.T, session string) dialogue.Turn {
	t.Helper()
	turn, err := l.Institution.Turn(t.Context(), session)
	if err != nil {
		t.Fatalf("turn: %v", err)
	}
	checkTurn(t, turn)
	return turn
}

// question returns the id of the question of a turn, or "".
func question(turn dialogue.Turn) string {
	switch {
	case turn.Ask != nil:
		return turn.Ask.Question
	case turn.Device != nil:
		return turn.Device.Question
	}
	return ""
}

func (l *login) answer(t *testing.T, session, requestID string, a dialogue.Answer) dialogue.Turn {
	t.Helper()
	turn, err := l.Institution.Answer(t.Context(), session, requestID, a)
	if err != nil {
		t.Fatalf("answer: %v", err)
	}
	checkTurn(t, turn)
	return turn
}

// right returns the right answer to the question of a turn.
func (l *login) right(t *testing.T, turn dialogue.Turn) dialogue.Answer {
	t.Helper()
	a := l.Answer(t, turn)
	a.Question = question(turn)
	return a
}

// maxTurns is more than any dialogue of the suite needs.
const maxTurns = 600

// until goes on with the dialogue until stop says so.
func (l *login) until(t *testing.T, session string, turn dialogue.Turn, what string, stop func(dialogue.Turn) bool) dialogue.Turn {
	t.Helper()
	for range maxTurns {
		id := question(turn)
		switch {
		case stop(turn):
			return turn
		case turn.In != nil, turn.Out != nil:
			t.Fatalf("the dialogue ends before %s: %+v", what, turn.Out)
		case turn.Wait != nil:
			l.Pass(t, turn)
			turn = l.turn(t, session)
		default:
			if l.questions == nil {
				l.questions = map[string]bool{}
			}
			if l.questions[id] {
				t.Fatal("a question id is used twice")
			}
			l.questions[id] = true
			turn = l.answer(t, session, uuid.NewString(), l.right(t, turn))
		}
	}
	t.Fatalf("more than %d turns before %s", maxTurns, what)
	return turn
}

func isIn(turn dialogue.Turn) bool    { return turn.In != nil }
func isAsked(turn dialogue.Turn) bool { return question(turn) != "" }
func (l *login) first() institution.Question {
	return l.Institution.Start(consent.Scope{Balances: true, Transactions: true}, "2020-01-01")[0]
}

func (l *login) fetch(t *testing.T, session string, q institution.Question) (institution.Answer, error) {
	t.Helper()
	return l.Institution.Fetch(t.Context(), institution.Access{Session: session, PSU: l.Request.PSU}, q)
}

// gone expects that a session is not known any more. Its end is no error.
func (l *login) gone(t *testing.T, session string) {
	t.Helper()
	_, err := l.Institution.Turn(t.Context(), session)
	l.expect(t, "turn", err, institution.SessionGone)
	_, err = l.Institution.Answer(t.Context(), session, uuid.NewString(), dialogue.Answer{Question: "q", Code: "123456"})
	l.expect(t, "answer", err, institution.SessionGone)
	_, err = l.fetch(t, session, l.first())
	l.expect(t, "read", err, institution.SessionGone)
	if err := l.Institution.EndLogin(t.Context(), session, uuid.NewString()); err != nil {
		t.Errorf("end: %v", err)
	}
}

// expect fails the test if err is not of the kind, or says something about the person.
func (l *login) expect(t *testing.T, what string, err error, want institution.ErrorKind) {
	t.Helper()
	expectKind(t, what, err, want)
	if number := l.Request.PSU.PersonalNumber.Digits(); number != "" && strings.Contains(err.Error(), number) {
		t.Errorf("%s: the error has the personal number", what)
	}
}

func loginRecognisesRetry(t *testing.T, l *login) {
	r := l.Request
	r.RequestID = uuid.NewString()
	first, err := l.Institution.Login(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	again, err := l.Institution.Login(t.Context(), r)
	if err != nil || again.ID != first.ID || !reflect.DeepEqual(again.Turn, first.Turn) {
		t.Errorf("a retry is another login, %v", err)
	}
	if other := l.begin(t); other.ID == first.ID {
		t.Error("two logins have one session")
	}
}

// turnHasNoEffect: asking for the turn, however often, is not what changes it. A turn has
// the same id exactly if it is the same.
func turnHasNoEffect(t *testing.T, l *login) {
	s := l.begin(t)
	last := s.Turn
	for range 5 {
		turn := l.turn(t, s.ID)
		if (turn.ID == last.ID) != reflect.DeepEqual(turn, last) {
			t.Error("the id of a turn and its content do not change together")
		}
		last = turn
	}
}

func answersOnce(t *testing.T, l *login) {
	if !l.Expect.Asks {
		t.Skip("the institution asks nothing")
	}
	s := l.begin(t)
	turn := l.until(t, s.ID, s.Turn, "a question", isAsked)
	id, a := uuid.NewString(), l.right(t, turn)
	_, err := l.Institution.Answer(t.Context(), s.ID, uuid.NewString(), dialogue.Answer{Question: "not " + a.Question, Code: "123456"})
	l.expect(t, "an answer to another question", err, institution.QuestionOver)
	next := l.answer(t, s.ID, id, a)
	if again := l.answer(t, s.ID, id, a); !reflect.DeepEqual(next, again) {
		t.Error("a repeated answer is answered differently")
	}
	_, err = l.Institution.Answer(t.Context(), s.ID, uuid.NewString(), a)
	l.expect(t, "a second answer", err, institution.QuestionOver)
}

func asksAgain(t *testing.T, l *login) {
	if l.Wrong == nil {
		t.Skip("no answer is wrong")
	}
	s := l.begin(t)
	turn := l.until(t, s.ID, s.Turn, "a question that has a wrong answer", func(turn dialogue.Turn) bool { _, can := l.Wrong(turn); return can })
	a, _ := l.Wrong(turn)
	a.Question = question(turn)
	next := l.answer(t, s.ID, uuid.NewString(), a)
	if next.Out != nil {
		return
	}
	if next.Ask == nil || !next.Ask.Wrong || next.Ask.Question == a.Question || next.ID == turn.ID {
		t.Errorf("after a wrong answer the turn is %s", next.ID)
	}
	l.until(t, s.ID, next, "in", isIn)
}

func asksForNothingLess(t *testing.T, l *login) {
	for _, kind := range []institution.ErrorKind{institution.Unreachable, institution.Busy, institution.SessionGone, institution.TurnNeeded, institution.CertificateRejected} {
		if _, ok := l.Institution.Instead(l.first(), &institution.Error{Kind: kind}, time.Now()); ok {
			t.Errorf("asks for less after %s", kind)
		}
	}
}
