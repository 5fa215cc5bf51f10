package concurrency

import (
	"context"
	"fmt"
	"sync"
	"time"

	"samla/internal/clock"
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/dialogue"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/product"
)

const sourceID = "se-source"

// source is an institution that persons log in to. It answers from memory: it asks for a
// code, and every code lets the person in. It recognises repeats, and keeps what it was given.
type source struct {
	mu       sync.Mutex
	byID     map[string]string   // session by request id of the start
	persons  map[string]string   // session by user id
	twice    []string            // users who were logged in twice
	given    map[string][]string // codes by session
	answered map[string]bool     // request ids
	ended    map[string]string   // request id of the end by session
}

func newSource() *source {
	return &source{byID: map[string]string{}, persons: map[string]string{}, given: map[string][]string{}, answered: map[string]bool{}, ended: map[string]string{}}
}

func (s *source) institution() institution.Institution {
	return institution.Institution{Company: company.Company{ID: sourceID}, Profile: institution.Profile{ReplaySafe: true}.WithDefaults(), Loginer: s, Collector: s}
}

const question = "the code"

func (s *source) turn(session string) (dialogue.Turn, error) {
	switch {
	case s.ended[session] != "":
		return dialogue.Turn{}, &institution.Error{Kind: institution.SessionGone}
	case len(s.given[session]) > 0:
		return dialogue.Turn{ID: "in", In: &dialogue.In{}}, nil
	}
	return dialogue.Turn{ID: "ask", PollAfter: 250 * time.Millisecond, Ask: &dialogue.Ask{Question: question, Kind: dialogue.Code}}, nil
}

func (s *source) Login(_ context.Context, r institution.LoginRequest) (institution.LoginSession, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.byID[r.RequestID]
	if id == "" {
		id = fmt.Sprintf("session-%d", len(s.byID))
		s.byID[r.RequestID] = id
		if s.persons[r.UserID] != "" {
			s.twice = append(s.twice, r.UserID)
		}
		s.persons[r.UserID] = id
	}
	return institution.LoginSession{ID: id, Turn: dialogue.Turn{ID: "ask", PollAfter: 250 * time.Millisecond, Ask: &dialogue.Ask{Question: question, Kind: dialogue.Code}}}, nil
}

func (s *source) Turn(_ context.Context, session string) (dialogue.Turn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.turn(session)
}

func (s *source) Answer(_ context.Context, session, requestID string, a dialogue.Answer) (dialogue.Turn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended[session] == "" && !s.answered[requestID] {
		s.answered[requestID] = true
		s.given[session] = append(s.given[session], a.Code)
	}
	return s.turn(session)
}

func (s *source) EndLogin(_ context.Context, session, requestID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended[session] == "" {
		s.ended[session] = requestID
	}
	return nil
}

// of returns the codes that a user gave, and whether the session is known and has ended.
func (s *source) of(user string) (codes []string, known, ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	session, known := s.persons[user]
	return s.given[session], known, s.ended[session] != ""
}

// loggedInTwice is how many persons were logged in twice.
func (s *source) loggedInTwice() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.twice)
}

// open is how many sessions have not ended.
func (s *source) open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byID) - len(s.ended)
}

func (*source) Start(consent.Scope, string) []institution.Question {
	return []institution.Question{{Essential: true}}
}

func (s *source) Fetch(_ context.Context, a institution.Access, q institution.Question) (institution.Answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended[a.Session] != "" {
		return institution.Answer{}, &institution.Error{Kind: institution.SessionGone}
	}
	return institution.Answer{Question: q, Body: []byte("a page"), FetchedAt: clock.System().Now().Truncate(time.Microsecond)}, nil
}

func (*source) Read(institution.Answer) (institution.Reading, error) {
	return institution.Reading{Facts: fact.Facts{Products: []product.Product{&product.Pension{Head: product.Head{Type: product.PrivatePension}}}}}, nil
}

func (*source) Instead(q institution.Question, _ *institution.Error, _ time.Time) (institution.Question, bool) {
	return q, false
}
func (*source) Mapping() int { return 1 }
