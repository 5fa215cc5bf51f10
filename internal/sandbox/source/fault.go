package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"samla/internal/clock"
)

// Fault is how an institution misbehaves, for tests of what calls it. The zero value is no
// fault.
type Fault struct {
	// Calls are the calls that it concerns: institutions, sessions, turn, answers, pages,
	// end; empty: all.
	Calls []string `json:"calls,omitempty"`
	// Times is how many calls it concerns; 0: all, until it is replaced.
	Times int `json:"times,omitempty"`
	// DelayMS is how long the institution waits before it acts, in milliseconds; -1: for
	// ever.
	DelayMS int `json:"delayMs,omitempty"`
	// Status is a status in place of the answer, such as 500, and Body its body. Status 200
	// with a Body is an answer that is not of the protocol. The institution does not act.
	Status int    `json:"status,omitempty"`
	Body   string `json:"body,omitempty"`
	// Lost: the institution acts, and the connection breaks before its answer.
	Lost bool `json:"lost,omitempty"`
	// Pages changes the pages: ENDLESS (each has a next one), SAME (the next one is itself),
	// HUGE (32 MiB), UNKNOWN (products of types that nobody knows), LIES (products whose
	// members have wrong types), EMPTY (a page without products and without end).
	Pages string `json:"pages,omitempty"`
	// Turns changes the turns: UNKNOWN (a type that nobody knows), NONE (no type), HUGE (2 MiB
	// of message), BACK (a login that is over asks again), JUMP (IN and OUT by turns), HOST (a device request to another host).
	Turns string `json:"turns,omitempty"`

	left int // of Times
	seen int // calls that it concerned
}

// Values of the members of Fault.
var (
	faultyCalls = []string{"institutions", "sessions", "turn", "answers", "pages", "end"}
	faultyPages = []string{"", "ENDLESS", "EMPTY", "SAME", "HUGE", "UNKNOWN", "LIES"}
	faultyTurns = []string{"", "UNKNOWN", "NONE", "HUGE", "BACK", "JUMP", "HOST"}
)

// check returns an error if a member has a value that it cannot have.
func (f Fault) check() error {
	for _, call := range f.Calls {
		if !slices.Contains(faultyCalls, call) {
			return fmt.Errorf("calls must be of %q", faultyCalls)
		}
	}
	switch {
	case f.Times < 0:
		return errors.New("times must be 0 or more")
	case f.DelayMS < -1:
		return errors.New("delayMs must be -1 or more")
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return errors.New("status must be an HTTP status of an answer")
	case !slices.Contains(faultyPages, f.Pages):
		return fmt.Errorf("pages must be one of %q", faultyPages[1:])
	case !slices.Contains(faultyTurns, f.Turns):
		return fmt.Errorf("turns must be one of %q", faultyTurns[1:])
	}
	return nil
}

// SetFault makes an institution misbehave until the next call of SetFault. It reports false
// for an unknown institution.
func (s *Service) SetFault(institution string, f Fault) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.ContainsFunc(s.companies, func(c *company) bool { return c.ID == institution }) {
		return false
	}
	f.left = f.Times
	s.faults[institution] = &f
	return true
}

// takeFault returns the fault of a request; its zero value is none.
func (s *Service) takeFault(x exchange) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, institution := s.callOf(x)
	f := s.faults[institution]
	if f == nil || len(f.Calls) > 0 && !slices.Contains(f.Calls, name) || f.Times > 0 && f.left == 0 {
		return Fault{}
	}
	f.left--
	f.seen++
	return *f
}

// callOf returns the name of a call, and the institution that it concerns.
func (s *Service) callOf(x exchange) (call, institution string) {
	switch _, last, _ := strings.Cut(x.r.URL.Path, "/v1/"); {
	case last == "institutions":
		return "institutions", s.firstOf(x.credential)
	case last == "sessions":
		var l login
		_ = json.Unmarshal(x.body, &l) // the call itself reports it
		return "sessions", l.Institution
	}
	call = x.r.URL.Path[strings.LastIndexByte(x.r.URL.Path, '/')+1:]
	if x.r.Method == http.MethodDelete {
		call = "end"
	}
	if e := s.sessions[x.session()]; e != nil {
		institution = e.Value.(*session).company.ID
	}
	return call, institution
}

// firstOf returns the first institution of a credential: its faults are those of the list.
func (s *Service) firstOf(credential string) string {
	for _, c := range s.companies {
		if c.Credential == credential {
			return c.ID
		}
	}
	return ""
}

// before waits, or answers in place of the call. It reports whether it has answered.
func (f Fault) before(c clock.Clock, w http.ResponseWriter, r *http.Request) bool {
	if f.DelayMS < 0 {
		<-r.Context().Done()
		return true
	}
	if clock.Sleep(r.Context(), c, time.Duration(f.DelayMS)*time.Millisecond) != nil {
		return true
	}
	if f.Status == 0 {
		return false
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body)) // an error means that the connection is closed
	return true
}

// Sizes of the answers that are too large.
const (
	hugePage = 32 << 20
	hugeTurn = 2 << 20
)

// write writes the answer of a call, changed by the fault.
func (f Fault) write(w http.ResponseWriter, status int, body any) {
	if f.Lost {
		panic(http.ErrAbortHandler) // closes the connection
	}
	if p, ok := body.(page); ok && f.Pages != "" {
		body = f.page(p)
	}
	if f.Turns != "" {
		body = f.turn(body)
	}
	writeJSON(w, status, body)
}

// isEndless reports whether the pages of an institution have no end.
func (s *Service) isEndless(institution string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.faults[institution]
	return f != nil && (f.Pages == "ENDLESS" || f.Pages == "EMPTY")
}

func (f Fault) page(p page) page {
	switch f.Pages {
	case "ENDLESS":
		p.Next = strconv.Itoa(f.seen)
		p.Products = []json.RawMessage{json.RawMessage(`{"type":"ISK","productNumber":"` + p.Next + `"}`)}
	case "EMPTY":
		p.Next, p.Products = strconv.Itoa(f.seen), []json.RawMessage{}
	case "SAME":
		p.Next = "1"
	case "HUGE":
		p.Products = append(p.Products, json.RawMessage(`{"type":"ISK","productName":"`+strings.Repeat("x", hugePage)+`"}`))
	case "UNKNOWN":
		p.Products = append(p.Products, json.RawMessage(`{"type":"CRYSTAL_BALL","value":1}`), json.RawMessage(`{"productName":"no type"}`),
			json.RawMessage(`"no object"`), json.RawMessage(`null`))
	case "LIES":
		p.Products = append(p.Products, json.RawMessage(`{"type":"ISK","productName":7,"holdings":"none","financialInformation":{"currentValue":{"amount":"much","currency":1}}}`),
			json.RawMessage(`{"type":["ISK"]}`))
	}
	return p
}

// turn changes the turn of an answer.
func (f Fault) turn(body any) any {
	text, err := json.Marshal(body)
	if err != nil {
		return body
	}
	var answer struct {
		Session string         `json:"session,omitempty"`
		Turn    map[string]any `json:"turn"`
	}
	if json.Unmarshal(text, &answer) != nil || answer.Turn == nil {
		return body
	}
	t, id := answer.Turn, "f"+strconv.Itoa(f.seen)
	switch f.Turns {
	case "UNKNOWN":
		t["id"], t["type"] = id, "DANCE"
	case "NONE":
		delete(t, "type")
	case "HUGE":
		t["message"] = strings.Repeat("x", hugeTurn)
	case "HOST":
		if r, ok := t["request"].(map[string]any); ok {
			t["id"], r["url"] = id, "https://elsewhere.example/steal"
		}
	case "BACK":
		if t["type"] == string(turnIn) || t["type"] == string(turnOut) {
			answer.Turn = map[string]any{"id": id, "type": turnAsk, "question": id, "kind": kindCode}
		}
	case "JUMP":
		answer.Turn = map[string]any{"id": id, "type": turnIn}
		if f.seen%2 == 0 {
			answer.Turn = map[string]any{"id": id, "type": turnOut, "reason": failed}
		}
	}
	return answer
}
