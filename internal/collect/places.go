package collect

import (
	"errors"
	"slices"

	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/listing"
)

// places are where an institution has the balances and the transactions of accounts.
// An account that is listed several times has several. All of them are asked for
// transactions, because one can have rows that another has not; for balances one is
// asked at first where they must be the same. It is pure.
type places struct {
	first map[place][]institution.Question // what the lists say to ask
	state map[place]*placeState
}

// place is one kind of data of what has a key.
type place struct {
	account string // key
	needs   institution.Needs
}

type placeState struct {
	asked, failed int  // questions
	passing       bool // a failed question may succeed later
	has           bool // an answer had data, or the list has it
}

func newPlaces() places {
	return places{first: map[place][]institution.Question{}, state: map[place]*placeState{}}
}

func placeOf(q institution.Question) place { return place{q.Account, q.Needs} }

func (p places) at(where place) *placeState {
	s := p.state[where]
	if s == nil {
		s = &placeState{}
		p.state[where] = s
	}
	return s
}

// list adds what an answer to a question about no single account says to ask, and what
// it has already.
func (p places) list(questions []institution.Question, facts fact.Facts) {
	for _, q := range questions {
		if where := placeOf(q); q.Account != "" && !slices.Contains(p.first[where], q) {
			p.first[where] = append(p.first[where], q)
		}
	}
	for _, b := range facts.Balances {
		p.at(place{b.Account, institution.NeedsBalances}).has = true
	}
	for _, h := range facts.Histories {
		p.at(place{h.Account, institution.NeedsTransactions}).has = true
	}
}

func (p places) asked(q institution.Question) {
	if q.Account != "" {
		p.at(placeOf(q)).asked++
	}
}

func (p places) answered(q institution.Question, facts fact.Facts) {
	if q.Account == "" {
		return
	}
	s := p.at(placeOf(q))
	if len(facts.Balances) > 0 {
		s.has = true
	}
	for _, h := range facts.Histories {
		s.has = s.has || len(h.Transactions) > 0
	}
}

func (p places) failed(q institution.Question, err error) {
	s := p.at(placeOf(q))
	s.failed++
	var said *institution.Error
	s.passing = s.passing || !errors.As(err, &said) || said.Kind.Transient()
}

// needs are the kinds of data that places have, in the order in which they are asked for.
var needs = []institution.Needs{institution.NeedsTransactions, institution.NeedsBalances, ""}

// choose returns the questions about an account that may be asked: those for
// transactions of all entries, and in each of the institution's lists and for each
// currency those for balances of the first entry, or of the next one if it has failed.
func (p places) choose(a *listing.Account) (questions []institution.Question) {
	type source struct {
		key, currency string
		card          bool
	}
	for _, n := range needs {
		var used []source
		for _, e := range a.Entries {
			where, own := place{e.Key, n}, a.Currency(e.Key)
			same := n != institution.NeedsTransactions && slices.ContainsFunc(used, func(s source) bool {
				return s.key != e.Key && s.card == e.Card && (s.currency == own || s.currency == "" || own == "")
			})
			if s := p.at(where); !same && (s.has || len(p.first[where]) > 0) {
				questions = append(questions, p.first[where]...)
				if s.failed == 0 {
					used = append(used, source{e.Key, own, e.Card})
				}
			}
		}
	}
	return questions
}

// lost returns how many questions about an account have no answer. It leaves out those
// of a place if another place of the account has given the data, or if the failure
// will last and the other place has answered: some banks list a card in two places and
// one of them never answers.
func (p places) lost(a *listing.Account) (lost int) {
	for _, n := range needs {
		lost += p.lostOf(a, n)
	}
	return lost
}

// lostOf is lost for one kind of data.
func (p places) lostOf(a *listing.Account, n institution.Needs) (lost int) {
	seen := map[string]bool{}
	for _, e := range a.Entries {
		s := p.at(place{e.Key, n})
		if s.failed == 0 || seen[e.Key] {
			continue
		}
		seen[e.Key] = true
		replaced := slices.ContainsFunc(a.Entries, func(other fact.Account) bool {
			o := p.at(place{other.Key, n})
			return o.failed == 0 && (o.has || o.asked > 0 && !s.passing)
		})
		if !replaced {
			lost += s.failed
		}
	}
	return lost
}
