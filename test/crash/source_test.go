package crash

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The recording source: its institution, and texts that no log and no database may contain.
const (
	sourceCompany = "se-crash-source"
	sourceSecret  = "crash-source-secret-0123456789"
	rightCode     = "crashcode1111"
	wrongCode     = "crashcode0000"
	sessionPrefix = "crash-session-of-a-person-"
	sourcePages   = 3 // each with one product
)

// source is a source over HTTP that keeps running, and records each request with an effect.
// A person waits, gives a code, confirms in an app, and is in. For some, the login goes on
// while data is read. Some answers are lost after the effect.
type source struct {
	url string

	mu       sync.Mutex
	requests map[string]*login // by Request-Id of the start
	sessions map[string]*login
	persons  map[string]*login
	faults   []string        // effects that were asked for twice
	repeats  int             // requests with an id that was known
	lost     map[string]bool // Request-Ids whose answer was lost on purpose, once
	calls    int
}

// login is a session of a person at the source.
type login struct {
	session, person, request string
	first                    []byte // the answer to the start
	since                    time.Time
	step                     int // of steps
	asked                    int // questions so far
	given                    map[string]given
	answered                 map[string][]byte // by Request-Id
	again                    bool              // the login has to go on while data is read
	end                      string            // Request-Id of the end

	calls  map[string]int // by the last part of the path
	called time.Time
}

// String says where a login stands, without its session and its person.
func (l login) String() string {
	return fmt.Sprintf("source: step %d, %d questions asked, %q were answered, ended %v; asked for %v, last %s",
		l.step, l.asked, slices.Sorted(maps.Keys(l.given)), l.end != "", l.calls, ago(l.called.UnixMicro()))
}

// given is an answer that the source took.
type given struct{ request, code string }

// The steps of a login.
const (
	stepBankID = iota
	stepCode
	stepApp
	stepIn
	stepWork // while data is read
)

const stepTime = 400 * time.Millisecond // of the steps at which nobody is asked

func startSource(t *testing.T) *source {
	t.Helper()
	s := &source{requests: map[string]*login{}, sessions: map[string]*login{}, persons: map[string]*login{}, lost: map[string]bool{}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + l.Addr().String()
	server := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0)}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() {
		_ = server.Close()
		serving.Wait()
	})
	return s
}

// entry is the source as an entry of the institutions file.
func (s *source) entry(secretFile string) map[string]any {
	return map[string]any{"company": sourceCompany, "displayName": "Crash", "family": "source", "baseURL": s.url, "secretFile": secretFile,
		"loginMethods": []string{"SWEDISH_MOBILE_BANKID_OTHER_DEVICE"}, "parameters": []string{"personalNumber"}, "pollInterval": "100ms"}
}

// ServeHTTP implements http.Handler.
func (s *source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		PersonalNumber, Question, Code string
		Cursor                         *string
	}
	_ = json.NewDecoder(r.Body).Decode(&body) // GET and DELETE have none
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	id := r.Header.Get("Request-Id")
	s.mu.Lock()
	s.calls++
	lose := r.Method != http.MethodGet && s.calls%13 == 0 && !s.lost[id]
	var status int
	var answer []byte
	if r.Header.Get("Authorization") != "Bearer "+sourceSecret {
		status, answer = http.StatusUnauthorized, refusal("UNAUTHORIZED")
	} else if len(parts) == 1 {
		status, answer = http.StatusCreated, s.begin(id, body.PersonalNumber)
	} else if l := s.sessions[parts[1]]; len(parts) == 2 {
		status = http.StatusNoContent
		if l != nil && l.end != "" && l.end != id {
			s.fault("a session is ended by two request ids")
		} else if l != nil {
			l.end = id
		}
	} else if l == nil || l.end != "" {
		status, answer = http.StatusNotFound, refusal("UNKNOWN_SESSION")
	} else {
		l.calls[parts[2]]++
		l.called = time.Now()
		switch status = http.StatusOK; parts[2] {
		case "turn":
			answer = l.turn()
		case "answers":
			status, answer = s.answer(l, id, body.Question, body.Code)
		default:
			status, answer = l.page(body.Cursor)
		}
	}
	if lose {
		s.lost[id] = true
	}
	s.mu.Unlock()
	if lose {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

func refusal(code string) []byte { return []byte(`{"error":"` + code + `"}`) }

func (s *source) fault(format string, args ...any) {
	s.faults = append(s.faults, fmt.Sprintf(format, args...))
}

// begin starts a login. Each person logs in once in the whole test.
func (s *source) begin(id, person string) []byte {
	if l := s.requests[id]; l != nil {
		s.repeats++
		return l.first
	}
	if s.persons[person] != nil {
		s.fault("one login was begun with two request ids")
	}
	l := &login{session: fmt.Sprintf("%s%06d", sessionPrefix, len(s.sessions)), person: person, request: id, since: time.Now(),
		called: time.Now(), calls: map[string]int{}, given: map[string]given{}, answered: map[string][]byte{}, again: len(s.sessions)%3 == 0}
	s.requests[id], s.sessions[l.session], s.persons[person] = l, l, l
	turn := l.turn()
	l.first = []byte(`{"session":"` + l.session + `",` + string(turn[1:]))
	return l.first
}

// turn returns the turn of this moment.
func (l *login) turn() []byte {
	if l.step != stepCode && l.step != stepIn && time.Since(l.since) > stepTime {
		l.to(map[int]int{stepBankID: stepCode, stepApp: stepIn, stepWork: stepIn}[l.step])
	}
	wait := func(where string) string {
		return fmt.Sprintf(`{"turn":{"id":"%d","type":"WAIT","for":%q,"pollAfter":250}}`, l.step, where)
	}
	text := ""
	switch l.step {
	case stepBankID:
		text = wait("BANKID")
	case stepCode:
		text = fmt.Sprintf(`{"turn":{"id":"%d-%d","type":"ASK","question":%q,"kind":"CODE","pollAfter":250,"wrong":%v}}`, l.step, l.asked, l.question(), l.asked > 1)
	case stepApp:
		text = wait("APP")
	case stepIn:
		text = fmt.Sprintf(`{"turn":{"id":"in-%v","type":"IN","personalNumber":%q}}`, l.again, l.person)
	case stepWork:
		text = wait("SOURCE")
	}
	return []byte(text)
}

func (l *login) question() string { return fmt.Sprintf("question-%d", l.asked) }

func (l *login) to(step int) {
	if l.step, l.since = step, time.Now(); step == stepCode {
		l.asked++
	}
}

// answer takes an answer, once for a question.
func (s *source) answer(l *login, id, question, code string) (status int, body []byte) {
	if earlier := l.answered[id]; earlier != nil {
		s.repeats++
		return http.StatusOK, earlier
	}
	if before, twice := l.given[question]; twice && before.request != id {
		s.fault("one question was answered with two request ids")
	}
	if l.step != stepCode || question != l.question() {
		return http.StatusConflict, refusal("QUESTION_OVER")
	}
	l.given[question] = given{id, code}
	if code == rightCode {
		l.to(stepApp)
	} else {
		l.to(stepCode)
	}
	l.answered[id] = l.turn()
	return http.StatusOK, l.answered[id]
}

// page returns a page.
func (l *login) page(cursor *string) (status int, body []byte) {
	n := 1
	if cursor != nil {
		_, _ = fmt.Sscan(*cursor, &n)
	}
	if n == 2 && l.again {
		l.again = false
		l.to(stepWork)
	}
	if l.step != stepIn {
		return http.StatusConflict, refusal("TURN_NEEDED")
	}
	next := ""
	if n < sourcePages {
		next = fmt.Sprintf(`,"next":"%d"`, n+1)
	}
	return http.StatusOK, fmt.Appendf(nil, `{"products":[{"type":"OCCUPATIONAL_PENSION","productNumber":"number-%d"}]%s}`, n, next)
}
