package sourcecheck

import (
	"net/http"

	"samla/internal/dialogue"
	"samla/internal/institution/source"
)

// begin logs in and checks the answer. It returns "" if there is no session. A session with
// another status of success is used: more is found in one run.
func (r *run) begin(c call) (session string, turn dialogue.Turn, body []byte) {
	a := r.do(c)
	if !r.want("login", "POST /v1/sessions", a, http.StatusCreated, "") && !a.ok() {
		return "", turn, nil
	}
	session, turn, faults := source.ReadLogin(a.body, source.NewHosts(r.offer.DeviceHosts))
	for _, f := range faults {
		check := "turns"
		if f.Pointer == "/session" {
			check = "login"
		}
		r.fail(check, "POST /v1/sessions: %s", f.Error())
	}
	r.clean("the id of a session", session)
	if len(faults) > 0 {
		return "", turn, nil
	}
	return session, turn, a.body
}

// discard ends the session that a login has begun which should have been refused: nobody is
// to be asked to sign there.
func (r *run) discard(a answer) {
	if a.ok() {
		r.discardOthers("", a.body)
	}
}

// discardOthers ends the sessions of answers but one.
func (r *run) discardOthers(but string, answers ...[]byte) {
	for _, body := range answers {
		if session, _, _ := source.ReadLogin(body, source.NewHosts(r.offer.DeviceHosts)); session != "" && session != but {
			r.remove(session)
		}
	}
}

func (r *run) loginCall() call {
	return call{method: http.MethodPost, path: "/v1/sessions", requestID: newID(), body: r.login()}
}

// trial begins a session that is only for checks, and cancels it. It reports whether the
// source lets a person log in.
func (r *run) trial() bool {
	c := r.loginCall()
	body := r.login()
	body["memberOfALaterVersion"] = map[string]any{"a": 1}
	c.body = body
	a := r.do(c)
	if a.ok() {
		r.pass("unknown-members")
	} else {
		r.fail("unknown-members", "POST /v1/sessions with another member: status %d", a.status)
		c = r.loginCall()
	}
	session, turn, first := r.begin(c)
	if session == "" {
		return false
	}
	again, _, second := r.begin(c)
	if again != session || !sameJSON(first, second) {
		r.fail("request-ids", "POST /v1/sessions: a repeated request is answered differently")
	}
	r.discardOthers(session, a.body, second)
	r.pass("request-ids")
	r.whileOut(session, turn)
	r.want("end", "DELETE of a login", r.remove(session), http.StatusNoContent, "")
	r.gone("end", session, "a session that was cancelled")
	return true
}

// whileOut: what must not be possible before the login is done.
func (r *run) whileOut(session string, turn dialogue.Turn) {
	if turn.In != nil {
		return
	}
	page := sessionCalls(session)[2]
	r.want("turn-needed", "POST …/pages", r.do(page), http.StatusConflict, "TURN_NEEDED")
	other := call{method: http.MethodPost, path: "/v1/sessions/" + session + "/answers", requestID: newID(),
		body: dialogue.Answer{Question: "never-" + newID(), Code: "123456"}}
	r.want("questions", "an answer to a question that was never asked", r.do(other), http.StatusConflict, "QUESTION_OVER")
	other.requestID, other.body = newID(), []byte("{")
	r.want("bad-request", "POST …/answers, no JSON", r.do(other), http.StatusBadRequest, "BAD_REQUEST")
}
