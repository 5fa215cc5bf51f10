package aspsp

import (
	"time"

	"samla/internal/sandbox/persona"
)

// counters are the part of Stats that is not computed from the state.
type counters struct {
	ConsentReplays  int `json:"consentReplays"`  // POST consents answered with an earlier consent
	Authorisations  int `json:"authorisations"`  // started
	AttendedReads   int `json:"attendedReads"`   // account reads that do not count
	UnattendedReads int `json:"unattendedReads"` // account reads that count
	AccessExceeded  int `json:"accessExceeded"`  // reads over the daily limit
	RateLimited     int `json:"rateLimited"`     // scripted 429
	Errors          int `json:"refused"`         // requests answered with an error
}

func (b *Bank) count(change func(*counters)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.counters)
}

// Stats are the counters of a bank. Those of consents are computed from the state and
// survive a restart with a journal; the others start at zero.
type Stats struct {
	ConsentsCreated   int                   `json:"consentsCreated"`
	DistinctRequests  int                   `json:"distinctRequestIds"` // (TPP, X-Request-ID) pairs on POST consents
	DuplicateConsents int                   `json:"duplicateConsents"`  // consents beyond one for each pair; must be 0
	ByStatus          map[ConsentStatus]int `json:"byStatus"`
	counters
}

// Stats returns the current counters.
func (b *Bank) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := Stats{ConsentsCreated: len(b.consents), ByStatus: map[ConsentStatus]int{}, counters: b.counters}
	pairs := map[string]bool{}
	for _, h := range b.consents {
		pairs[pairKey(h.TPP, h.RequestID)] = true
		s.ByStatus[h.Status]++
	}
	s.DistinctRequests = len(pairs)
	s.DuplicateConsents = s.ConsentsCreated - s.DistinctRequests
	return s
}

// ConsentInfo is a consent in the operator's list. It contains no personal data.
type ConsentInfo struct {
	ID        string        `json:"consentId"`
	Bank      string        `json:"bank"`
	Status    ConsentStatus `json:"consentStatus"`
	RequestID string        `json:"xRequestId"`
	Created   time.Time     `json:"created"`
	Until     string        `json:"validUntil"`
	Recurring bool          `json:"recurringIndicator"`
}

// List refreshes all consents and returns them, oldest first.
func (b *Bank) List() []ConsentInfo {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]ConsentInfo, 0, len(b.order))
	for _, id := range b.order {
		h := b.consents[id]
		b.refresh(h)
		out = append(out, ConsentInfo{h.ID, b.Company, h.Status, h.RequestID, h.Created, h.Until, h.Recurring})
	}
	return out
}

// Revoke revokes the consent as the PSU would at the bank. It reports false for an
// unknown id and returns ErrState if the consent is not valid.
func (b *Bank) Revoke(consentID string) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h, ok := b.consents[consentID]
	if !ok {
		return false, nil
	}
	b.refresh(h)
	if err := b.apply(h, Revoked{}); err != nil {
		return true, err
	}
	if b.preStep() {
		return true, b.server.End(h.Signer)
	}
	return true, nil
}

// CoSign signs a consent as the second person, or refuses to. It reports false for an
// unknown id, and returns ErrState if the consent does not wait for a second signature or
// the person is the first signer.
func (b *Bank) CoSign(consentID, personalNumber string, refuse bool) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h, ok := b.consents[consentID]
	if !ok {
		return false, nil
	}
	b.refresh(h)
	if refuse {
		return true, b.apply(h, CoSignerRefused{})
	}
	second := Authorized{Signer: personalNumber}
	if _, err := h.Consent.Apply(second, b.Clock.Now()); err != nil || h.Status != Partly || !persona.Valid(personalNumber) {
		return true, ErrState
	}
	id, err := b.newID()
	if err != nil {
		return true, err
	}
	a := &Authorisation{ID: id, ConsentID: h.ID, Created: b.Clock.Now(), Status: Finalised, Signer: personalNumber}
	if err := b.journal.Write(entry{Authorisation: a}); err != nil {
		return true, err
	}
	h.authorisations = append(h.authorisations, a)
	return true, b.apply(h, second)
}
