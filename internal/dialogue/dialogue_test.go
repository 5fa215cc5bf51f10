package dialogue_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"samla/internal/dialogue"
	"samla/internal/psu"
)

const person psu.Number = "198412099296"

var (
	start  = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
	limits = dialogue.Limits{}.WithDefaults()
)

func wait(p dialogue.Place) dialogue.Turn {
	return dialogue.Turn{ID: "w", Wait: &dialogue.Wait{For: p}}
}

func ask(id string, k dialogue.Kind) dialogue.Turn {
	a := &dialogue.Ask{Question: id, Kind: k}
	switch k {
	case dialogue.Method:
		a.Choices = []dialogue.Choice{{ID: "SMS", Name: "Text message"}}
	case dialogue.Contact, dialogue.Input:
		a.Inputs = []string{"EMAIL", "MOBILE_PHONE_NUMBER"}
	}
	return dialogue.Turn{ID: "t-" + id, Ask: a}
}

func device(id string) dialogue.Turn {
	return dialogue.Turn{ID: id, Device: &dialogue.Device{Question: id, Request: dialogue.DeviceRequest{URL: "https://a.example/", Method: "GET"}}}
}

// at returns a login that has come to a turn.
func at(t *testing.T, turns ...dialogue.Turn) dialogue.State {
	t.Helper()
	s := apply(t, dialogue.Start("login", "end", person, start), dialogue.Begun{Session: "s", Turn: turns[0]}, start)
	for _, turn := range turns[1:] {
		s = apply(t, s, dialogue.Told{Turn: turn}, start)
	}
	return s
}

func apply(t *testing.T, s dialogue.State, e dialogue.Event, now time.Time) dialogue.State {
	t.Helper()
	s, err := s.Apply(e, limits, now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func give(s dialogue.State, a dialogue.Answer) (dialogue.State, error) {
	return s.Apply(dialogue.Given{Answer: a, RequestID: "r"}, limits, start)
}

// The limits are those of docs/reference/api.md 5.8, of 255 characters and 1000: what the API
// takes is not too long here.
func TestGiven_TakesTheLongestAnswers(t *testing.T) {
	for name, answer := range map[string]dialogue.Answer{
		"code": {Code: strings.Repeat("漢", 255)}, "input": {Inputs: map[string]string{"EMAIL": strings.Repeat("😀", 1000), "MOBILE_PHONE_NUMBER": "1234567"}},
	} {
		turn := ask("q", dialogue.Code)
		if answer.Inputs != nil {
			turn = ask("q", dialogue.Input)
		}
		if _, err := give(at(t, turn), answer); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An answer has all of its problems reported.
func TestGiven_ReportsEachProblem(t *testing.T) {
	_, err := give(at(t, ask("q", dialogue.Contact)), dialogue.Answer{Inputs: map[string]string{"AGE": "3", "EMAIL": ""}})
	var invalid *dialogue.InvalidError
	if !errors.As(err, &invalid) || len(invalid.Problems) != 3 {
		t.Fatalf("%+v", err)
	}
	for _, p := range invalid.Problems {
		if p.Field != "inputs" || p.Key == "" || p.Missing == (p.Key == "AGE") {
			t.Errorf("%+v", p)
		}
	}
}

func TestGiven_FitsTheOpenQuestion(t *testing.T) {
	inputs := map[string]string{"EMAIL": "a@example.com", "MOBILE_PHONE_NUMBER": "+46700000000"}
	var (
		code   = dialogue.Answer{Code: "123456"}
		choice = dialogue.Answer{Choice: "SMS"}
		resend = dialogue.Answer{Choice: dialogue.Resend}
		input  = dialogue.Answer{Inputs: inputs}
		reply  = dialogue.Answer{Response: &dialogue.DeviceResponse{}}
	)
	again := ask("q", dialogue.Code)
	again.Ask.Choices = []dialogue.Choice{{ID: dialogue.Resend, Name: "New code"}}
	for name, test := range map[string]struct {
		turn          dialogue.Turn
		fits, refused []dialogue.Answer
		invalid       []dialogue.Answer
	}{
		"code": {turn: ask("q", dialogue.Code), fits: []dialogue.Answer{code, {Question: "q", Code: "1"}},
			refused: []dialogue.Answer{choice, resend, input, reply, {Question: "p", Code: "1"}, {Code: "1", Choice: "SMS"}},
			invalid: []dialogue.Answer{{}, {Code: strings.Repeat("1", 1021)}}},
		"code that can be sent again": {turn: again, fits: []dialogue.Answer{code, resend}, refused: []dialogue.Answer{input, reply},
			invalid: []dialogue.Answer{choice}},
		"choice": {turn: ask("q", dialogue.Method), fits: []dialogue.Answer{choice}, refused: []dialogue.Answer{code, input, reply, {}},
			invalid: []dialogue.Answer{{Choice: "PIGEON"}}},
		"contact": {turn: ask("q", dialogue.Contact), fits: []dialogue.Answer{input}, refused: []dialogue.Answer{code, choice, reply},
			invalid: []dialogue.Answer{{Inputs: map[string]string{}}, {Inputs: map[string]string{"EMAIL": "a@example.com"}},
				{Inputs: map[string]string{"EMAIL": "", "MOBILE_PHONE_NUMBER": "1"}}, {Inputs: map[string]string{"EMAIL": "a", "MOBILE_PHONE_NUMBER": "1", "AGE": "3"}}}},
		"input":  {turn: ask("q", dialogue.Input), fits: []dialogue.Answer{input}, refused: []dialogue.Answer{code, reply}},
		"device": {turn: device("q"), fits: []dialogue.Answer{reply}, refused: []dialogue.Answer{code, choice, input, {}}},
		"wait":   {turn: wait(dialogue.BankID), refused: []dialogue.Answer{code, choice, input, reply, {}}},
	} {
		s := at(t, test.turn)
		for i, a := range test.fits {
			after, err := give(s, a)
			if err != nil || after.Open() != "" || after.Pending == nil {
				t.Errorf("%s: answer %d: %v", name, i, err)
			}
			if _, err := give(after, a); !errors.Is(err, dialogue.ErrNotExpected) {
				t.Errorf("%s: answer %d for a second time: %v", name, i, err)
			}
		}
		for i, a := range test.refused {
			if _, err := give(s, a); !errors.Is(err, dialogue.ErrNotExpected) {
				t.Errorf("%s: refused answer %d: %v", name, i, err)
			}
		}
		for i, a := range test.invalid {
			var invalid *dialogue.InvalidError
			if _, err := give(s, a); !errors.As(err, &invalid) {
				t.Errorf("%s: invalid answer %d: %v", name, i, err)
			}
		}
	}
}

func TestGiven_RefusesLateAnswer(t *testing.T) {
	s := at(t, ask("q1", dialogue.Code), ask("q2", dialogue.Code))
	if _, err := give(s, dialogue.Answer{Question: "q1", Code: "1"}); !errors.Is(err, dialogue.ErrNotExpected) {
		t.Errorf("an answer to the question before: %v", err)
	}
	if _, err := give(s, dialogue.Answer{Question: "q2", Code: "1"}); err != nil {
		t.Errorf("an answer to this question: %v", err)
	}
}

func TestShown_SaysThatTheCodeWasWrong(t *testing.T) {
	s := at(t, ask("q1", dialogue.Code))
	s, err := give(s, dialogue.Answer{Code: "1"})
	if err != nil || s.Shown(start) != nil {
		t.Fatalf("with an answer on its way %+v is shown (%v)", s.Shown(start), err)
	}
	if old := apply(t, s, dialogue.Told{Turn: wait(dialogue.BankID)}, start); old.Turn.Ask == nil {
		t.Error("news from before the answer count")
	}
	two := 2
	wrong := ask("q2", dialogue.Code)
	wrong.Ask.Wrong, wrong.Ask.AttemptsLeft = true, &two
	s = apply(t, s, dialogue.Handed{RequestID: "r", Turn: wrong}, start)
	if p := s.Shown(start); p == nil || !p.Wrong || *p.AttemptsLeft != 2 || p.Question != "q2" || s.Open() != "q2" {
		t.Errorf("after a wrong code %+v is shown", p)
	}
}

func TestTicked_EndsEachKindOfTurnInItsOwnTime(t *testing.T) {
	for name, test := range map[string]struct {
		turn  dialogue.Turn
		after time.Duration
		why   dialogue.Reason
	}{
		"BankID":  {wait(dialogue.BankID), limits.BankID, dialogue.TimedOut},
		"app":     {wait(dialogue.App), limits.Action, dialogue.TimedOut},
		"page":    {wait(dialogue.Page), limits.Action, dialogue.TimedOut},
		"e-mail":  {wait(dialogue.EmailLink), limits.Email, dialogue.TimedOut},
		"working": {wait(dialogue.Source), limits.Work, dialogue.Unavailable},
		"code":    {ask("q", dialogue.Code), limits.Code, dialogue.TimedOut},
		"choice":  {ask("q", dialogue.Method), limits.Choice, dialogue.ChoiceTimedOut},
		"contact": {ask("q", dialogue.Contact), limits.Contact, dialogue.ContactRequired},
		"input":   {ask("q", dialogue.Input), limits.Input, dialogue.InputTimedOut},
		"device":  {device("q"), limits.Device, dialogue.TimedOut},
	} {
		s := at(t, test.turn)
		if early := apply(t, s, dialogue.Ticked{}, start.Add(test.after-1)); early.Ended != "" {
			t.Errorf("%s: ended early as %s", name, early.Ended)
		}
		if late := apply(t, s, dialogue.Ticked{}, start.Add(test.after)); late.Ended != test.why {
			t.Errorf("%s: ended as %q, want %s", name, late.Ended, test.why)
		}
	}
	unanswered, _ := give(at(t, ask("q", dialogue.Code)), dialogue.Answer{Code: "1"})
	if late := apply(t, unanswered, dialogue.Ticked{}, start.Add(limits.Hand)); late.Ended != dialogue.Unavailable {
		t.Errorf("an answer that the institution does not take ended as %q", late.Ended)
	}
	silent := apply(t, dialogue.Start("l", "e", person, start), dialogue.Ticked{}, start.Add(limits.Begin))
	if silent.Ended != dialogue.Unavailable {
		t.Errorf("a login that does not begin ended as %q", silent.Ended)
	}
}

// The time limit of a turn is not begun again by a turn that says the same.
func TestTold_KeepsTimeOfTheSamePlace(t *testing.T) {
	s := at(t, wait(dialogue.BankID))
	moved := wait(dialogue.BankID)
	moved.ID, moved.Wait.QRText = "w2", "bankid.x.1.y"
	later := apply(t, s, dialogue.Told{Turn: moved}, start.Add(time.Minute))
	if later.Since != s.Since || !later.Moved(s) {
		t.Errorf("a QR code that moves: since %v, moved %v", later.Since, later.Moved(s))
	}
	if other := apply(t, s, dialogue.Told{Turn: wait(dialogue.App)}, start.Add(time.Minute)); other.Since == s.Since || other.Moved(s) {
		t.Errorf("another place: since %v, moved %v", other.Since, other.Moved(s))
	}
}

func TestTold_EndsFaultyInstitution(t *testing.T) {
	big := ask("q", dialogue.Code)
	big.Ask.Message = strings.Repeat("x", 1<<20)
	plain := device("q")
	plain.Device.Request.URL = "http://a.example/"
	for name, turn := range map[string]dialogue.Turn{
		"nothing":          {ID: "1"},
		"two at once":      {ID: "1", Wait: &dialogue.Wait{For: dialogue.BankID}, In: &dialogue.In{}},
		"unknown place":    wait("MOON"),
		"unknown kind":     ask("q", "RIDDLE"),
		"no question":      ask("", dialogue.Code),
		"nothing to pick":  {ID: "1", Ask: &dialogue.Ask{Question: "q", Kind: dialogue.Method}},
		"nothing to enter": {ID: "1", Ask: &dialogue.Ask{Question: "q", Kind: dialogue.Input}},
		"huge":             big,
		"not https":        plain,
		"odd number":       {ID: "1", In: &dialogue.In{PersonalNumber: "nobody"}},
	} {
		if s := at(t, turn); s.Ended != dialogue.Unavailable {
			t.Errorf("%s: %q", name, s.Ended)
		}
	}
	if s := at(t, ask("q1", dialogue.Code), ask("q2", dialogue.Code), ask("q1", dialogue.Code)); s.Ended != dialogue.Unavailable {
		t.Errorf("a question that is used again: %q", s.Ended)
	}
	var devices []dialogue.Turn
	for i := range limits.Devices + 1 {
		devices = append(devices, device(strings.Repeat("q", i+1)))
	}
	if s := at(t, devices...); s.Ended != dialogue.Unavailable {
		t.Errorf("endless requests of the device: %q", s.Ended)
	}
	if s := at(t, devices[:limits.Devices]...); s.Ended != "" {
		t.Errorf("as many as are allowed: %q", s.Ended)
	}
	var questions []dialogue.Turn
	for i := range limits.Questions + 1 {
		questions = append(questions, ask(strings.Repeat("q", i+1), dialogue.Code))
	}
	if s := at(t, questions...); s.Ended != dialogue.Unavailable {
		t.Errorf("endless questions: %q", s.Ended)
	}
	if s := at(t, questions[:limits.Questions]...); s.Ended != "" {
		t.Errorf("as many questions as are allowed: %q", s.Ended)
	}
	out := dialogue.Turn{ID: "o", Out: &dialogue.Out{Reason: dialogue.Cancelled}}
	if s := at(t, out, wait(dialogue.BankID), dialogue.Turn{ID: "i", In: &dialogue.In{}}); s.Ended != dialogue.Cancelled || s.In() {
		t.Errorf("a turn after the end: %q", s.Ended)
	}
	if s := at(t, dialogue.Turn{ID: "o", Out: &dialogue.Out{Reason: "BORED"}}); s.Ended != dialogue.Failed {
		t.Errorf("an unknown reason: %q", s.Ended)
	}
}

func TestIn_ComparesPersons(t *testing.T) {
	in := func(number string) dialogue.Turn {
		return dialogue.Turn{ID: "i", In: &dialogue.In{PersonalNumber: number}}
	}
	for number, want := range map[string]dialogue.Reason{"": "", "198412099296": "", "19841209-9296": "", "8412099296": "",
		"199001011234": dialogue.Mismatch, "9001011234": dialogue.Mismatch} {
		if s := at(t, in(number)); s.Ended != want || s.In() == (want != "") {
			t.Errorf("%q: ended %q", number, s.Ended)
		}
	}
	s := apply(t, dialogue.Start("l", "e", "", start), dialogue.Begun{Session: "s", Turn: in("198412099296")}, start)
	if s.Person != person {
		t.Error("the person who was not named before is not known afterwards")
	}
}

func TestResumed_IsBounded(t *testing.T) {
	s := at(t, dialogue.Turn{ID: "i", In: &dialogue.In{}})
	for n := range 100 {
		if s = apply(t, s, dialogue.Resumed{}, start); s.Ended != "" {
			if n != limits.Logins {
				t.Errorf("ended after %d logins", n)
			}
			break
		}
		s = apply(t, s, dialogue.Told{Turn: dialogue.Turn{ID: "i", In: &dialogue.In{}}}, start)
	}
	if s.Ended != dialogue.Unavailable {
		t.Errorf("endless logins: %q", s.Ended)
	}
}

// The text of BankID's documentation (docs/reference/banks.md 12.5).
func TestShown_ComputesAnimatedText(t *testing.T) {
	turn := dialogue.Turn{ID: "w", Wait: &dialogue.Wait{For: dialogue.BankID, QRStartToken: "67df3917-fa0d-44e5-b327-edcc928297f8",
		QRSecret: "d28db9a7-4cde-429e-a983-359be676944c", QRStartedAt: start}}
	s := at(t, turn)
	const want = "bankid.67df3917-fa0d-44e5-b327-edcc928297f8.0.dc69358e712458a66a7525beef148ae8526b1c71610eff2c16cdffb4cdac9bf8"
	if got := s.Shown(start).QRText; got != want {
		t.Errorf("%s", got)
	}
	if a, b := s.Shown(start.Add(900*time.Millisecond)).QRText, s.Shown(start.Add(time.Second)).QRText; a != want || b == want ||
		s.Second(start.Add(time.Second)) != 1 {
		t.Errorf("%s then %s", a, b)
	}
}
