package collect

import (
	"samla/internal/consent"
	"samla/internal/fact"
	"samla/internal/institution"
)

// frontier is the set of questions of one collection, asked and not yet asked, with
// the facts of the answers. It contains each question once, and only questions that
// the consent and the collection's filter allow. It is pure.
type frontier struct {
	scope  consent.Scope
	filter []string // account ids; nil: all
	bounds bounds

	nodes      map[institution.Question]*node
	roots      []*node
	queue      []*node         // not yet asked, in order
	wanted     map[string]bool // account keys that the consent and the filter name
	total      usage
	perAccount map[string]usage // by account key
}

// node is a question with the facts of its answer and the questions that follow.
type node struct {
	question institution.Question
	facts    fact.Facts
	children []*node
}

func newFrontier(scope consent.Scope, filter []string, start []institution.Question) *frontier {
	f := &frontier{scope: scope, filter: filter, bounds: defaultBounds,
		nodes: map[institution.Question]*node{}, wanted: map[string]bool{}, perAccount: map[string]usage{}}
	f.roots = f.push(start)
	return f
}

// push adds the questions that are allowed and new to the queue. It returns the nodes
// of all that are allowed.
func (f *frontier) push(questions []institution.Question) []*node {
	var nodes []*node
	for _, q := range questions {
		if !f.allows(q) {
			continue
		}
		n, known := f.nodes[q]
		if !known {
			n = &node{question: q}
			f.nodes[q] = n
			f.queue = append(f.queue, n)
		}
		nodes = append(nodes, n)
	}
	return nodes
}

// allows reports whether a question may be asked. An account that no answer has named
// cannot be compared with the scope, so questions about it are not allowed.
func (f *frontier) allows(q institution.Question) bool {
	return q.CoveredBy(f.scope) && (q.Account == "" || f.wanted[q.Account])
}

// take removes up to n questions to ask now from the queue. It also returns those that
// it removed because a bound was reached.
func (f *frontier) take(n int) (questions []institution.Question, beyond []skipped) {
	for len(questions) < n && len(f.queue) > 0 {
		q := f.queue[0].question
		f.queue = f.queue[1:]
		if bound := f.bounds.reached(f.perAccount[q.Account], f.total); bound != "" {
			beyond = append(beyond, skipped{q, bound})
			continue
		}
		f.count(q.Account, usage{answers: 1})
		questions = append(questions, q)
	}
	return questions, beyond
}

func (f *frontier) count(account string, more usage) {
	f.total.add(more)
	if account != "" {
		of := f.perAccount[account]
		of.add(more)
		f.perAccount[account] = of
	}
}

// empty reports whether the queue is empty.
func (f *frontier) empty() bool { return len(f.queue) == 0 }

// addAnswer adds the answer of a question; size is its number of bytes. It ignores
// accounts that are closed, or that the consent or the filter does not name.
func (f *frontier) addAnswer(q institution.Question, size int, r institution.Reading) {
	f.count(q.Account, usage{bytes: size})
	n := f.nodes[q]
	n.facts = r.Facts
	n.facts.Accounts = nil
	for _, a := range r.Facts.Accounts {
		if !a.Closed && matchesAny(a, f.scope.AccountIDs) && matchesAny(a, f.filter) {
			n.facts.Accounts = append(n.facts.Accounts, a)
			f.wanted[a.Key] = true
		}
	}
	n.children = f.push(r.Questions)
}

// facts returns the facts of all answers. The order does not depend on the order in
// which the answers arrived: the facts of a question precede those of its children.
func (f *frontier) facts() fact.Facts {
	var all fact.Facts
	seen := make(map[*node]bool, len(f.nodes))
	var add func([]*node)
	add = func(nodes []*node) {
		for _, n := range nodes {
			if seen[n] {
				continue
			}
			seen[n] = true
			all.Add(n.facts)
			add(n.children)
		}
	}
	add(f.roots)
	return all
}
