package nordea

import (
	"fmt"
	"time"

	"samla/internal/sandbox/nordea/grant"
)

// entry is one line of the journal (package journal): what has changed at once. It contains
// codes, tokens and personal numbers of test persons.
type entry struct {
	Login    *grant.Login `json:"login,omitempty"`
	Visit    *grant.Visit `json:"visit,omitempty"`
	Grant    *grant.Grant `json:"grant,omitempty"`
	Read     *read        `json:"read,omitempty"`
	Redirect *registered  `json:"redirect,omitempty"`
}

// read is an unattended read that counts towards the daily limit.
type read struct {
	Key string    `json:"key"`
	At  time.Time `json:"at"`
}

// registered is an address that was registered while the bank ran.
type registered struct {
	App     string `json:"app"`
	Address string `json:"address"`
}

// keepEnded is how long logins, visits and grants are kept after their end, so that a late
// request still gets the right error.
const keepEnded = 24 * time.Hour

// save writes a change to the journal, then makes it. With an error, which is one of the
// journal, nothing has changed. The caller holds mu.
func (b *Bank) save(e entry) error {
	if err := b.journal.Write(e); err != nil {
		return fmt.Errorf("nordea: %w", err)
	}
	b.replay(e)
	b.forget()
	return nil
}

// replay makes a change. Entries of what is over are ignored by forget.
func (b *Bank) replay(e entry) {
	if l := e.Login; l != nil {
		if b.logins[l.ID] == nil {
			b.order = append(b.order, l.ID)
		}
		b.logins[l.ID] = l
		if l.Code != "" {
			b.codes[l.Code] = l.ID
		}
	}
	if v := e.Visit; v != nil {
		if b.visits[v.ID] == nil {
			b.order = append(b.order, v.ID)
		}
		b.visits[v.ID] = v
	}
	if g := e.Grant; g != nil {
		old := b.grants[g.ID]
		if old == nil {
			b.order = append(b.order, g.ID)
		} else {
			b.unlink(old)
		}
		b.grants[g.ID] = g
		b.codes[g.Code] = g.ID
		for _, list := range [][]grant.Token{g.Access, g.Refresh} {
			for _, t := range list {
				b.byToken[t.Value] = g.ID
			}
		}
	}
	if r := e.Read; r != nil {
		b.reads.Add(r.Key, r.At)
	}
	if e.Redirect != nil {
		b.register(*e.Redirect)
	}
}

// unlink removes the tokens of a grant from the index.
func (b *Bank) unlink(g *grant.Grant) {
	for _, list := range [][]grant.Token{g.Access, g.Refresh} {
		for _, t := range list {
			delete(b.byToken, t.Value)
		}
	}
}

// forget drops the oldest logins, visits and grants that ended long ago, and stops at the
// first that did not: a grant keeps what is newer until its own end.
func (b *Bank) forget() {
	now := b.Clock.Now()
	over := func(end time.Time) bool { return now.Sub(end) >= keepEnded }
	for len(b.order) > 0 {
		id := b.order[0]
		l, v, g := b.logins[id], b.visits[id], b.grants[id]
		switch {
		case l != nil && over(l.Started):
			delete(b.codes, l.Code)
			delete(b.polls, id)
			delete(b.logins, id)
		case v != nil && over(v.Until):
			delete(b.visits, id)
		case g != nil && over(g.Ends):
			delete(b.codes, g.Code)
			b.unlink(g)
			delete(b.grants, id)
		default:
			return
		}
		b.order = b.order[1:]
	}
}

// entries yields the entries that restore the state.
func (b *Bank) entries(yield func(entry) bool) {
	b.forget()
	for _, id := range b.order {
		if !yield(entry{Login: b.logins[id], Visit: b.visits[id], Grant: b.grants[id]}) {
			return
		}
	}
	for key, times := range b.reads {
		for _, at := range times {
			if b.Clock.Now().Sub(at) < dayLength && !yield(entry{Read: &read{key, at}}) {
				return
			}
		}
	}
	for id, app := range b.apps {
		for _, address := range app.Redirects {
			if !yield(entry{Redirect: &registered{id, address}}) {
				return
			}
		}
	}
}
