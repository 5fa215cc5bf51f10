package account

import (
	"slices"
	"time"

	"samla/internal/consent"
)

// Reading is what a collection has seen of a user's accounts.
type Reading struct {
	Collection  string
	At          time.Time // when it was completed
	Company     string
	CompanyName string
	Lineage     consent.ID // empty: the person signed for it alone, or logged in
	Consent     consent.ID
	Listed      bool // all accounts that the consent covers are among Seen or Closed
	Seen        []Seen
	Closed      []Traits // accounts that the institution lists as closed
}

// Applied is the result of a reading.
type Applied struct {
	Accounts []Account // of the user: those from before, with the new ones after them
	Changed  []bool    // by account: something of it has changed
	News     []bool    // by account: something that a client sees beside balances has changed
	// Of is where each seen account went, by its index; Account is -1 if the user has too
	// many accounts.
	Of []Place
}

// Place is a link of an account, by their indexes.
type Place struct{ Account, Link int }

// Apply applies a reading to the accounts of a user. It changes accounts. newID returns
// UUIDs.
//
// A reading that is older than what is known, because it was applied late, changes no
// newer state: only when something was seen first, and through which consents.
func Apply(accounts []Account, r Reading, newID func() string) Applied {
	p := &applier{Reading: r, newID: newID, before: len(accounts), Applied: Applied{Accounts: accounts,
		Changed: make([]bool, len(accounts)), News: make([]bool, len(accounts)), Of: make([]Place, len(r.Seen))}}
	kept := make(map[*Link]bool)
	decided := match(accounts, r.Seen, r.Company)
	for i, c := range decided {
		p.Of[i] = p.place(c, &r.Seen[i])
	}
	for i := range p.Of {
		if at := p.Of[i]; at.Account >= 0 {
			kept[&p.Accounts[at.Account].Links[at.Link]] = true
			p.see(at, &r.Seen[i])
		}
	}
	p.close(kept)
	if r.Listed {
		p.miss(kept)
	}
	return p.Applied
}

type applier struct {
	Reading
	Applied
	newID  func() string
	before int
}

// place returns the link of an account that was seen, and makes it if there is none.
func (p *applier) place(c candidate, s *Seen) Place {
	for i := range p.Of[:c.seen] { // the same account twice
		if at := p.Of[i]; p.Seen[i].Traits.same(&s.Traits) && (at.Account == c.account || c.account < 0 && at.Account >= p.before) {
			return at
		}
	}
	if c.account < 0 {
		if len(p.Accounts) >= MaxAccounts {
			return Place{-1, -1}
		}
		id := p.newID()
		p.Accounts = append(p.Accounts, Account{ID: id, Links: []Link{p.link(id, s)}})
		p.Changed, p.News = append(p.Changed, true), append(p.News, true)
		return Place{len(p.Accounts) - 1, 0}
	}
	a := &p.Accounts[c.account]
	if c.continues(a, p.Company) || len(a.Links) >= MaxLinks {
		return Place{c.account, c.link}
	}
	e := c.evidence
	e.At = p.At
	l := p.link(a.ID, s)
	l.Evidence = &e
	a.Links = append(a.Links, l)
	p.News[c.account] = true
	return Place{c.account, len(a.Links) - 1}
}

func (p *applier) link(origin string, s *Seen) Link {
	return Link{ID: p.newID(), Origin: origin, Company: p.Company, Name: p.CompanyName, Traits: s.Traits}
}

// see notes that a link was seen.
func (p *applier) see(at Place, s *Seen) {
	l := &p.Accounts[at.Account].Links[at.Link]
	p.Changed[at.Account] = true
	l.through(p.Lineage, p.Consent, p.At)
	if l.First.IsZero() || p.At.Before(l.First) {
		l.First = p.At
	}
	if p.At.Before(l.Last) {
		return
	}
	shown := s.Shown
	shown.At = p.At
	if len(shown.Balances) == 0 { // not read this time, or not readable
		shown.Balances, shown.At = l.Shown.Balances, l.Shown.At
	}
	if before, _ := l.State(); before != Open || l.Shown.differs(&shown) {
		p.News[at.Account] = true
	}
	l.Shown, l.Last, l.Collection, l.Name = shown, p.At, p.Collection, p.CompanyName
	l.Missing, l.ClosedAt = time.Time{}, time.Time{}
	l.Traits.add(s.Traits)
}

// differs reports whether a client sees something else, beside balances.
func (s *Shown) differs(other *Shown) bool {
	return s.Type != other.Type || s.Name != other.Name || s.Number != other.Number || s.IBAN != other.IBAN || s.BIC != other.BIC ||
		s.Currency != other.Currency
}

// through notes that a link was read under a consent, or by a login.
func (l *Link) through(lineage, under consent.ID, at time.Time) {
	i := slices.IndexFunc(l.Through, func(t Through) bool { return t.Lineage == lineage })
	if i < 0 {
		l.Through = append(l.Through, Through{Lineage: lineage, Consent: under, First: at, Last: at})
		l.Through = l.Through[max(0, len(l.Through)-MaxThrough):]
		return
	}
	t := &l.Through[i]
	if at.Before(t.First) {
		t.First = at
	}
	if !at.Before(t.Last) {
		t.Last, t.Consent = at, under
	}
}

// close notes which links the institution lists as closed: those that would go on if the
// accounts were open.
func (p *applier) close(kept map[*Link]bool) {
	for i := range p.Closed {
		for a := range p.Accounts {
			for n := range p.Accounts[a].Links {
				l := &p.Accounts[a].Links[n]
				if l.Company != p.Company || kept[l] || !l.ClosedAt.IsZero() || p.At.Before(l.Last) ||
					!Compare(&l.Traits, &p.Closed[i], true).Strength.Links() {
					continue
				}
				l.ClosedAt, p.Changed[a], p.News[a] = p.At, true, true
			}
		}
	}
}

// miss notes which links are not listed any more: those that were read through the same
// consent and are not among what was seen.
func (p *applier) miss(kept map[*Link]bool) {
	for a := range p.Accounts {
		for n := range p.Accounts[a].Links {
			l := &p.Accounts[a].Links[n]
			if l.Company != p.Company || kept[l] || !l.Missing.IsZero() || !l.ClosedAt.IsZero() || !l.Last.Before(p.At) ||
				!slices.ContainsFunc(l.Through, func(t Through) bool { return t.Lineage == p.Lineage }) {
				continue
			}
			l.Missing, p.Changed[a], p.News[a] = p.At, true, true
		}
	}
}
