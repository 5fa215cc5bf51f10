package obie

import (
	"time"

	"samla/internal/sandbox/obie/grant"
)

// entry is one line of the bank's journal (package journal). It contains hashes of codes
// and tokens, and personal numbers of test persons.
type entry struct {
	Consent *grant.Consent `json:"consent,omitempty"`
	Login   *grant.Login   `json:"login,omitempty"`
	Code    *grant.Code    `json:"code,omitempty"`
	Token   *grant.Token   `json:"token,omitempty"`
	Read    *readEntry     `json:"read,omitempty"`
	Rotated *int           `json:"rotated,omitempty"` // how often the key was replaced
	// Redirect is an address that an operator registered.
	Redirect *redirectEntry `json:"redirect,omitempty"`
}

type redirectEntry struct {
	Client string `json:"client"`
	URI    string `json:"uri"`
}

// readEntry is a read that counts towards the daily limit.
type readEntry struct {
	Key string    `json:"key"`
	At  time.Time `json:"at"`
}

// write writes a change to the journal and ignores errors: after a failed write the bank
// continues in memory. The caller holds mu.
func (b *Bank) write(e entry) { _ = b.journal.Write(e) }

// keepFor is how long logins and codes are kept, so that a page has the same end again and
// a code that comes twice ends its tokens.
const keepFor = time.Hour

// entries yields the entries that restore the current state; what is too old is left out.
func (b *Bank) entries(yield func(entry) bool) {
	now := b.Clock.Now()
	if b.rotated > 0 && !yield(entry{Rotated: &b.rotated}) {
		return
	}
	for _, r := range b.registered {
		if !yield(entry{Redirect: &r}) {
			return
		}
	}
	for _, id := range b.order {
		if !yield(entry{Consent: b.consents[id]}) {
			return
		}
	}
	for _, l := range b.logins {
		if now.Sub(l.Started) < keepFor && !yield(entry{Login: l}) {
			return
		}
	}
	for _, c := range b.codes {
		if now.Sub(c.Issued) < keepFor && !yield(entry{Code: c}) {
			return
		}
	}
	for _, t := range b.tokens {
		if now.Before(t.Expires) && !yield(entry{Token: t}) {
			return
		}
	}
	for key, times := range b.reads {
		for _, at := range times {
			if now.Sub(at) < dayLength && !yield(entry{Read: &readEntry{key, at}}) {
				return
			}
		}
	}
}

// replay applies an entry of the journal to the state.
func (b *Bank) replay(e entry) {
	switch {
	case e.Consent != nil:
		if b.consents[e.Consent.ID] == nil {
			b.order = append(b.order, e.Consent.ID)
		}
		b.consents[e.Consent.ID] = e.Consent
	case e.Login != nil:
		b.logins[e.Login.ID] = e.Login
	case e.Code != nil:
		b.codes[e.Code.Hash] = e.Code
	case e.Token != nil:
		b.tokens[e.Token.Hash] = e.Token
	case e.Read != nil:
		b.reads.Add(e.Read.Key, e.Read.At)
	case e.Rotated != nil:
		b.rotated = *e.Rotated
	case e.Redirect != nil:
		b.register(*e.Redirect)
	}
}
