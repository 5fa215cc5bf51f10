package collect

import (
	"time"

	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/listing"
)

// frontier is the set of questions of one collection, asked and not yet asked, with
// the facts of the answers. It contains each question once, and only questions that
// the consent and the collection's filter allow. It is pure.
type frontier struct {
	scope  consent.Scope
	search listing.Search
	bounds bounds

	nodes      map[institution.Question]*node
	roots      []institution.Question
	queue      []*node // not yet asked, in order
	later      []*node // those for balances: asked when nothing else is left to ask
	places     places
	wanted     map[string]bool // account keys that the consent and the filter name
	loans      map[string]bool // those of loans, which have no transactions
	entries    map[listed]bool // of the lists of accounts, each once
	known      *listing.Found  // in these entries; nil: not searched yet
	beyond     int             // entries that were ignored because of the bound
	now        time.Time       // for the bounds in time
	total      usage
	perAccount map[string]usage // by account key; "" for questions about no single one
	partial    map[string]bool  // by account key: something of it could not be read, beside failed questions
}

// node is a question with the facts of its answer and the questions that follow.
type node struct {
	question  institution.Question
	facts     fact.Facts
	questions []institution.Question
	reduced   int // the number of larger questions that it is in place of
}

func newFrontier(scope consent.Scope, search listing.Search, start []institution.Question) *frontier {
	f := &frontier{scope: scope, search: search, bounds: defaultBounds, nodes: map[institution.Question]*node{}, roots: start,
		places: newPlaces(), wanted: map[string]bool{}, loans: map[string]bool{}, entries: map[listed]bool{}, perAccount: map[string]usage{},
		partial: map[string]bool{}}
	f.push(start)
	return f
}

// push adds the questions that are allowed and new to the queue. It returns how many of
// the others should have led on.
func (f *frontier) push(questions []institution.Question) (back int) {
	for _, q := range questions {
		_, known := f.nodes[q]
		if known && q.Onward {
			back++
		}
		if known || !f.allows(q) {
			continue
		}
		n := &node{question: q}
		f.nodes[q] = n
		if q.Needs == institution.NeedsBalances {
			f.later = append(f.later, n)
		} else {
			f.queue = append(f.queue, n)
		}
		f.places.asked(q)
	}
	return back
}

// allows reports whether a question may be asked. An account that no answer has named
// cannot be compared with the scope, so questions about it are not allowed. A loan has no
// transactions (docs/reference/products.md 7).
func (f *frontier) allows(q institution.Question) bool {
	return q.CoveredBy(f.scope) && (q.Account == "" || f.wanted[q.Account] && (q.Needs != institution.NeedsTransactions || !f.loans[q.Account]))
}

// take removes up to n questions to ask now from the queue. Those for balances come last: a
// limit of the institution costs them first, and the list of accounts often has them. It also returns those that
// it removed because a bound was reached.
func (f *frontier) take(n int) (questions []institution.Question, beyond []skipped) {
	for len(questions) < n && !f.empty() {
		from := &f.queue
		if len(f.queue) == 0 {
			from = &f.later
		}
		q := (*from)[0].question
		*from = (*from)[1:]
		of := f.perAccount[q.Account]
		if q.Needs == institution.NeedsBalances {
			of = usage{} // a history without an end does not cost the balance
		}
		if bound := f.bounds.reached(q.Account, of, f.total, f.now); bound != "" {
			beyond = append(beyond, skipped{q, bound})
			f.partial[q.Account] = true
			continue
		}
		f.count(q.Account, usage{answers: 1})
		questions = append(questions, q)
	}
	return questions, beyond
}

func (f *frontier) count(account string, more usage) {
	f.total.add(more)
	of := f.perAccount[account]
	of.add(more)
	f.perAccount[account] = of
}

// empty reports whether the queue is empty.
func (f *frontier) empty() bool { return len(f.queue) == 0 && len(f.later) == 0 }

// addAnswer adds the answer of a question; size is its number of bytes. It counts the
// rows and products for which there is no room, and questions that do not lead on.
func (f *frontier) addAnswer(q institution.Question, size int, r institution.Reading) (found deviation.Counts) {
	found.Add(deviation.Bounded, f.bounds.cut(q.Account, &r.Facts, f.perAccount[q.Account], f.total))
	f.count(q.Account, usageOf(size, r.Facts))
	n := f.nodes[q]
	n.facts, n.questions = r.Facts, r.Questions
	n.facts.Accounts = f.fresh(r.Facts.Accounts)
	if len(n.facts.Accounts) > 0 {
		f.known = nil
	}
	f.places.answered(q, r.Facts)
	if q.Account == "" {
		f.places.list(r.Questions, r.Facts)
		found.Add(deviation.UnusableLink, f.push(unbound(r.Questions)))
	} else {
		found.Add(deviation.UnusableLink, f.push(r.Questions))
	}
	if len(n.facts.Accounts) > 0 {
		f.choose()
	}
	if found.Incomplete() || r.Deviations.Incomplete() {
		f.partial[q.Account] = true
	}
	return found
}

// fresh returns the entries that no answer had before, as far as there is room for them.
// A bank whose list never ends repeats its entries.
func (f *frontier) fresh(accounts []fact.Account) []fact.Account {
	var fresh []fact.Account
	for _, a := range accounts {
		e := listedAs(a)
		switch {
		case f.entries[e]:
		case len(f.entries) >= f.bounds.entries:
			f.beyond++
		default:
			f.entries[e] = true
			fresh = append(fresh, a)
		}
	}
	return fresh
}

// listed is an entry of a list of accounts, comparable.
type listed struct {
	fact.Account
	credit string
}

func listedAs(a fact.Account) listed {
	e := listed{Account: a}
	if a.Credit != nil {
		e.credit, e.Credit = a.Credit.String(), nil
	}
	return e
}

// addFailure says that a question has no answer. Another place may have one.
func (f *frontier) addFailure(q institution.Question, err error) {
	if q.Account == "" {
		f.partial[""] = true
		return
	}
	f.places.failed(q, err)
	f.choose()
}

// unbound returns the questions that are not about one account.
func unbound(questions []institution.Question) (rest []institution.Question) {
	for _, q := range questions {
		if q.Account == "" {
			rest = append(rest, q)
		}
	}
	return rest
}

// choose finds the accounts in all entries so far and adds the questions about those
// that are wanted.
func (f *frontier) choose() {
	accounts := f.found().Accounts
	for i := range accounts {
		for _, e := range accounts[i].Entries {
			f.wanted[e.Key], f.loans[e.Key] = true, accounts[i].Type.IsLoan()
		}
		f.push(f.places.choose(&accounts[i]))
	}
}

// found returns the accounts to read, by all entries so far.
func (f *frontier) found() listing.Found {
	if f.known == nil {
		var entries []fact.Account
		f.walk(func(n *node) { entries = append(entries, n.facts.Accounts...) })
		found := f.search.Find(entries)
		found.Deviations.Add(deviation.Bounded, f.beyond)
		f.known = &found
	}
	return *f.known
}

// lost returns how many questions about the accounts to read have no answer.
func (f *frontier) lost(accounts []listing.Account) (lost int) {
	for i := range accounts {
		lost += f.places.lost(&accounts[i])
	}
	return lost
}

// replace puts a smaller question in place of one that was refused.
func (f *frontier) replace(refused, smaller institution.Question) {
	n := f.nodes[refused]
	n.questions = []institution.Question{smaller}
	f.push(n.questions)
	if follows := f.nodes[smaller]; follows != nil {
		follows.reduced = n.reduced + 1
	}
}

// facts returns the facts of all answers.
func (f *frontier) facts() fact.Facts {
	var all fact.Facts
	f.walk(func(n *node) { all.Add(n.facts) })
	return all
}

// walk calls visit for each node. The order does not depend on the order in which the
// answers arrived: a question precedes those that its answer leads to.
func (f *frontier) walk(visit func(*node)) {
	seen := make(map[*node]bool, len(f.nodes))
	var walk func([]institution.Question)
	walk = func(questions []institution.Question) {
		for _, q := range questions {
			if n := f.nodes[q]; n != nil && !seen[n] {
				seen[n] = true
				visit(n)
				walk(n.questions)
			}
		}
	}
	walk(f.roots)
}
