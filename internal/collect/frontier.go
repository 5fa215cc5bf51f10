package collect

import (
	"samla/internal/consent"
	"samla/internal/fact"
	"samla/internal/institution"
)

// frontier holds the questions of one collection: which are to be asked, which
// have been asked, and what the answers told. Each question is asked once, and
// only when the consent and the collection's filter allow it. It is pure.
type frontier struct {
	scope  consent.Scope
	filter []string // account ids; nil = all
	bounds bounds

	nodes  map[institution.Question]*node
	first  []*node
	queue  []*node         // to be asked, in this order
	wanted map[string]bool // by account key: accounts that may be asked about
	all    usage
	of     map[string]usage // by account key
}

// node is a question with what its answer told and the questions that follow.
type node struct {
	question institution.Question
	facts    fact.Facts
	next     []*node
}

func newFrontier(scope consent.Scope, filter []string, start []institution.Question) *frontier {
	f := &frontier{scope: scope, filter: filter, bounds: defaultBounds,
		nodes: map[institution.Question]*node{}, wanted: map[string]bool{}, of: map[string]usage{}}
	f.first = f.push(start)
	return f
}

// push queues the questions that are allowed and new.
func (f *frontier) push(questions []institution.Question) []*node {
	var pushed []*node
	for _, q := range questions {
		if _, known := f.nodes[q]; known || !f.allows(q) {
			continue
		}
		n := &node{question: q}
		f.nodes[q] = n
		pushed = append(pushed, n)
	}
	f.queue = append(f.queue, pushed...)
	return pushed
}

// allows reports whether a question may be asked. Which account it is about must
// be known: an account that no answer told cannot be compared with the scope.
func (f *frontier) allows(q institution.Question) bool {
	return q.CoveredBy(f.scope) && (q.Account == "" || f.wanted[q.Account])
}

// take returns up to n questions to ask now, and those that are not asked because
// a bound was reached.
func (f *frontier) take(n int) (questions []institution.Question, beyond []cut) {
	for len(questions) < n && len(f.queue) > 0 {
		q := f.queue[0].question
		f.queue = f.queue[1:]
		if bound := f.bounds.reached(f.of[q.Account], f.all); bound != "" {
			beyond = append(beyond, cut{q, bound})
			continue
		}
		f.use(q.Account, usage{answers: 1})
		questions = append(questions, q)
	}
	return questions, beyond
}

func (f *frontier) use(account string, more usage) {
	f.all.add(more)
	if account != "" {
		of := f.of[account]
		of.add(more)
		f.of[account] = of
	}
}

// empty reports whether there is nothing left to ask.
func (f *frontier) empty() bool { return len(f.queue) == 0 }

// answered adds what the answer to a question means; size is its bytes. Accounts
// that are closed or not wanted are left out.
func (f *frontier) answered(q institution.Question, size int, r institution.Reading) {
	f.use(q.Account, usage{bytes: size})
	n := f.nodes[q]
	n.facts = r.Facts
	n.facts.Accounts = nil
	for _, a := range r.Facts.Accounts {
		if !a.Closed && named(a, f.scope.AccountIDs) && named(a, f.filter) {
			n.facts.Accounts = append(n.facts.Accounts, a)
			f.wanted[a.Key] = true
		}
	}
	n.next = f.push(r.Questions)
}

// facts returns everything that was told, in an order that does not depend on
// the order of the answers: what follows from an answer comes right after it.
func (f *frontier) facts() fact.Facts {
	var all fact.Facts
	var add func([]*node)
	add = func(nodes []*node) {
		for _, n := range nodes {
			all.Add(n.facts)
			add(n.next)
		}
	}
	add(f.first)
	return all
}
