package aspsp

import (
	"io"
	"slices"
	"time"

	"samla/internal/sandbox/journal"
)

// entry is one line of the bank's journal (package journal).
type entry struct {
	Consent       *Consent       `json:"consent,omitempty"`
	Authorisation *Authorisation `json:"authorisation,omitempty"`
	Read          *readEntry     `json:"read,omitempty"`
	Login         *login         `json:"login,omitempty"`
}

// readEntry is an unattended read that counts towards the daily limit.
type readEntry struct {
	Key string    `json:"key"`
	At  time.Time `json:"at"`
}

// writeEntry writes a change to the journal and ignores errors: after a failed write,
// existing consents continue in memory. New consents and authorisations write to the
// journal themselves and fail with its error. The caller holds mu.
func (b *Bank) writeEntry(e entry) { _ = b.journal.Write(e) }

// Snapshot writes the bank's state to w, one JSON object per line. It contains
// personal numbers of test persons.
func (b *Bank) Snapshot(w io.Writer) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return journal.Snapshot(w, b.entries)
}

// Restore adds the state of a snapshot or journal to the current state. Its errors are
// those of journal.Read.
func (b *Bank) Restore(r io.Reader) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return journal.Read(r, b.replay)
}

// entries yields the entries that restore the current state.
func (b *Bank) entries(yield func(entry) bool) {
	for _, id := range b.order {
		h := b.consents[id]
		if !yield(entry{Consent: &h.Consent}) {
			return
		}
		for _, a := range h.authorisations {
			if !yield(entry{Authorisation: a}) {
				return
			}
		}
	}
	for _, l := range b.logins {
		if b.Clock.Now().Sub(l.Until) < dayLength && !yield(entry{Login: l}) {
			return
		}
	}
	for key, times := range b.reads {
		for _, at := range times {
			if b.Clock.Now().Sub(at) < dayLength && !yield(entry{Read: &readEntry{key, at}}) {
				return
			}
		}
	}
}

// replay applies an entry of the journal to the state.
func (b *Bank) replay(e entry) {
	switch {
	case e.Consent != nil:
		h := b.consents[e.Consent.ID]
		if h == nil {
			h = &consentRecord{}
			b.consents[e.Consent.ID] = h
			b.order = append(b.order, e.Consent.ID)
			b.byRequest[pairKey(e.Consent.TPP, e.Consent.RequestID)] = e.Consent.ID
		}
		h.Consent = *e.Consent
		if h.Status == Valid && b.replaces(h.Consent) {
			b.recurring[pairKey(h.TPP, h.Signer)] = h
		}
	case e.Authorisation != nil:
		h := b.consents[e.Authorisation.ConsentID]
		if h == nil {
			return
		}
		same := func(a *Authorisation) bool { return a.ID == e.Authorisation.ID }
		a := e.Authorisation
		if i := slices.IndexFunc(h.authorisations, same); i >= 0 {
			a = h.authorisations[i]
			*a = *e.Authorisation
		} else {
			h.authorisations = append(h.authorisations, a)
		}
		if a.Page != nil {
			b.visits[a.Page.Visit] = a
		}
	case e.Login != nil:
		b.logins[e.Login.ID] = e.Login
	case e.Read != nil:
		b.reads.Add(e.Read.Key, e.Read.At)
	}
}
