package source

import (
	"container/list"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
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
func (s *Service) begin(door, requestID string, l login, base string) (json.RawMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	s.dropOld(now)
	if l.Institution == "" {
		return nil, badRequest("institution is missing")
	}
	c := s.company(door, l.Institution)
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
func (s *Service) current(door, id, base string) (turn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	n, err := s.find(door, id, now)
	if err != nil {
		return turn{}, err
	}
	return s.told(n, base, now)
}

// reply hands over an answer and returns the next turn. A repeated request gets the same
// answer again.
func (s *Service) reply(door, id, requestID string, a answer, base string) (json.RawMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	n, err := s.find(door, id, now)
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
func (s *Service) end(door, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.find(door, id, s.clock.Now())
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
func (s *Service) reading(door, id string) (session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	n, err := s.find(door, id, now)
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

// told advances a session, stores the state if it changed, and returns the turn. The caller
// holds mu.
func (s *Service) told(n *session, base string, now time.Time) (turn, error) {
	before := n.State
	t, err := s.turn(n, base, now)
	if err == nil && n.State != before {
		err = s.write(n)
	}
	if err != nil {
		n.State = before
		return turn{}, err
	}
	return t, nil
}

// turn advances the state of a session by time and by BankID, and returns its turn.
func (s *Service) turn(n *session, base string, now time.Time) (turn, error) {
	n.State = n.script.advance(n.State, now)
	v := view{session: n, base: base, now: now}
	for !n.State.ended() && n.script[n.State.Step].Kind == stepBankID {
		moved, scanned, err := s.sign(n, now)
		if err != nil {
			return turn{}, err
		}
		if v.scanned = scanned; !moved {
			break
		}
		n.State = n.script.advance(n.State, now)
	}
	return n.script.turn(n.State, v)
}

// sign starts or collects the order of the current step. It reports whether the step is
// over, and whether the app has opened the order.
func (s *Service) sign(n *session, now time.Time) (moved, scanned bool, err error) {
	if n.State.Order == nil {
		o, err := s.BankID.Auth(bankid.AuthRequest{RequestID: n.company.ID + "/" + n.RequestID + "/" + strconv.Itoa(n.State.Asked), Expected: n.Login.PersonalNumber,
			EndUserIP: n.Login.IPAddress, UserVisibleData: "Log in to " + n.company.DisplayName})
		if e := (*bankid.Error)(nil); errors.As(err, &e) {
			n.State = n.State.refused(e.Code)
			return true, false, nil
		} else if err != nil {
			return false, false, fmt.Errorf("source: %w", err)
		}
		n.State = n.State.ordered(o)
		return false, false, nil
	}
	c, err := s.BankID.Collect(n.State.Order.OrderRef)
	switch e := (*bankid.Error)(nil); {
	case errors.As(err, &e): // BankID does not have it any more
		n.State = n.State.refused("expiredTransaction")
		return true, false, nil
	case err != nil:
		return false, false, fmt.Errorf("source: %w", err)
	case c.User != nil:
		n.State = n.script.signed(n.State, c.User.PersonalNumber, n.Login.PersonalNumber, now)
		return true, false, nil
	case c.Status == "failed" && c.HintCode == notScanned && now.Sub(n.State.Entered) < signTime:
		n.State = n.State.renewed() // the person sees a new code
		return true, false, nil
	case c.Status == "failed":
		n.State = n.State.refused(c.HintCode)
		return true, false, nil
	}
	return false, c.HintCode != "outstandingTransaction", nil
}

func isBankID(err error) bool { e := (*bankid.Error)(nil); return errors.As(err, &e) }

// find returns a session that is alive. The caller holds mu.
func (s *Service) find(door, id string, now time.Time) (*session, error) {
	e := s.sessions[id]
	if e == nil {
		return nil, unknownSession()
	}
	n := e.Value.(*session)
	if n.Ended || n.company.Door != door || now.Sub(n.used) >= sessionLife {
		return nil, unknownSession()
	}
	n.used = now
	return n, nil
}

func (s *Service) company(door, id string) *company {
	at := slices.IndexFunc(s.companies, func(c *company) bool { return c.Door == door && c.ID == id })
	if at < 0 {
		return nil
	}
	return s.companies[at]
}

func (s *Service) add(n *session) {
	s.sessions[n.ID] = s.order.PushBack(n)
	s.byRequest[n.company.ID+"/"+n.RequestID] = n
	for i, st := range n.script {
		switch {
		case st.Kind.elsewhere():
			s.byToken[n.derive(i, "open")] = place{n, i}
		case st.Kind == stepDevice:
			s.byToken[n.derive(i, "device")] = place{n, i}
		}
	}
}

// dropOld forgets the oldest sessions that have ended, or that nobody used, once their
// first request cannot be repeated any more, or if there are too many. The caller holds mu.
func (s *Service) dropOld(now time.Time) {
	for e := s.order.Front(); e != nil; e = s.order.Front() {
		n := e.Value.(*session)
		over := n.Ended || now.Sub(n.used) >= sessionLife
		if !over || now.Sub(n.Created) < requestLife && s.order.Len() < s.limit {
			return
		}
		s.order.Remove(e)
		delete(s.sessions, n.ID)
		delete(s.byRequest, n.company.ID+"/"+n.RequestID)
		for i := range n.script {
			delete(s.byToken, n.derive(i, "open"))
			delete(s.byToken, n.derive(i, "device"))
		}
	}
}

// The errors of docs/source-protocol/README.md. Messages have no personal data.

func badRequest(message string) error {
	return &protocolError{status: http.StatusBadRequest, Code: "BAD_REQUEST", Message: message}
}

func unauthorized() error {
	return &protocolError{status: http.StatusUnauthorized, Code: "UNAUTHORIZED", Message: "no or wrong credentials"}
}

func unknownInstitution() error {
	return &protocolError{status: http.StatusNotFound, Code: "UNKNOWN_INSTITUTION", Message: "this institution is not offered here"}
}

func unknownSession() error {
	return &protocolError{status: http.StatusNotFound, Code: "UNKNOWN_SESSION", Message: "the session has ended, or was never known"}
}

func questionOver() error {
	return &protocolError{status: http.StatusConflict, Code: "QUESTION_OVER", Message: "the question is not open any more"}
}

func turnNeeded() error {
	return &protocolError{status: http.StatusConflict, Code: "TURN_NEEDED", Message: "the login is not done: ask for the turn"}
}

func tooMany() error {
	return &protocolError{status: http.StatusTooManyRequests, Code: "TOO_MANY", Message: "too many requests or sessions", retryAfter: 5}
}

func notAvailable() error {
	return &protocolError{status: http.StatusServiceUnavailable, Code: "UNAVAILABLE", Message: "the institution does not answer"}
}
