package faulty

import (
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/devserver"
	"samla/internal/institution"
	"samla/internal/server"
	"samla/test/harness"
)

const (
	sourceSecret = "a-secret-of-the-faulty-sources-0123456789"
	healthyIn    = `{"turn":{"id":"in","type":"IN","personalNumber":"` + personalNumber + `"}}`
	healthyPage  = `{"products":[{"type":"OCCUPATIONAL_PENSION","productNumber":"1"}]}`
	healthyTurn  = `{"id":"w","type":"WAIT","for":"BANKID","autoStartToken":"67df3917-fa0d-44e5-b327-edcc928297f8","pollAfter":250}`
	theSession   = "a-session-of-enough-random-characters"
)

// source is a source over HTTP. It is healthy where a test has set no answer of its own
// for a call: the person is in as soon as somebody asks, and has a pension.
type source struct {
	company string
	url     string
	asked   atomic.Int64 // requests
	most    atomic.Int64 // of them at once
	flying  atomic.Int64
	ended   chan struct{} // closed at the end of the test

	mu      sync.Mutex
	answers map[string]http.HandlerFunc // by call: sessions, turn, answers, pages, end
	calls   map[string]int
}

// startSource starts a healthy source. It is stopped at the end of the test.
func startSource(t testing.TB, company string) *source {
	t.Helper()
	s := &source{company: company, ended: make(chan struct{}), answers: map[string]http.HandlerFunc{}, calls: map[string]int{}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + l.Addr().String()
	server := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0)}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() {
		close(s.ended)
		_ = server.Close()
		serving.Wait()
	})
	return s
}

// on makes the source answer these calls by f.
func (s *source) on(f http.HandlerFunc, calls ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, call := range calls {
		s.answers[call] = f
	}
}

// count returns how many requests of a call there were.
func (s *source) count(call string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[call]
}

// counts returns how many requests of each call there were.
func (s *source) counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}

// ServeHTTP implements http.Handler.
func (s *source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked.Add(1)
	defer s.flying.Add(-1)
	for n, m := s.flying.Add(1), s.most.Load(); n > m && !s.most.CompareAndSwap(m, n); m = s.most.Load() {
	}
	_, _ = io.Copy(io.Discard, r.Body)
	call := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	if r.Method == http.MethodDelete {
		call = "end"
	}
	s.mu.Lock()
	s.calls[call]++
	answer := s.answers[call]
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if answer != nil {
		answer(w, r)
		return
	}
	s.healthy(w, call)
}

// healthy answers a call as a healthy source does.
func (s *source) healthy(w http.ResponseWriter, call string) {
	switch call {
	case "sessions":
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"session":"`+theSession+`","turn":`+healthyTurn+`}`)
	case "turn", "answers":
		_, _ = io.WriteString(w, healthyIn)
	case "pages":
		_, _ = io.WriteString(w, healthyPage)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// sleep waits, or until the client is gone or the test has ended, and reports whether the
// whole time has passed.
func (s *source) sleep(r *http.Request, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-r.Context().Done():
	case <-s.ended:
	}
	return false
}

// says returns a handler that answers with a status and a text. Several texts follow each
// other, and the last one is repeated.
func says(status int, texts ...string) http.HandlerFunc {
	var n atomic.Int64
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, texts[min(int(n.Add(1)), len(texts))-1])
	}
}

// hangs never answers, and drips sends one byte of a body every half second.
func (s *source) hangs(_ http.ResponseWriter, r *http.Request) { s.sleep(r, time.Hour) }

func (s *source) drips(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusOK)
	for w.(http.Flusher).Flush(); s.sleep(r, 500*time.Millisecond); w.(http.Flusher).Flush() {
		if _, err := io.WriteString(w, " "); err != nil {
			return
		}
	}
}

// sourceEnv is a server with sources.
type sourceEnv struct {
	*env
	sources map[string]*source
}

// startSources starts a server with a source for each company.
func startSources(t *testing.T, database string, clk clock.Clock, change func(*server.Config), companies ...string) *sourceEnv {
	t.Helper()
	dir := t.TempDir()
	e := &sourceEnv{&env{Env: harness.NewEnv(t, &devserver.Environment{Institutions: institution.Set{}})}, map[string]*source{}}
	e.Log.Secret("the secret of a source", sourceSecret)
	e.Log.Secret("the session at a source", theSession)
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte(sourceSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	var entries []map[string]any
	for _, company := range companies {
		s := startSource(t, company)
		e.sources[company] = s
		entries = append(entries, map[string]any{"company": company, "displayName": company, "family": "source", "baseURL": s.url,
			"loginMethods": []string{bankIDMethod}, "parameters": []string{"personalNumber"}, "secretFile": "secret", "pollInterval": "100ms", "deviceHosts": []string{"device.example"}})
	}
	e.serve(t, dir, database, clk, change, entries)
	return e
}

// login starts a collection whose person logs in at a company. A node that could not keep
// another login fresh says so, and is asked again.
func (e *sourceEnv) login(t *testing.T, company string) (id string) {
	t.Helper()
	body := map[string]any{"company": company, "loginMethod": bankIDMethod, "parameters": []any{
		map[string]any{"type": "SWEDISH_BANKID", "personalNumber": personalNumber}}}
	for end := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		r := e.user.Do(t, http.MethodPost, "/collections", body)
		if r.Status == http.StatusServiceUnavailable && time.Now().Before(end) {
			continue
		}
		var made struct{ ID string }
		r.WantStatus(t, http.StatusCreated, &made)
		return made.ID
	}
}

// follow polls a collection until it has ended, at most for a time, and answers each
// question with a code. It returns the statuses, each change once.
func (e *sourceEnv) follow(t *testing.T, id string, most time.Duration) (seen []string) {
	t.Helper()
	path, answered := "/collections/"+id, map[string]bool{}
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var s struct {
			Status           string
			ExtraInformation *struct {
				Instruction *struct{ QuestionID string } `json:"TWO_FACTOR_AUTHENTICATION_INSTRUCTION"`
			}
		}
		e.user.Do(t, http.MethodGet, path+"/status", nil).WantStatus(t, http.StatusOK, &s)
		if len(seen) == 0 || seen[len(seen)-1] != s.Status {
			seen = append(seen, s.Status)
		}
		if !going[s.Status] {
			return seen
		}
		if s.Status != "TWO_FACTOR_PENDING" || s.ExtraInformation == nil || s.ExtraInformation.Instruction == nil {
			continue
		}
		if q := s.ExtraInformation.Instruction.QuestionID; !answered[q] && len(answered) < 3 {
			answered[q] = true
			r := e.user.Do(t, http.MethodPost, path+"/supplement-info", map[string]any{"type": "TWO_FACTOR_CODE", "questionId": q, "value": theCode})
			if r.Status != http.StatusNoContent && r.Status != http.StatusConflict {
				t.Errorf("an answer: %d %s", r.Status, r.Body)
			}
		}
	}
	return seen
}

// theCode is the code of the person.
const theCode = "code-731-946"

// going are the statuses that are not final (docs/reference/api.md 5.7).
var going = map[string]bool{"RUNNING": true, "LOGIN": true, "TWO_FACTOR_PENDING": true, "CONTACT_FORM_PENDING": true,
	"COLLECTION_INPUT_PENDING": true, "WAITING_FOR_USER_ACTION": true, "COLLECTING": true}
