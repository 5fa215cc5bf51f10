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
}

// readEntry is an unattended read that counts (limits.go).
type readEntry struct {
	Key string    `json:"key"`
	At  time.Time `json:"at"`
}

// note writes a change down. What is under way goes on in memory when the
// journal fails; new consents and authorisations, which check it themselves, do
// not. The caller holds mu.
func (b *Bank) note(e entry) { _ = b.journal.Write(e) }

// Snapshot writes the bank's state, one JSON object a line. It holds test
// persons' numbers and belongs nowhere but into a file of the sandbox.
func (b *Bank) Snapshot(w io.Writer) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return journal.Snapshot(w, b.state)
}

// Restore takes up a snapshot or journal, on top of what is there; see
// journal.Read for its errors.
func (b *Bank) Restore(r io.Reader) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return journal.Read(r, b.take)
}

// state yields the entries that restore the bank.
func (b *Bank) state(yield func(entry) bool) {
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
	for key, times := range b.reads {
		for _, at := range times {
			if b.Clock.Now().Sub(at) < day && !yield(entry{Read: &readEntry{key, at}}) {
				return
			}
		}
	}
}

func (b *Bank) take(e entry) {
	switch {
	case e.Consent != nil:
		h := b.consents[e.Consent.ID]
		if h == nil {
			h = &held{}
			b.consents[e.Consent.ID] = h
			b.order = append(b.order, e.Consent.ID)
			b.byRequest[requestKey(e.Consent.TPP, e.Consent.RequestID)] = e.Consent.ID
		}
		h.Consent = *e.Consent
		if h.Status == Valid && h.Recurring {
			b.recurring[requestKey(h.TPP, h.Signer)] = h
		}
	case e.Authorisation != nil:
		h := b.consents[e.Authorisation.ConsentID]
		if h == nil {
			return
		}
		same := func(a *Authorisation) bool { return a.ID == e.Authorisation.ID }
		if i := slices.IndexFunc(h.authorisations, same); i >= 0 {
			*h.authorisations[i] = *e.Authorisation
		} else {
			h.authorisations = append(h.authorisations, e.Authorisation)
		}
	case e.Read != nil:
		b.reads[e.Read.Key] = append(b.reads[e.Read.Key], e.Read.At)
	}
}
