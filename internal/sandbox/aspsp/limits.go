package aspsp

import (
	"net/http"
	"strconv"
	"time"
)

const day = 24 * time.Hour

// countRead counts an unattended read of a recurring consent, by endpoint and
// account over a rolling 24 hours, and refuses the one too many (docs/reference/banks.md 8). A
// read with the PSU present, a one-off consent and a further page of a report
// that was counted already do not count.
func (c *call) countRead(consent Consent, endpoint string) *refusal {
	if c.attended || !consent.Recurring {
		c.count(func(s *counters) { s.AttendedReads++ })
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.Clock.Now()
	key := consent.ID + "/" + endpoint
	recent := c.reads[key]
	for len(recent) > 0 && now.Sub(recent[0]) >= day {
		recent = recent[1:]
	}
	if limit := min(consent.Frequency, c.DailyLimit); len(recent) >= limit {
		c.reads[key] = recent
		c.counters.AccessExceeded++
		f := refuse(http.StatusTooManyRequests, "ACCESS_EXCEEDED", "the consent's reads without the PSU are used up for 24 hours")
		f.retryAfter = int(recent[len(recent)-limit].Add(day).Sub(now)/time.Second) + 1
		return f
	}
	c.counters.UnattendedReads++
	c.reads[key] = append(recent, now)
	c.note(entry{Read: &readEntry{key, now}})
	return nil
}

// script refuses what the behaviour says fails now and then, before anything is
// counted.
func (c *call) script() *refusal {
	if n := c.accountSeq.Add(1); c.UnavailableEvery > 0 && n%int64(c.UnavailableEvery) == 0 {
		return &refusal{status: http.StatusServiceUnavailable, retryAfter: 1}
	}
	if c.attended && c.RateLimitEvery > 0 && c.Bank.attended.Add(1)%int64(c.RateLimitEvery) == 0 {
		c.count(func(s *counters) { s.RateLimited++ })
		f := refuse(http.StatusTooManyRequests, "ACCESS_EXCEEDED", "too many requests, slow down")
		f.retryAfter = 1
		return f
	}
	return nil
}

// counters are what Stats tells beside what follows from the state.
type counters struct {
	ConsentReplays  int `json:"consentReplays"`  // POST consents answered with an earlier consent
	Authorisations  int `json:"authorisations"`  // started
	AttendedReads   int `json:"attendedReads"`   // account reads that do not count
	UnattendedReads int `json:"unattendedReads"` // account reads that count
	AccessExceeded  int `json:"accessExceeded"`  // reads refused because the day's are used up
	RateLimited     int `json:"rateLimited"`     // scripted 429
	Refused         int `json:"refused"`         // requests answered with an error
}

func (b *Bank) count(change func(*counters)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.counters)
}

// Stats is what tests look at. Consents survive a restart with a journal, the
// counters start from zero.
type Stats struct {
	ConsentsCreated   int                   `json:"consentsCreated"`
	DistinctRequests  int                   `json:"distinctRequestIds"` // (TPP, X-Request-ID) pairs on POST consents
	DuplicateConsents int                   `json:"duplicateConsents"`  // consents beyond one for each pair; always 0
	ByStatus          map[ConsentStatus]int `json:"byStatus"`
	counters
}

// Stats returns the counts of this moment.
func (b *Bank) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := Stats{ConsentsCreated: len(b.consents), ByStatus: map[ConsentStatus]int{}, counters: b.counters}
	pairs := map[string]bool{}
	for _, h := range b.consents {
		pairs[requestKey(h.TPP, h.RequestID)] = true
		s.ByStatus[h.Status]++
	}
	s.DistinctRequests = len(pairs)
	s.DuplicateConsents = s.ConsentsCreated - s.DistinctRequests
	return s
}

// Listed is a consent as the operator's face shows it. It names no person.
type Listed struct {
	ID        string        `json:"consentId"`
	Bank      string        `json:"bank"`
	Status    ConsentStatus `json:"consentStatus"`
	RequestID string        `json:"xRequestId"`
	Created   time.Time     `json:"created"`
	Until     string        `json:"validUntil"`
	Recurring bool          `json:"recurringIndicator"`
}

// List returns all consents, oldest first. What time alone has changed since
// the last call is changed first.
func (b *Bank) List() []Listed {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Listed, 0, len(b.order))
	for _, id := range b.order {
		h := b.consents[id]
		b.progress(h)
		out = append(out, Listed{h.ID, b.Company, h.Status, h.RequestID, h.Created, h.Until, h.Recurring})
	}
	return out
}

// Revoke plays the PSU who withdraws the consent at the bank. It reports false
// for an unknown id and returns ErrState when the consent is not valid.
func (b *Bank) Revoke(consentID string) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h, ok := b.consents[consentID]
	if !ok {
		return false, nil
	}
	b.progress(h)
	return true, b.apply(h, Withdrawn{})
}

func requestKey(tpp, requestID string) string {
	return strconv.Itoa(len(tpp)) + ":" + tpp + requestID
}
