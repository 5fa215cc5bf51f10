package collect_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"samla/internal/collection"
	"samla/internal/dialogue"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/store"
)

// person is a client whose person answers the questions of one login, and what came of it.
type person struct {
	*loginEnv
	nodes    []*process
	turn     int
	id       string
	accepted []string // questions whose answer was taken
	silent   bool     // the person answers nothing for now
}

// asks is what the institution asks: two questions before the person is in, and one while
// the data is read.
func (p *person) asks() {
	src := p.source
	src.given, src.first, src.turn = nil, waiting("w"), waiting("w")
	src.next = func(a dialogue.Answer) dialogue.Turn {
		if a.Question == "q1" {
			return code("q2")
		}
		return in()
	}
	src.fails = func(v institution.Verb, _ int) error {
		if v != institution.VerbCollect || slices.ContainsFunc(src.given, func(a dialogue.Answer) bool { return a.Question == "q3" }) {
			return nil
		}
		src.turn = code("q3")
		return &institution.Error{Kind: institution.TurnNeeded, HTTPStatus: 409}
	}
}

// answers answers the question that is open at a node, if there is one.
func (p *person) answers(at *process) {
	question := p.poll(at)
	if question == "" || p.silent {
		return
	}
	if at.Supplement(p.Context(), p.owner(), p.id, dialogue.Answer{Question: question, Code: "1"}) == nil {
		p.accepted = append(p.accepted, question)
	}
}

// poll returns the question that is open.
func (p *person) poll(at *process) string {
	at.count(false)
	defer at.count(true)
	view, _, err := at.Poll(p.Context(), p.owner(), p.id)
	if err != nil || view.Shown == nil {
		return ""
	}
	return view.Shown.Question
}

// tick lets a quarter of a second pass: the client turns to one node after the other.
func (p *person) tick() {
	synctest.Wait()
	p.Clock.Advance(jobs.Interval)
	synctest.Wait()
	p.turn++
	if at := p.nodes[p.turn%len(p.nodes)]; !at.died() {
		p.answers(at)
	}
	synctest.Wait()
}

// handlesDue makes a node handle the rows that are due, as its queue does.
func (p *person) handlesDue(at *process) {
	p.Helper()
	for {
		due, err := p.Store.Claim(p.Context(), store.Dialogues, p.Clock.Now(), jobs.Lease, store.ClaimLimit{Rows: 9, Other: 9})
		if err != nil {
			p.Fatal(err)
		}
		if len(due) == 0 {
			return
		}
		for _, j := range due {
			if err := at.HandleLogin(p.Context(), j.ID); err != nil {
				p.Fatal(err)
			}
		}
	}
}

// begins starts a login at a node, whose institution then asks.
func (p *person) begins(at *process) {
	p.Helper()
	c, err := at.Start(p.Context(), p.request(), nil)
	if err != nil {
		p.Fatal(err)
	}
	p.id = c.ID
	if len(p.nodes) == 0 {
		p.nodes = []*process{at}
	}
	p.tick()
	p.source.set(code("q1"))
}

// follows lets time pass until the collection has ended, and calls each in between. It
// returns how long that takes: no process has died twice.
func (p *person) follows(each func()) time.Duration {
	p.Helper()
	began := p.Clock.Now()
	for {
		took := p.Clock.Now().Sub(began)
		row := p.row(p.id)
		if row.Status.Terminal() {
			p.checkEnd(row)
			return took
		}
		if took > 2*jobs.Lease {
			p.Fatalf("%s after %v; answers to %q were taken, the institution has %+v", row.Status, took, p.accepted, p.source.given)
		}
		p.tick()
		each()
	}
}

// checkEnd checks that all questions were answered once.
func (p *person) checkEnd(row collection.Collection) {
	p.Helper()
	var given []string
	for _, a := range p.source.given {
		given = append(given, a.Question)
	}
	if row.Status != collection.Completed || !slices.Equal(given, []string{"q1", "q2", "q3"}) {
		p.Errorf("%s, the institution has answers to %q, those to %q were taken", row.Status, given, p.accepted)
	}
}

// A process may die before and after each call of its store and of the institution: the
// collection ends with its data, and each answer that was taken arrives once. With another
// node beside it the client turns to both in turn, so that each takes the watch over from
// the other.
func TestLogin_GoesOnWhereverItsProcessDies(t *testing.T) {
	for name, beside := range map[string]bool{"alone": false, "beside another": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newLoginEnv(t)
				calls, longest := 0, time.Duration(0)
				for at, reached := 1, true; reached; at++ {
					p := &person{loginEnv: b}
					p.asks()
					mortal := b.process(at, nil)
					p.nodes = []*process{mortal}
					if beside {
						p.nodes = append(p.nodes, b.process(0, nil))
					}
					for _, n := range p.nodes {
						n.Jobs.Start(t.Context())
					}
					p.begins(mortal)
					mortal.count(true)
					took := p.follows(func() {
						if mortal.died() && p.nodes[0] == mortal {
							mortal.end()
							p.nodes[0] = b.process(0, nil)
							p.nodes[0].Jobs.Start(t.Context())
						}
					})
					calls, longest, reached = at, max(longest, took), mortal.reached
					for _, n := range p.nodes {
						n.end()
					}
				}
				t.Logf("%d calls, a collection took %v at most", calls, longest)
				if calls < 30 {
					t.Errorf("a process died at %d calls only", calls)
				}
			})
		})
	}
}

// A node has claimed the login of another one that has died. Before and after each call
// that it makes, something else happens to the login. No answer waits for a lease, unless
// the node that has taken it dies.
func TestLogin_HearsWhatHappensBetweenItsCalls(t *testing.T) {
	for name, test := range map[string]struct {
		happens func(p *person, node, other *process)
		speaks  bool // the person answers before too
		within  time.Duration
	}{
		"the person answers":                 {func(p *person, node, _ *process) { p.answers(node) }, false, jobs.Lease / 2},
		"the person answers at another node": {func(p *person, _, other *process) { p.answers(other) }, false, jobs.Lease / 2},
		"the person answers at another node, which dies": {func(p *person, _, other *process) {
			p.answers(other)
			other.end()
		}, false, 2 * jobs.Lease},
		"a worker of the node handles what is due": {func(p *person, node, _ *process) { p.handlesDue(node) }, true, jobs.Lease / 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newLoginEnv(t)
				calls, longest := 0, time.Duration(0)
				for at, reached := 1, true; reached; at++ {
					p := &person{loginEnv: b, silent: true}
					p.asks()
					dead := b.process(0, nil)
					p.begins(dead)
					for p.poll(dead) == "" {
						p.tick()
					}
					dead.end()
					b.Clock.Advance(jobs.Lease)

					other := b.process(0, nil)
					p.silent = !test.speaks
					var node *process
					node = b.process(at, func() {
						p.silent = false
						b.Clock.Advance(time.Millisecond) // no two leases end at the same time
						test.happens(p, node, other)
					})
					node.count(true)
					p.nodes = []*process{node}
					node.Jobs.Start(t.Context())
					ticks := 0
					took := p.follows(func() {
						if ticks++; ticks > 3 { // while nothing is answered there is no such call
							p.silent = false
						}
					})
					calls, longest, reached = at, max(longest, took), node.reached
					node.end()
					other.end()
				}
				t.Logf("%d calls, a collection took %v at most", calls, longest)
				if calls < 30 || longest >= test.within {
					t.Errorf("%d calls, a collection took %v", calls, longest)
				}
			})
		})
	}
}

// An institution that is busy is asked again when it says. An answer does not wait for that.
func TestSupplement_DoesNotWaitForTheNextQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &person{loginEnv: newLoginEnv(t), silent: true}
		p.asks()
		node := p.process(0, nil)
		p.begins(node)
		for p.poll(node) == "" {
			p.tick()
		}
		p.source.fails = func(v institution.Verb, _ int) error {
			if v != institution.VerbTurn {
				return nil
			}
			return &institution.Error{Kind: institution.Busy, RetryAfter: 14 * time.Second}
		}
		for range 8 {
			p.tick()
		}
		p.silent = false
		p.tick()
		for range 4 {
			p.tick()
		}
		if len(p.source.given) == 0 {
			t.Error("an answer waits")
		}
	})
}

// A handler that is overtaken by an answer does not end the lease that came with it.
func TestLogin_KeepsTheLeaseOfAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLoginEnv(t)
		for at, reached := 1, true; reached; at++ {
			p := &person{loginEnv: b}
			p.asks()
			b.source.first = code("q1")
			dead := b.process(0, nil)
			c, err := dead.Start(t.Context(), b.request(), nil)
			if err != nil {
				t.Fatal(err)
			}
			p.id = c.ID
			dead.StepLogin(t.Context(), c.ID)
			dead.end()
			b.Clock.Advance(jobs.Lease)
			due, err := b.Store.Claim(t.Context(), store.Dialogues, b.Clock.Now(), jobs.Lease, store.ClaimLimit{Rows: 9, Other: 9})
			if err != nil || !slices.ContainsFunc(due, func(j store.Job) bool { return j.ID == c.ID }) {
				t.Fatal(due, err)
			}
			var node *process
			node = b.process(at, func() {
				b.Clock.Advance(time.Millisecond)
				p.answers(node)
			})
			node.count(true)
			if err := node.HandleLogin(t.Context(), c.ID); err != nil {
				t.Fatal(err)
			}
			node.count(false)
			for range int(jobs.Lease / time.Second) {
				synctest.Wait()
				b.Clock.Advance(time.Second)
				synctest.Wait()
				if !node.WatchesLogin(c.ID) {
					t.Fatalf("the lease is lost after an answer at call %d", at)
				}
			}
			reached = node.reached
			node.end()
		}
	})
}
