package sourcecheck

import (
	"crypto/rand"
	"net/http"
	"strings"

	"samla/internal/dialogue"
	"samla/internal/institution/source"
)

// login returns the body of POST /v1/sessions.
func (r *run) login() map[string]any {
	body := map[string]any{"institution": r.offer.ID, "loginMethod": r.LoginMethod, "locale": "sv-SE", "ipAddress": "192.0.2.7", "userAgent": "samla source check"}
	for name, value := range map[string]string{"personalNumber": r.Parameters.PersonalNumber, "email": r.Parameters.Email, "userId": r.Parameters.UserID} {
		if value != "" {
			body[name] = value
		}
	}
	return body
}

// sessionCalls are the calls for a session.
func sessionCalls(session string) []call {
	path := "/v1/sessions/" + session
	return []call{
		{method: http.MethodGet, path: path + "/turn"},
		{method: http.MethodPost, path: path + "/answers", requestID: newID(), body: dialogue.Answer{Question: "q", Code: "123456"}},
		{method: http.MethodPost, path: path + "/pages", requestID: newID(), body: map[string]any{"cursor": nil}},
	}
}

// unknowns: institutions and sessions that the source does not know.
func (r *run) unknowns() {
	body := r.login()
	body["institution"] = "se-unknown-" + strings.ToLower(rand.Text()[:8])
	a := r.do(call{method: http.MethodPost, path: "/v1/sessions", requestID: newID(), body: body})
	r.want("unknown-institution", "POST /v1/sessions", a, http.StatusNotFound, "UNKNOWN_INSTITUTION")
	r.gone("unknown-session", rand.Text(), "a session that never was")
}

// gone checks that a session is not known.
func (r *run) gone(check, session, what string) {
	for _, c := range sessionCalls(session) {
		r.want(check, what+": "+c.method+" "+r.hidden(c.path), r.do(c), http.StatusNotFound, "UNKNOWN_SESSION")
	}
	r.want(check, what+": DELETE", r.remove(session), http.StatusNoContent, "")
}

func (r *run) remove(session string) answer {
	return r.do(call{method: http.MethodDelete, path: "/v1/sessions/" + session, requestID: newID()})
}

// huge: a body that is too large. The source may close the connection instead of an answer, or after it: no
// other call uses that connection.
func (r *run) huge() {
	c := call{method: http.MethodPost, path: "/v1/sessions", requestID: newID(), last: true,
		body: append([]byte(`{"institution":"`+strings.Repeat("x", source.MaxBody)), `"}`...)}
	status, body, err := r.send(r.ctx, c, source.MaxBody)
	if err != nil {
		return
	}
	a := answer{status: status}
	if status >= 400 {
		a.code, a.message = r.refusal("POST /v1/sessions", status, body)
	}
	r.want("bad-request", "POST /v1/sessions, more than 1 MiB", a, http.StatusBadRequest, "BAD_REQUEST")
}

// badRequests: bodies and ids that a login must not have.
func (r *run) badRequests() {
	without := func(member string) map[string]any {
		body := r.login()
		delete(body, member)
		return body
	}
	wrong := r.login()
	wrong["institution"] = 7
	method := r.login()
	method["loginMethod"] = "NO_SUCH_METHOD"
	for _, c := range []struct {
		what string
		id   string
		body any
	}{
		{"no JSON", newID(), []byte(`{"institution":`)},
		{"a list", newID(), []byte(`[]`)},
		{"an empty object", newID(), map[string]any{}},
		{"without an institution", newID(), without("institution")},
		{"without a login method", newID(), without("loginMethod")},
		{"an institution that is a number", newID(), wrong},
		{"a login method that is not offered", newID(), method},
		{"without Request-Id", "", r.login()},
		{"a Request-Id that is no UUID", "seven", r.login()},
	} {
		a := r.do(call{method: http.MethodPost, path: "/v1/sessions", requestID: c.id, body: c.body})
		r.want("bad-request", "POST /v1/sessions, "+c.what, a, http.StatusBadRequest, "BAD_REQUEST")
		r.discard(a)
	}
	r.huge()
	for _, p := range r.offer.Parameters {
		a := r.do(call{method: http.MethodPost, path: "/v1/sessions", requestID: newID(), body: without(p)})
		r.want("bad-request", "POST /v1/sessions, without "+p, a, http.StatusBadRequest, "BAD_REQUEST")
		r.discard(a)
	}
}
