package account

import (
	"cmp"
	"slices"
)

// candidate says that an account of a collection may be a lasting one.
type candidate struct {
	seen, account, link int
	own                 bool // the link is of the same company
	evidence            Evidence
	rank                int
}

// match decides which of the seen accounts of a company are which lasting accounts. It
// returns a candidate for each, with account -1 for one that is not known. Two accounts of
// a collection are never one lasting account, unless they look the same in every respect, or
// each has a link of its own there: a client has merged them.
//
// The best evidence decides. If it speaks for two lasting accounts, or two of the seen
// ones for one, nothing is decided: the seen ones are not linked, also when all other
// accounts are taken.
func match(accounts []Account, seen []Seen, company string) []candidate {
	decided := make([]candidate, len(seen))
	var open []candidate
	for i := range seen {
		decided[i] = candidate{seen: i, account: -1, link: -1}
		for a := range accounts {
			if best, ok := bestLink(&accounts[a], &seen[i].Traits, company); ok {
				best.seen, best.account = i, a
				open = append(open, best)
			}
		}
	}
	slices.SortStableFunc(open, func(x, y candidate) int { return cmp.Compare(y.rank, x.rank) })
	taken, done := map[int][]candidate{}, make([]bool, len(seen))
	for from := 0; from < len(open); {
		to := from
		for to < len(open) && open[to].rank == open[from].rank {
			to++
		}
		level := open[from:to]
		from = to
		for _, c := range level {
			if done[c.seen] || !only(level, c, seen) ||
				slices.ContainsFunc(taken[c.account], func(other candidate) bool { return c.excludes(other, seen) }) {
				continue
			}
			decided[c.seen], done[c.seen] = c, true
			taken[c.account] = append(taken[c.account], c)
		}
		for _, c := range level { // worse evidence does not overrule what is undecided here
			done[c.seen] = true
		}
	}
	return decided
}

// only reports whether nothing of the same rank speaks against a candidate: the account of
// the collection has no other, and the lasting account no other that looks different.
func only(level []candidate, c candidate, seen []Seen) bool {
	for _, other := range level {
		if other.seen == c.seen && other.account != c.account || other.account == c.account && c.excludes(other, seen) {
			return false
		}
	}
	return true
}

// excludes reports whether two of the seen accounts cannot both be one lasting account.
func (c candidate) excludes(other candidate, seen []Seen) bool {
	return c.seen != other.seen && !seen[c.seen].Traits.same(&seen[other.seen].Traits) &&
		!(c.own && other.own && c.link != other.link)
}

// bestLink returns the best reason why what was seen at a company is an account.
func bestLink(a *Account, t *Traits, company string) (best candidate, ok bool) {
	for i := range a.Links {
		l := &a.Links[i]
		e := Compare(&l.Traits, t, l.Company == company)
		if !e.Strength.Links() {
			continue
		}
		// What a company has had before is that again, whatever other companies say.
		rank := ranks[e.Strength]*100 + len(e.Agreed)*10 - len(e.Differed)
		if l.Company == company {
			rank += 1000
		}
		if !ok || rank > best.rank {
			best, ok = candidate{link: i, own: l.Company == company, evidence: e, rank: rank}, true
		}
	}
	return best, ok
}

// continues reports whether a candidate is the account of the same institution under the
// same number: its link goes on. Otherwise it gets a link of its own, which can be split
// off.
func (c candidate) continues(a *Account, company string) bool {
	return a.Links[c.link].Company == company && !slices.ContainsFunc(c.evidence.Differed, func(by Identifier) bool {
		return by == ByNumber || by == ByMasked || by == ByIBAN
	})
}

// Possible is another account that may be the same one.
type Possible struct {
	AccountID string
	Evidence  Evidence
}

// Possibles returns, by account, the other accounts of a user that may be the same one and
// are not linked: the evidence is doubtful, or speaks for several. Those that a client has
// split are not among them, nor are those that a collection has seen beside each other.
func Possibles(accounts []Account) map[string][]Possible {
	found := map[string][]Possible{}
	for i := range accounts {
		for j := range accounts[:i] {
			a, b := &accounts[i], &accounts[j]
			if a.apartFrom(b) {
				continue
			}
			if e := between(a, b); e.Strength != Different {
				found[a.ID] = append(found[a.ID], Possible{b.ID, e})
				found[b.ID] = append(found[b.ID], Possible{a.ID, e})
			}
		}
	}
	return found
}

func (a *Account) apartFrom(b *Account) bool {
	return slices.ContainsFunc(b.Links, func(l Link) bool { return slices.Contains(a.Apart, l.ID) }) ||
		slices.ContainsFunc(a.Links, func(l Link) bool { return slices.Contains(b.Apart, l.ID) })
}

// between returns the best evidence that two accounts are one.
func between(a, b *Account) (best Evidence) {
	for i := range a.Links {
		for j := range b.Links {
			x, y := &a.Links[i], &b.Links[j]
			same := x.Company == y.Company
			if same && x.Collection == y.Collection {
				return Evidence{} // the institution has both
			}
			e := Compare(&x.Traits, &y.Traits, same)
			if onlyName(e) && x.Last.After(y.First) && y.Last.After(x.First) {
				continue // both were there at one time
			}
			if ranks[e.Strength] > ranks[best.Strength] {
				best = e
			}
		}
	}
	return best
}

// onlyName reports whether no number and no id agrees.
func onlyName(e Evidence) bool {
	return !slices.ContainsFunc(e.Agreed, func(by Identifier) bool {
		return by == ByIBAN || by == ByNumber || by == ByMasked || by == ByResource
	})
}
