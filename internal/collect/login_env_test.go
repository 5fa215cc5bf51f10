package collect_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/dialogue"
	"samla/internal/fact"
	"samla/internal/flowtest"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/outbox"
	"samla/internal/product"
	"samla/internal/psu"
)

const (
	theSource = "se-testsource"
	anna      = psu.Number("198412099296")
)

// source is an institution that persons log in to. A test sets the turns. It acts once
// for a request id, and counts what it did.
type source struct {
	mu       sync.Mutex
	first    dialogue.Turn                            // of a new login
	turn     dialogue.Turn                            // of every session
	next     func(a dialogue.Answer) dialogue.Turn    // after an answer
	fails    func(verb institution.Verb, n int) error // before the effect; nil = never
	lost     func(verb institution.Verb, n int) error // after the effect; nil = never
	sessions map[string]string                        // request id of the login -> session
	answers  map[string]dialogue.Turn                 // request id -> what followed
	given    []dialogue.Answer
	ended    map[string]string // session -> request id
	endedFor []string          // subjects
	calls    map[institution.Verb]int
	reading  chan struct{} // gets an element when a page is asked for; nil = not told
	held     chan struct{} // a page waits until it is closed; nil = does not wait
	asked    []institution.LoginRequest
	access   []institution.Access
	profile  institution.Profile // of the entry of the institutions file
}

func newSource() *source {
	return &source{first: waiting("w1"), turn: waiting("w1"), next: func(dialogue.Answer) dialogue.Turn { return in() },
		sessions: map[string]string{}, answers: map[string]dialogue.Turn{}, ended: map[string]string{}, calls: map[institution.Verb]int{}}
}

func waiting(id string) dialogue.Turn {
	return dialogue.Turn{ID: id, Wait: &dialogue.Wait{For: dialogue.BankID, AutoStartToken: "token", QRStartToken: "start", QRSecret: "secret", QRStartedAt: morning}}
}

func in() dialogue.Turn {
	return dialogue.Turn{ID: "in", In: &dialogue.In{PersonalNumber: anna.Digits()}}
}

func code(question string) dialogue.Turn {
	return dialogue.Turn{ID: "turn of " + question, Ask: &dialogue.Ask{Question: question, Kind: dialogue.Code, Message: "The code, please", ResponseType: "NUMBER_CODE"}}
}

func (s *source) institution() institution.Institution {
	return institution.Institution{Company: company.Company{ID: theSource, DisplayName: "Test source"}, Profile: s.profile.WithDefaults(),
		Loginer: s, Collector: s}
}

// begin counts a call and returns the error that the test wants.
func (s *source) begin(v institution.Verb) error {
	s.calls[v]++
	if s.fails != nil {
		return s.fails(v, s.calls[v])
	}
	return nil
}

func (s *source) end(v institution.Verb) error {
	if s.lost != nil {
		return s.lost(v, s.calls[v])
	}
	return nil
}

func (s *source) Login(_ context.Context, r institution.LoginRequest) (institution.LoginSession, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin(institution.VerbLogin); err != nil {
		return institution.LoginSession{}, err
	}
	if s.sessions[r.RequestID] == "" {
		s.sessions[r.RequestID] = fmt.Sprintf("session-%d", len(s.sessions)+1)
		s.asked = append(s.asked, r)
	}
	return institution.LoginSession{ID: s.sessions[r.RequestID], Turn: s.first}, s.end(institution.VerbLogin)
}

func (s *source) Turn(_ context.Context, session string) (dialogue.Turn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin(institution.VerbTurn); err != nil {
		return dialogue.Turn{}, err
	}
	return s.turn, s.end(institution.VerbTurn)
}

func (s *source) Answer(_ context.Context, session, requestID string, a dialogue.Answer) (dialogue.Turn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin(institution.VerbAnswer); err != nil {
		return dialogue.Turn{}, err
	}
	if _, done := s.answers[requestID]; !done {
		s.given = append(s.given, a)
		s.answers[requestID] = s.next(a)
		s.turn = s.answers[requestID]
	}
	return s.answers[requestID], s.end(institution.VerbAnswer)
}

func (s *source) EndLogin(ctx context.Context, session, requestID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endedFor = append(s.endedFor, institution.SubjectOf(ctx))
	if err := s.begin(institution.VerbEndLogin); err != nil {
		return err
	}
	s.ended[session] = requestID
	return nil
}

func (s *source) set(turn dialogue.Turn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn = turn
}

func (s *source) Start(consent.Scope, string) []institution.Question {
	return []institution.Question{{Kind: "pages", Essential: true}}
}

func (s *source) Fetch(_ context.Context, a institution.Access, q institution.Question) (institution.Answer, error) {
	if s.held != nil {
		s.reading <- struct{}{}
		<-s.held
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.access = append(s.access, a)
	if err := s.begin(institution.VerbCollect); err != nil {
		return institution.Answer{}, err
	}
	body := map[string]string{"": "2", "2": ""}[q.Link]
	return institution.Answer{Question: q, Body: []byte("next " + body), FetchedAt: morning}, nil
}

func (s *source) Read(a institution.Answer) (institution.Reading, error) {
	r := institution.Reading{Facts: fact.Facts{Products: []product.Product{&product.Pension{Head: product.Head{Type: product.PrivatePension}}}}}
	if next := string(bytes.TrimPrefix(a.Body, []byte("next "))); next != "" {
		r.Questions = []institution.Question{{Kind: "pages", Link: next}}
	}
	return r, nil
}

func (s *source) Instead(q institution.Question, _ *institution.Error, _ time.Time) (institution.Question, bool) {
	return q, false
}

func (s *source) Mapping() int { return 1 }

// loginEnv is a service with a source that persons log in to.
type loginEnv struct {
	*flowtest.Env
	*collect.Service
	source *source
	logs   *bytes.Buffer
}

func newLoginEnv(t testing.TB) *loginEnv { return newLoginEnvOn(t, t.TempDir()) }

func newLoginEnvOn(t testing.TB, database string) *loginEnv {
	t.Helper()
	b := &loginEnv{Env: flowtest.New(t, database), source: newSource(), logs: &bytes.Buffer{}}
	b.Service = b.node(b.Env)
	return b
}

// onBothStores runs a test on SQLite and on PostgreSQL.
func onBothStores(t *testing.T, run func(t *testing.T, b *loginEnv)) {
	t.Run("sqlite", func(t *testing.T) { run(t, newLoginEnv(t)) })
	t.Run("postgres", func(t *testing.T) { run(t, newLoginEnvOn(t, flowtest.Postgres(t))) })
}

// node returns a service over the same store: another node, or the same one after a crash.
func (b *loginEnv) node(env *flowtest.Env) *collect.Service {
	return b.nodeAt(env, b.source.institution())
}

// nodeAt returns a service that knows one institution.
func (b *loginEnv) nodeAt(env *flowtest.Env, i institution.Institution) *collect.Service {
	var (
		log    = slog.New(slog.NewTextHandler(b.logs, nil))
		places = institution.Set{theSource: i}
		runner = jobs.New(env.Store, b.Clock, log)
	)
	consents := authorize.New(authorize.Deps{Store: env.Store, Vault: env.Vault, Institutions: places, Jobs: runner, Clock: b.Clock, IDs: b.IDs, Log: log})
	return collect.New(collect.Deps{Store: env.Store, Vault: env.Vault, Consents: consents, Institutions: places,
		Jobs: runner, Clock: b.Clock, IDs: b.IDs, Log: log, KeepData: 30 * 24 * time.Hour, Workers: 4})
}

func (b *loginEnv) owner() collect.Owner {
	return collect.Owner{ClientID: b.User.ClientID, UserID: b.User.ID}
}

func (b *loginEnv) request() collect.Request {
	return collect.Request{Owner: b.owner(), Company: theSource, LoginMethod: "SWEDISH_MOBILE_BANKID_OTHER_DEVICE",
		Login: &collect.Login{PersonalNumber: anna, Email: "anna@example.com", PSU: psu.Context{IPAddress: "192.0.2.1"}}}
}

func (b *loginEnv) start() collection.Collection {
	b.Helper()
	c, err := b.Service.Start(b.Context(), b.request(), nil)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// step makes one step of a login at this node, and returns the row.
func (b *loginEnv) step(id string) collection.Collection {
	b.Helper()
	b.StepLogin(b.Context(), id)
	return b.row(id)
}

// claim makes a node handle the row of a login.
func (b *loginEnv) claim(at *collect.Service, id string) collection.Collection {
	b.Helper()
	b.MustRun(at.HandleLogin, id)
	return b.row(id)
}

func (b *loginEnv) row(id string) collection.Collection { return storedCollection(b.Env, id) }

func (b *loginEnv) poll(id string) collect.View {
	b.Helper()
	view, _, err := b.Poll(b.Context(), b.owner(), id)
	if err != nil {
		b.Fatal(err)
	}
	return view
}

func (b *loginEnv) want(c collection.Collection, status collection.Status) {
	b.Helper()
	if c.Status != status || !c.WakeAt.IsZero() {
		b.Fatalf("%s, due %v; want %s", c.Status, c.WakeAt, status)
	}
}

// deliver delivers what is in the outbox, and returns which sessions were ended.
func (b *loginEnv) deliver() map[string]string {
	b.Helper()
	for _, m := range messages(b.Env, outbox.EndLogin) {
		if err := b.DeliverEnding(b.Context(), m); err != nil {
			b.Fatal(err)
		}
	}
	return maps.Clone(b.source.ended)
}

func (b *loginEnv) data(id string) []map[string]any {
	b.Helper()
	data, err := b.Data(b.Context(), b.owner(), id)
	if err != nil {
		b.Fatal(err)
	}
	text, err := data.Plain(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	var list []map[string]any
	if err := json.Unmarshal(text, &list); err != nil {
		b.Fatal(err)
	}
	return list
}
