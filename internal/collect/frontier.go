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

	nodes  map[institution.Question]*node
	first  []*node
	queue  []*node         // to be asked, in this order
	wanted map[string]bool // by account key: accounts that may be asked about
}

// node is a question with what its answer told and the questions that follow.
type node struct {
	question institution.Question
	facts    fact.Facts
	next     []*node
}

func newFrontier(scope consent.Scope, filter []string, start []institution.Question) *frontier {
	f := &frontier{scope: scope, filter: filter,
		nodes: map[institution.Question]*node{}, wanted: map[string]bool{}}
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

// take returns up to n questions to ask now.
func (f *frontier) take(n int) []institution.Question {
	n = min(n, len(f.queue))
	questions := make([]institution.Question, n)
	for i, node := range f.queue[:n] {
		questions[i] = node.question
	}
	f.queue = f.queue[n:]
	return questions
}

// empty reports whether there is nothing left to ask.
func (f *frontier) empty() bool { return len(f.queue) == 0 }

// answered adds what the answer to a question means. Accounts that are closed or
// not wanted are left out.
func (f *frontier) answered(q institution.Question, r institution.Reading) {
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
