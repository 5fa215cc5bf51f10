package collection_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/collection"
	"samla/internal/dialogue"
)

// waits are the waiting statuses of docs/reference/api.md 5.7 without LOGIN.
var waits = []collection.Status{collection.TwoFactorPending, collection.ContactFormPending, collection.CollectionInputPending,
	collection.WaitingForUserAction}

// mayBecome is the table of docs/reference/api.md 5.7, without the failure and action
// statuses, which may follow each of these.
var mayBecome = map[collection.Status][]collection.Status{
	collection.Running:                {collection.Login, collection.Collecting},
	collection.Login:                  append([]collection.Status{collection.Collecting}, waits...),
	collection.TwoFactorPending:       append([]collection.Status{collection.Login, collection.Collecting}, waits...),
	collection.ContactFormPending:     append([]collection.Status{collection.Login, collection.Collecting}, waits...),
	collection.CollectionInputPending: append([]collection.Status{collection.Login, collection.Collecting}, waits...),
	collection.WaitingForUserAction:   append([]collection.Status{collection.Login, collection.Collecting}, waits...),
	collection.Collecting:             append([]collection.Status{collection.Completed, collection.CompletedPartial, collection.CompletedEmpty}, waits...),
}

func documented(from, to collection.Status) bool {
	class := to.Class()
	return from == to || slices.Contains(mayBecome[from], to) || (class == collection.Failure || class == collection.UserAction) && !from.Terminal()
}

// reachable reports whether the table leads from one status to another in at most two
// steps, the first one to a status that is not terminal.
func reachable(from, to collection.Status) bool {
	return documented(from, to) || slices.ContainsFunc(mayBecome[from], func(s collection.Status) bool { return documented(s, to) })
}

func TestApply_AllowsOnlyDocumentedTransitions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := collection.Collection{Status: collection.Running, PolledAt: start, Attended: true}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			after, err := c.Apply(anyEvent().Draw(t, "e"), start.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "s"))*time.Second))
			if err == nil && !documented(c.Status, after.Status) {
				t.Fatalf("%s became %s", c.Status, after.Status)
			}
			c = after
		}
	})
}

func anyTurn() *rapid.Generator[dialogue.Turn] {
	id := rapid.StringMatching(`[a-f]`)
	return rapid.Custom(func(t *rapid.T) dialogue.Turn {
		turn := dialogue.Turn{ID: id.Draw(t, "id"), PollAfter: time.Duration(rapid.IntRange(-1, 20000).Draw(t, "ms")) * time.Millisecond}
		question := id.Draw(t, "question")
		switch rapid.IntRange(0, 9).Draw(t, "turn") {
		case 0, 1, 2:
			place := rapid.SampledFrom([]dialogue.Place{dialogue.BankID, dialogue.App, dialogue.EmailLink, dialogue.Page, dialogue.Source, "MOON"})
			turn.Wait = &dialogue.Wait{For: place.Draw(t, "place"), QRText: id.Draw(t, "qr")}
		case 3, 4, 5:
			kind := rapid.SampledFrom([]dialogue.Kind{dialogue.Code, dialogue.Method, dialogue.Contact, dialogue.Input, "RIDDLE"})
			turn.Ask = &dialogue.Ask{Question: question, Kind: kind.Draw(t, "kind"), Choices: []dialogue.Choice{{ID: dialogue.Resend, Name: "Again"}},
				Inputs: []string{"EMAIL"}, Wrong: rapid.Bool().Draw(t, "wrong")}
		case 6:
			turn.Device = &dialogue.Device{Question: question, Request: dialogue.DeviceRequest{URL: "https://a.example/", Method: "GET"}}
		case 7:
			turn.In = &dialogue.In{PersonalNumber: rapid.SampledFrom([]string{"", "198412099296", "8412099296", "199001011234", "x"}).Draw(t, "number")}
		case 8:
			turn.Out = &dialogue.Out{Reason: rapid.SampledFrom(append(dialogue.Reasons(), "BORED")).Draw(t, "reason")}
		}
		return turn
	})
}

func anyAnswer() *rapid.Generator[dialogue.Answer] {
	return rapid.Custom(func(t *rapid.T) dialogue.Answer {
		a := dialogue.Answer{Question: rapid.SampledFrom([]string{"", "", "a", "b", "c"}).Draw(t, "of")}
		switch rapid.IntRange(0, 4).Draw(t, "answer") {
		case 0:
			a.Code = "123"
		case 1:
			a.Choice = dialogue.Resend
		case 2:
			a.Inputs = map[string]string{rapid.SampledFrom([]string{"EMAIL", "AGE"}).Draw(t, "key"): "a@example.com"}
		case 3:
			a.Response = &dialogue.DeviceResponse{}
		}
		return a
	})
}

// No sequence of institution, person, clock and polls leads to a transition that is not
// documented, has two effects of one question, or never ends.
func TestFollow_KeepsToDocumentedTransitions(t *testing.T) {
	limits := dialogue.Limits{}.WithDefaults()
	rapid.Check(t, func(t *rapid.T) {
		now := start
		c := collection.Collection{Status: collection.Running, CreatedAt: start, PolledAt: start, Attended: true}
		s := dialogue.Start("login", "end", "198412099296", now)
		effects, requests := map[string]bool{}, 0
		follow := func(next dialogue.State, err error) {
			if err != nil {
				if next.Pending != s.Pending || next.Open() != s.Open() {
					t.Fatalf("a refused answer changed the state")
				}
				return
			}
			s = next
			after, err := c.Follow(s, now)
			if err != nil || !reachable(c.Status, after.Status) || after.Status.Class() == collection.Success {
				t.Fatalf("%s became %s (%v) with %+v", c.Status, after.Status, err, s.Turn)
			}
			c = after
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if c.Status.Terminal() {
				break
			}
			now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "seconds")) * time.Second)
			pending := ""
			if s.Pending != nil {
				pending = s.Pending.RequestID
			}
			switch rapid.IntRange(0, 10).Draw(t, "what") {
			case 0:
				follow(s.Apply(dialogue.Begun{Session: "s", Turn: anyTurn().Draw(t, "first")}, limits, now))
			case 1, 2, 3:
				follow(s.Apply(dialogue.Told{Turn: anyTurn().Draw(t, "told")}, limits, now))
			case 4, 5, 6:
				requests++
				open, a := s.Open(), anyAnswer().Draw(t, "answer")
				next, err := s.Apply(dialogue.Given{Answer: a, RequestID: "r" + strconv.Itoa(requests)}, limits, now)
				if err == nil {
					if open == "" || effects[open] || a.Question != "" && a.Question != open {
						t.Fatalf("question %q was answered by %+v, effects %v", open, a, effects)
					}
					effects[open] = true
				}
				follow(next, err)
			case 7:
				follow(s.Apply(dialogue.Handed{RequestID: rapid.SampledFrom([]string{pending, "r1"}).Draw(t, "id"), Turn: anyTurn().Draw(t, "next")}, limits, now))
			case 8:
				follow(s.Apply(rapid.SampledFrom([]dialogue.Event{dialogue.Over{RequestID: pending}, dialogue.Resumed{}, dialogue.Lost{}, dialogue.Silent{}}).
					Draw(t, "event"), limits, now))
			case 9:
				follow(s.Apply(dialogue.Ticked{}, limits, now))
			case 10:
				if rapid.Bool().Draw(t, "polled") {
					c.PolledAt = now
				}
				before := c.Status
				ticked, err := c.Apply(collection.Ticked{Lease: collection.DefaultLease, ChoiceOpen: s.ChoiceOpen()}, now)
				if c = ticked; err != nil || !documented(before, c.Status) {
					t.Fatalf("%s became %s, %v", before, c.Status, err)
				}
			}
			if p := s.Shown(now); p != nil && p.Question != "" && effects[p.Question] {
				t.Fatalf("question %q is shown again", p.Question)
			}
		}
		if ended, err := s.Apply(dialogue.Ticked{}, limits, now.Add(limits.Total)); err != nil || ended.Ended == "" && !ended.In() {
			t.Fatalf("the login goes on without an end: %+v", ended)
		}
	})
}

func TestStatusOf_ReasonsHaveStatuses(t *testing.T) {
	for _, why := range dialogue.Reasons() {
		to := collection.StatusOf(dialogue.State{Ended: why}, collection.Login)
		if class := to.Class(); class != collection.Failure && class != collection.UserAction {
			t.Errorf("%s becomes %q", why, to)
		}
	}
}
