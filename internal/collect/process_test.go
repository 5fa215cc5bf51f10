package collect_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/dialogue"
	"samla/internal/institution"
	"samla/internal/store"
)

// process is a node as a whole: its service, its scheduler and its job queues. All calls of
// its store and of its institution pass through it, so that a test can let something happen
// before or after any of them.
type process struct {
	*collect.Service
	at   int    // the number of the call at which it happens; 0 = never
	then func() // what happens there; nil = the process dies

	mu      sync.Mutex
	counts  bool
	calls   int
	reached bool
	dead    bool
	ended   sync.Once
}

// errDead is the error of all calls of a process that has died: it has no effect any more.
var errDead = errors.New("this process is dead")

// pass is called before and after each call.
func (p *process) pass() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.counts {
		if p.calls++; p.calls == p.at {
			p.reached = true
			if p.then == nil {
				p.dead = true
			} else {
				p.counts = false
				p.mu.Unlock()
				p.then()
				p.mu.Lock()
			}
		}
	}
	if p.dead {
		return errDead
	}
	return nil
}

// count counts calls from now on, or stops that.
func (p *process) count(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts = on && !p.reached
}

func (p *process) died() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

// around passes before and after a call.
func around[T any](p *process, call func() (T, error)) (result T, err error) {
	if err = p.pass(); err != nil {
		return result, err
	}
	result, err = call()
	if dead := p.pass(); dead != nil {
		err = dead
	}
	return result, err
}

func around0(p *process, call func() error) error {
	_, err := around(p, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

// process starts a process over the store of the environment, without its queues.
func (b *loginEnv) process(at int, then func()) *process {
	b.Helper()
	p := &process{at: at, then: then}
	env := b.Env.Node()
	env.Store = processStore{b.Env.Store, p}
	i := b.source.institution()
	i.Loginer, i.Collector = processSource{b.source, p}, processSource{b.source, p}
	p.Service = b.nodeAt(env, i)
	p.StartLogins()
	b.Cleanup(p.end)
	return p
}

// end ends a process, dead or alive.
func (p *process) end() {
	p.ended.Do(func() {
		p.mu.Lock()
		p.counts, p.dead = false, true
		p.mu.Unlock()
		_ = p.StopLogins(context.Background()) // the store does not answer
		_ = p.Jobs.Stop(context.Background())
	})
}

// processStore is the store of a process.
type processStore struct {
	store.Store
	p *process
}

// Collection implements store.Store.
func (s processStore) Collection(ctx context.Context, id string) (collection.Collection, error) {
	return around(s.p, func() (collection.Collection, error) { return s.Store.Collection(ctx, id) })
}

// DialogueDue implements store.Store.
func (s processStore) DialogueDue(ctx context.Context, id string) (time.Time, error) {
	return around(s.p, func() (time.Time, error) { return s.Store.DialogueDue(ctx, id) })
}

// DialogueAnswer implements store.Store.
func (s processStore) DialogueAnswer(ctx context.Context, id string) ([]byte, error) {
	return around(s.p, func() ([]byte, error) { return s.Store.DialogueAnswer(ctx, id) })
}

// Write implements store.Store.
func (s processStore) Write(ctx context.Context, fn func(store.Tx) error) error {
	return around0(s.p, func() error { return s.Store.Write(ctx, fn) })
}

// Claim implements store.Store. Claims that find nothing do not count: there are many.
func (s processStore) Claim(ctx context.Context, q store.Queue, now time.Time, lease time.Duration, l store.ClaimLimit) ([]store.Job, error) {
	if s.p.died() {
		return nil, errDead
	}
	found, err := s.Store.Claim(ctx, q, now, lease, l)
	if len(found) > 0 {
		if dead := s.p.pass(); dead != nil {
			return nil, dead
		}
	}
	return found, err
}

// RenewLeases implements store.Store.
func (s processStore) RenewLeases(ctx context.Context, q store.Queue, l []store.Lease, until time.Time) ([]string, error) {
	return around(s.p, func() ([]string, error) { return s.Store.RenewLeases(ctx, q, l, until) })
}

// RetryJob implements store.Store.
func (s processStore) RetryJob(ctx context.Context, q store.Queue, j store.Job, at time.Time, cause string) error {
	return around0(s.p, func() error { return s.Store.RetryJob(ctx, q, j, at, cause) })
}

// ParkJob implements store.Store.
func (s processStore) ParkJob(ctx context.Context, q store.Queue, j store.Job, at time.Time, cause string) error {
	return around0(s.p, func() error { return s.Store.ParkJob(ctx, q, j, at, cause) })
}

// processSource is the institution as a process calls it.
type processSource struct {
	*source
	p *process
}

// Login implements institution.Loginer.
func (s processSource) Login(ctx context.Context, r institution.LoginRequest) (institution.LoginSession, error) {
	return around(s.p, func() (institution.LoginSession, error) { return s.source.Login(ctx, r) })
}

// Turn implements institution.Loginer.
func (s processSource) Turn(ctx context.Context, session string) (dialogue.Turn, error) {
	return around(s.p, func() (dialogue.Turn, error) { return s.source.Turn(ctx, session) })
}

// Answer implements institution.Loginer.
func (s processSource) Answer(ctx context.Context, session, requestID string, a dialogue.Answer) (dialogue.Turn, error) {
	return around(s.p, func() (dialogue.Turn, error) { return s.source.Answer(ctx, session, requestID, a) })
}

// Fetch implements institution.Collector.
func (s processSource) Fetch(ctx context.Context, a institution.Access, q institution.Question) (institution.Answer, error) {
	return around(s.p, func() (institution.Answer, error) { return s.source.Fetch(ctx, a, q) })
}
