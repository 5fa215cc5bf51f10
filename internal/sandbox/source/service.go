package source

import (
	"container/list"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/journal"

	"github.com/google/uuid"
)

// Limits of the sessions.
const (
	sessionLife = 15 * time.Minute // after the last request
	requestLife = time.Hour        // for which the request that made a session can be repeated
	maxSessions = 40_000           // with those that are kept for repeated requests only
)

// Service stores the logins at all institutions. It is safe for concurrent use. Set its
// exported fields before the first call.
type Service struct {
	BankID *bankid.Service

	clock  clock.Clock
	random io.Reader

	mu        sync.Mutex
	journal   *journal.File[entry] // nil: memory only
	companies []*company
	sessions  map[string]*list.Element // of *session, by id
	byRequest map[string]*session      // by institution and Request-Id of POST /v1/sessions
	byToken   map[string]place         // links of e-mails, apps and pages; requests of devices
	order     *list.List               // of *session, the oldest first
	faults    map[string]*Fault        // by institution
	limit     int
}

// place is a step of a session.
type place struct {
	session *session
	step    int
}

// New returns a service without sessions. Ids are read from random; nil: crypto/rand.
func New(c clock.Clock, random io.Reader, b *bankid.Service) *Service {
	if random == nil {
		random = rand.Reader
	}
	return &Service{
		BankID: b, clock: c, random: random, companies: companies(), sessions: map[string]*list.Element{},
		byRequest: map[string]*session{}, byToken: map[string]place{}, order: list.New(), faults: map[string]*Fault{}, limit: maxSessions,
	}
}

// begin starts a login. A repeated request gets the first answer again.
func (s *Service) begin(credential, requestID string, l login, base string) (json.RawMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	s.dropOld(now)
	if l.Institution == "" {
		return nil, badRequest("institution is missing")
	}
	c := s.company(credential, l.Institution)
	if c == nil {
		return nil, unknownInstitution()
	}
	if earlier := s.byRequest[c.ID+"/"+requestID]; earlier != nil {
		return earlier.First, nil
	}
	if err := c.check(l); err != nil {
		return nil, err
	}
	if s.order.Len() >= s.limit {
		return nil, tooMany()
	}
	id, err := uuid.NewRandomFromReader(s.random)
	if err != nil {
		return nil, fmt.Errorf("source: reading randomness: %w", err)
	}
	key, err := uuid.NewRandomFromReader(s.random)
	if err != nil {
		return nil, fmt.Errorf("source: reading randomness: %w", err)
	}
	n := &session{ID: id.String(), Key: key.String(), RequestID: requestID, Login: l, Created: now, used: now, company: c, script: c.scriptOf(l)}
	n.State = n.script.start(now)
	t, err := s.turn(n, base, now)
	if err != nil {
		return nil, err
	}
	if n.First, err = json.Marshal(map[string]any{"session": n.ID, "turn": t}); err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	if err := s.write(n); err != nil {
		return nil, err
	}
	s.add(n)
	return n.First, nil
}

// current returns the turn of a session.
func (s *Service) current(credential, id, base string) (turn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	n, err := s.find(credential, id, now)
	if err != nil {
		return turn{}, err
	}
	return s.told(n, base, now)
}

// reply hands over an answer and returns the next turn. A repeated request gets the same
// answer again.
func (s *Service) reply(credential, id, requestID string, a answer, base string) (json.RawMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	n, err := s.find(credential, id, now)
	if err != nil {
		return nil, err
	}
	if earlier := n.Answered[requestID]; earlier != nil {
		return earlier, nil
	}
	before := *n
	n.State, err = n.script.answer(n.State, a, n.derive(n.State.Step, "proof"), now)
	if err != nil {
		n.State = before.State
		return nil, err
	}
	t, err := s.turn(n, base, now)
	if err != nil {
		n.State = before.State
		return nil, err
	}
	body, err := json.Marshal(map[string]any{"turn": t})
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	answered := map[string]json.RawMessage{requestID: body}
	for k, v := range n.Answered {
		answered[k] = v
	}
	n.Answered = answered
	if err := s.write(n); err != nil {
		n.State, n.Answered = before.State, before.Answered
		return nil, err
	}
	return body, nil
}

// end cancels a login, or ends a session. It does nothing for one that is not known.
func (s *Service) end(credential, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.find(credential, id, s.clock.Now())
	if err != nil {
		return nil
	}
	if o := n.State.Order; o != nil {
		if err := s.BankID.Cancel(o.OrderRef); err != nil && !isBankID(err) {
			return err
		}
	}
	n.Ended = true
	if err := s.write(n); err != nil {
		n.Ended = false
		return err
	}
	return nil
}

// reading returns what a session may read: its person and the state in which it logged in.
func (s *Service) reading(credential, id string) (session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	n, err := s.find(credential, id, now)
	if err != nil {
		return session{}, err
	}
	if _, err := s.told(n, "", now); err != nil {
		return session{}, err
	}
	if n.State.In.IsZero() {
		return session{}, turnNeeded()
	}
	return *n, nil
}
