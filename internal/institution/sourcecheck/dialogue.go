package sourcecheck

import (
	"cmp"
	"net/http"
	"time"

	"samla/internal/clock"
	"samla/internal/dialogue"
	"samla/internal/institution/source"
	"samla/internal/plaintext"
)

// dialogue logs the person in. It reports whether the person is in.
func (r *run) dialogue() bool {
	session, turn, _ := r.begin(r.loginCall())
	if session == "" {
		return false
	}
	r.session = session
	deadline := r.Clock.Now().Add(r.Wait)
	told := ""
	for {
		r.clean("the id of a turn", turn.ID)
		switch {
		case turn.In != nil:
			r.pass("in")
			return true
		case turn.Out != nil:
			return r.fail("in", "the login ended with %s", turn.Out.Reason)
		case turn.Wait != nil:
			if said := instructions(turn.Wait); said != told {
				r.Tell(plaintext.Printable(said, 0))
				told = said
			}
			if !r.Clock.Now().Before(deadline) {
				return r.fail("in", "the person was waited for, %v", r.Wait)
			}
			if err := clock.Sleep(r.ctx, r.Clock, cmp.Or(turn.PollAfter, time.Second)); err != nil {
				return r.fail("in", "the check was interrupted")
			}
			next, ok := r.turn()
			if !ok {
				return false
			}
			turn = next
		default:
			next, ok := r.question(turn)
			if !ok {
				return false
			}
			turn = next
		}
	}
}

// instructions says what the person has to do.
func instructions(w *dialogue.Wait) string {
	said := "waiting for " + string(w.For)
	for _, part := range []string{w.Message, w.ReferenceNumber, w.URL, w.QRText} {
		if part != "" {
			said += ": " + part
		}
	}
	if w.AutoStartToken != "" && w.QRText == "" {
		said += ": autostart token " + w.AutoStartToken
	}
	return said
}

// turn asks for the turn twice, and compares both.
func (r *run) turn() (dialogue.Turn, bool) {
	c := call{method: http.MethodGet, path: "/v1/sessions/" + r.session + "/turn"}
	first, second := r.do(c), r.do(c)
	if !r.want("turns", "GET …/turn", first, http.StatusOK, "") || !r.want("turns", "GET …/turn", second, http.StatusOK, "") {
		return dialogue.Turn{}, false
	}
	idA, a := turnOf(first.body)
	idB, b := turnOf(second.body)
	if same := equal(a, b); same != (idA == idB) {
		if same {
			r.fail("turn-ids", "a turn that is told again unchanged has another id")
		} else {
			r.fail("turn-ids", "two turns that differ have the same id")
		}
	}
	r.pass("turn-ids")
	return r.read("GET …/turn", second)
}

// read reads a turn.
func (r *run) read(what string, a answer) (dialogue.Turn, bool) {
	turn, faults := source.ReadTurn(a.body, source.NewHosts(r.offer.DeviceHosts))
	for _, f := range faults {
		r.fail("turns", "%s: %s", what, f.Error())
	}
	return turn, len(faults) == 0
}

// question answers a question and checks that this can be done once.
func (r *run) question(turn dialogue.Turn) (dialogue.Turn, bool) {
	id, asked := questionOf(turn)
	r.clean("the id of a question", id)
	if r.questions[id] {
		return turn, r.fail("questions", "a question has an id that was used before")
	}
	r.questions[id] = true
	if len(r.Answers) == 0 {
		r.report.NeedsAnswer = asked
		return turn, r.fail("in", "the source asks for %s, and this check was given no answer for it", asked.Kind)
	}
	given := r.Answers[0]
	r.Answers = r.Answers[1:]
	given.Question = id
	c := call{method: http.MethodPost, path: "/v1/sessions/" + r.session + "/answers", requestID: newID(), body: given}
	bad := c
	for what, body := range map[string]map[string]any{"an answer without an answer": {}, "two answers at once": {"code": "1", "choice": "a"}} {
		body["question"] = id
		bad.requestID, bad.body = newID(), body
		r.want("bad-request", what, r.do(bad), http.StatusBadRequest, "BAD_REQUEST")
	}
	first := r.do(c)
	if !r.want("questions", "POST …/answers", first, http.StatusOK, "") {
		return turn, false
	}
	if again := r.do(c); again.status != first.status || !sameJSON(first.body, again.body) {
		r.fail("request-ids", "POST …/answers: a repeated request is answered differently (status %d)", again.status)
	}
	c.requestID = newID()
	r.want("questions", "a second answer to a question", r.do(c), http.StatusConflict, "QUESTION_OVER")
	return r.read("POST …/answers", first)
}

func questionOf(turn dialogue.Turn) (id string, asked *Question) {
	if turn.Device != nil {
		return turn.Device.Question, &Question{Kind: "DEVICE"}
	}
	asked = &Question{Kind: string(turn.Ask.Kind), Message: turn.Ask.Message, Inputs: turn.Ask.Inputs}
	for _, choice := range turn.Ask.Choices {
		asked.Choices = append(asked.Choices, choice.ID)
	}
	return turn.Ask.Question, asked
}
