package faulty

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/server"
)

// secrets are what a login by dialogue has of a person, a device and a source.
var secrets = map[string]string{
	"personal number":            personalNumber,
	"personal number, short":     personalNumber[2:],
	"e-mail address":             "anna.secret@example.com",
	"phone number":               "+46701740605",
	"code":                       theCode,
	"session":                    secretSession,
	"name":                       "Anna Hemlig",
	"query of a device request":  "device-query-secret",
	"header of a device request": "device-header-secret",
	"cookie of a device request": "device-cookie-secret",
	"body of a device request":   "device-body-secret",
	"header of its response":     "response-header-secret",
	"body of its response":       "response-body-secret",
	"secret of the source":       sourceSecret,
	"autostart token":            "67df3917-fa0d-44e5-b327-edcc928297f8",
	"message for the person":     "Hej Anna Hemlig",
}

const secretSession = "secret-session-of-enough-characters-"

// all is a text with all secrets, as a source could repeat them in an error. In JSON it
// needs no escapes.
var all = func() string {
	var list []string
	for _, s := range secrets {
		list = append(list, s)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}()

// asking is a source whose login asks for everything: a code, contact details, and a
// request of the device. bad answers the n-th request in place of it, unless it is nil.
type asking struct {
	bad  http.HandlerFunc
	call string // that bad answers

	mu    sync.Mutex
	step  map[string]int // by session
	spent int
}

var askingTurns = []string{
	`{"id":"1","type":"ASK","question":"1","kind":"CODE","message":"Hej Anna Hemlig"}`,
	`{"id":"2","type":"ASK","question":"2","kind":"CONTACT","inputs":["EMAIL","MOBILE_PHONE_NUMBER"]}`,
	`{"id":"3","type":"DEVICE","question":"3","request":{"url":"https://device.example/x?q=device-query-secret","method":"POST",` +
		`"headers":{"X-Device":"device-header-secret"},"cookies":[{"name":"c","value":"device-cookie-secret"}],"body":"device-body-secret"}}`,
	`{"id":"4","type":"IN","personalNumber":"` + personalNumber + `","name":"Anna Hemlig"}`,
}

func (a *asking) install(s *source) {
	a.step = map[string]int{}
	for _, call := range []string{"sessions", "turn", "answers", "pages", "end"} {
		s.on(func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, call) }, call)
	}
}

func (a *asking) serve(w http.ResponseWriter, r *http.Request, call string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if call == a.call && a.spent < 3 {
		a.spent++
		a.bad(w, r)
		return
	}
	session := fmt.Sprint(secretSession, len(a.step))
	if parts := strings.Split(r.URL.Path, "/"); len(parts) > 3 {
		session = parts[3]
	}
	switch call {
	case "sessions":
		a.step[session] = 0
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"session":"`+session+`","turn":{"id":"0","type":"WAIT","for":"BANKID","autoStartToken":"`+secrets["autostart token"]+`"}}`)
		return
	case "answers":
		a.step[session]++
	case "pages":
		_, _ = io.WriteString(w, healthyPage)
		return
	case "end":
		w.WriteHeader(http.StatusNoContent)
		return
	}
	_, _ = io.WriteString(w, `{"turn":`+askingTurns[min(a.step[session], 3)]+`}`)
}

// answered reports whether the bad answer was given.
func (a *asking) answered() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.spent > 0
}

// leaks are answers of a source that repeat all secrets.
func leaks() map[string]http.HandlerFunc {
	quoted := func(format string) http.HandlerFunc { return says(200, strings.ReplaceAll(format, "%s", all)) }
	return map[string]http.HandlerFunc{
		"500":      says(500, all),
		"400":      says(400, `{"error":"`+all+`","message":"`+all+`"}`),
		"401":      says(401, `{"error":"UNAUTHORIZED","message":"`+all+`"}`),
		"404":      says(404, `{"error":"UNKNOWN_SESSION","message":"`+all+`"}`),
		"409":      says(409, `{"error":"QUESTION_OVER","message":"`+all+`"}`),
		"429":      func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", all); w.WriteHeader(429) },
		"redirect": http.RedirectHandler("https://elsewhere.example/"+strings.ReplaceAll(all, " ", "/"), http.StatusFound).ServeHTTP,
		"header": func(w http.ResponseWriter, _ *http.Request) {
			for _, name := range []string{"X-Request-Id", "Content-Encoding", "Content-Type", "Server"} {
				w.Header().Set(name, all)
			}
			_, _ = io.WriteString(w, all)
		},
		"text":      says(200, all),
		"not-json":  quoted(`{"turn":{"id":"%s","type":"%s","products":["%s"`),
		"types":     quoted(`{"session":["%s"],"turn":{"id":{"%s":1},"type":"WAIT","%s":"%s"},"products":{"%s":1}}`),
		"turn":      quoted(`{"session":"%s","turn":{"id":"%s","type":"%s","for":"%s","question":"%s"},"products":[{"type":"%s","%s":"%s"}]}`),
		"ask":       quoted(`{"session":"%s","turn":{"id":"x","type":"ASK","question":"%s","kind":"%s","choices":[{"id":"%s","name":"%s"}],"inputs":["%s"]}}`),
		"device":    quoted(`{"turn":{"id":"x","type":"DEVICE","question":"%s","request":{"url":"https://elsewhere.example/%s","method":"%s","headers":{"%s":"%s"}}}}`),
		"names":     quoted(`{"turn":{"id":"x","type":"DEVICE","question":"x","request":{"url":"https://device.example/","method":"GET","headers":{"%s":"x"},"cookies":[{"name":"%s","domain":"%s"}]}}}`),
		"out":       quoted(`{"turn":{"id":"x","type":"OUT","reason":"%s"}}`),
		"in":        quoted(`{"turn":{"id":"x","type":"IN","personalNumber":"%s","name":"%s"}}`),
		"another":   says(200, `{"turn":{"id":"x","type":"IN","personalNumber":"198412099296","name":"Maja"}}`),
		"products":  quoted(`{"products":[{"type":"ISK","%s":1,"holdings":["%s"],"productNumber":["%s"]},{"type":"LOAN %s"}],"accounts":[{"id":"%s","iban":"%s","currency":"%s"}],"missing":[{"what":"%s","reason":"%s"}],"next":5}`),
		"unchecked": quoted(`{"products":[{"type":"ISK","%s":1,"holdings":["%s"]}],"accounts":[{"id":"%s","iban":"%s","currency":"%s","kind":"%s","transactions":[{"amount":"%s"}]}],"missing":[{"what":"%s","reason":"%s"}]}`),
	}
}

// No secret of a login by dialogue is in a log line, a metric, an error of the API or, on
// SQLite, in the files of the database, whatever the source answers.
func TestSecrets_OfLoginsStayInside(t *testing.T) {
	skipIfShort(t)
	type trial struct{ name, call string }
	trials, companies := map[string]trial{"se-good": {}}, []string{"se-good"}
	for name := range leaks() {
		for _, call := range []string{"sessions", "turn", "answers", "pages", "end"} {
			company := "se-" + call + "-" + name
			trials[company] = trial{name, call}
			companies = append(companies, company)
		}
	}
	dir := t.TempDir()
	e := startSources(t, dir, clock.NewFast(time.Now(), speed), func(c *server.Config) { c.Metrics = "127.0.0.1:0" }, companies...)
	for kind, secret := range secrets {
		e.Log.Secret(kind, secret)
	}
	a := map[string]*asking{}
	for company, trial := range trials {
		a[company] = &asking{call: trial.call, bad: leaks()[trial.name]}
		a[company].install(e.sources[company])
	}
	t.Run("all", func(t *testing.T) {
		for _, company := range companies {
			t.Run(company, func(t *testing.T) {
				t.Parallel()
				statuses := e.answerAll(t, e.login(t, company))
				if last := statuses[len(statuses)-1]; going[last] || company == "se-good" && last != "COMPLETED" {
					t.Errorf("statuses %v", statuses)
				}
			})
		}
	})
	for company, a := range a {
		for end := time.Now().Add(time.Minute); company != "se-good" && !a.answered(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Errorf("%s has not answered: the test shows nothing", company)
				break
			}
		}
	}
	got, err := http.Get(e.Server.MetricsURL())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	text, err := io.ReadAll(got.Body)
	if err != nil || !bytes.Contains(text, []byte("samla_")) {
		t.Fatalf("metrics: %v", err)
	}
	checkAbsent(t, "the metrics", text)
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	more, _ := filepath.Glob(filepath.Join(dir, "*.db*"))
	if files = append(files, more...); err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.IsDir() {
			continue
		}
		stored, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		checkAbsent(t, file, stored)
	}
}

// checkAbsent checks that no secret is in a text.
func checkAbsent(t *testing.T, what string, text []byte) {
	t.Helper()
	for kind, secret := range secrets {
		if bytes.Contains(text, []byte(secret)) {
			t.Errorf("%s: the %s is in it", what, kind)
		}
	}
}

// answerAll follows a collection, and answers each question: first in ways that are refused,
// whose errors must repeat nothing, and then well.
func (e *sourceEnv) answerAll(t *testing.T, id string) (seen []string) {
	t.Helper()
	path := "/collections/" + id
	refuse := func(body any, want int) {
		r := e.user.Do(t, http.MethodPost, path+"/supplement-info", body)
		if r.Status < 400 {
			t.Errorf("a bad answer: %d, want %d", r.Status, want)
		}
		checkAbsent(t, "an error of the API", r.Body)
	}
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var s struct {
			Status           string
			ExtraInformation map[string]json.RawMessage
		}
		e.user.Do(t, http.MethodGet, path+"/status", nil).WantStatus(t, http.StatusOK, &s)
		if len(seen) == 0 || seen[len(seen)-1] != s.Status {
			seen = append(seen, s.Status)
		}
		x := s.ExtraInformation
		var answer any
		switch {
		case !going[s.Status]:
			checkAbsent(t, "an error of the API", e.user.Do(t, http.MethodPost, path+"/supplement-info", map[string]any{"type": "TWO_FACTOR_CODE", "value": theCode}).Body)
			return seen
		case x["TWO_FACTOR_AUTHENTICATION_INSTRUCTION"] != nil && s.Status == "TWO_FACTOR_PENDING":
			refuse(map[string]any{"type": "TWO_FACTOR_CODE", "value": strings.Repeat(theCode, 100)}, 400)
			refuse(map[string]any{"type": "TWO_FACTOR_CODE", "value": theCode, "questionId": theCode}, 409)
			refuse(map[string]any{"type": "TWO_FACTOR_CHOICE", "value": theCode}, 409)
			answer = map[string]any{"type": "TWO_FACTOR_CODE", "value": theCode}
		case x["REQUIRED_INPUT_TYPES"] != nil:
			refuse(map[string]any{"type": "COLLECTION_INPUT", "values": map[string]any{"EMAIL": secrets["e-mail address"]}}, 400)
			refuse(map[string]any{"type": "COLLECTION_INPUT", "values": map[string]any{"EMAIL": secrets["e-mail address"] + "\x00", "MOBILE_PHONE_NUMBER": 46701740605}}, 400)
			answer = map[string]any{"type": "COLLECTION_INPUT", "values": map[string]any{"EMAIL": secrets["e-mail address"], "MOBILE_PHONE_NUMBER": secrets["phone number"]}}
		case x["INSTRUCTIONS_V2"] != nil:
			refuse(map[string]any{"type": "RESPONSE_OBJECT", "headers": map[string]any{"x": 5}, "response": secrets["body of its response"]}, 400)
			answer = map[string]any{"type": "RESPONSE_OBJECT", "headers": map[string]any{"Set-Cookie": []string{secrets["header of its response"]}}, "response": secrets["body of its response"]}
		default:
			continue
		}
		checkAbsent(t, "an answer of the API", e.user.Do(t, http.MethodPost, path+"/supplement-info", answer).Body)
	}
	return seen
}
