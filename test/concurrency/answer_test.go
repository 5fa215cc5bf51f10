package concurrency

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/dedupe"
	"samla/internal/dialogue"
	"samla/internal/fault"
	"samla/internal/idempotency"
	"samla/internal/user"
)

// loginRequest asks for a collection whose person logs in. The source knows the person by
// the id of the user.
func (e *env) loginRequest(u user.User) collect.Request {
	return collect.Request{Owner: collect.Owner{ClientID: e.client.ID, UserID: u.ID}, Company: sourceID,
		LoginMethod: "SWEDISH_SECURITY_TOKEN", Login: &collect.Login{UserID: u.ID}}
}

// login is a collection whose person is asked for a code.
type login struct {
	user  user.User
	owner collect.Owner
	id    string
}

// asked starts a collection of a new user on node i, and waits for the question. Where the
// time for an answer is short, it can be over before a busy machine has seen the question.
func (e *env) asked(i int) login {
	e.Helper()
	u := e.newUser()
	c, err := e.node(i).collections.Start(e.Context(), e.loginRequest(u), nil)
	if err != nil {
		e.Fatal(err)
	}
	l := login{u, collect.Owner{ClientID: e.client.ID, UserID: u.ID}, c.ID}
	e.await("the question", func() bool {
		view := e.poll(i, l)
		return view.Shown != nil || view.Status.Terminal()
	})
	return l
}

func (e *env) poll(i int, l login) collect.View {
	e.Helper()
	view, _, err := e.node(i).collections.Poll(e.Context(), l.owner, l.id)
	if err != nil {
		e.Fatal(err)
	}
	return view
}

// ended polls a collection until it has ended, and returns its status.
func (e *env) ended(l login) (status collection.Status) {
	e.Helper()
	e.await("the end of a collection", func() bool {
		status = e.poll(0, l).Status
		return status.Terminal()
	})
	return status
}

// answer gives a code on node i. It reports whether the answer was taken; else it was not
// expected.
func (e *env) answer(i int, l login, a dialogue.Answer) bool {
	err := e.node(i).collections.Supplement(e.Context(), l.owner, l.id, a)
	if code := fault.CodeOf(err); err != nil && code != fault.SupplementNotExpected {
		e.Errorf("an answer: %v", err)
	}
	return err == nil
}

// checkSessions waits until no session is open at the source.
func (e *env) checkSessions() {
	e.Helper()
	e.await("the source to be told", func() bool { return e.source.open() == 0 })
	if n := e.source.loggedInTwice(); n > 0 {
		e.Errorf("%d persons were logged in twice", n)
	}
}

// Of answers that are given at once on two nodes, with and without the id of the question,
// one is taken, and that one reaches the source, once.
func TestAnswer_IsTakenOnce(t *testing.T) {
	const persons, callers = 8, 6
	onStores(t, 2, func(e *env) {
		var all sync.WaitGroup
		for p := range persons {
			all.Go(func() {
				l := e.asked(p)
				var taken sync.Map
				var n atomic.Int32
				var wg sync.WaitGroup
				for i := range callers {
					wg.Go(func() {
						a := dialogue.Answer{Code: fmt.Sprint("code-", i)}
						if i%2 == 0 {
							a.Question = question
						}
						if e.answer(i, l, a) {
							taken.Store(a.Code, true)
							n.Add(1)
						}
					})
				}
				wg.Wait()
				if status := e.ended(l); n.Load() != 1 || status != collection.Completed {
					e.Errorf("%d answers were taken, and the collection is %s", n.Load(), status)
				}
				codes, _, _ := e.source.of(l.user.ID)
				if len(codes) != 1 {
					e.Fatalf("the source got %v", codes)
				}
				if _, ok := taken.Load(codes[0]); !ok {
					e.Errorf("the source got %v, which was refused", codes)
				}
			})
		}
		all.Wait()
		e.checkSessions()
	})
}

// Answers come while the time for them ends. One that was taken is handed over, and the
// collection completes; after one that was refused, it has timed out.
func TestAnswer_IsTakenOrLate(t *testing.T) {
	const persons, limit = 24, 500 * time.Millisecond
	onStoresWith(t, 2, dialogue.Limits{Code: limit}, func(e *env) {
		var taken, late atomic.Int32
		var all sync.WaitGroup
		for p := range persons {
			all.Go(func() {
				l := e.asked(p)
				if err := clock.Sleep(e.Context(), clock.System(), time.Duration(p)*2*limit/persons); err != nil {
					e.Fatal(err)
				}
				want := collection.AuthenticationTimeout
				if e.answer(p+1, l, dialogue.Answer{Code: "1"}) {
					want = collection.Completed
					taken.Add(1)
				} else {
					late.Add(1)
				}
				status := e.ended(l)
				codes, _, _ := e.source.of(l.user.ID)
				if status != want || (len(codes) == 1) != (want == collection.Completed) {
					e.Errorf("the collection is %s, want %s; the source got %d codes", status, want, len(codes))
				}
			})
		}
		all.Wait()
		t.Logf("%d answers were taken, %d were late", taken.Load(), late.Load())
		e.checkSessions()
	})
}

// Clients stop collections on one node while the person answers on another. Each comes to
// an end, and its session too.
func TestStop_EndsAnsweredLogin(t *testing.T) {
	const persons = 24
	onStores(t, 2, func(e *env) {
		var all sync.WaitGroup
		var taken atomic.Int32
		for p := range persons {
			all.Go(func() {
				l := e.asked(p)
				var wg sync.WaitGroup
				wg.Go(func() {
					if e.answer(p, l, dialogue.Answer{Code: "1"}) {
						taken.Add(1)
					}
				})
				for i := range 2 {
					wg.Go(func() {
						_ = clock.Sleep(e.Context(), clock.System(), time.Duration(p)*time.Millisecond/2)
						if _, err := e.node(p+i).collections.Stop(e.Context(), l.owner, l.id); err != nil {
							e.Errorf("stop: %v", err)
						}
					})
				}
				wg.Wait()
				if status := e.poll(p, l).Status; status != collection.AuthenticationCancelled && status != collection.Completed {
					e.Errorf("the collection is %s after the stop", status)
				}
				if e.poll(p+1, l).Shown != nil {
					e.Error("something is shown after the stop")
				}
				if codes, _, _ := e.source.of(l.user.ID); len(codes) > 1 {
					e.Errorf("the source got %v", codes)
				}
			})
		}
		all.Wait()
		t.Logf("%d of %d answers were taken", taken.Load(), persons)
		e.checkSessions()
	})
}

// Users are erased while they log in: before the question, with it, and while an answer is
// on its way. Afterwards nothing of the login can be read on any node, and the session has
// ended at the source.
func TestErase_EndsLogins(t *testing.T) {
	const persons = 12
	onStores(t, 2, func(e *env) {
		var all sync.WaitGroup
		for p := range persons {
			all.Go(func() {
				var l login
				if p%3 == 0 {
					u := e.newUser()
					c, err := e.node(p).collections.Start(e.Context(), e.loginRequest(u), nil)
					if err != nil {
						e.Fatal(err)
					}
					l = login{u, collect.Owner{ClientID: e.client.ID, UserID: u.ID}, c.ID}
				} else {
					l = e.asked(p)
				}
				var wg sync.WaitGroup
				if p%3 == 2 {
					wg.Go(func() {
						err := e.node(p+1).collections.Supplement(e.Context(), l.owner, l.id, dialogue.Answer{Code: "1"})
						if code := fault.CodeOf(err); err != nil && !slices.Contains([]fault.Code{fault.SupplementNotExpected, fault.CollectionNotFound, fault.Unauthorized}, code) {
							e.Errorf("an answer: %v", err)
						}
					})
				}
				for i := range 2 {
					wg.Go(func() {
						if err := e.node(p+i).users.Erase(e.Context(), e.client.ID, l.user.ID); err != nil {
							e.Errorf("erasure: %v", err)
						}
					})
				}
				wg.Wait()
				e.checkNothingLive(l.user)
				e.checkNothingShown(l)
			})
		}
		all.Wait()
		e.checkSessions()
	})
}

// checkNothingShown checks that nothing of a login of an erased user is left.
func (e *env) checkNothingShown(l login) {
	e.Helper()
	for i, n := range e.nodes {
		if _, _, err := n.collections.Poll(e.Context(), l.owner, l.id); fault.CodeOf(err) != fault.Unauthorized {
			e.Errorf("node %d answers a poll of the user: %v", i, err)
		}
		if view, _, err := n.collections.Poll(e.Context(), collect.Owner{ClientID: e.client.ID}, l.id); err != nil || view.Shown != nil || !view.Status.Terminal() {
			e.Errorf("node %d shows the client %s, %+v, %v", i, view.Status, view.Shown, err)
		}
		if _, err := n.collections.Data(e.Context(), collect.Owner{ClientID: e.client.ID}, l.id); err == nil {
			e.Errorf("node %d has data", i)
		}
	}
	c, err := e.node(0).store.Collection(e.Context(), l.id)
	if err != nil || len(c.Sealed) > 0 {
		e.Errorf("%d sealed bytes are left, %v", len(c.Sealed), err)
	}
	if sealed, err := e.node(0).store.DialogueAnswer(e.Context(), l.id); err == nil && len(sealed) > 0 {
		e.Error("the answer is left")
	}
}

// startOnce starts a collection with a login under an Idempotency-Key, and returns its id.
func (e *env) startOnce(n *node, u user.User, key string) (id string, err error) {
	answer, _, err := dedupe.New(n.store, n.vault, clock.System()).Run(e.Context(),
		dedupe.Request{ClientID: e.client.ID, UserID: u.ID, Key: key, Route: "POST /collections"},
		func(ctx context.Context, claim *dedupe.Claim) (answer dedupe.Response, err error) {
			_, err = n.collections.Start(ctx, e.loginRequest(u), func(ctx context.Context, c collection.Collection) (*idempotency.Record, error) {
				answer = dedupe.Response{Status: 201, UserID: u.ID, Body: []byte(c.ID)}
				return claim.Prepare(ctx, answer)
			})
			return answer, err
		})
	return string(answer.Body), err
}

// Requests with one Idempotency-Key on two nodes at once start one collection, and the
// person is asked to log in once.
func TestStartLogin_IsIdempotent(t *testing.T) {
	const persons, callers = 8, 6
	onStores(t, 2, func(e *env) {
		for p := range persons {
			u := e.newUser()
			var mu sync.Mutex
			ids := map[string]int{}
			var wg sync.WaitGroup
			for i := range callers {
				wg.Go(func() {
					id, err := e.startOnce(e.node(i), u, fmt.Sprint("key-", p))
					if code := fault.CodeOf(err); err != nil && code != fault.IdempotencyInProgress {
						e.Errorf("start: %v", err)
					}
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						ids[id]++
					}
				})
			}
			wg.Wait()
			again, err := e.startOnce(e.node(p), u, fmt.Sprint("key-", p))
			if err != nil || len(ids) != 1 || ids[again] == 0 {
				e.Fatalf("%d collections; later %v", len(ids), err)
			}
			l := login{u, collect.Owner{ClientID: e.client.ID, UserID: u.ID}, again}
			e.await("the question", func() bool { return e.poll(p, l).Shown != nil })
			if !e.answer(p, l, dialogue.Answer{Code: "1"}) {
				e.Error("the answer was refused")
			}
			if status := e.ended(l); status != collection.Completed {
				e.Errorf("the collection is %s", status)
			}
		}
		e.checkSessions()
	})
}
