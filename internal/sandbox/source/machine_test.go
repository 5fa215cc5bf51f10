package source_test

import (
	"testing"
	"time"

	"samla/internal/sandbox/source"

	"pgregory.net/rapid"
)

// TestMachine_KeepsItsRules runs random events on the login of any person. A login never
// goes back; one that is over stays as it is; a question is open only once; and if nobody
// does anything, a login of an institution that gives up ends.
func TestMachine_KeepsItsRules(t *testing.T) {
	persons := source.Persons()
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(persons).Draw(t, "person")
		now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
		l := source.NewLogin(p.Company, p.LoginMethod, p.Who, now)
		before := l.Facts()
		closed := map[string]bool{}
		check := func(event string) {
			t.Helper()
			f := l.Facts()
			switch {
			case f.Step < before.Step || f.Step >= f.Steps:
				t.Fatalf("%s: step %d after %d", event, f.Step, before.Step)
			case before.Ended && f != before:
				t.Fatalf("%s: %+v after %+v", event, f, before)
			case f.In && f.Reason != "":
				t.Fatalf("%s: in and out", event)
			case f.Question != "" && closed[f.Question]:
				t.Fatalf("%s: the question %s is open again", event, f.Question)
			case f.Ended && f.Question != "":
				t.Fatalf("%s: a question is open after the end", event)
			}
			if before.Question != "" && before.Question != f.Question {
				closed[before.Question] = true
			}
			before = f
		}
		t.Repeat(map[string]func(*rapid.T){
			"wait": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 400_000).Draw(t, "ms")) * time.Millisecond)
				l.Advance(now)
				check("wait")
			},
			"open": func(*rapid.T) {
				if waits := before.Waits; l.Open(now) && !waits {
					t.Fatal("opened what did not wait")
				}
				check("open")
			},
			"bankid": func(t *rapid.T) {
				if !before.BankID {
					t.Skip("no order")
				}
				switch rapid.IntRange(0, 2).Draw(t, "what") {
				case 0:
					l.Sign(anna, p.Who, now)
				case 1:
					l.Sign(p.Who, p.Who, now)
				default:
					l.Refuse(rapid.SampledFrom([]string{"userCancel", "startFailed", "certificateErr", "alreadyInProgress"}).Draw(t, "hint"))
				}
				check("bankid")
			},
			"answer": func(t *rapid.T) {
				question := before.Question
				if old := rapid.Bool().Draw(t, "old"); old || question == "" {
					question = rapid.SampledFrom([]string{"", "q1-1", "q2-1", "q2-2"}).Draw(t, "question")
				}
				code := rapid.SampledFrom([]string{"123456", "000000", "proof", "inputs", ""}).Draw(t, "code")
				open := before.Question
				err := l.Answer(question, code, rapid.SampledFrom([]string{"SMS", "APP", "RESEND"}).Draw(t, "choice"), now)
				if err == nil && (open == "" || question != open) {
					t.Fatal("an answer to a question that is not open was taken")
				}
				if f := l.Facts(); err != nil && f != before && f.Step == before.Step && !f.Ended {
					t.Fatal("a refused answer changed the login")
				}
				check("answer")
			},
		})
		never := map[string]bool{"200003140000": true, "200004140000": true, "200004150000": true, "200004160000": true, "200004170000": true, "200004180000": true}
		if before.BankID || never[p.Who] {
			return // BankID, or nobody, ends these
		}
		now = now.Add(time.Hour)
		if l.Advance(now); !l.Facts().Ended && !l.Facts().BankID {
			t.Fatalf("%s does not end", p.Who)
		}
	})
}
