package source_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// Whatever a client sends, the answer is one of the protocol, and the login that is there
// can go on.
func FuzzRequests(f *testing.F) {
	f.Add("sessions", loginBody(demo, mock, anna))
	f.Add("sessions", `{"institution":"se-demo","loginMethod":"`+mock+`","personalNumber":null,"email":[]}`)
	f.Add("answers", `{"question":"q2-1","code":"000000"}`)
	f.Add("answers", `{"question":"q2-1","choice":"RESEND","code":null}`)
	f.Add("answers", `{"question":"q2-1","response":{"headers":{},"body":{}}}`)
	f.Add("pages", `{"cursor":"9223372036854775807"}`)
	f.Add("pages", `{"cursor":"-0"}`)
	f.Fuzz(func(t *testing.T, call, body string) {
		w := start(t)
		l := w.begin(demo, mock, "200004010000")
		read := w.begin(demo, mock, anna)
		w.clock.Advance(1e9)
		l.next()
		path := l.base + "sessions"
		switch call {
		case "answers":
			path = l.path(call)
		case "pages":
			path = read.path(call)
		}
		r := w.call("POST", path, body)
		var e struct{ Error string }
		switch {
		case r.status == http.StatusOK || r.status == http.StatusCreated:
		case json.Unmarshal(r.body, &e) != nil || e.Error == "" || r.status >= 500 || r.status < 400:
			t.Errorf("%d %s", r.status, r.body)
		case strings.Contains(string(r.body), anna):
			t.Error("the error repeats what was sent")
		}
		if l.next().Type != "ASK" && !(call == "answers" && l.turn.Type == "IN") {
			t.Errorf("%+v", l.turn)
		}
	})
}
